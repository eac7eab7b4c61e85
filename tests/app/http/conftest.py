"""The town that every test here starts with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hanse.app.build import create_app
from hanse.app.house import House
from hanse.app.settings import Settings
from tests.app.http.town import Town, furnish


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def town(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Town]:
    house = House(Settings(folder=tmp_path, demo=True))
    furnish(house)
    app = create_app(house, pages=())
    async with app.lifespan():
        yield Town(house, app)

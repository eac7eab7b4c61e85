"""A small town with its pages, and visitors who click."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from hanse.app import templating
from hanse.app.build import create_app, in_front
from hanse.app.house import House
from hanse.app.settings import Settings
from tests.app.http.town import Town, furnish

HERE = "http://hanse.test"


class AnyName(dict[str, str]):
    """A manifest in which every file is built."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return name


class Visitor:
    """Somebody at a browser: cookies, pages as text, forms."""

    def __init__(self, town: Town) -> None:
        transport = httpx.ASGITransport(app=in_front(town.app), raise_app_exceptions=False)
        headers = {"Origin": HERE, "Accept": "text/html", "Accept-Language": "en"}
        self.client = httpx.AsyncClient(transport=transport, base_url=HERE, headers=headers)

    async def sits(self, seat: str, id_: str = "") -> "Visitor":
        answer = await self.send("/seat", seat=seat, id=id_)
        assert answer.status_code == 303, answer.text
        return self

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, as without scripts."""
        return await self.client.post(path, data=fields)

    async def click(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, as htmx does."""
        return await self.client.post(path, data=fields, headers={"HX-Request": "true"})

    async def reads(self, path: str) -> str:
        """What stands on a page, without its tags."""
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text[:500]
        return text(answer)


def text(answer: httpx.Response) -> str:
    """What a person reads of a page."""
    inner = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inner)).split())


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browser files as if built, so that these tests need no Node."""
    monkeypatch.setattr(templating, "_manifest", AnyName)


@pytest.fixture
async def town(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Town]:
    house = House(Settings(folder=tmp_path, demo=True, name="Testtown"))
    furnish(house)
    app = create_app(house)
    async with app.lifespan():
        yield Town(house, app)


@pytest.fixture
async def shopper(town: Town) -> Visitor:
    return await Visitor(town).sits("shopper", "per_ada")


@pytest.fixture
async def shop(town: Town) -> Visitor:
    return await Visitor(town).sits("shop", "shp_1")


@pytest.fixture
async def league(town: Town) -> Visitor:
    return await Visitor(town).sits("league")


async def orders_something(shopper: Visitor, offer: str = "shp_1:prd_1", pieces: int = 2) -> str:
    """Put something in the basket and order it; gives the order's id."""
    await shopper.send("/basket/lines", offer_id=offer, pieces=str(pieces))
    answer = await shopper.send("/orders", key="one-click")
    assert answer.status_code == 303, text(answer)
    return str(answer.headers["location"]).removeprefix("/orders/")


def state(town: Town) -> tuple[int, Any]:
    """How far the journal goes; the same after a refusal."""
    return town.house.district.position, town.ledger_sum()

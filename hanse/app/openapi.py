"""The API's description without a running district, for the reference and for whoever generates clients."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from hanse.app.build import create_app
from hanse.app.house import House
from hanse.app.http.description import describe
from hanse.app.settings import Settings

__all__ = ["openapi_document"]


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document as plain values, with the routes of a demonstration in it."""
    with TemporaryDirectory() as folder:
        house = House(Settings(folder=Path(folder), demo=True))
        try:
            document: dict[str, Any] = msgspec.json.decode(describe(create_app(house)))
        finally:
            house.journal.close()
            house.vault.close()
    return document

"""What neighbours' shops offer, read at their own public API when somebody looks.

Only shown: what an order costs is decided where it is served, at the price that the shopper saw or not at all.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

import msgspec

from hanse.app.neighbours import Neighbour, open_client
from hanse.kernel.errors import NotFound, Unavailable

if TYPE_CHECKING:
    import httpx

__all__ = ["Abroad", "Goods", "ShopAbroad", "Ware"]

T = TypeVar("T")

FRESH_S = 15.0
WAIT_S = 4.0
BYTES_MAX = 1_048_576
KEPT_MAX = 256


class ShopAbroad(msgspec.Struct, frozen=True):
    """A neighbour's shop."""

    shop_id: str
    name: str
    kind: str
    street: str
    open_now: bool


class Ware(msgspec.Struct, frozen=True):
    """What a neighbour's shop offers: gross price in minor units, and how many pieces are free there."""

    offer_id: str
    shop_id: str
    title_en: str
    title_de: str
    picture: str
    price_minor: int
    currency: str
    free_pieces: int


class Goods(msgspec.Struct, frozen=True):
    """A page of a shop's offers, and the cursor of those that follow; empty at the end."""

    offers: tuple[Ware, ...]
    next: str = ""


class Abroad:
    """Reads at neighbours; what was read is shown to others too, for some seconds.

    Parameters
    ----------
    neighbours
        Where each is reached.
    """

    def __init__(self, neighbours: Mapping[str, Neighbour]) -> None:
        self._neighbours = neighbours
        self._kept: dict[str, tuple[float, Any]] = {}
        self._client: httpx.AsyncClient | None = None

    async def shops(self, tag: str) -> tuple[ShopAbroad, ...]:
        """The shops of a neighbour; raises `NotFound`, and `Unavailable` if it does not answer."""
        return await self._read(tag, "/api/shops", tuple[ShopAbroad, ...])

    async def goods(self, tag: str, shop_id: str, cursor: str = "") -> Goods:
        """What one of its shops offers, page by page; raises as `shops` does."""
        return await self._read(tag, f"/api/shops/{quote(shop_id, safe='')}/offers?cursor={quote(cursor)}", Goods)

    async def _read(self, tag: str, path: str, of: type[T]) -> T:
        neighbour = self._neighbours.get(tag)
        if neighbour is None:
            raise NotFound("district.unknown_neighbour", "There is no neighbour with this tag.", neighbour=tag)
        url = neighbour.url + path
        kept = self._kept.get(url)
        if kept is None or kept[0] < time.monotonic():
            found = await self._fetch(url, of)
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            kept = self._kept[url] = time.monotonic() + FRESH_S, found
        return cast(T, kept[1])

    async def _fetch(self, url: str, of: type[T]) -> T:
        import httpx

        if self._client is None:
            self._client = open_client(WAIT_S)
        away = Unavailable("app.neighbour_away", "The neighbour does not answer just now; try again soon.")
        try:
            async with asyncio.timeout(WAIT_S), self._client.stream("GET", url) as answer:
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > BYTES_MAX:
                        raise away
            if answer.status_code == 404:
                raise NotFound("market.unknown_shop", "The neighbour has no such shop.")
            if answer.status_code != 200:
                raise away
            return msgspec.json.decode(body, type=of)
        except (httpx.HTTPError, TimeoutError, msgspec.DecodeError) as error:
            raise away from error

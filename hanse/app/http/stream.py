"""The journal as it grows, for whoever may see it: server-sent events with resume.

The league sees every entry whole. A shopper or a shop sees that something happened to an order of their
own (its name, order, part), never what it says: an order's body tells a shop of the others in it.
Everybody has a bounded queue. Who reads too slowly is told so and dropped; `Last-Event-ID` resumes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from hanse.app.home import Home
from hanse.district.core import District
from hanse.events.dictionary import kind_of
from hanse.events.finance import CardPaymentAsked
from hanse.events.market import OrderPlaced
from hanse.journal.protocol import Entry
from hanse.kernel.errors import LimitExceeded
from hanse.kernel.principal import Principal
from hanse.market.orders.views import Orders, orders_of_shopper

__all__ = ["Feed", "Happening", "happening"]

QUEUE_MAX = 4_096
CLIENTS_MAX = 512
STORIES_MAX = 5_000
"""Of so many orders a stream tells what becomes of them; of older ones it is silent."""
CATCH_UP_ROWS = 500
HEARTBEAT_S = 15.0
HEARTBEAT = b": still here\n\n"
TOO_SLOW = b'event: end\ndata: {"reason":"too slow; resume with Last-Event-ID"}\n\n'
CLOSING = b'event: end\ndata: {"reason":"the district stops; resume with Last-Event-ID"}\n\n'
_PLACED = kind_of(OrderPlaced).name
_SECRET_BODIES = frozenset((kind_of(CardPaymentAsked).name,))


class _PartHead(msgspec.Struct):
    part_id: str
    shop_id: str


class _PlacedHead(msgspec.Struct):
    """As much of a placed order as says whom it concerns."""

    shopper_id: str
    parts: tuple[_PartHead, ...]


class _MoveHead(msgspec.Struct):
    """As much of any entry of an order as says which part it is about."""

    part_id: str = ""


class Happening(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of the journal as it is shown. `body` is there for the league only."""

    position: int
    time_us: int
    name: str
    story: str
    part_id: str = ""
    origin: str = ""
    cause: int = 0
    body: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


_placed = msgspec.json.Decoder(_PlacedHead).decode
_move = msgspec.json.Decoder(_MoveHead).decode
_encode = msgspec.json.Encoder().encode


def happening(entry: Entry) -> Happening:
    """An entry as the league sees it: whole, but for what lets money be taken."""
    position, time_us, name, _, story, origin, cause, body = entry
    shown = b"{}" if name in _SECRET_BODIES else body.encode()
    return Happening(position, time_us, name, story, "", origin, cause, msgspec.Raw(shown))  # type: ignore[arg-type]


class Feed:
    """Hands the entries of each commit to the clients that may see them."""

    def __init__(self, house: Home) -> None:
        self._house = house
        self._clients: set[_Client] = set()
        self._stop = house.listen(self._hear)

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    def stream(self, principal: Principal, after: int | None) -> AsyncIterator[bytes]:
        """Entries behind a position (None: from now on) as server-sent events, without end."""
        if len(self._clients) >= CLIENTS_MAX:
            raise LimitExceeded("app.too_many_streams", "Too many streams are open; try again later.", retry_after_s=5)
        return self._messages(_Client(principal, self._house.district), after)

    async def _messages(self, client: "_Client", after: int | None) -> AsyncIterator[bytes]:
        try:
            if after is None:
                self._clients.add(client)
            yield b"retry: 1000\n\n"
            if after is not None:
                async for message in self._catch_up(client, after):
                    yield message
                self._clients.add(client)
            async for message in client.messages():
                yield message
        finally:
            self._clients.discard(client)

    async def _catch_up(self, client: "_Client", after: int) -> AsyncIterator[bytes]:
        """What was missed. Returns when nothing is left, so that nothing can come between it and what is live."""
        position = after
        while position < self._house.district.position:
            entries = list(self._house.journal.read(position, limit=CATCH_UP_ROWS))
            if not entries:
                return
            position = entries[-1].position
            chunk = b"".join(message for entry in entries if (message := client.shows(entry)))
            if chunk:
                yield chunk
            else:
                await asyncio.sleep(0)

    def close(self) -> None:
        """End all streams; the district stops."""
        self._stop()
        for client in tuple(self._clients):
            client.end(CLOSING)

    def _hear(self, entries: list[Entry]) -> None:
        if not self._clients:
            return
        league = [c for c in self._clients if c.sees_all]
        others = [c for c in self._clients if not c.sees_all]
        whole = b"".join(map(_whole, entries)) if league else b""
        for client in league:
            client.put(whole)
        for client in others:
            for entry in entries:
                message = client.shows(entry)
                if message:
                    client.put(message)


class _Client:
    """One open stream."""

    def __init__(self, principal: Principal, district: District) -> None:
        self._principal = principal
        self.sees_all = principal.role == "league"
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._stories = _stories(district, principal)

    def shows(self, entry: Entry) -> bytes:
        """What this client gets to see of an entry; nothing if it is none of theirs."""
        position, time_us, name, _, story, _, _, body = entry
        if self.sees_all:
            return _whole(entry)
        if name == _PLACED:
            self._take_in(story, body)
        mine = self._stories.get(story)
        if mine is None:
            return b""
        part_id = _move(body).part_id
        if part_id and mine and part_id not in mine:
            return b""
        return _message(position, name, _encode(Happening(position, time_us, name, story, part_id)))

    def _take_in(self, order_id: str, body: str) -> None:
        placed = _placed(body)
        if self._principal.role == "shopper" and placed.shopper_id == self._principal.id:
            self._stories[order_id] = frozenset()
        elif self._principal.role == "shop":
            mine = frozenset(part.part_id for part in placed.parts if part.shop_id == self._principal.id)
            if mine:
                self._stories[order_id] = mine
        if len(self._stories) > STORIES_MAX:
            del self._stories[next(iter(self._stories))]

    def put(self, message: bytes) -> None:
        """Queue a message, or end the stream of who reads too slowly."""
        if self._ended:
            return
        if len(self._queue) >= QUEUE_MAX:
            self._queue.clear()
            self.end(TOO_SLOW)
            return
        self._queue.append(message)
        self._wake.set()

    def end(self, last_word: bytes) -> None:
        """Say why, and stop."""
        self._queue.append(last_word)
        self._ended = True
        self._wake.set()

    async def messages(self) -> AsyncIterator[bytes]:
        """What is queued, in pieces as large as they come, and a heartbeat in between."""
        while True:
            if not self._queue:
                if self._ended:
                    return
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield HEARTBEAT
                continue
            chunk = b"".join(self._queue)
            self._queue.clear()
            yield chunk


def _stories(district: District, principal: Principal) -> dict[str, frozenset[str]]:
    """The orders that a principal hears of, with the parts that are theirs (none named: all)."""
    if principal.role == "shopper":
        return dict.fromkeys(orders_of_shopper(district, principal.id), frozenset())
    stories: dict[str, frozenset[str]] = {}
    if principal.role == "shop":
        orders = district.view(Orders)
        for found, state in orders.parts_at(principal.id):
            stories[found.placed.order_id] = frozenset((state.part.part_id,))
        # Who resumes may have missed the end of an order; a part's id begins with its order's.
        for order_id in orders.closed_of_shop.get(principal.id, ()):
            stories.setdefault(order_id, frozenset())
    return stories


def _whole(entry: Entry) -> bytes:
    return _message(entry[0], entry[2], _encode(happening(entry)))


def _message(position: int, name: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, name.encode(), data)

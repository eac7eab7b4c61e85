"""A small HTTP/1.1 client for load: keep-alive, one request at a time a connection, no work that is not needed."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import NamedTuple

__all__ = ["Load", "Rounds", "load", "request"]

Rounds = Generator[bytes, bytes, None]
"""The requests of one round; each yield gives a request and gets the body of its answer."""


class Load(NamedTuple):
    """What a window of load came to: rounds a second, and how long each request took."""

    rounds: int
    seconds: float
    waits_ms: list[float]
    refused: int

    @property
    def per_s(self) -> float:
        """Rounds a second."""
        return self.rounds / self.seconds

    def percentile_ms(self, share: float) -> float:
        """How long that share of the requests took at most."""
        return sorted(self.waits_ms)[min(int(len(self.waits_ms) * share), len(self.waits_ms) - 1)]


def request(method: str, path: str, *, token: str = "", key: str = "", body: bytes = b"") -> bytes:
    """The bytes of one request."""
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    if token:
        head += f"authorization: Bearer {token}\r\n"
    if key:
        head += f"idempotency-key: {key}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class _Connection(asyncio.Protocol):
    """Runs one script after the other until the window is over."""

    def __init__(self, script: Callable[[], Rounds], window: "_Window") -> None:
        self._script = script
        self._window = window
        self._rounds = script()
        self._data = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send(next(self._rounds))

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._data.lower().find(b"content-length:", 0, end)
        length = int(self._data[at + 15 : self._data.find(b"\r\n", at)]) if at >= 0 else 0
        if len(self._data) >= end + 4 + length:
            status, body = self._data[9:12], self._data[end + 4 : end + 4 + length]
            self._data = b""
            self._answered(status, body)

    def _send(self, sent: bytes) -> None:
        self._sent = time.perf_counter()
        self._transport.write(sent)

    def _answered(self, status: bytes, body: bytes) -> None:
        now = time.perf_counter()
        window = self._window
        if window.counting:
            window.waits_ms.append((now - self._sent) * 1e3)
            window.refused += status >= b"400"
        if window.over:
            self._transport.close()
            return
        try:
            self._send(self._rounds.send(body))
        except StopIteration:
            window.rounds += window.counting
            self._rounds = self._script()
            self._send(next(self._rounds))

    def connection_lost(self, error: Exception | None) -> None:
        self._window.left -= 1
        if self._window.left == 0 and not self._window.done.done():
            self._window.done.set_result(None)


class _Window:
    def __init__(self, connections: int) -> None:
        self.rounds = self.refused = 0
        self.waits_ms: list[float] = []
        self.counting = self.over = False
        self.left = connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


async def load(
    port: int, connections: int, script: Callable[[], Rounds], *, seconds: float, warm_s: float = 1.0
) -> Load:
    """Keep so many connections busy for a window; what happens in the first second is not counted."""
    loop, window = asyncio.get_running_loop(), _Window(connections)
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(script, window), "127.0.0.1", port)
    await asyncio.sleep(warm_s)
    window.counting, start = True, time.perf_counter()
    await asyncio.sleep(seconds)
    window.counting, took = False, time.perf_counter() - start
    window.over = True
    await asyncio.wait_for(window.done, 30)
    return Load(window.rounds, took, window.waits_ms, window.refused)

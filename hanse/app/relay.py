"""Between the writer's process and a follower's: one socket, requests one way, answers and news the other.

A follower hands on what it may not or cannot answer, whole, as the browser sent it: who asks is checked by
the writer, as for any request. Both ends are of one program and one user; the socket has no name.
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from hanse.app.telemetry.logs import say
from hanse.kernel.errors import Unavailable

__all__ = ["Counter", "Line", "News", "Standing", "Welcome", "lost", "receive", "said"]

FRAME_MAX = 4 * 1_048_576
PIECE_MAX = 262_144
"""Bytes of an answer that travel at a time, so that a long one does not keep the others waiting."""

UNREAD_MAX = 1_048_576
"""Bytes that a follower has not read yet, beyond which it is not told more: later news will do."""

_LENGTH = struct.Struct("<I")

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
T = TypeVar("T")


class Welcome(msgspec.Struct, frozen=True, array_like=True, tag="welcome"):
    """The first words to a follower: where to listen, and whether it writes the snapshots."""

    port: int
    writes_snapshots: bool


class News(msgspec.Struct, frozen=True, array_like=True, tag="news"):
    """What the writer has committed up to, how much waits there, how often it had to begin anew."""

    position: int
    waiting: int
    restarts: int


class Standing(msgspec.Struct, frozen=True, array_like=True, tag="standing"):
    """Where a follower stands: how far it is, how far behind, and whether it answers reads."""

    position: int
    lag_us: int
    fit: bool


class Request(msgspec.Struct, frozen=True, array_like=True, tag="request"):
    """A request that is handed on."""

    number: int
    method: str
    path: str
    raw_path: bytes
    query: bytes
    scheme: str
    client: tuple[str, int | str] | None
    headers: Headers
    body: bytes


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="gone"):
    """Whoever asked has hung up."""

    number: int


class Start(msgspec.Struct, frozen=True, array_like=True, tag="start"):
    """An answer begins."""

    number: int
    status: int
    headers: Headers


class Piece(msgspec.Struct, frozen=True, array_like=True, tag="piece"):
    """A piece of an answer's body."""

    number: int
    data: bytes
    more: bool


ToFollower = Welcome | News | Start | Piece
ToWriter = Request | Gone | Standing

_encode = msgspec.msgpack.Encoder().encode
_to_follower = msgspec.msgpack.Decoder(ToFollower)
_to_writer = msgspec.msgpack.Decoder(ToWriter)


def said(message: ToFollower | ToWriter) -> bytes:
    """A message as it travels."""
    body = _encode(message)
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader, decoder: "msgspec.msgpack.Decoder[T]") -> T | None:
    """The next message; None when the other end is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return decoder.decode(await reader.readexactly(length)) if length <= FRAME_MAX else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except msgspec.DecodeError as error:
        # Both ends are of one program: a bug. Who hangs up is started again.
        say(logging.ERROR, "relay_unreadable", error=error)
        return None


def lost() -> Unavailable:
    """What to say when the writer can't be reached."""
    return Unavailable(
        "app.no_writer",
        "The district's writer can't be reached; repeat the request in a second, under the same key.",
        retry_after_s=1,
    )


class Counter:
    """The writer's end: has the application answer what a follower hands on.

    Parameters
    ----------
    app
        The application, as the server runs it.
    reader, writer
        The socket to the follower.
    news
        What is told whenever the follower says where it stands.
    """

    def __init__(
        self, app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, news: Callable[[], News]
    ) -> None:
        self._app = app
        self._news = news
        self._reader = reader
        self._writer = writer
        self._gone: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.standing = Standing(0, 0, fit=False)

    def tell(self, message: Welcome | News) -> None:
        """Send a message; nothing if the follower is gone, or does not keep up with reading."""
        if not self._writer.is_closing() and self._writer.transport.get_write_buffer_size() < UNREAD_MAX:
            self._writer.write(said(message))

    async def serve(self) -> None:
        """Answer until the follower is gone."""
        while (message := await receive(self._reader, _to_writer)) is not None:
            if isinstance(message, Standing):
                self.standing = message
                self.tell(self._news())
            elif isinstance(message, Gone):
                if message.number in self._gone:
                    self._gone[message.number].set()
            else:
                task = asyncio.create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self.close()

    def close(self) -> None:
        """Hang up; what is under way runs to its end, unheard."""
        for gone in self._gone.values():
            gone.set()
        self._writer.close()

    async def _answer(self, request: Request) -> None:
        number, gone = request.number, asyncio.Event()
        self._gone[number] = gone
        unread = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def give() -> Any:
            if unread:
                return unread.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def take(message: Any) -> None:
            if self._writer.is_closing():
                return
            if message["type"] == "http.response.start":
                headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
                self._writer.write(said(Start(number, message["status"], headers)))
                return
            body, more = message.get("body", b""), message.get("more_body", False)
            for start in range(0, len(body) or 1, PIECE_MAX):
                rest = more or start + PIECE_MAX < len(body)
                self._writer.write(said(Piece(number, body[start : start + PIECE_MAX], rest)))
            await self._writer.drain()

        try:
            await self._app(_scope(request), give, take)
        except ConnectionError:
            pass
        finally:
            del self._gone[number]


def _scope(request: Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query,
        "root_path": "",
        "scheme": request.scheme,
        "client": request.client,
        "server": None,
        "headers": request.headers,
        "state": {},
        "extensions": {},
    }


class Line:
    """The follower's end: hands requests on, and hears the news.

    Parameters
    ----------
    reader, writer
        The socket to the writer's process.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._answers: dict[int, asyncio.Queue[Start | Piece | None]] = {}
        self._open = True

    async def welcome(self) -> Welcome:
        """The first message."""
        first = await receive(self._reader, _to_follower)
        if not isinstance(first, Welcome):
            raise lost()
        return first

    async def listen(self, hear: Callable[[News], None]) -> None:
        """Take in answers and news until the writer is gone; then nobody is answered any more."""
        while (message := await receive(self._reader, _to_follower)) is not None:
            if isinstance(message, News):
                hear(message)
            elif isinstance(message, Start | Piece) and message.number in self._answers:
                self._answers[message.number].put_nowait(message)
        self._open = False
        for answer in self._answers.values():
            answer.put_nowait(None)

    def tell(self, standing: Standing) -> None:
        """Say where we stand."""
        self._say(standing)

    async def hand_on(self, scope: Scope, body: bytes, receive_more: Receive, send: Send) -> None:
        """Have the writer answer a request.

        Raises
        ------
        Unavailable
            The writer is gone. Whether it did what was asked only a repetition under the same key shows.
        """
        self._number += 1
        number, answer = self._number, asyncio.Queue[Start | Piece | None]()
        if not self._open:
            raise lost()
        self._answers[number] = answer
        client = scope.get("client")
        self._say(
            Request(
                number,
                scope["method"],
                scope["path"],
                bytes(scope.get("raw_path") or scope["path"].encode()),
                bytes(scope["query_string"]),
                scope.get("scheme", "http"),
                (client[0], client[1]) if client else None,
                [(bytes(name), bytes(value)) for name, value in scope["headers"]],
                body,
            )
        )
        watching: asyncio.Task[None] | None = None
        began = False
        try:
            while True:
                message = await answer.get()
                if message is None:
                    if began:
                        # Half an answer can't be taken back: the connection is broken off.
                        raise ConnectionResetError
                    raise lost()
                if isinstance(message, Start):
                    began = True
                    await send({"type": "http.response.start", "status": message.status, "headers": message.headers})
                    continue
                if message.more and watching is None:
                    watching = asyncio.create_task(self._watch(number, receive_more))
                await send({"type": "http.response.body", "body": message.data, "more_body": message.more})
                if not message.more:
                    return
        finally:
            del self._answers[number]
            if watching is not None:
                watching.cancel()

    async def _watch(self, number: int, receive_more: Receive) -> None:
        """Tell the writer when whoever reads a stream hangs up."""
        while (await receive_more())["type"] != "http.disconnect":
            pass
        self._say(Gone(number))

    def _say(self, message: ToWriter) -> None:
        if not self._writer.is_closing():
            self._writer.write(said(message))

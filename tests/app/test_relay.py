"""One socket between a follower and the writer: whole requests, whole answers, and who hung up."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hanse.app.relay import PIECE_MAX, Counter, Line, News, Standing, Welcome
from hanse.kernel.errors import Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Asking:
    """A request as a server hands it over, and what came back."""

    def __init__(self, method: str = "POST", path: str = "/api/orders") -> None:
        self.scope = {
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"a=1",
            "scheme": "http",
            "client": ("127.0.0.1", "5000"),
            "headers": [(b"cookie", b"x")],
        }
        self.came: list[Any] = []
        self.arrived: asyncio.Queue[Any] = asyncio.Queue()
        self.hung_up = asyncio.Event()

    async def receive(self) -> Any:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.came.append(message)
        self.arrived.put_nowait(message)

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.came[1:])


@asynccontextmanager
async def connected(app: Any) -> AsyncIterator[tuple[Line, Counter, list[News]]]:
    ours, theirs = socket.socketpair()
    counter = Counter(app, *await asyncio.open_connection(sock=ours), news=lambda: News(8, 0, 0))
    line, heard = Line(*await asyncio.open_connection(sock=theirs)), []
    serving = asyncio.create_task(counter.serve())
    counter.tell(Welcome(8000, writes_snapshots=True))
    assert await line.welcome() == Welcome(8000, writes_snapshots=True)
    listening = asyncio.create_task(line.listen(heard.append))
    yield line, counter, heard
    counter.close()
    await asyncio.gather(serving, listening)


async def answer(send: Any, body: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-y", b"z")]})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def test_requests_cross_whole_and_each_gets_its_own_answer() -> None:
    seen, last = [], asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        seen.append((scope["method"], scope["path"], scope["query_string"], scope["headers"], scope["client"]))
        if body == b"3":
            last.set()
        await last.wait()
        await answer(send, body * 2)

    async with connected(app) as (line, _, _):
        asked = [Asking() for _ in range(3)]
        await asyncio.gather(
            *(line.hand_on(a.scope, b"%d" % n, a.receive, a.send) for n, a in enumerate(asked, start=1))
        )
    assert [a.body for a in asked] == [b"11", b"22", b"33"]
    assert asked[0].came[0] == {"type": "http.response.start", "status": 201, "headers": [(b"x-y", b"z")]}
    assert seen[0] == ("POST", "/api/orders", b"a=1", [(b"cookie", b"x")], ("127.0.0.1", "5000"))


async def test_a_long_answer_comes_in_pieces_and_an_empty_one_at_once() -> None:
    long = bytes(2 * PIECE_MAX + 1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, long if scope["path"] == "/long" else b"")

    async with connected(app) as (line, _, _):
        whole, empty = Asking(path="/long"), Asking(path="/empty")
        for asking in (whole, empty):
            await line.hand_on(asking.scope, b"", asking.receive, asking.send)
    assert (whole.body, len(whole.came), empty.body, len(empty.came)) == (long, 4, b"", 2)


async def test_the_writer_hears_when_the_reader_of_a_stream_hangs_up() -> None:
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await answer(send, b"first", more=True)
        assert (await receive())["type"] == "http.disconnect"
        ended.set()

    async with connected(app) as (line, _, _):
        asking = Asking("GET", "/api/events")
        reading = asyncio.create_task(line.hand_on(asking.scope, b"", asking.receive, asking.send))
        assert [(await asking.arrived.get())["type"] for _ in range(2)][-1] == "http.response.body"
        asking.hung_up.set()
        await asyncio.wait_for(ended.wait(), 5)
        reading.cancel()


async def test_without_a_writer_nobody_waits_for_an_answer() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/half":
            await answer(send, b"half", more=True)
        await asyncio.Event().wait()

    async with connected(app) as (line, counter, _):
        unanswered, half = Asking(), Asking(path="/half")
        waiting = asyncio.create_task(line.hand_on(unanswered.scope, b"", unanswered.receive, unanswered.send))
        broken = asyncio.create_task(line.hand_on(half.scope, b"", half.receive, half.send))
        assert [(await half.arrived.get())["type"] for _ in range(2)][-1] == "http.response.body"
        counter.close()
        with pytest.raises(Unavailable, match="under the same key"):
            await waiting
        with pytest.raises(ConnectionResetError):
            await broken
        with pytest.raises(Unavailable):
            await line.hand_on(unanswered.scope, b"", unanswered.receive, unanswered.send)
    assert unanswered.came == []


async def test_news_go_one_way_and_standings_the_other() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, b"")

    async with connected(app) as (line, counter, heard):
        counter.tell(News(7, 1, 0))
        line.tell(Standing(6, 1_500, fit=True))
        # What was said before a request has arrived when its answer comes.
        asking = Asking()
        await line.hand_on(asking.scope, b"", asking.receive, asking.send)
        assert (heard, counter.standing) == ([News(7, 1, 0), News(8, 0, 0)], Standing(6, 1_500, fit=True))

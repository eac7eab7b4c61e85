"""The real server on loopback: orders, streams, and a stop that loses nothing."""

import asyncio
from pathlib import Path

import httpx
import pytest

from hanse.app.auth import issue_token
from hanse.app.house import House, now_us
from hanse.app.server import serve_house
from hanse.app.settings import Settings
from hanse.kernel.errors import Unavailable
from hanse.kernel.principal import Principal
from tests.app.http.town import furnish, key, lines

pytestmark = pytest.mark.anyio


def town_house(folder: Path, port: int = 0) -> House:
    house = House(Settings(folder=folder, port=port, demo=True))
    furnish(house)
    return house


async def started(house: House, stop: asyncio.Event) -> "tuple[asyncio.Task[None], int]":
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_house(house, ready=port.set_result, stop=stop))
    await asyncio.wait((serving, port), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
    return serving, await port


def bearer(house: House, principal: Principal) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_token(house.secret, principal, now_us=now_us())}"}


async def test_it_sells_streams_and_stops_with_everything_kept(tmp_path: Path) -> None:
    house, stop = town_house(tmp_path), asyncio.Event()
    serving, port = await started(house, stop)
    league = bearer(house, Principal("league"))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        ready = await client.get("/health/ready")
        placed = await client.post(
            "/api/orders",
            json=lines(("shp_1:prd_1", 2)),
            headers=bearer(house, Principal("shopper", "per_ada")) | key(),
        )
        async with client.stream("GET", "/api/events?after=0", headers=league) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            received = ""
            async for chunk in stream.aiter_text():
                received += chunk
                if "market.order_placed" in received:
                    stop.set()
    await serving
    assert (ready.status_code, placed.status_code) == (200, 201)
    assert "the district stops" in received
    assert received.count("event: market.order_placed") == 1
    again = House(Settings(folder=tmp_path, demo=True))
    assert again.writer.district.position == house.writer.district.position
    assert [entry.name for entry in again.journal.story(placed.json()["order_id"])] == [
        "market.order_placed",
    ]
    await again.stop()


async def test_a_body_in_pieces_and_one_without_end(tmp_path: Path) -> None:
    house, stop = town_house(tmp_path), asyncio.Event()
    serving, port = await started(house, stop)
    head = bearer(house, Principal("shopper", "per_ada")) | {"Content-Type": "application/json"}

    async def pieces() -> "object":
        for piece in (b'{"lines":[{"offer_id":', b'"shp_1:prd_1",', b'"quantity":1}]}'):
            yield piece

    async def flood() -> "object":
        for _ in range(40):
            yield b" " * 65_536

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        whole = await client.post("/api/orders", content=pieces(), headers=head | key())
        try:
            status = (await client.post("/api/orders", content=flood(), headers=head | key())).status_code
        except httpx.TransportError:
            # The server may hang up on who goes on sending after the answer.
            status = 413
    stop.set()
    await serving
    assert (whole.status_code, status) == (201, 413)


async def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    first, stop = town_house(tmp_path / "a"), asyncio.Event()
    serving, port = await started(first, stop)
    second = House(Settings(folder=tmp_path / "b", port=port))
    with pytest.raises(Unavailable, match="choose another"):
        await started(second, asyncio.Event())
    await second.stop()
    stop.set()
    await serving

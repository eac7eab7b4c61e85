"""A follower answers reads as the writer would, never older than its asker knows, and hands on the rest."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hanse.app import outpost as outposts
from hanse.app.build import create_app, in_front
from hanse.app.home import Home
from hanse.app.house import House
from hanse.app.http.forward import Forward
from hanse.app.http.position import wanted
from hanse.app.outpost import Outpost
from hanse.app.relay import Counter, Line, News
from hanse.app.settings import Settings
from hanse.district.snapshots import newest_position
from hanse.kernel.principal import Principal
from tests.app.http.town import Town, furnish, key, lines

pytestmark = pytest.mark.anyio

PAGES = ("/", "/browse", "/shops/shp_1", "/products/prd_1", "/basket", "/orders", "/account", "/api/basket")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Pair:
    """The writer's house and an outpost beside it; news reach the outpost when a test says so."""

    def __init__(self, house: House, writer_app: Any, outpost: Outpost, forward: Forward) -> None:
        self.house = house
        self.writer = Town(house, writer_app)
        self.outpost = outpost
        self.forward = forward
        self.handed_on: list[str] = []

    def news(self) -> None:
        self.outpost.hear(News(self.house.district.position, self.house.waiting, 0))

    def there(self, role: Any = "public", id_: str = "") -> httpx.AsyncClient:
        """A client of the follower."""
        headers = {} if role == "public" else {"Authorization": f"Bearer {self.writer.token(role, id_)}"}
        transport = httpx.ASGITransport(app=self.forward, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://hanse.test", headers=headers)


@asynccontextmanager
async def both(folder: Path, **settings: Any) -> AsyncIterator[Pair]:
    house = House(Settings(folder=folder, demo=True, followers=1, **settings))
    furnish(house)
    writer_app = create_app(house)
    front = in_front(writer_app)
    async with writer_app.lifespan():
        ours, theirs = socket.socketpair()
        outpost = Outpost(house.settings, writes_snapshots=True)
        app = create_app(outpost)
        line = Line(*await asyncio.open_connection(sock=theirs))
        pair = Pair(house, writer_app, outpost, Forward(app, outpost, line))

        async def noted(scope: Any, receive: Any, send: Any) -> None:
            pair.handed_on.append(f"{scope['method']} {scope['path']}")
            await front(scope, receive, send)

        counter = Counter(noted, *await asyncio.open_connection(sock=ours), news=lambda: outpost.news)
        tasks = [asyncio.create_task(counter.serve()), asyncio.create_task(line.listen(outpost.hear))]
        async with app.lifespan():
            yield pair
        counter.close()
        await asyncio.gather(*tasks)


@pytest.fixture
async def pair(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Pair]:
    async with both(tmp_path / "data") as made:
        yield made


async def order(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())


def test_both_are_homes() -> None:
    assert issubclass(House, Home)
    assert issubclass(Outpost, Home)


async def test_its_pages_are_those_of_the_writer(pair: Pair) -> None:
    async with pair.there("shopper", "per_ada") as there, pair.writer.client("shopper", "per_ada") as here:
        await order(here)
        pair.news()
        await pair.outpost.has_seen(pair.house.district.position)
        for page in PAGES:
            answers = await there.get(page), await here.get(page)
            assert answers[0].status_code == answers[1].status_code == 200
            assert answers[0].text == answers[1].text
    assert pair.handed_on == []


async def test_whoever_ordered_sees_the_order_wherever_the_next_read_goes(pair: Pair) -> None:
    async with pair.there("shopper", "per_ada") as client:
        placed = await order(client)
        assert pair.handed_on == ["POST /api/orders"]
        path, position = placed.headers["location"], placed.headers["hanse-position"]
        reading = asyncio.create_task(client.get(path, headers={"Hanse-Position": position}))
        await asyncio.wait({reading}, timeout=0.02)
        assert not reading.done()
        pair.news()
        assert (await reading).json()["order_id"] == placed.json()["order_id"]
    assert pair.handed_on == ["POST /api/orders"]


async def test_a_read_that_waited_long_enough_goes_to_the_writer(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outposts, "WAIT_S", 0.05)
    async with pair.there("shopper", "per_ada") as client:
        placed = await order(client)
        path, position = placed.headers["location"], placed.headers["hanse-position"]
        seen = await client.get(path, headers={"Hanse-Position": position})
    assert seen.status_code == 200
    assert pair.handed_on[1:] == [f"GET {path}"]


async def test_a_browser_brings_the_position_by_itself(pair: Pair) -> None:
    async with pair.there("shopper", "per_ada") as client:
        placed = await client.post("/basket/lines", data={"offer_id": "shp_1:prd_1", "pieces": "1"})
        assert placed.status_code == 303
        cookie = placed.headers["set-cookie"].split(";")[0]
        assert wanted([(b"cookie", f"a=b; {cookie}; c=d".encode())]) == pair.house.district.position
        pair.news()
        basket = await client.get("/api/basket")
    assert len(basket.json()["lines"]) == 1


async def test_who_is_unknown_to_it_while_it_is_behind_the_writer_is_asked(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair.outpost, "_catch_up", lambda: None)
    await pair.writer.join("per_new")
    async with pair.there("shopper", "per_new") as client:
        unknown = await client.get("/api/basket")
        pair.news()
        known = await client.get("/api/basket")
        never = await client.get("/api/products/prd_none")
    assert (unknown.status_code, known.status_code, never.status_code) == (401, 200, 404)
    assert pair.handed_on == ["GET /api/basket", "GET /api/products/prd_none"]


async def test_far_behind_it_hands_on_all_reads_until_it_has_caught_up(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outposts, "BEHIND_S", 0.0)
    monkeypatch.setattr(pair.outpost, "_catch_up", lambda: None)
    async with pair.there("shopper", "per_ada") as client:
        await order(client)
        pair.news()
        assert (await client.get("/api/basket")).status_code == 200
        assert pair.handed_on[1:] == ["GET /api/basket"]
        assert (pair.outpost.fit, pair.outpost.standing().fit) == (False, False)
        assert pair.outpost.lag_us > 0
        assert (await client.get("/health/live")).json()["position"] < pair.house.district.position
        ready = await client.get("/health/ready")
        assert (ready.status_code, [c["name"] for c in ready.json()["checks"] if not c["ok"]]) == (503, ["reads"])
        monkeypatch.undo()
        pair.outpost._catch_up()
        await pair.outpost._moved.wait()
        assert (await client.get("/api/basket")).status_code == 200
    assert pair.outpost.fit
    assert len(pair.handed_on) == 2


@pytest.mark.parametrize(("path", "status"), [("/api/orders", 401), ("/api/nothing", 404)])
async def test_the_writer_says_who_may_do_what(pair: Pair, path: str, status: int) -> None:
    async with pair.there() as client:
        assert (await client.post(path, json=lines(("shp_1:prd_1", 1)))).status_code == status


async def test_a_body_beyond_its_limit_is_not_handed_on(pair: Pair) -> None:
    async with pair.there("shopper", "per_ada") as client:
        refused = await client.post(
            "/api/orders", content=b" " * 2_000_000, headers={"Content-Type": "application/json"}
        )
    assert (refused.status_code, refused.json()["code"], pair.handed_on) == (413, "app.too_large", [])


async def test_streams_are_its_own_and_go_on_where_they_were(pair: Pair) -> None:
    async with pair.there("shopper", "per_ada") as client:
        await order(client)
    feed = pair.forward._app.state.feed  # type: ignore[attr-defined]
    messages = feed.stream(Principal("league"), 0)
    received = await anext(messages)
    pair.news()
    while b"market.order_placed" not in received:
        received += await asyncio.wait_for(anext(messages), 5)
    await messages.aclose()
    assert received.count(b"event: market.order_placed") == 1


async def test_it_writes_the_snapshots(tmp_path: Path) -> None:
    async with both(tmp_path / "data", snapshot_every=1) as pair:
        async with pair.there("shopper", "per_ada") as client:
            await order(client)
        pair.news()
        assert await pair.outpost.has_seen(pair.house.district.position)
        position = pair.house.district.position
    assert newest_position(pair.house.snapshots) == position

"""The stream of events: who sees what, how it resumes, and what becomes of who does not read."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hanse.app.http.stream import QUEUE_MAX, TOO_SLOW, Feed
from hanse.journal.protocol import Entry
from hanse.kernel.errors import LimitExceeded
from hanse.kernel.principal import Principal
from tests.app.http.town import Town, key, lines

pytestmark = pytest.mark.anyio

LEAGUE = Principal("league")


@pytest.fixture
def feed(town: Town) -> Feed:
    found: Feed = town.app.state.feed
    return found


async def read(stream: AsyncIterator[bytes], until: str, seen: int = 1) -> list[dict[str, Any]]:
    """The events of a stream up to the `seen`-th one of a name."""
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        async for chunk in stream:
            events += parse(chunk)
            if sum(event["event"] == until for event in events) >= seen:
                return events
    return events


def parse(chunk: bytes) -> list[dict[str, Any]]:
    events = []
    for message in chunk.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in message.splitlines() if not line.startswith(":"))
        if "event" in fields:
            events.append({"event": fields["event"], "id": int(fields.get("id", 0)), **json.loads(fields["data"])})
    return events


async def order(town: Town, person_id: str, *offers: str, **more: str) -> str:
    async with town.client("shopper", person_id) as one:
        body = lines(*((offer_id, 1) for offer_id in offers)) | more
        answer = await one.post("/api/orders", json=body, headers=key())
    return str(answer.json()["order_id"])


async def begun(stream: AsyncIterator[bytes]) -> "asyncio.Future[bytes]":
    """Read the greeting of a stream that is live from then on, and wait for what comes next."""
    assert await anext(stream) == b"retry: 1000\n\n"
    return asyncio.ensure_future(anext(stream))


async def test_the_league_sees_every_entry_whole_and_in_order(town: Town, feed: Feed) -> None:
    after = town.house.district.position
    order_id = await order(town, "per_ada", "shp_1:prd_1")
    events = await read(feed.stream(LEAGUE, after), "market.order_placed")
    assert [(event["event"], event["id"]) for event in events] == [("market.order_placed", after + 1)]
    assert events[0]["body"]["shopper_id"] == "per_ada"
    assert events[0]["story"] == order_id
    assert events[0]["origin"] == "flows.order.place"


async def test_who_resumes_misses_nothing_and_sees_nothing_twice(town: Town, feed: Feed) -> None:
    after = town.house.district.position
    await order(town, "per_ada", "shp_1:prd_1")
    first = await read(feed.stream(LEAGUE, after), "market.order_placed")
    await order(town, "per_bob", "shp_1:prd_1")
    stream = feed.stream(LEAGUE, first[0]["id"])
    missed = await read(stream, "market.order_placed")
    await order(town, "per_bob", "shp_2:prd_1")
    live = await read(stream, "market.order_placed")
    ids = [event["id"] for event in (*first[:1], *missed, *live)]
    assert ids == list(range(after + 1, town.house.district.position + 1))


async def test_a_shopper_hears_of_own_orders_only_and_not_what_they_say(town: Town, feed: Feed) -> None:
    stream = feed.stream(Principal("shopper", "per_ada"), None)
    reading = await begun(stream)
    await order(town, "per_bob", "shp_1:prd_1")
    mine = await order(town, "per_ada", "shp_1:prd_1")
    events = parse(await reading)
    assert {event["story"] for event in events} == {mine}
    assert events[0]["event"] == "market.order_placed"
    assert "body" not in events[0]


async def test_a_shop_hears_of_its_own_parts_only(town: Town, feed: Feed) -> None:
    stream = feed.stream(Principal("shop", "shp_2"), None)
    reading = await begun(stream)
    await order(town, "per_bob", "shp_1:prd_1")
    both = await order(town, "per_ada", "shp_1:prd_1", "shp_2:prd_1")
    for shop_id, number in (("shp_1", 1), ("shp_2", 2)):
        async with town.client("shop", shop_id) as shop:
            assert (await shop.post(f"/api/shop/parts/{both}-{number}/accept", headers=key())).status_code == 204
    events = parse(await reading)
    while not any(event["event"] == "market.part_accepted" for event in events):
        events += parse(await anext(stream))
    assert {event["story"] for event in events} == {both}
    assert {event["part_id"] for event in events if "part_id" in event} == {f"{both}-2"}
    assert all("body" not in event for event in events)
    assert "per_ada" not in str(events)


async def test_what_takes_money_is_shown_to_nobody(town: Town, feed: Feed) -> None:
    after = town.house.district.position
    await order(town, "per_ada", "shp_1:prd_1", payment="card", card_token="tok_planted")
    events = await read(feed.stream(LEAGUE, after), "finance.card_payment_asked")
    assert "tok_planted" not in str(events)
    async with town.client("league") as league:
        story = await league.get(f"/api/stories/{events[0]['story']}")
    assert story.status_code == 200
    assert "tok_planted" not in story.text


async def test_who_reads_too_slowly_is_told_and_dropped(town: Town, feed: Feed) -> None:
    stream = feed.stream(LEAGUE, None)
    reading = await begun(stream)
    entry = Entry(1, 1, "district.deployed", 1, "", "", 0, "{}")
    for _ in range(QUEUE_MAX + 1):
        feed._hear([entry])
    assert await reading == TOO_SLOW
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert feed.clients == 0


async def test_there_is_a_bound_on_streams(town: Town, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanse.app.http.stream.CLIENTS_MAX", 0)
    with pytest.raises(LimitExceeded):
        feed.stream(LEAGUE, None)


async def test_a_quiet_stream_has_a_heartbeat(town: Town, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanse.app.http.stream.HEARTBEAT_S", 0.01)
    stream = feed.stream(Principal("shopper", "per_ada"), None)
    assert await anext(stream) == b"retry: 1000\n\n"
    assert await anext(stream) == b": still here\n\n"


async def test_streams_end_with_the_district(town: Town, feed: Feed) -> None:
    stream = feed.stream(LEAGUE, None)
    reading = await begun(stream)
    feed.close()
    assert b"the district stops" in await reading
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_bad_position_is_refused(town: Town) -> None:
    async with town.client("league") as league:
        answer = await league.get("/api/events", headers={"Last-Event-ID": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "app.bad_query")

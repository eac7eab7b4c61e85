"""Streams of pages: they speak when something concerns them, and end with the house."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hanse.app.pages import live
from hanse.app.pages.backstage import Backstage
from hanse.app.pages.live import Live, sent
from hanse.kernel.errors import LimitExceeded
from hanse.market.orders.views import Orders
from tests.app.http.town import Town
from tests.app.pages.conftest import Visitor, orders_something

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "REST_S", 0)


async def next_of(stream: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(5):
        return await anext(stream)


async def test_an_order_speaks_when_its_shop_moves_it_and_not_before(
    town: Town, shopper: Visitor, shop: Visitor
) -> None:
    order_id = await orders_something(shopper)
    backstage: Backstage = town.app.state.backstage
    open_orders = town.house.district.view(Orders).open
    stream = backstage.live.of_story(order_id, "order", lambda: open_orders[order_id].parts[f"{order_id}-1"].stage)
    assert await next_of(stream) == b"retry: 2000\n\nevent: order\ndata: placed\n\n"
    waiting = asyncio.ensure_future(next_of(stream))
    await town.set_stock("shp_2/prd_3", 5)
    assert not waiting.done()
    await shop.send(f"/shop/parts/{order_id}-1/accept")
    assert await waiting == b"event: order\ndata: accepted\n\n"


async def test_streams_end_when_the_house_stops(town: Town) -> None:
    streams = Live(town.house)
    stream = streams.of_story("ord_x", "order", lambda: "")
    await next_of(stream)
    streams.close()
    with pytest.raises(StopAsyncIteration):
        await next_of(stream)
    assert streams.count == 0


async def test_too_many_streams_are_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STREAMS_MAX", 1)
    streams = Live(town.house)
    first = streams.of_story("ord_x", "order", lambda: "")
    await next_of(first)
    with pytest.raises(LimitExceeded):
        await next_of(streams.of_story("ord_y", "order", lambda: ""))
    await first.aclose()
    assert streams.count == 0


def test_text_of_several_lines_is_one_message() -> None:
    assert sent([("a", "one\ntwo"), ("b", "")]) == b"event: a\ndata: one\ndata: two\n\nevent: b\n\n\n"

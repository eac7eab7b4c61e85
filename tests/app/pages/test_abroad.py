"""The shopper at neighbours: what is shown of their shops, an order there, and what it came to."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hanse.app import abroad
from hanse.app.build import create_app
from hanse.app.house import House
from hanse.app.neighbours import public_text
from hanse.app.settings import Settings
from hanse.flows.neighbours import OrderRefused, OrderTaken, PartMoved, follow, note_refused, note_taken
from hanse.kernel.values import AwayPart
from hanse.market.away.views import Away
from tests.app.http.town import Town, furnish
from tests.app.pages.conftest import Visitor, text

pytestmark = pytest.mark.anyio

SHOP = {"shop_id": "shp_7", "name": "Bakkerij", "kind": "bakery", "street": "Kaai 2", "open_now": True}
BREAD = {
    "offer_id": "off_1", "shop_id": "shp_7", "title_en": "Bread", "title_de": "Brot", "picture": "bakery",
    "price_minor": 320, "currency": "EUR", "free_pieces": 12,
}  # fmt: skip
CAKE = BREAD | {"offer_id": "off_2", "title_en": "Cake", "title_de": "", "free_pieces": 0}
ANSWERS: dict[str, Any] = {
    "/api/shops": [SHOP],
    "/api/shops/shp_7/offers": {"offers": [BREAD, CAKE], "next": "50"},
}
PAGE = "/neighbours/b/shops/shp_7"
CHOSEN = {"pieces:off_1": "2", "price:off_1": "320", "key": "k-1"}


class Neighbour:
    """The other district's public API; `answer` is what it says instead, if that is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: httpx.Response | Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode())
        if isinstance(self.answer, Exception):
            raise self.answer
        found = ANSWERS.get(request.url.path)
        return self.answer or (httpx.Response(200, json=found) if found else httpx.Response(404))


@pytest.fixture
def neighbour(monkeypatch: pytest.MonkeyPatch) -> Neighbour:
    other = Neighbour()
    monkeypatch.setattr(
        abroad, "open_client", lambda timeout_s: httpx.AsyncClient(transport=httpx.MockTransport(other))
    )
    monkeypatch.setattr(abroad, "FRESH_S", 0.0)
    return other


@pytest.fixture
async def town(tmp_path: Path, neighbour: Neighbour, anyio_backend: str) -> AsyncIterator[Town]:
    key = public_text(Ed25519PrivateKey.from_private_bytes(b"b" * 32))
    said = f"b=http://127.0.0.1:1#{key}"
    house = House(Settings(folder=tmp_path, demo=True, tag="a", neighbours=said, neighbour_limit_minor=5_000))
    furnish(house)
    app = create_app(house)
    async with app.lifespan():
        yield Town(house, app)


async def ordered(town: Town, shopper: Visitor) -> str:
    answer = await shopper.send(PAGE, **CHOSEN)
    assert answer.status_code == 303, text(answer)
    (order_id,) = town.house.district.view(Away).open
    assert answer.headers["location"] == f"/neighbours/orders/{order_id}"
    return order_id


async def test_neighbours_and_their_shops_are_shown(shopper: Visitor, neighbour: Neighbour) -> None:
    assert "Neighbouring quarters" in await shopper.reads("/")
    page = await shopper.reads("/neighbours")
    assert "Quarter b Bakkerij Kaai 2" in page
    goods = await shopper.reads(PAGE)
    assert "Bread €3.20" in goods
    assert "Cake €3.20 · Sold out" in goods
    assert "pieces:off_2" not in str((await shopper.get(PAGE)).text)
    assert f"{PAGE}?cursor=50" in str((await shopper.get(PAGE)).text)


@pytest.mark.parametrize(
    "said",
    [
        httpx.ConnectError("nobody"),
        httpx.Response(500),
        httpx.Response(302, headers={"location": "http://127.0.0.1/elsewhere"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=[{"shop_id": 3}]),
        httpx.Response(200, content=b" " * (abroad.BYTES_MAX + 1)),
    ],
)
async def test_a_neighbour_that_does_not_answer_is_named_all_the_same(
    shopper: Visitor, neighbour: Neighbour, said: httpx.Response | Exception
) -> None:
    neighbour.answer = said
    assert "Quarter b It does not answer just now" in await shopper.reads("/neighbours")
    answer = await shopper.get(PAGE)
    assert (answer.status_code, "does not answer just now" in text(answer)) == (503, True)
    assert all(path.startswith("/api/shops") for path in neighbour.asked)


async def test_who_is_no_neighbour_is_asked_nothing(shopper: Visitor, neighbour: Neighbour) -> None:
    assert (await shopper.get("/neighbours/c/shops/shp_7")).status_code == 404
    assert (await shopper.get("/neighbours/b/shops/..%2F..%2Fsecret")).status_code == 404
    assert not any("secret" in path and "%2F" not in path for path in neighbour.asked)


async def test_what_was_read_is_shown_to_others_for_a_while(
    shopper: Visitor, neighbour: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abroad, "FRESH_S", 60.0)
    for _ in range(3):
        await shopper.reads("/neighbours")
    assert neighbour.asked == ["/api/shops"]


async def test_an_order_there_is_followed_to_its_end(town: Town, shopper: Visitor) -> None:
    order_id = await ordered(town, shopper)
    again = await shopper.send(PAGE, **CHOSEN)
    assert again.headers["location"] == f"/neighbours/orders/{order_id}"
    where = f"/neighbours/orders/{order_id}"
    assert "The neighbour is asked." in await shopper.reads(where)
    assert "At neighbours" in await shopper.reads("/orders")
    part = AwayPart(f"{order_id}-1", "shp_7", "Bakkerij", 640, town.house.district.now_us)
    await town.command(note_taken, "b", OrderTaken(order_id, (part,)))
    assert "Bakkerij Placed Ready to collect from" in await shopper.reads(where)
    for stage, goods_minor in (("accepted", None), ("picked", 320), ("collected", 320), ("settled", None)):
        await town.command(follow, "b", PartMoved(order_id, part.part_id, stage, goods_minor))
    page = await shopper.reads(where)
    assert "Settled Goods €3.20" in page
    assert "Cancel the order" not in page
    await town.command(follow, "b", PartMoved(order_id, part.part_id, "settled", back_minor=100))
    assert "Goods €3.20 Given back €1.00" in await shopper.reads(where)
    assert "Bakkerij" in await shopper.reads("/orders")


async def test_a_refusal_says_why_and_frees_the_money(town: Town, shopper: Visitor) -> None:
    order_id = await ordered(town, shopper)
    await town.command(note_refused, "b", OrderRefused(order_id, "changed", {"off_1": 350}))
    page = await shopper.reads(f"/neighbours/orders/{order_id}")
    assert "A price changed, or an offer was taken off. Your money is free again." in page


async def test_an_order_there_can_be_asked_back(town: Town, shopper: Visitor) -> None:
    order_id = await ordered(town, shopper)
    where = f"/neighbours/orders/{order_id}"
    assert (await shopper.send(f"{where}/cancel")).status_code == 303
    page = await shopper.reads(where)
    assert "The neighbour is asked to take it back." in page
    assert "Cancel the order" not in page


async def test_an_order_of_somebody_else_is_not_there(town: Town, shopper: Visitor) -> None:
    order_id = await ordered(town, shopper)
    other = await Visitor(town).sits("shopper", "per_bob")
    assert (await other.get(f"/neighbours/orders/{order_id}")).status_code == 404
    assert (await other.send(f"/neighbours/orders/{order_id}/cancel")).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"pieces:off_1": "0", "price:off_1": "320"},
        {"pieces:off_1": "two", "price:off_1": "320"},
        {"pieces:off_1": "-1", "price:off_1": "320"},
        {"pieces:off_1": "100000", "price:off_1": "320"},
        {"pieces:off_1": "1"},
        {"pieces:off_1": "1", "price:off_1": "-5"},
        {"pieces:off_1": "9000", "price:off_1": "320"},
    ],
)
async def test_what_makes_no_sense_leads_back_and_changes_nothing(
    town: Town, shopper: Visitor, fields: dict[str, str]
) -> None:
    before = town.house.district.position
    answer = await shopper.send(PAGE, **fields, key="k-2")
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert re.search(r"hanse_said=bad\.", answer.headers["set-cookie"])
    assert town.house.district.position == before


async def test_the_api_says_what_stands_on_a_shelf(town: Town) -> None:
    async with town.client() as client:
        page = (await client.get("/api/shops/shp_1/offers")).json()
    for offer in page["offers"]:
        assert msgspec.convert(offer, abroad.Ware).title_en

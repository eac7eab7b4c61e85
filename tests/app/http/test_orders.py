"""Placing orders over HTTP: what comes back, and that nothing happens twice."""

import asyncio

import msgspec
import pytest

from hanse.finance.ledger.views import Ledger
from hanse.market.orders.views import Orders
from tests.app.http.town import Town, key, lines

pytestmark = pytest.mark.anyio


def wallet(town: Town, person_id: str) -> tuple[int, int]:
    account = town.house.district.view(Ledger).accounts[f"{person_id}/wallet"]
    return account.balance_minor, account.held_minor


async def test_an_accepted_order_says_where_it_stands(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        answer = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2), ("shp_2:prd_2", 1)), headers=key())
        assert answer.status_code == 201
        body = answer.json()
        assert (body["result"], body["total_minor"], body["currency"]) == ("accepted", 2 * 199 + 350, "EUR")
        assert [part["shop_id"] for part in body["parts"]] == ["shp_1", "shp_2"]
        assert answer.headers["location"] == f"/api/orders/{body['order_id']}"
        shown = (await ada.get(answer.headers["location"])).json()
    assert [part["stage"] for part in shown["parts"]] == ["placed", "placed"]
    assert "commission_minor" not in str(shown)
    assert wallet(town, "per_ada") == (10_000, 748)


async def test_the_same_key_gives_the_same_answer_and_one_order(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as ada:
        first = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
        again = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert town.house.district.view(Orders).placed == 1


async def test_the_same_key_with_another_body_is_refused(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as ada:
        await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
        other = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=once)
    assert (other.status_code, other.json()["code"]) == (422, "district.key_reused")
    assert town.house.district.view(Orders).placed == 1


async def test_a_key_in_flight_is_a_conflict(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as ada:
        sent = [ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once) for _ in range(2)]
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    assert statuses == [201, 409]
    assert town.house.district.view(Orders).placed == 1


async def test_the_key_of_one_shopper_is_nothing_to_another(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as ada, town.client("shopper", "per_bob") as bob:
        first = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
        second = await bob.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
    assert first.json()["order_id"] != second.json()["order_id"]


async def test_sold_out_names_what_is_missing_and_changes_nothing(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        answer = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1), ("shp_1:prd_2", 12)), headers=key())
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["details"]) == ("market.sold_out", {"missing": {"shp_1:prd_2": 2}})
    assert problem["type"] == "/problems/market.sold_out"
    assert wallet(town, "per_ada") == (10_000, 0)
    assert town.house.district.view(Orders).placed == 0


async def test_too_little_money_says_how_much_is_missing(town: Town) -> None:
    await town.join("per_poor", 100)
    async with town.client("shopper", "per_poor") as poor:
        answer = await poor.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())
    assert (answer.status_code, answer.json()["code"]) == (402, "finance.funds_short")
    assert answer.json()["details"] == {"short_minor": 99, "currency": "EUR"}
    assert wallet(town, "per_poor") == (100, 0)


async def test_a_card_order_waits_for_its_payment(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        order = lines(("shp_1:prd_1", 1)) | {"payment": "card", "card_token": "tok_1"}
        answer = await ada.post("/api/orders", json=order, headers=key())
    assert (answer.status_code, answer.json()["result"]) == (202, "awaiting_payment")
    assert answer.headers["location"].startswith("/api/orders/ord_")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1}]}', 201),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":11}]}', 409),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":0}]}', 422),
        (b'{"lines":[{"offer_id":"nothing","quantity":1}]}', 404),
        (b'{"lines":[', 400),
    ],
)
async def test_the_fast_way_in_answers_as_the_described_route_does(town: Town, body: bytes, status: int) -> None:
    json_type = {"Content-Type": "application/json"}
    replies = []
    for fast in (True, False):
        async with town.client("shopper", "per_ada", fast=fast) as ada:
            replies.append(await ada.post("/api/orders", content=body, headers=json_type | key()))
    assert [reply.status_code for reply in replies] == [status, status]
    fast_headers, slow_headers = ({*reply.headers} - {"content-length"} for reply in replies)
    assert fast_headers == slow_headers
    fast_body, slow_body = (reply.json() for reply in replies)
    assert fast_body.keys() == slow_body.keys()
    if status > 201:
        assert fast_body == slow_body


async def test_a_key_counts_the_same_on_both_ways_in(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as fast, town.client("shopper", "per_ada", fast=False) as slow:
        first = await fast.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
        again = await slow.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=once)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_batch_answers_each_order_by_itself(town: Town) -> None:
    batch = [
        lines(("shp_1:prd_1", 1)) | {"key": "a", "shopper_id": "per_ada"},
        lines(("shp_1:prd_1", 11)) | {"key": "b", "shopper_id": "per_bob"},
        lines(("nothing", 1)) | {"key": "c", "shopper_id": "per_bob"},
        lines(("shp_1:prd_1", 1)) | {"key": "a", "shopper_id": "per_ada"},
        lines(("shp_1:prd_1", 1)) | {"key": "d"},
    ]
    async with town.client("league") as league:
        answers = (await league.post("/api/orders:batch", json=batch)).json()
        again = (await league.post("/api/orders:batch", json=batch[:3])).json()
    assert [answer["status"] for answer in answers] == [201, 409, 404, 409, 403]
    assert [answer["key"] for answer in answers] == ["a", "b", "c", "a", "d"]
    assert answers[1]["problem"]["code"] == "market.sold_out"
    assert again == answers[:3]
    assert town.house.district.view(Orders).placed == 1


async def test_a_shopper_orders_in_nobody_elses_name(town: Town) -> None:
    batch = [lines(("shp_1:prd_1", 1)) | {"key": "a", "shopper_id": "per_bob"}]
    async with town.client("shopper", "per_ada") as ada:
        answers = (await ada.post("/api/orders:batch", json=batch)).json()
    assert (answers[0]["status"], answers[0]["problem"]["code"]) == (403, "market.other_shopper")
    assert town.house.district.view(Orders).placed == 0


async def test_a_basket_becomes_an_order_and_is_empty(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        await ada.put("/api/basket/lines", json=lines(("shp_1:prd_1", 2)), headers=key())
        await ada.patch("/api/basket", json={"fulfilment": "pickup", "payment": "wallet"}, headers=key())
        shown = (await ada.get("/api/basket")).json()
        answer = await ada.post("/api/basket/order", headers=key())
        after = (await ada.get("/api/basket")).json()
    assert (shown["total_minor"], shown["lines"][0]["title_de"], shown["lines"][0]["free_pieces"]) == (
        398,
        "Vollmilch",
        10,
    )
    assert (answer.status_code, answer.json()["total_minor"]) == (201, 398)
    assert after["lines"] == []


async def test_a_delivered_basket_costs_each_shops_fee(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        where = {"name": "Ada", "street": "Katu 2", "postcode": "00100", "city": "Helsinki", "lat": 60.17, "lon": 24.95}
        address_id = (await ada.post("/api/addresses", json=where, headers=key())).json()["address_id"]
        await ada.put("/api/basket/lines", json=lines(("shp_1:prd_1", 1), ("shp_2:prd_1", 1)), headers=key())
        await ada.patch("/api/basket", json={"fulfilment": "delivery", "address_id": address_id}, headers=key())
        shown = (await ada.get("/api/basket")).json()
        answer = await ada.post("/api/basket/order", headers=key())
    assert (shown["goods_minor"], shown["fee_minor"], shown["total_minor"]) == (399, 580, 979)
    assert (answer.status_code, answer.json()["total_minor"]) == (201, 979)


async def test_orders_are_listed_newest_first_and_closed_ones_stay_readable(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        ids = [
            (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())).json()["order_id"]
            for _ in range(3)
        ]
        cancelled = await ada.post(f"/api/orders/{ids[0]}/cancel", json={"reason": "changed_mind"}, headers=key())
        await town.settle()
        page = (await ada.get("/api/orders?limit=2")).json()
        rest = (await ada.get(f"/api/orders?limit=2&cursor={page['next']}")).json()
        late = await ada.post(f"/api/orders/{ids[0]}/cancel", headers=key())
    assert cancelled.status_code == 200
    assert [order["order_id"] for order in page["orders"]] == [ids[2], ids[1]]
    assert [(order["order_id"], order["outcome"]) for order in rest["orders"]] == [(ids[0], "unfulfilled")]
    assert rest["orders"][0]["parts"][0]["reason"] == "changed_mind"
    assert rest["next"] == ""
    assert (late.status_code, late.json()["code"]) == (404, "market.no_open_order")
    assert wallet(town, "per_ada") == (10_000, 398)


async def test_a_refund_gives_back_what_was_taken_and_no_more(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada, town.client("shop", "shp_1") as shop:
        order_id = (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=key())).json()["order_id"]
        part = f"/api/shop/parts/{order_id}-1"
        for step in ("accept", "pick", "hand-over"):
            assert (await shop.post(f"{part}/{step}", headers=key())).status_code == 204
        await town.settle()
        assert wallet(town, "per_ada") == (10_000 - 398, 0)
        where = f"/api/orders/{order_id}/parts/{order_id}-1/refund"
        given = await shop.post(where, json={"goods_minor": 100, "reason": "quality"}, headers=key())
        too_much = await shop.post(where, json={"goods_minor": 299, "reason": "quality"}, headers=key())
    assert (given.status_code, too_much.status_code) == (204, 409)
    assert too_much.json()["code"] == "finance.refund_too_large"
    assert wallet(town, "per_ada") == (10_000 - 298, 0)
    assert town.ledger_sum() == 0


async def test_the_location_is_read_from_the_answers_own_bytes(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        answer = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())
    assert answer.headers["location"].removeprefix("/api/orders/") == msgspec.json.decode(answer.content)["order_id"]


async def test_who_order_at_once_share_a_commit_and_one_alone_does_not_wait(town: Town) -> None:
    async def order(person_id: str) -> None:
        async with town.client("shopper", person_id) as one:
            await one.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())

    await order("per_ada")
    assert not town.house._crowd
    before = town.house.journal.head().position
    await asyncio.gather(*(order("per_bob") for _ in range(6)))
    commits = list(town.house.journal.marks(before))
    assert sum(mark.entries for mark in commits) == 6
    assert len(commits) < 6

"""Many buyers for few goods: exactly as many are sold as there are, and everybody else is told clearly."""

import asyncio
from collections import Counter

import pytest

from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.views import CARD, wallet_of
from hanse.flows import order as order_flow
from hanse.kernel.time import MINUTE_US
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer
from hanse.market.orders.service import PAY_WITHIN_US
from hanse.market.orders.views import Orders
from hanse.supply.stock.views import Stock
from tests.app.http.town import Town, key, lines

pytestmark = pytest.mark.anyio

MILK = "shp_1/prd_1"


async def rush(town: Town, *, buyers: int, units: int) -> Counter[tuple[int, str]]:
    """So many members at once want one unit of which there are so few."""
    await town.set_stock(MILK, units)
    people = [f"per_{number:05d}" for number in range(buyers)]
    for person_id in people:
        await town.join(person_id, 200)

    async def buy(person_id: str) -> tuple[int, str]:
        async with town.client("shopper", person_id) as one:
            answer = await one.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())
        return answer.status_code, answer.json().get("code", "")

    return Counter(await asyncio.gather(*map(buy, people)))


@pytest.mark.parametrize(("buyers", "units"), [(200, 50), pytest.param(2_000, 500, marks=pytest.mark.slow)])
async def test_exactly_what_is_there_is_sold(town: Town, buyers: int, units: int) -> None:
    answers = await rush(town, buyers=buyers, units=units)
    assert answers == {(201, ""): units, (409, "market.sold_out"): buyers - units}
    item = town.house.district.view(Stock).items[MILK]
    assert (item.on_hand, item.held) == (units, units)
    accounts = town.house.district.view(Ledger).accounts
    assert sum(account.held_minor for account in accounts.values()) == 199 * units
    assert town.ledger_sum() == 0
    assert town.house.writer.restarts == 0


async def test_two_lines_that_share_an_item_count_together(town: Town) -> None:
    six = Offer("shp_1:six", "shp_1", "prd_1", MILK, 6, 999, 1350)
    await town.command(catalogue.set_offers, "shp_1", [six])
    async with town.client("shopper", "per_ada") as ada:
        too_much = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 5), ("shp_1:six", 1)), headers=key())
        fits = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 4), ("shp_1:six", 1)), headers=key())
        left = (await ada.get("/api/products/prd_1/availability")).json()
    assert (too_much.status_code, too_much.json()["details"]) == (409, {"missing": {"shp_1:prd_1": 1, "shp_1:six": 1}})
    assert fits.status_code == 201
    assert {offer["offer_id"]: offer["free_pieces"] for offer in left} == {
        "shp_1:prd_1": 0,
        "shp_1:six": 0,
        "shp_2:prd_1": 10,
    }


async def card_order(town: Town) -> str:
    async with town.client("shopper", "per_ada") as ada:
        order = lines(("shp_1:prd_1", 10)) | {"payment": "card", "card_token": "tok_1"}
        answer = await ada.post("/api/orders", json=order, headers=key())
    assert answer.status_code == 202
    return str(answer.json()["order_id"])


async def test_a_card_payment_that_comes_too_late_is_given_back(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = await card_order(town)
    later_us = town.house.district.now_us + PAY_WITHIN_US + MINUTE_US
    monkeypatch.setattr(town.house.writer, "_clock", lambda: later_us)
    await town.settle()
    await town.command(order_flow.card_paid, order_id, 1_990)
    await town.settle()
    names = [entry.name for entry in town.house.journal.story(order_id)]
    assert names.count("finance.card_refund_asked") == 1
    assert "finance.payment_held" not in names
    async with town.client("shopper", "per_ada") as ada:
        shown = (await ada.get(f"/api/orders/{order_id}")).json()
    assert (shown["outcome"], shown["accepted"]) == ("unfulfilled", False)
    item = town.house.district.view(Stock).items[MILK]
    assert (item.on_hand, item.held) == (10, 0)
    assert town.house.district.view(Ledger).accounts[CARD].balance_minor == 0
    assert town.ledger_sum() == 0


async def test_an_expiry_that_meets_the_payment_lets_one_of_them_win(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await card_order(town)
    expires_us = town.house.district.view(Orders).open[order_id].placed.expires_us
    clock = [expires_us - 1]
    monkeypatch.setattr(town.house.writer, "_clock", lambda: clock[0])
    async with town.client("shopper", "per_bob") as bob:
        paid = asyncio.create_task(town.command(order_flow.card_paid, order_id, 1_990))
        clock[0] = expires_us
        bought, _ = await asyncio.gather(bob.post("/api/orders", json=lines(("shp_1:prd_1", 10)), headers=key()), paid)
    await town.settle()
    names = [entry.name for entry in town.house.journal.story(order_id)]
    accepted = "finance.payment_held" in names
    assert accepted != ("market.order_expired" in names)
    assert accepted != ("finance.card_refund_asked" in names)
    item = town.house.district.view(Stock).items[MILK]
    assert item.held == 10 * (accepted + (bought.status_code == 201))
    assert item.held <= item.on_hand
    assert town.ledger_sum() == 0
    assert town.house.district.view(Ledger).accounts[wallet_of("per_bob")].held_minor == (
        1_990 if bought.status_code == 201 else 0
    )

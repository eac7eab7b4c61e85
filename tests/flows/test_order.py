"""The story of an order: which events follow which call, on every way through it."""

import re
from typing import Any

import msgspec
import pytest

from hanse.district.effects import bring_back
from hanse.district.jobs import Job, origin_of
from hanse.events.dictionary import decode, kind_of
from hanse.events.finance import CardPaymentAsked, CardRefundAsked, PaymentHeld
from hanse.events.market import OrderClosed, OrderPlaced
from hanse.finance.ledger import service as ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import CARD, COMMISSION, DELIVERY, TOP_UPS, Payments, wallet_of
from hanse.flows import order as flow
from hanse.flows.order import PlaceOrder, card_declined, card_paid, place
from hanse.kernel.time import DAY_US, MINUTE_US
from hanse.kernel.values import Transfer, Wish
from hanse.market.orders import service as orders
from hanse.market.orders.views import ANSWER_WITHIN_US, Orders, from_story, orders_of_shopper
from hanse.people.members import service as members
from hanse.testing.town import captured
from tests.conftest import STOCK, WALLET_MINOR, Town
from tests.events.write_golden import FOLDER as GOLDEN

MILK = Wish("off_milk", 3)  # 5.97 in shop A
MILK_B = Wish("off_milk_b", 2)  # 4.10 in shop B
CARD_ORDER = PlaceOrder((MILK,), payment="card", card_token="tok_1")
WALLET = wallet_of("per_1")

PLACED = ["market.order_placed"]
HANDED_OVER = ["market.part_handed_over", "market.part_collected", "supply.stock_issued", "finance.payment_captured"]
SETTLED = ["finance.payment_settled", "market.part_settled"]
CLOSED = "market.order_closed"
FREED = ["supply.stock_released", "finance.payment_released"]


class Placed:
    """An order that was placed in a town, and what is done with it."""

    def __init__(self, town: Town, *wishes: Wish, **options: Any) -> None:
        self.town = town
        self.answer = town.do(place, "per_1", PlaceOrder(wishes or (MILK,), **options))
        self.order_id = self.answer["order_id"]
        self.parts = [part["part_id"] for part in self.answer["parts"]]

    def records(self, command: Any, *arguments: object, part: int = 0, **options: object) -> list[str]:
        return self.town.records(command, self.order_id, self.parts[part], *arguments, **options)

    def refuses(self, code: str, command: Any, *arguments: object, part: int = 0, **options: object) -> None:
        self.town.refuses(code, command, self.order_id, self.parts[part], *arguments, **options)

    def until_picked(self, quantities: tuple[int, ...] | None = None, part: int = 0) -> "Placed":
        self.records(orders.accept_part, part=part)
        self.records(orders.pick_part, quantities, part=part)
        return self

    def collected(self, part: int = 0) -> "Placed":
        self.until_picked(part=part).records(orders.hand_over_part, part=part)
        return self

    def outcome(self) -> str:
        found = from_story(self.town.journal.story(self.order_id))
        assert found is not None
        return found.closed


def provider_says(town: Town, placed: Placed, command: Any, *arguments: object) -> list[str]:
    """Bring the card provider's answer to an order back, as the effect worker does."""
    asked = next(e for e in town.journal.story(placed.order_id) if e.name == kind_of(CardPaymentAsked).name)
    answer = Job(command, (placed.order_id, *arguments))
    return town.records(bring_back, "card.charge", asked.position, answer)


def refunds(town: Town) -> list[int]:
    name = kind_of(CardRefundAsked).name
    return [msgspec.json.decode(e.body)["amount_minor"] for e in town.journal.read() if e.name == name]


# The wallet's way


def test_from_the_click_to_the_ledger_by_wallet_and_pickup(town: Town) -> None:
    assert town.records(place, "per_1", PlaceOrder((MILK,))) == PLACED
    order_id = next(iter(town.district.view(Orders).open))
    assert (town.held(), town.shelf("shp_a/milk")) == ({WALLET: 597}, (20, 3))
    of = (order_id, f"{order_id}-1")
    assert town.records(orders.accept_part, *of) == ["market.part_accepted"]
    assert town.records(orders.pick_part, *of) == ["market.part_picked"]
    assert town.records(orders.hand_over_part, *of) == [*HANDED_OVER, *SETTLED, CLOSED]
    assert town.balances() == {TOP_UPS: -WALLET_MINOR, WALLET: WALLET_MINOR - 597, "shp_a/sales": 567, COMMISSION: 30}
    assert (town.held(), town.shelf("shp_a/milk")) == ({}, (17, 0))
    assert town.district.view(Orders).open == {}


def test_a_delivered_order_is_settled_at_the_door(town: Town) -> None:
    placed = Placed(town, fulfilment="delivery", address_id="adr_1").until_picked()
    assert placed.records(orders.hand_over_part) == [HANDED_OVER[0], *HANDED_OVER[2:]]
    assert town.balances()[DELIVERY] == 290
    assert placed.records(orders.deliver_part) == ["market.part_delivered", *SETTLED, CLOSED]
    assert placed.outcome() == "fulfilled"


def test_the_answer_says_what_it_costs_and_when_it_is_promised(town: Town) -> None:
    placed = Placed(town, MILK, MILK_B, fulfilment="delivery", address_id="adr_1")
    minute = town.now_us // MINUTE_US * MINUTE_US
    assert placed.answer == {
        "result": "accepted",
        "order_id": placed.order_id,
        "total_minor": 597 + 290 + 410 + 450,
        "currency": "EUR",
        "parts": [
            {
                "part_id": f"{placed.order_id}-{n}",
                "shop_id": shop_id,
                "total_minor": total,
                "promised_us": minute + prepare * MINUTE_US,
            }
            for n, shop_id, total, prepare in ((1, "shp_a", 887, 15), (2, "shp_b", 860, 30))
        ],
    }


def test_less_picked_is_less_paid_and_commission_and_stock_follow(town: Town) -> None:
    placed = Placed(town, MILK, Wish("off_beer", 1)).until_picked((2, 0))
    assert town.held() == {WALLET: 597 + 349}
    placed.records(orders.hand_over_part)
    # 5 % of 9.46 is 0.47; of it 3.98/9.46 belongs to what was picked: 0.20
    assert town.balances() == {TOP_UPS: -WALLET_MINOR, WALLET: WALLET_MINOR - 398, "shp_a/sales": 378, COMMISSION: 20}
    assert (town.held(), town.shelf("shp_a/milk"), town.shelf("shp_a/beer")) == ({}, (17, 0), (9, 0))


@pytest.mark.parametrize(
    ("why", "stages", "outcome"), [("refused", 2, "refused"), ("cancelled", 1, "cancelled"), ("cancelled", 0, "")]
)
def test_an_ended_part_frees_stock_and_money_and_closes_the_order(
    town: Town, why: str, stages: int, outcome: str
) -> None:
    before = town.held(), town.balances()
    placed = Placed(town)
    for command in (orders.accept_part, orders.pick_part)[:stages]:
        placed.records(command)
    assert placed.records(orders.end_part, why=why, reason="other") == ["market.part_ended", *FREED, CLOSED]
    assert ((town.held(), town.balances()), town.shelf("shp_a/milk")) == (before, (20, 0))
    assert placed.outcome() == "unfulfilled"


def test_a_part_that_no_shop_takes_on_in_time_is_given_up(town: Town) -> None:
    placed = Placed(town)
    assert town.wait(15 * MINUTE_US + ANSWER_WITHIN_US - 2 * MINUTE_US) == []
    assert town.wait(2 * MINUTE_US) == ["market.part_ended", *FREED, CLOSED]
    assert town.wait(DAY_US) == []
    assert placed.outcome() == "unfulfilled"


def test_a_part_that_was_taken_on_is_not_given_up(town: Town) -> None:
    Placed(town).records(orders.accept_part)
    assert town.wait(DAY_US) == []


# Several shops


def test_an_order_over_two_shops_is_one_order_with_a_part_each(town: Town) -> None:
    placed = Placed(town, MILK, MILK_B)
    placed.collected(part=0)
    assert placed.outcome() == ""
    assert placed.until_picked(part=1).records(orders.hand_over_part, part=1)[-1] == CLOSED
    assert placed.outcome() == "fulfilled"
    assert town.balances() == {
        TOP_UPS: -WALLET_MINOR,
        WALLET: WALLET_MINOR - 597 - 410,
        "shp_a/sales": 597 - 30,
        "shp_b/sales": 410 - 14,
        COMMISSION: 44,
    }


def test_one_part_refused_and_one_delivered_is_partly_fulfilled(town: Town) -> None:
    placed = Placed(town, MILK, MILK_B)
    assert placed.records(orders.end_part, part=1, why="refused") == ["market.part_ended", *FREED]
    placed.collected(part=0)
    assert placed.outcome() == "partly"
    assert (town.held(), town.balances()[WALLET]) == ({}, WALLET_MINOR - 597)


def test_only_the_silent_shop_loses_its_part(town: Town) -> None:
    placed = Placed(town, MILK, MILK_B)
    placed.records(orders.accept_part, part=0)
    assert town.wait(DAY_US) == ["market.part_ended", *FREED]
    placed.refuses("market.wrong_stage", orders.accept_part, part=1)


def test_one_cancellation_takes_back_all_that_is_not_picked(town: Town) -> None:
    placed = Placed(town, MILK, MILK_B).until_picked(part=0)
    assert town.records(orders.cancel, placed.order_id) == ["market.part_ended", *FREED]
    town.refuses("market.too_late", orders.cancel, placed.order_id)


# By card


def test_by_card_the_order_waits_for_the_provider(town: Town) -> None:
    assert town.records(place, "per_1", CARD_ORDER) == ["market.order_placed", "finance.card_payment_asked"]
    assert (town.held(), town.shelf("shp_a/milk")) == ({}, (20, 3))


def test_a_charged_card_makes_the_order_go_on_and_an_echo_changes_nothing(town: Town) -> None:
    placed = Placed(town, payment="card", card_token="tok_1")
    assert placed.answer["result"] == "awaiting_payment"
    placed.refuses("market.wrong_stage", orders.accept_part)
    assert provider_says(town, placed, card_paid, 597) == ["finance.payment_held", "district.effect_answered"]
    assert provider_says(town, placed, card_paid, 597) == []
    assert town.records(card_paid, placed.order_id, 597) == []
    placed.collected()
    assert town.balances() == {CARD: -597, "shp_a/sales": 567, COMMISSION: 30, TOP_UPS: -WALLET_MINOR, WALLET: 10_000}
    assert refunds(town) == []


def test_a_paid_order_is_not_ended_when_its_time_to_pay_is_over(town: Town) -> None:
    placed = Placed(town, payment="card", card_token="tok_1")
    provider_says(town, placed, card_paid, 597)
    assert town.wait(orders.PAY_WITHIN_US + MINUTE_US) == []
    assert town.wait(DAY_US) == ["market.part_ended", *FREED, "finance.card_refund_asked", CLOSED]


def test_a_declined_card_ends_the_order_at_once(town: Town) -> None:
    placed = Placed(town, payment="card", card_token="tok_1")
    assert provider_says(town, placed, card_declined, "no cover") == [
        "finance.card_payment_declined",
        "market.order_expired",
        "market.part_ended",
        "district.effect_answered",
        "supply.stock_released",
        CLOSED,
    ]
    assert (town.shelf("shp_a/milk"), placed.outcome()) == ((20, 0), "unfulfilled")
    assert town.records(card_declined, placed.order_id, "no cover") == []


def test_an_unpaid_order_ends_once_and_a_late_charge_goes_back(town: Town) -> None:
    placed = Placed(town, payment="card", card_token="tok_1")
    ended = ["market.order_expired", "market.part_ended", "supply.stock_released", CLOSED]
    assert town.wait(orders.PAY_WITHIN_US - MINUTE_US) == []
    assert town.wait(2 * MINUTE_US) == ended
    assert town.wait(DAY_US) == []
    assert provider_says(town, placed, card_paid, 597) == ["finance.card_refund_asked", "district.effect_answered"]
    assert (refunds(town), town.held(), town.district.view(Payments).cards) == ([597], {}, {})


def test_what_was_cancelled_before_the_card_was_charged_is_given_back(town: Town) -> None:
    placed = Placed(town, MILK, MILK_B, payment="card", card_token="tok_1")
    placed.records(orders.end_part, part=1, why="cancelled")
    provider_says(town, placed, card_paid, 597 + 410)
    assert (refunds(town), town.held()) == ([410], {CARD: 597})
    placed.collected(part=0)
    assert (town.held(), town.balances()[CARD], placed.outcome()) == ({}, -597, "partly")


def test_too_small_a_charge_is_given_back_whole_and_the_order_stays_unpaid(town: Town) -> None:
    placed = Placed(town, payment="card", card_token="tok_1")
    provider_says(town, placed, card_paid, 500)
    assert (refunds(town), town.held()) == ([500], {})
    placed.refuses("market.wrong_stage", orders.accept_part)


def test_what_a_card_was_charged_too_much_is_given_back(town: Town) -> None:
    for picked, why in (((2,), None), (None, "refused")):
        placed = Placed(town, payment="card", card_token="tok_1")
        provider_says(town, placed, card_paid, 597)
        placed.until_picked(picked)
        placed.records(orders.end_part, why=why) if why else placed.records(orders.hand_over_part)
    assert refunds(town) == [199, 597]
    assert town.balances()[CARD] == -398


# Refusals: a result, and nothing changed but the note of what was missing


def test_sold_out_is_a_result_that_names_what_is_missing(town: Town) -> None:
    before = town.held(), town.shelf("shp_a/milk"), town.shelf("shp_a/beer")
    wishes = (Wish("off_milk", 21), Wish("off_beer", 5), Wish("off_six", 1))
    assert town.do(place, "per_1", PlaceOrder(wishes)) == {
        "result": "sold_out",
        "missing": {"off_milk": 1, "off_beer": 1, "off_six": 1},
    }
    assert town.names(town.district.position - 1) == ["supply.stock_short"]
    assert (town.held(), town.shelf("shp_a/milk"), town.shelf("shp_a/beer")) == before


def test_one_short_item_refuses_the_parts_of_all_shops(town: Town) -> None:
    assert town.do(place, "per_1", PlaceOrder((MILK, Wish("off_milk_b", 9))))["missing"] == {"off_milk_b": 1}
    assert town.shelf("shp_a/milk") == (20, 0)


def test_the_last_unit_is_sold_once(town: Town) -> None:
    units = dict(STOCK["shp_b"])["shp_b/milk"]
    results = [town.do(place, "per_1", PlaceOrder((Wish("off_milk_b", 1),)))["result"] for _ in range(units + 3)]
    assert results == ["accepted"] * units + ["sold_out"] * 3
    assert town.shelf("shp_b/milk") == (units, units)


def test_too_little_money_is_a_result_and_nothing_is_held(town: Town) -> None:
    top_up = Transfer("t1", WALLET, wallet_of("per_2"), 1_000)
    town.do(ledger.post, "t1", "gift", [top_up])
    town.do(place, "per_2", PlaceOrder((MILK,)))
    before = town.state()
    answer = town.do(place, "per_2", PlaceOrder((MILK,)))
    assert answer == {"result": "funds_short", "currency": "EUR", "short_minor": 2 * 597 - 1_000}
    assert town.state() == before


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (PlaceOrder(()), "market.bad_lines"),
        (PlaceOrder((MILK,) * (orders.LINES_MAX + 1)), "market.bad_lines"),
        (PlaceOrder((Wish("off_none", 1),)), "market.unknown_offer"),
        (PlaceOrder((Wish("off_milk", 0),)), "kernel.bad_quantity"),
        (PlaceOrder((Wish("off_milk", 9_999), Wish("off_milk", 2))), "kernel.bad_quantity"),
        (PlaceOrder((MILK,), fulfilment="delivery", address_id="adr_2"), "people.unknown_address"),
        (PlaceOrder((MILK,), payment="card"), "finance.no_card"),
    ],
)
def test_what_can_never_be_ordered_is_an_error(town: Town, request_: PlaceOrder, code: str) -> None:
    town.refuses(code, place, "per_1", request_)


def test_who_has_no_wallet_can_not_pay_by_it(town: Town) -> None:
    town.refuses("finance.unknown_account", place, "per_9", PlaceOrder((MILK,)))


# The table


def test_the_table_in_the_docstring_is_the_table_of_steps_and_what_they_record(town: Town) -> None:
    assert flow.__doc__ is not None
    rows = [tuple(re.split(r"\s{2,}", line)) for line in flow.__doc__.splitlines() if re.match(r"\w+\.\w+ ", line)]
    stepped = [row for row in rows if row[1] != "(in place)"]
    told = list(dict.fromkeys((when, do) for when, do, _records in stepped))
    assert told == [(kind_of(cls).name, step.__name__) for cls, step in flow.STEPS]
    run_every_way(town)
    names = {entry.position: entry.name for entry in town.journal.read()}
    steps = {origin_of(step): step.__name__ for _, step in flow.STEPS}
    ran = {(names[e.cause], steps[e.origin], e.name) for e in town.journal.read() if e.origin in steps}
    assert ran == set(stepped)


def run_every_way(town: Town) -> None:
    Placed(town).collected()
    delivered = Placed(town, fulfilment="delivery", address_id="adr_1").until_picked()
    delivered.records(orders.hand_over_part)
    delivered.records(orders.deliver_part)
    Placed(town).records(orders.end_part, why="refused")
    test_what_a_card_was_charged_too_much_is_given_back(town)


def test_what_stands_in_place_is_recorded_by_the_same_commit(town: Town) -> None:
    by_card = {"payment": "card", "card_token": "tok_1"}
    for options, names in (({}, PLACED), (by_card, [*PLACED, "finance.card_payment_asked"])):
        before = town.district.position
        Placed(town, **options)
        entries = list(town.journal.read(before))
        assert [e.name for e in entries] == names
        assert {(e.origin, e.cause) for e in entries} == {("flows.order.place", 0)}
        assert len(list(town.journal.marks(before))) == 1


def test_an_order_of_the_first_form_is_accepted_by_the_event_behind_it(town: Town) -> None:
    now_us = town.district.now_us
    placed = decode("market.order_placed", 1, (GOLDEN / "market.order_placed.1.json").read_bytes())
    view = Orders()
    view._place(placed, now_us)
    assert not view.open[placed.order_id].accepted
    view._pay(PaymentHeld(placed.order_id, ()), now_us)
    assert view.open[placed.order_id].accepted
    assert view.accepted == len(view.unanswered) == 1


def test_every_event_of_an_order_stands_in_its_story(town: Town) -> None:
    before = town.district.position
    placed = Placed(town).collected()
    town.do(payments.refund, captured(town.stage, placed.parts[0]), goods_minor=100, fee_minor=0, reason="quality")
    story = town.journal.story(placed.order_id)
    assert [e.position for e in story] == [e.position for e in town.journal.read(before)]
    assert (story[0].name, story[-1].name) == (kind_of(OrderPlaced).name, "finance.payment_refunded")
    assert kind_of(OrderClosed).name in [e.name for e in story]


def test_nothing_is_collected_before_it_was_handed_over(town: Town) -> None:
    Placed(town).until_picked().refuses("market.wrong_stage", orders.collect_part)


def test_who_is_erased_leaves_the_latest_orders_and_who_never_ordered_may_go_too(town: Town) -> None:
    placed = Placed(town).collected()
    assert orders_of_shopper(town.district, "per_1") == [placed.order_id]
    for person_id in ("per_1", "per_2"):
        town.do(members.erase, person_id)
    assert town.district.view(Orders).by_shopper == {}

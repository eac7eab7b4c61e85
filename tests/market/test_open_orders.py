"""What stays in memory of open orders, and what leaves it: folds of `Orders`, looked at alone."""

from collections.abc import Iterable
from typing import Any

import pytest

from hanse.district.views import folds_of
from hanse.events.dictionary import Event
from hanse.events.finance import PaymentHeld
from hanse.events.market import OrderClosed, OrderPlaced, PartAccepted, PartEnded, PartPicked
from hanse.flows.order import PlaceOrder, place
from hanse.journal.protocol import Entry
from hanse.kernel.time import MINUTE_US
from hanse.kernel.values import Line, Part, Transfer, VatAmount, Wish
from hanse.market.orders.views import Order, Orders, PartState, due, from_story, orders_of_shopper
from hanse.testing import START_US, Given, given
from tests.conftest import Town

NOW = START_US // MINUTE_US * MINUTE_US
ANSWER = NOW // MINUTE_US + 30
"""The minute in which an order of now, promised for now, has to be answered."""

HELD = (Transfer("t1", "a", "b", 1, "hold"),)


def placed(number: int, *promised: int, paid: bool = True, expires_us: int = 0, shop_id: str = "shp_a") -> OrderPlaced:
    """An order with a part for each promise, in minutes from now."""
    order_id = f"ord_{number}"
    parts = tuple(
        Part(f"{order_id}-{n}", shop_id, (), 1, 0, (), NOW + minutes * MINUTE_US)
        for n, minutes in enumerate(promised or (0,), 1)
    )
    holds = HELD if paid else ()
    return OrderPlaced(order_id, "per_1", "pickup", "wallet", "EUR", 1, parts, "", expires_us, holds)


def accepted(number: int, part: int = 1) -> PartAccepted:
    return PartAccepted(f"ord_{number}", f"ord_{number}-{part}")


def ended(number: int, part: int = 1) -> PartEnded:
    return PartEnded(f"ord_{number}", f"ord_{number}-{part}", "refused")


def closed(number: int) -> OrderClosed:
    return OrderClosed(f"ord_{number}", "unfulfilled")


def folded(*events: Event, view: Orders | None = None) -> Orders:
    view = view or Orders()
    folds = dict(folds_of(view))
    for event in events:
        folds[type(event)](event, NOW)
    return view


def names(numbers: Iterable[int]) -> list[str]:
    return [f"ord_{number}" for number in numbers]


def test_what_was_picked_counts_and_before_that_what_was_ordered() -> None:
    line = Line("off", "prd", "itm", 2, 100, 1350)
    part = Part("p", "shp_a", (line,), 200, 10, (VatAmount(1350, 200, 24),), NOW, 290)
    event = PartPicked("o", "p", (1,), 100, 280, 5, (VatAmount(1350, 100, 12),))
    for state, of in ((PartState(part), part), (PartState(part, "picked", event), event)):
        assert (state.goods_minor, state.fee_minor) == (of.goods_minor, of.fee_minor)
        assert (state.commission_minor, state.vat) == (of.commission_minor, of.vat)
    assert (PartState(part).quantities, PartState(part, "picked", event).quantities) == ((2,), (1,))
    assert PartState(part) == PartState(part, "placed", None, "")


def test_the_parts_of_an_order_move_each_by_itself() -> None:
    one = Order(placed(1, 0, 0), NOW)
    assert (one.accepted, one.closed, one.moved) == (False, "", None)
    assert one.move(accepted(1)).stage == "accepted"
    assert one.move(ended(1, 2)).stage == "refused"
    assert {part_id: state.stage for part_id, state in one.parts.items()} == {
        "ord_1-1": "accepted",
        "ord_1-2": "refused",
    }


def test_of_a_shoppers_orders_the_latest_fifty_are_shown_and_at_most_a_hundred_kept() -> None:
    view = folded(*(placed(n) for n in range(100)))
    assert view.by_shopper == {"per_1": names(range(100))}
    folded(placed(100), view=view)
    assert view.by_shopper == {"per_1": names(range(51, 101))}
    shown = given(*(placed(n, paid=False) for n in range(60))).when(orders_of_shopper, "per_1")
    shown.answers(names(range(59, 9, -1)))
    given().when(orders_of_shopper, "per_9").answers([])


def test_of_a_shops_closed_orders_at_most_a_hundred_are_kept() -> None:
    view = folded(*(event for n in range(100) for event in (placed(n), ended(n), closed(n))))
    assert view.closed_of_shop == {"shp_a": names(range(100))}
    folded(placed(100), ended(100), view=view)
    assert view.closed_of_shop == {"shp_a": names(range(51, 101))}


@pytest.mark.parametrize(("orders", "tidied_at"), [(60, 51), (102, 52)])
def test_a_shops_ended_orders_leave_its_list_once_they_are_fifty_and_the_half(orders: int, tidied_at: int) -> None:
    view = folded(*(placed(n) for n in range(orders)), placed(999, shop_id="shp_b"))
    for n in range(orders):
        folded(ended(n), view=view)
        assert view.open_at("shp_a") == orders - n - 1
        if n + 1 < tidied_at:
            assert (view.by_shop["shp_a"], view.ended_at["shp_a"]) == (names(range(orders)), n + 1)
        elif n + 1 == tidied_at:
            assert (view.by_shop["shp_a"], view.ended_at["shp_a"]) == (names(range(tidied_at, orders)), 0)
    assert (view.open_at("shp_b"), view.open_at("shp_c")) == (1, 0)


def test_a_part_that_was_taken_on_is_still_the_shops_to_do() -> None:
    view = folded(placed(1), accepted(1))
    assert (view.closed_of_shop, view.ended_at, view.open_at("shp_a")) == ({}, {}, 1)
    assert [state.part.part_id for _, state in view.parts_at("shp_a")] == ["ord_1-1"]


@pytest.mark.parametrize(
    ("events", "unanswered"),
    [
        ([placed(1)], {ANSWER: [1]}),
        ([placed(1, -5)], {ANSWER: [1]}),
        ([placed(1, 3, 7, 5)], {ANSWER + 7: [1]}),
        ([placed(1), placed(2)], {ANSWER: [1, 2]}),
        ([placed(1), placed(2), accepted(1)], {ANSWER: [1, 2]}),  # it stands in front until the other goes too
        ([placed(1), placed(2), accepted(2)], {ANSWER: [1]}),
        ([placed(1), placed(2, 9), accepted(1)], {ANSWER + 9: [2]}),
        ([placed(1), placed(2, 9), accepted(2)], {ANSWER: [1], ANSWER + 9: [2]}),
        ([placed(1), placed(2, 9), ended(2), closed(2), accepted(1)], {}),
        ([placed(1, 0, 0), accepted(1, 1)], {ANSWER: [1]}),
        ([placed(1, 0, 0), accepted(1, 2), accepted(1, 1)], {}),
    ],
)
def test_what_shops_have_to_answer_is_kept_by_the_minute(events: list[Event], unanswered: dict[int, list[int]]) -> None:
    view = folded(*events)
    assert view.unanswered == {minute: names(numbers) for minute, numbers in unanswered.items()}
    assert view.minutes == list(unanswered)


def unpaid(number: int, *promised: int) -> OrderPlaced:
    return placed(number, *promised, paid=False, expires_us=NOW + 1_000 * number)


def paid(number: int) -> PaymentHeld:
    return PaymentHeld(f"ord_{number}", ())


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([unpaid(2), unpaid(1)], [1, 2]),
        ([unpaid(1), unpaid(2), paid(1)], [2]),
        ([unpaid(1), unpaid(2), paid(2)], [1, 2]),
        ([unpaid(1), unpaid(2), paid(2), paid(1)], []),
        ([unpaid(1), unpaid(2), ended(2), closed(2), paid(1)], []),
        ([unpaid(1, 0, 0), ended(1, 1)], [1]),
        ([unpaid(1, 0, 0), ended(1, 1), ended(1, 2)], []),
    ],
)
def test_what_is_to_be_paid_for_waits_in_the_order_of_its_end(events: list[Event], left: list[int]) -> None:
    assert folded(*events).unpaid == [(NOW + 1_000 * number, f"ord_{number}") for number in left]


@pytest.mark.parametrize(
    ("events", "after_us", "order"),
    [
        ([], 10, None),
        ([unpaid(2), unpaid(1), unpaid(3)], 999, None),
        ([unpaid(2), unpaid(1), unpaid(3)], 1_000, "ord_1"),
        ([unpaid(2), unpaid(3)], 9_000, "ord_2"),
        ([unpaid(1), paid(1)], 30 * MINUTE_US - 1, None),
        ([unpaid(1), paid(1)], 30 * MINUTE_US, "ord_1"),
        ([unpaid(1), paid(1), unpaid(2), paid(2), unpaid(3, 1), paid(3)], 40 * MINUTE_US, "ord_2"),
    ],
)
def test_an_order_is_due_from_the_moment_on_that_its_time_is_over(
    events: list[Event], after_us: int, order: str | None
) -> None:
    happened = Given(events, now_us=NOW)
    happened._now_us += after_us - 1
    happened.when(due).answers(order)


def entries_of(town: Town, **options: Any) -> list[Entry]:
    answer = town.do(place, "per_1", PlaceOrder((Wish("off_milk", 1),), **options))
    return town.journal.story(answer["order_id"])


def test_a_story_is_an_order_from_where_the_order_was_placed(town: Town) -> None:
    story = entries_of(town, payment="card", card_token="tok_1")
    order_id = story[0].story
    waiting = from_story(story)
    assert waiting is not None
    assert not waiting.accepted
    town.do(_record, PaymentHeld(order_id, ()))
    town.do(_record, PartAccepted(order_id, f"{order_id}-1"))
    story = town.journal.story(order_id)
    found = from_story(story)
    assert found == town.district.view(Orders).open[order_id]
    assert found is not None
    assert found.accepted
    assert from_story([*story[1:], *story]) == found
    assert from_story(story[1:]) is None


def test_a_story_that_was_not_paid_for_ends_unfulfilled(town: Town) -> None:
    story = entries_of(town, payment="card", card_token="tok_1")
    order_id = story[0].story
    town.wait(11 * MINUTE_US)
    ends = {entry.name: n for n, entry in enumerate(town.journal.story(order_id), 1)}
    for name in ("market.order_expired", "market.order_closed"):
        found = from_story(town.journal.story(order_id)[: ends[name]])
        assert found is not None
        assert found.closed == "unfulfilled"


def _record(district: Any, event: Event) -> None:
    district.record(event)

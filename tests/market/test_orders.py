from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.flows.order import PlaceOrder, place
from hanse.kernel.money import included_tax, share
from hanse.kernel.values import Line, Wish
from hanse.market.orders import service as orders
from hanse.market.orders.engine import price
from hanse.market.orders.views import (
    RECENT_MAX,
    Orders,
    from_story,
    orders_of_shop,
    orders_of_shopper,
    part_of,
)
from tests.conftest import Town

STAGES = {
    "accepted": orders.accept_part,
    "picked": orders.pick_part,
    "handed_over": orders.hand_over_part,
    "delivered": orders.deliver_part,
}
BEFORE = {"accepted": "placed", "picked": "accepted", "handed_over": "picked", "delivered": "handed_over"}


def brought(town: Town, stage: str = "placed", *wishes: Wish) -> tuple[str, str]:
    """An order for delivery, brought to a stage: its id and that of its first part."""
    request = PlaceOrder(wishes or (Wish("off_milk", 2), Wish("off_beer", 1)), "delivery", "adr_1")
    answer = town.do(place, "per_1", request)
    of = answer["order_id"], answer["parts"][0]["part_id"]
    for reached, command in STAGES.items():
        if stage == "placed":
            break
        town.do(command, *of)
        if reached == stage:
            break
    return of


@pytest.mark.parametrize("to", STAGES)
@pytest.mark.parametrize("at", ["placed", "accepted", "picked", "handed_over"])
def test_each_move_is_possible_from_one_stage_only(town: Town, at: str, to: str) -> None:
    of = brought(town, at)
    if BEFORE[to] == at:
        assert town.records(STAGES[to], *of)[0] == f"market.part_{to}"
    else:
        error = town.refuses("market.wrong_stage", STAGES[to], *of)
        assert error.details == {"stage": at}


@pytest.mark.parametrize(
    ("at", "refused", "cancelled"),
    [
        ("placed", True, True),
        ("accepted", True, True),
        ("picked", True, False),
        ("handed_over", False, False),
    ],
)
def test_a_shop_may_refuse_until_hand_over_and_a_shopper_cancel_until_picked(
    town: Town, at: str, refused: bool, cancelled: bool
) -> None:
    for why, may in (("refused", refused), ("cancelled", cancelled)):
        of = brought(town, at)
        if may:
            assert town.records(orders.end_part, *of, why=why)[0] == "market.part_ended"
            town.refuses("market.no_open_order", orders.end_part, *of, why=why)
        else:
            town.refuses("market.too_late", orders.end_part, *of, why=why)


def test_a_delivery_may_be_collected_instead(town: Town) -> None:
    assert town.records(orders.collect_part, *brought(town, "handed_over"))[0] == "market.part_collected"


@pytest.mark.parametrize(
    ("quantities", "code"),
    [
        ((2,), "market.bad_picked"),
        ((2, 1, 0), "market.bad_picked"),
        ((3, 1), "market.bad_picked"),
        ((-1, 1), "market.bad_picked"),
        ((0, 0), "market.nothing_picked"),
    ],
)
def test_what_can_not_have_been_picked_is_refused(town: Town, quantities: Any, code: str) -> None:
    town.refuses(code, orders.pick_part, *brought(town, "accepted"), quantities)


def test_what_was_picked_is_priced_anew_with_its_tax_and_its_share_of_the_commission(town: Town) -> None:
    of = brought(town, "accepted")
    before = part_of(town.district, *of)
    assert (before.goods_minor, before.commission_minor, before.quantities) == (747, 37, (2, 1))
    town.do(orders.pick_part, *of, (1, 1))
    state = part_of(town.district, *of)
    assert (state.goods_minor, state.fee_minor, state.commission_minor, state.quantities) == (548, 290, 27, (1, 1))
    assert [(v.rate_bp, v.gross_minor, v.vat_minor) for v in state.vat] == [(1350, 199, 24), (2550, 639, 130)]


def test_orders_and_parts_that_are_not_there_are_not_found(town: Town) -> None:
    order_id, part_id = brought(town)
    town.refuses("market.no_open_order", orders.accept_part, "ord_9", part_id)
    town.refuses("market.unknown_part", orders.accept_part, order_id, "ord_9-1")


def test_a_shop_sees_its_own_parts_until_they_end_and_a_shopper_the_latest_first(town: Town) -> None:
    first, second = brought(town), brought(town, "placed", Wish("off_milk_b", 1))
    both = brought(town, "placed", Wish("off_milk", 1), Wish("off_milk_b", 1))
    mine = {shop: [s.part.part_id for _, s in orders_of_shop(town.district, shop)] for shop in ("shp_a", "shp_b")}
    assert mine == {"shp_a": [first[1], both[1]], "shp_b": [second[1], f"{both[0]}-2"]}
    assert orders_of_shopper(town.district, "per_1") == [both[0], second[0], first[0]]
    town.do(orders.end_part, *first, why="refused")
    assert [s.part.part_id for _, s in orders_of_shop(town.district, "shp_a")] == [both[1]]
    assert orders_of_shopper(town.district, "per_1") == [both[0], second[0], first[0]]
    assert orders_of_shop(town.district, "shp_x") == []


def test_an_unpaid_order_is_not_shown_to_the_shop(town: Town) -> None:
    town.do(place, "per_1", PlaceOrder((Wish("off_milk", 1),), payment="card", card_token="tok_1"))
    assert orders_of_shop(town.district, "shp_a") == []


def test_only_the_latest_orders_stay_in_memory_and_no_timer_outlives_its_order(town: Town) -> None:
    for _ in range(2 * RECENT_MAX + 1):
        town.do(orders.end_part, *brought(town), why="cancelled")
    view = town.district.view(Orders)
    assert len(orders_of_shopper(town.district, "per_1")) == RECENT_MAX
    assert len(view.closed_of_shop["shp_a"]) == RECENT_MAX
    assert (view.open, view.unpaid, view.unanswered, view.open_at("shp_a")) == ({}, [], {}, 0)
    assert len(view.by_shop["shp_a"]) <= RECENT_MAX
    assert (view.placed, view.accepted, view.closed) == (2 * RECENT_MAX + 1,) * 3


def test_a_closed_order_is_read_from_its_story(town: Town) -> None:
    order_id, part_id = brought(town, "accepted")
    town.do(orders.pick_part, order_id, part_id, (1, 0))
    open_one = town.district.view(Orders).open[order_id]
    assert from_story(town.journal.story(order_id)) == open_one
    town.do(orders.end_part, order_id, part_id, why="refused", reason="quality")
    closed = from_story(town.journal.story(order_id))
    assert closed is not None
    state = closed.parts[part_id]
    assert (closed.closed, state.stage, state.reason) == ("unfulfilled", "refused", "quality")
    assert from_story(town.journal.story("shp_a")) is None


LINES = st.lists(
    st.builds(
        Line,
        st.just("off"),
        st.just("prd"),
        st.just("itm"),
        st.integers(1, 50),
        st.integers(1, 100_000),
        st.sampled_from([0, 1000, 1350, 2550]),
    ),
    min_size=1,
    max_size=6,
)


@given(LINES, st.integers(0, 5_000))
def test_gross_is_goods_and_fee_and_tax_is_rounded_once_a_rate(lines: list[Line], fee: int) -> None:
    quantities = [line.quantity for line in lines]
    goods, vat = price(lines, quantities, fee, 2_400)
    assert goods == sum(line.price_minor * pieces for line, pieces in zip(lines, quantities, strict=True))
    assert price(lines, None, fee, 2_400) == (goods, vat)
    assert sum(v.gross_minor for v in vat) == goods + fee
    assert len({v.rate_bp for v in vat}) == len(vat)
    assert all(v.vat_minor == included_tax(v.gross_minor, v.rate_bp) for v in vat)
    assert (2_400 in {v.rate_bp for v in vat}) >= bool(fee)


@pytest.mark.parametrize("rate", [333, 500])
def test_the_commission_is_frozen_at_the_sale(town: Town, rate: int) -> None:
    offer_id, unit = ("off_milk", 199) if rate == 500 else ("off_milk_b", 205)
    assert part_of(town.district, *brought(town, "placed", Wish(offer_id, 3))).commission_minor == share(3 * unit, rate)

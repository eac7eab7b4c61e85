from typing import Any

import msgspec
import pytest
from hypothesis import given as whatever
from hypothesis import strategies as st

from hanse.district.asking import error_of
from hanse.events.dictionary import Event
from hanse.events.finance import PaymentHeld
from hanse.events.market import (
    OrderClosed,
    OrderExpired,
    OrderPlaced,
    PartAccepted,
    PartCollected,
    PartDelivered,
    PartEnded,
    PartHandedOver,
    PartPicked,
    PartSettled,
)
from hanse.events.supply import StockCounted
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.money import included_tax, share
from hanse.kernel.time import MINUTE_US, hours_of
from hanse.kernel.values import Line, Part, Transfer, VatAmount, Wish
from hanse.market.catalogue import service as catalogue
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
from hanse.testing import START_US, given
from tests.conftest import SHOPS, Town, is_told

MILK = Line("off_milk", "prd_milk", "shp_a/milk", 2, 199, 1350)
BEER = Line("off_beer", "prd_beer", "shp_a/beer", 1, 349, 2550)
MILK_B = Line("off_milk_b", "prd_milk", "shp_b/milk", 3, 205, 1350)
A, B, NOW = ("ord_1", "ord_1-1"), ("ord_1", "ord_1-2"), START_US // MINUTE_US * MINUTE_US
PART_A = Part(
    A[1],
    "shp_a",
    (MILK, BEER),
    747,
    37,
    (VatAmount(1350, 398, 47), VatAmount(2550, 639, 130)),
    NOW + 15 * MINUTE_US,
    290,
)
PART_B = Part(
    B[1], "shp_b", (MILK_B,), 615, 20, (VatAmount(1350, 615, 73), VatAmount(2550, 450, 91)), NOW + 30 * MINUTE_US, 450
)
COUNTED = (
    StockCounted("shp_a", ("shp_a/milk", "shp_a/beer"), (20, 10)),
    StockCounted("shp_b", ("shp_b/milk",), (8,)),
)
PLACED = OrderPlaced(
    "ord_1", "per_1", "delivery", "card", "EUR", 2102, (PART_A, PART_B), "adr_1", START_US + 10 * MINUTE_US
)
UNPAID: tuple[Event, ...] = (*COUNTED, PLACED)
PAID = (*UNPAID, PaymentHeld("ord_1", ()))
PICKED = PartPicked(*A, (2, 1), 747, 290, 37, PART_A.vat)

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


@pytest.mark.parametrize(
    ("offer_ids", "fulfilment", "parts"),
    [
        (["off_milk", "off_milk_b", "off_beer"], "delivery", (PART_A, PART_B)),
        (["off_milk_b"], "delivery", (msgspec.structs.replace(PART_B, part_id="ord_1-1"),)),
        (
            ["off_milk_b"],
            "pickup",
            (msgspec.structs.replace(PART_B, part_id="ord_1-1", fee_minor=0, vat=(VatAmount(1350, 615, 73),)),),
        ),
    ],
)
def test_a_draft_has_a_part_per_shop_with_the_prices_of_today(
    town: Town, offer_ids: list[str], fulfilment: Any, parts: tuple[Part, ...]
) -> None:
    pieces = {line.offer_id: line.quantity for line in (MILK, BEER, MILK_B)}
    wishes = [Wish(offer_id, pieces[offer_id]) for offer_id in offer_ids]
    assert orders.draft(town.district, "ord_1", wishes, fulfilment=fulfilment) == parts


def test_what_is_wished_twice_is_one_line_at_its_first_place(town: Town) -> None:
    wishes = [Wish("off_milk", 1), Wish("off_milk_b", 3), Wish("off_milk", 1), Wish("off_beer", 1)]
    assert orders.draft(town.district, "ord_1", wishes, fulfilment="delivery") == (PART_A, PART_B)


@pytest.mark.parametrize("pieces", [1, 10_000])
def test_of_a_line_as_much_as_ten_thousand_pieces_can_be_ordered(town: Town, pieces: int) -> None:
    (part,) = orders.draft(town.district, "ord_1", [Wish("off_six", pieces)], fulfilment="pickup")
    assert part.lines == (Line("off_six", "prd_beer", "shp_a/beer", pieces, 1899, 2550, 6),)
    error = town.refuses("kernel.bad_quantity", orders.draft, "o", [Wish("off_six", 10_001)], fulfilment="pickup")
    assert error.details == {"field": "quantity", "value": 10_001}


@pytest.mark.parametrize("count", [0, 101])
def test_an_order_has_a_hundred_lines_at_most(town: Town, count: int) -> None:
    wishes = [Wish("off_milk", 1)] * count
    error = town.refuses("market.bad_lines", orders.draft, "o", wishes, fulfilment="pickup")
    assert (error.details, error.message) == ({"field": "lines"}, "Order between 1 and 100 lines.")
    (part,) = orders.draft(town.district, "o", [Wish("off_milk", 1)] * 100, fulfilment="pickup")
    assert part.lines == (msgspec.structs.replace(MILK, quantity=100),)


@pytest.mark.parametrize(
    ("hours", "opens_us"),
    [
        ([[[0, 1440]]] * 7, NOW),
        ([[[480, 540]]] * 7, NOW + ((24 + 5) * 60 - (14 * 60 + 13)) * MINUTE_US),
        ([[]] * 7, NOW),
    ],
)
def test_a_closed_shop_promises_from_its_next_opening_on(town: Town, hours: Any, opens_us: int) -> None:
    town.do(catalogue.join_shop, msgspec.structs.replace(SHOPS[0], hours=hours_of(hours), prepare_minutes=7))
    (part,) = orders.draft(town.district, "o", [Wish("off_milk", 1)], fulfilment="pickup")
    assert part.promised_us == opens_us + 7 * MINUTE_US


def test_an_order_is_recorded_as_it_was_placed_and_unpaid_it_has_ten_minutes() -> None:
    named = {"shopper_id": "per_1", "fulfilment": "delivery", "address_id": "adr_1", "payment": "card"}
    placed = msgspec.structs.replace(PLACED, expires_us=START_US + 1 + 10 * MINUTE_US)
    happened = given(*COUNTED)
    happened.when(orders.place, "ord_1", PLACED.parts, **named, total_minor=2102, holds=()).expect(placed)


def test_an_order_whose_money_is_held_does_not_end_unpaid(town: Town) -> None:
    (placed, *_) = town.journal.story(brought(town)[0])
    event = msgspec.json.decode(placed.body)
    assert "expires_us" not in event
    holds = [("goods", "shp_a/sales", 747), ("fee", "league/delivery", 290)]
    part_id = event["parts"][0]["part_id"]
    assert msgspec.convert(event["transfers"], tuple[Transfer, ...]) == tuple(
        Transfer(f"{part_id}/{kind}", "per_1/wallet", credit, amount, "hold") for kind, credit, amount in holds
    )


MOVED = {
    "accepted": PartAccepted(*A),
    "picked": PICKED,
    "handed_over": PartHandedOver(*A),
    "delivered": PartDelivered(*A),
    "collected": PartCollected(*A),
    "settled": PartSettled(*A),
    "cancelled": PartEnded(*A, "cancelled"),
}


@pytest.mark.parametrize(
    ("at", "command", "event"),
    [
        ("", orders.accept_part, MOVED["accepted"]),
        ("accepted", orders.pick_part, PICKED),
        ("picked", orders.hand_over_part, MOVED["handed_over"]),
        ("handed_over", orders.deliver_part, MOVED["delivered"]),
        ("handed_over", orders.collect_part, MOVED["collected"]),
        ("delivered", orders.settle_part, MOVED["settled"]),
        ("collected", orders.settle_part, MOVED["settled"]),
        ("handed_over", orders.settle_part, None),
        ("settled", orders.settle_part, None),
    ],
)
def test_each_move_of_a_part_is_recorded_once(at: str, command: Any, event: Event | None) -> None:
    happened = [MOVED[at]] if at else []
    given(*PAID, *happened).when(command, *A).expect(*[event] if event else [])


def test_what_is_picked_up_is_collected_as_it_is_handed_over() -> None:
    pickup = msgspec.structs.replace(PLACED, fulfilment="pickup")
    given(*COUNTED, pickup, PaymentHeld("ord_1", ()), PICKED).when(orders.hand_over_part, *A).expect(
        PartHandedOver(*A), PartCollected(*A)
    )


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([], None),
        ([MOVED["settled"]], None),
        ([MOVED["cancelled"], PartEnded(*B, "refused")], "unfulfilled"),
        ([MOVED["settled"], PartEnded(*B, "unanswered")], "partly"),
        ([MOVED["cancelled"], PartSettled(*B)], "partly"),
        ([MOVED["settled"], PartSettled(*B)], "fulfilled"),
    ],
)
def test_an_order_is_closed_with_its_last_part(ends: list[Event], outcome: Any) -> None:
    given(*PAID, *ends).when(orders.close_if_ended, "ord_1").expect(*[OrderClosed("ord_1", outcome)] if outcome else [])


@pytest.mark.parametrize("end", [None, *MOVED.values()])
def test_an_unpaid_order_ends_with_the_parts_that_are_left(end: Event | None) -> None:
    left = [B] if end else [A, B]
    happened = [end] if end else []
    unpaid = [PartEnded(*of, "unpaid") for of in left]
    given(*UNPAID, *happened).when(orders.expire, "ord_1").expect(OrderExpired("ord_1"), *unpaid)
    given(*UNPAID, *happened, *unpaid).when(orders.expire, "ord_1").expect()


@pytest.mark.parametrize(("at", "left"), [("", [A, B]), ("accepted", [A, B]), ("picked", [B]), ("cancelled", [B])])
def test_a_cancellation_takes_every_part_that_nobody_has_picked(at: str, left: list[tuple[str, str]]) -> None:
    happened = [MOVED[at]] if at else []
    given(*PAID, *happened).when(orders.cancel, "ord_1", reason="changed_mind").answers(len(left)).expect(
        *[PartEnded(*of, "cancelled", "changed_mind") for of in left]
    )
    given(*PAID, *happened).when(orders.cancel, "ord_1").expect(*[PartEnded(*of, "cancelled") for of in left])


def test_a_part_ends_for_a_reason_if_one_was_named() -> None:
    given(*PAID).when(orders.end_part, *A, why="refused", reason="closing").expect(PartEnded(*A, "refused", "closing"))
    given(*PAID).when(orders.end_part, *A, why="unanswered").expect(PartEnded(*A, "unanswered", ""))


GONE = PartPicked(*B, (3,), 615, 450, 20, PART_B.vat)


@pytest.mark.parametrize(
    ("happened", "command", "options", "code", "details"),
    [
        ([], orders.end_part, {"why": "refused", "reason": "mood"}, "market.bad_reason", {"field": "reason"}),
        ([], orders.cancel, {"reason": "mood"}, "market.bad_reason", {"field": "reason"}),
        ([PICKED], orders.end_part, {"why": "cancelled"}, "market.too_late", {"stage": "picked"}),
        ([PICKED], orders.end_part, {"why": "unanswered"}, "market.too_late", {"stage": "picked"}),
        ([MOVED["handed_over"]], orders.end_part, {"why": "refused"}, "market.too_late", {"stage": "handed_over"}),
        ([PICKED, GONE], orders.cancel, {}, "market.too_late", {}),
        ([], orders.hand_over_part, {}, "market.wrong_stage", {"stage": "placed"}),
        ([], orders.pick_part, {}, "market.wrong_stage", {"stage": "placed"}),
        ([MOVED["accepted"]], orders.pick_part, {"quantities": (2,)}, "market.bad_picked", {"field": "quantities"}),
        (
            [MOVED["accepted"]],
            orders.pick_part,
            {"quantities": (0, 0)},
            "market.nothing_picked",
            {"field": "quantities"},
        ),
    ],
)
def test_a_refusal_says_where_the_part_stands(
    happened: list[Event], command: Any, options: dict[str, Any], code: str, details: dict[str, str]
) -> None:
    of = A[:1] if command is orders.cancel else A
    error = error_of(given(*PAID, *happened).when(command, *of, **options).refuses(code).answer)
    assert is_told(error)
    assert error.details == details


def test_what_is_not_paid_for_stands_still() -> None:
    error = error_of(given(*UNPAID).when(orders.accept_part, *A).refuses("market.wrong_stage").answer)
    assert (error.details, error.message) == (
        {"stage": "unpaid"},
        "This part is unpaid; it has to be placed for that.",
    )


def test_goods_that_cost_nothing_bear_no_commission() -> None:
    free = Part(A[1], "shp_a", (msgspec.structs.replace(BEER, price_minor=0),), 0, 0, (), NOW)
    happened = (*COUNTED, msgspec.structs.replace(PLACED, parts=(free,)), PaymentHeld("ord_1", ()), MOVED["accepted"])
    given(*happened).when(orders.pick_part, *A).expect(PartPicked(*A, (1,), 0, 0, 0, (VatAmount(2550, 0, 0),)))


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
    no_order = town.refuses("market.no_open_order", orders.accept_part, "ord_9", part_id)
    no_part = town.refuses("market.unknown_part", orders.accept_part, order_id, "ord_9-1")
    assert (no_order.details, no_part.details) == ({"order_id": "ord_9"}, {"part_id": "ord_9-1"})


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


@whatever(LINES, st.integers(0, 5_000))
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

from typing import Any

import msgspec
import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from hanse.district.asking import error_of
from hanse.district.views import folds_of
from hanse.events.dictionary import Event, kind_of
from hanse.events.finance import (
    AccountOpened,
    CardPaymentAsked,
    CardPaymentDeclined,
    CardRefundAsked,
    PaymentCaptured,
    PaymentHeld,
    PaymentRefunded,
    PaymentReleased,
    PaymentSettled,
    TransfersPosted,
)
from hanse.events.market import OrderClosed
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import (
    COMMISSION,
    DELIVERY,
    TOP_UPS,
    Captured,
    Payments,
    captured_in,
    wallet_of,
)
from hanse.flows.order import PlaceOrder, place
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound
from hanse.kernel.time import DAY_US, HOUR_US, SECOND_US
from hanse.kernel.values import Part, RefundReason, Transfer, TransferAction, Wish
from hanse.market.orders import service as orders
from hanse.testing import Given, given
from hanse.testing.town import captured
from tests.conftest import WALLET_MINOR, Town, is_told, stand_up

WALLET, CARD = wallet_of("per_1"), "league/card"
OF = ("ord_1", "ord_1-1")

LEAGUE = (
    AccountOpened("league/commission", "league", "EUR", "revenue", 0, None),
    AccountOpened("league/delivery", "league", "EUR", "delivery", 0, None),
    AccountOpened("league/card", "league", "EUR", "clearing", None, None),
    AccountOpened("league/top-ups", "league", "EUR", "clearing", None, None),
)
OPENED = (
    *LEAGUE,
    AccountOpened("per_1/wallet", "per_1", "EUR", "wallet", 0, 1_000_000_00),
    AccountOpened("shp_a/sales", "shp_a", "EUR", "shop", None, None),
)


def paid(kind: str, action: TransferAction, amount: int, payer: str) -> Transfer:
    """Goods or fee of the part: its hold, or the end of this hold."""
    credit, name = ("league/delivery" if kind == "fee" else "shp_a/sales"), f"ord_1-1/{kind}"
    if action == "hold":
        return Transfer(name, payer, credit, amount, "hold")
    return Transfer(f"{name}/{action}", payer, credit, amount, action, name)


def held(payer: str) -> tuple[Event, ...]:
    """A part for 5.00 with a delivery fee of 2.90, its money held."""
    filled = Transfer("t1", "league/top-ups", WALLET, WALLET_MINOR)
    holds = [paid("goods", "hold", 500, payer), paid("fee", "hold", 290, payer)]
    return (*OPENED, TransfersPosted("t1", "test", (filled, *holds)))


def settled(payer: str, *, goods: int = 500, commission: int = 25) -> tuple[Event, ...]:
    """The same, captured and settled; with no goods only the fee."""
    ends = paid("goods", "capture" if goods else "void", goods or 500, payer), paid("fee", "capture", 290, payer)
    fee = Transfer("ord_1-1/commission", "shp_a/sales", "league/commission", commission)
    return (*held(payer), PaymentCaptured(*OF, ends), PaymentSettled(*OF, (fee,) if commission else ()))


def sold(town: Town, *wishes: Wish, delivery: bool = True) -> str:
    """A part that was handed over: its id. With delivery it has still to arrive."""
    request = PlaceOrder(wishes, fulfilment="delivery", address_id="adr_1") if delivery else PlaceOrder(wishes)
    answer = town.do(place, "per_1", request)
    of = answer["order_id"], answer["parts"][0]["part_id"]
    for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        town.do(command, *of)
    return str(of[1])


def delivered(town: Town, *wishes: Wish) -> str:
    part_id = sold(town, *wishes)
    town.do(orders.deliver_part, part_id.rpartition("-")[0], part_id)
    return part_id


def refund(town: Town, part_id: str, goods: int, fee: int = 0) -> list[str]:
    return town.records(payments.refund, part(town, part_id), goods_minor=goods, fee_minor=fee, reason="other")


def part(town: Town, part_id: str) -> Captured:
    return captured(town.stage, part_id)


def told(happened: Given, part_id: str = OF[1]) -> Captured:
    """The part as the story of what happened says it."""
    return captured_in(happened.entries, part_id, read_us=happened.district.now_us)


def test_accounts_are_opened_as_the_league_a_shop_and_a_member_need_them() -> None:
    given().when(payments.open_league_accounts).expect(*LEAGUE)
    given(*LEAGUE).when(payments.open_league_accounts).expect()
    given().when(payments.open_wallet, "per_1").expect(OPENED[-2])
    given().when(payments.open_sales, "shp_a").expect(OPENED[-1])


@pytest.mark.parametrize(
    ("goods", "fee", "kinds"), [(500, 290, ["goods", "fee"]), (1, 0, ["goods"]), (0, 1, ["fee"]), (0, 0, [])]
)
def test_a_part_needs_a_hold_for_its_goods_and_one_for_its_fee(goods: int, fee: int, kinds: list[str]) -> None:
    amounts = {"goods": goods, "fee": fee}
    one = Part("ord_1-1", "shp_a", (), goods, 0, (), 0, fee)
    assert payments.holds_for(WALLET, [one]) == tuple(paid(kind, "hold", amounts[kind], WALLET) for kind in kinds)


@pytest.mark.parametrize("payer", [WALLET, CARD])
@pytest.mark.parametrize(
    ("goods", "fee", "ends", "back"),
    [
        (500, 290, [("goods", "capture", 500), ("fee", "capture", 290)], 0),
        (499, 290, [("goods", "capture", 499), ("fee", "capture", 290)], 1),
        (400, 0, [("goods", "capture", 400), ("fee", "void", 290)], 390),
        (0, 1, [("goods", "void", 500), ("fee", "capture", 1)], 789),
    ],
)
def test_what_was_picked_is_captured_and_a_card_gets_the_rest_back(
    payer: str, goods: int, fee: int, ends: list[tuple[str, TransferAction, int]], back: int
) -> None:
    asked = [CardRefundAsked("ord_1", back, "EUR", "less was picked than ordered")] if back and payer == CARD else []
    given(*held(payer)).when(payments.capture, *OF, goods_minor=goods, fee_minor=fee).expect(
        PaymentCaptured(*OF, tuple(paid(*end, payer) for end in ends)), *asked
    )


@pytest.mark.parametrize("payer", [WALLET, CARD])
def test_a_release_frees_all_and_a_card_gets_all_back(payer: str) -> None:
    ends = paid("goods", "void", 500, payer), paid("fee", "void", 290, payer)
    asked = [CardRefundAsked("ord_1", 790, "EUR", "refused")] if payer == CARD else []
    given(*held(payer)).when(payments.release, *OF, "refused").expect(PaymentReleased(*OF, ends), *asked)


@pytest.mark.parametrize("commission", [25, 1, 0])
def test_a_settlement_takes_the_commission_if_there_is_any(commission: int) -> None:
    *captured_, settlement = settled(WALLET, commission=commission)
    given(*captured_).when(payments.settle, *OF, commission_minor=commission).expect(settlement)


def back(name: str, goods: int, fee: int, commission: int, payer: str, reason: RefundReason) -> PaymentRefunded:
    moves = (
        Transfer(f"ord_1-1/refund/{name}/goods", "shp_a/sales", payer, goods),
        Transfer(f"ord_1-1/refund/{name}/fee", "league/delivery", payer, fee),
        Transfer(f"ord_1-1/refund/{name}/commission", "league/commission", "shp_a/sales", commission),
    )
    return PaymentRefunded(*OF, goods, fee, commission, reason, tuple(move for move in moves if move.amount_minor))


@pytest.mark.parametrize(
    ("ends", "shop", "goods", "fee"),
    [
        ([("goods", "capture", 400), ("fee", "capture", 290)], "shp_a/sales", 400, 290),
        ([("goods", "capture", 400), ("fee", "void", 290)], "shp_a/sales", 400, 0),
        ([("fee", "capture", 1), ("goods", "void", 500)], "shp_a/sales", 0, 1),
        ([("fee", "capture", 290)], "", 0, 290),
    ],
)
def test_what_was_captured_is_known_until_it_is_settled_then_its_story_tells(
    ends: list[tuple[str, TransferAction, int]], shop: str, goods: int, fee: int
) -> None:
    view, taken = Payments(), PaymentCaptured(*OF, tuple(paid(*end, WALLET) for end in ends))
    fold(view, taken, 5)
    assert view.captured == {OF[1]: Captured(*OF, WALLET, shop, goods, fee, 0, 0, 0, 0, 0, 0, 0)}
    fees = Transfer("c1", shop, COMMISSION, 20), Transfer("c2", shop, COMMISSION, 5)
    fold(view, PaymentSettled(*OF, fees), 7)
    assert view.captured == {}
    other = PaymentCaptured("ord_1", "ord_1-2", taken.transfers)
    given_back = back("0", 1, 2, 3, WALLET, "late")
    entries = story(taken, other, PaymentSettled(*OF, fees), given_back, given_back)
    assert captured_in(entries, OF[1], read_us=99) == Captured(*OF, WALLET, shop, goods, fee, 25, 3, 2, 4, 6, 5, 99)
    assert captured_in(entries, "ord_1-2", read_us=9) == Captured(
        "ord_1", "ord_1-2", WALLET, shop, goods, fee, read_us=9
    )


def test_what_was_not_captured_is_not_known_whatever_else_was_told() -> None:
    with pytest.raises(NotFound):
        captured_in(story(PaymentSettled(*OF, ()), back("0", 1, 0, 0, WALLET, "late")), OF[1], read_us=1)


def test_of_refunds_the_latest_are_known_for_an_hour() -> None:
    view = Payments()
    for name, now_us in (("a", 1), ("b", 2), ("a", 3), ("c", HOUR_US + 1)):
        fold(view, PaymentRefunded("o", name, 1, 0, 0, "late", ()), now_us)
    assert list(view.refunded.items()) == [("b", 2), ("a", 3), ("c", HOUR_US + 1)]
    fold(view, PaymentRefunded("o", "d", 1, 0, 0, "late", ()), HOUR_US + 2)
    assert list(view.refunded) == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"settled_us": -30 * DAY_US}, ""),
        ({"settled_us": -30 * DAY_US - 1}, "finance.refund_too_late"),
        ({"read_us": 1 - HOUR_US}, ""),
        ({"read_us": -HOUR_US}, "finance.refund_meanwhile"),
    ],
)
def test_how_old_a_refund_and_what_it_knows_may_be(changed: dict[str, int], code: str) -> None:
    happened = given(*settled(WALLET))
    now_us = happened.district.now_us + 1
    part = msgspec.structs.replace(told(happened), **{name: now_us + by for name, by in changed.items()})
    outcome = happened.when(payments.refund, part, goods_minor=1, fee_minor=0, reason="late")
    if code:
        outcome.refuses(code)
    else:
        assert [type(event) for event in outcome.events] == [PaymentRefunded]


def story(*events: Event) -> list[Entry]:
    kinds = [kind_of(type(event)) for event in events]
    return [
        Entry(n, n, kind.name, kind.version, "ord_1", "", 0, msgspec.json.encode(event).decode())
        for n, (kind, event) in enumerate(zip(kinds, events, strict=True), 1)
    ]


def fold(view: Payments, event: Event, now_us: int) -> None:
    dict(folds_of(view))[type(event)](event, now_us)


@pytest.mark.parametrize("answer", [CardPaymentDeclined("o", "no"), PaymentHeld("o", ()), OrderClosed("o", "partly")])
def test_a_card_is_awaited_until_it_is_answered_or_the_order_closed(answer: Event) -> None:
    view, asked = Payments(), CardPaymentAsked("o", "per_1", 790, "EUR", "tok_1")
    fold(view, asked, 1)
    assert view.cards == {"o": asked}
    fold(view, answer, 2)
    fold(view, answer, 3)
    assert view.cards == {}


@pytest.mark.parametrize("payer", [WALLET, CARD])
def test_a_refund_is_recorded_with_the_commission_that_belongs_to_it(payer: str) -> None:
    first, second = back("0", 110, 90, 6, payer, "late"), back("200", 0, 1, 0, payer, "other")
    last = back("201", 390, 199, 19, payer, "wrong")
    happened: list[Event] = list(settled(payer))
    for one in (first, second, last):
        asked = [CardRefundAsked("ord_1", one.goods_minor + one.fee_minor, "EUR", one.reason)] if payer == CARD else []
        amounts = {"goods_minor": one.goods_minor, "fee_minor": one.fee_minor}
        so_far = given(*happened)
        so_far.when(payments.refund, told(so_far), **amounts, reason=one.reason).expect(one, *asked)
        happened.append(one)


def test_of_a_part_without_goods_the_fee_is_given_back() -> None:
    happened = given(*settled(WALLET, goods=0, commission=0))
    happened.when(payments.refund, told(happened), goods_minor=0, fee_minor=290, reason="late").expect(
        back("0", 0, 290, 0, WALLET, "late")
    )


def test_a_card_is_asked_charged_declined_and_given_back_as_was_said() -> None:
    asked = CardPaymentAsked("ord_1", "per_1", 790, "EUR", "tok_1")
    named = {"shopper_id": "per_1", "amount_minor": 790, "card_token": "tok_1"}
    given().when(payments.ask_card, "ord_1", **named).expect(asked)
    given(asked).when(payments.card_declined, "ord_1", "no cover").expect(CardPaymentDeclined("ord_1", "no cover"))
    given().when(payments.return_charge, "ord_1", 5, "late").expect(CardRefundAsked("ord_1", 5, "EUR", "late"))


def test_what_a_card_was_charged_is_held_for_its_order(town: Town) -> None:
    answer = town.do(place, "per_1", PlaceOrder((Wish("off_milk", 1),), payment="card", card_token="tok_1"))
    holds = (Transfer("h1", CARD, "shp_a/sales", 199, "hold"),)
    assert town.records(payments.hold, answer["order_id"], holds) == ["finance.payment_held"]
    assert town.held() == {CARD: 199}


def test_a_top_up_is_recorded_as_what_was_paid_in() -> None:
    (event,) = given(*OPENED).when(payments.top_up, "per_1", 500).answers(500).events
    assert isinstance(event, TransfersPosted)
    assert event.transfers == (Transfer(event.story_id, "league/top-ups", "per_1/wallet", 500),)
    assert (event.purpose, event.story_id[:4]) == ("top_up", "top_")


def test_a_refund_gives_goods_fee_and_commission_back(town: Town) -> None:
    part_id = delivered(town, Wish("off_milk", 3))  # 5.97, commission 0.30, delivery 2.90
    assert refund(town, part_id, 199, 290) == ["finance.payment_refunded"]
    assert town.balances() == {
        TOP_UPS: -WALLET_MINOR,
        WALLET: WALLET_MINOR - 398,
        "shp_a/sales": 398 - 20,
        COMMISSION: 20,
    }


@settings(max_examples=40, deadline=None)
@whatever(st.integers(1, 20), st.lists(st.integers(1, 2_500), max_size=8), st.data())
def test_however_a_refund_is_split_it_sums_to_what_was_captured_and_its_commission(
    pieces: int, cuts: list[int], data: st.DataObject
) -> None:
    town = stand_up(Town())
    part_id = delivered(town, Wish("off_milk", pieces))
    left, fee_left = pieces * 199, 290
    taken = part(town, part_id).commission_minor
    for cut in cuts:
        goods, fee = min(cut, left), data.draw(st.integers(0, fee_left))
        if goods + fee:
            refund(town, part_id, goods, fee)
            left, fee_left = left - goods, fee_left - fee
        assert 0 <= part(town, part_id).commission_refunded_minor <= taken
    if left + fee_left:
        refund(town, part_id, left, fee_left)
    assert part(town, part_id).commission_refunded_minor == taken
    assert town.balances() == {TOP_UPS: -WALLET_MINOR, WALLET: WALLET_MINOR}
    last = part(town, part_id)
    town.refuses("finance.refund_too_large", payments.refund, last, goods_minor=1, fee_minor=0, reason="other")
    town.check()


LEFT = {"goods_left_minor": 500, "fee_left_minor": 290}
NOTHING = {"field": "goods_minor"}


@pytest.mark.parametrize(
    ("goods", "fee", "code", "details"),
    [
        (0, 0, "finance.bad_refund", NOTHING),
        (-1, 2, "finance.bad_refund", NOTHING),
        (2, -1, "finance.bad_refund", NOTHING),
        (501, 0, "finance.refund_too_large", LEFT),
        (0, 291, "finance.refund_too_large", LEFT),
    ],
)
def test_a_refund_of_nothing_or_of_too_much_is_refused(
    goods: int, fee: int, code: str, details: dict[str, Any]
) -> None:
    refused(given(*settled(WALLET)), code, details, goods=goods, fee=fee)
    once = given(*settled(WALLET), back("0", 100, 90, 5, WALLET, "late"))
    left = {"goods_left_minor": 400, "fee_left_minor": 200} if details == LEFT else details
    refused(once, code, left, goods=min(goods, 401), fee=min(fee, 201))


def refused(happened: Given, code: str, details: dict[str, Any], *, goods: int, fee: int, reason: str = "late") -> None:
    outcome = happened.when(payments.refund, told(happened), goods_minor=goods, fee_minor=fee, reason=reason).refuses(
        code
    )
    error = error_of(outcome.answer)
    assert is_told(error)
    assert error.details == details


def test_before_the_goods_have_arrived_nothing_is_given_back() -> None:
    refused(given(*settled(WALLET)[:-1]), "finance.not_settled", {"part_id": "ord_1-1"}, goods=1, fee=0)
    with pytest.raises(NotFound) as unknown:
        told(given(*held(WALLET)))
    assert (unknown.value.code, unknown.value.details) == ("finance.not_captured", {"part_id": "ord_1-1"})
    assert is_told(unknown.value)
    with pytest.raises(NotFound):
        told(given(*settled(WALLET)), "ord_1-2")


def test_a_refund_has_one_of_the_reasons_that_are_known() -> None:
    refused(given(*settled(WALLET)), "finance.bad_reason", {"field": "reason"}, goods=1, fee=0, reason="mood")


def test_an_empty_account_of_the_league_can_not_give_back() -> None:
    drawn = TransfersPosted("d1", "draw", (Transfer("d1", DELIVERY, TOP_UPS, 290),))
    refused(given(*settled(WALLET), drawn), "finance.refund_short", {}, goods=0, fee=1)
    happened = given(*settled(WALLET), drawn)
    happened.when(payments.refund, told(happened), goods_minor=500, fee_minor=0, reason="late").expect(
        back("0", 500, 0, 25, WALLET, "late")
    )


def test_a_refund_is_possible_for_thirty_days_after_the_arrival(town: Town) -> None:
    first = delivered(town, Wish("off_milk", 1))
    town.wait(30 * DAY_US - SECOND_US)
    refund(town, first, 1)
    town.wait(2 * SECOND_US)
    late = part(town, first)
    town.refuses("finance.refund_too_late", payments.refund, late, goods_minor=1, fee_minor=0, reason="late")


def test_what_is_settled_leaves_memory_and_latest_refunds_do_after_an_hour(town: Town) -> None:
    first, second = delivered(town, Wish("off_milk", 1)), delivered(town, Wish("off_milk", 1))
    refund(town, first, 1)
    town.wait(HOUR_US // 2)
    refund(town, second, 1)
    view = town.district.view(Payments)
    assert (view.captured, list(view.refunded)) == ({}, [first, second])
    town.wait(HOUR_US // 2 + SECOND_US)
    refund(town, second, 1)
    assert list(view.refunded) == [second]


def test_a_refund_that_knows_nothing_of_another_one_is_refused(town: Town) -> None:
    part_id = delivered(town, Wish("off_milk", 1))
    before = part(town, part_id)
    refund(town, part_id, 150)
    at_once = {"goods_minor": 150, "fee_minor": 0, "reason": "late"}
    town.refuses("finance.refund_meanwhile", payments.refund, before, **at_once)
    read = part(town, part_id)
    town.wait(HOUR_US - SECOND_US)
    town.refuses("finance.refund_meanwhile", payments.refund, before, **at_once)
    town.do(payments.refund, read, goods_minor=1, fee_minor=0, reason="late")
    read = part(town, part_id)
    town.wait(HOUR_US + SECOND_US)
    town.refuses("finance.refund_meanwhile", payments.refund, read, goods_minor=1, fee_minor=0, reason="late")


def test_what_is_long_under_way_is_settled_all_the_same(town: Town) -> None:
    part_id = sold(town, Wish("off_milk", 1))
    town.wait(60 * DAY_US)
    sold(town, Wish("off_beer", 1))
    town.do(orders.deliver_part, part_id.rpartition("-")[0], part_id)
    assert town.balances()[COMMISSION] == 10


def test_capturing_beyond_the_hold_is_refused_and_nothing_held_is_nothing_done(town: Town) -> None:
    answer = town.do(place, "per_1", PlaceOrder((Wish("off_milk", 1),)))
    of = answer["order_id"], answer["parts"][0]["part_id"]
    error = town.refuses("finance.beyond_hold", payments.capture, *of, goods_minor=200, fee_minor=0)
    assert error.details == {"field": "amount_minor", "value": 200}
    assert town.records(payments.capture, "ord_9", "ord_9-1", goods_minor=5, fee_minor=0) == []
    assert town.records(payments.release, "ord_9", "ord_9-1", "r") == []


def test_a_wallet_is_topped_up_to_its_ceiling(town: Town) -> None:
    assert town.do(payments.top_up, "per_2", 500) == 500
    over = payments.WALLET_CEILING_MINOR - 499
    assert town.refuses("finance.wallet_full", payments.top_up, "per_2", over).details == {"over_minor": 1}
    assert town.do(payments.top_up, "per_2", over - 1) == payments.WALLET_CEILING_MINOR
    town.refuses("finance.bad_amount", payments.top_up, "per_2", 0)

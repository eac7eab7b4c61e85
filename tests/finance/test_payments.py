import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.finance.ledger import service as ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import COMMISSION, DELIVERY, REFUND_DAYS, TOP_UPS, Captured, captured, wallet_of
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.errors import HanseError
from hanse.kernel.time import DAY_US
from hanse.kernel.values import Transfer, Wish
from hanse.market.orders import service as orders
from tests.conftest import WALLET_MINOR, Town, stand_up

WALLET = wallet_of("per_1")


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
    return town.records(payments.refund, part_id, goods_minor=goods, fee_minor=fee, reason="other")


def part(town: Town, part_id: str) -> Captured:
    return captured(town.district, part_id)


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
@given(st.integers(1, 20), st.lists(st.integers(1, 2_500), max_size=8), st.data())
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
    town.refuses("finance.refund_too_large", payments.refund, part_id, goods_minor=1, fee_minor=0, reason="other")
    town.check()


@pytest.mark.parametrize(
    ("goods", "fee", "code"),
    [
        (0, 0, "finance.bad_refund"),
        (-1, 2, "finance.bad_refund"),
        (200, 0, "finance.refund_too_large"),
        (0, 291, "finance.refund_too_large"),
    ],
)
def test_a_refund_of_nothing_or_of_too_much_is_refused(town: Town, goods: int, fee: int, code: str) -> None:
    part_id = delivered(town, Wish("off_milk", 1))
    town.refuses(code, payments.refund, part_id, goods_minor=goods, fee_minor=fee, reason="other")


def test_before_the_goods_have_arrived_nothing_is_given_back(town: Town) -> None:
    part_id = sold(town, Wish("off_milk", 1))
    town.refuses("finance.not_settled", payments.refund, part_id, goods_minor=1, fee_minor=0, reason="other")
    town.refuses("finance.not_captured", payments.refund, "ord_9-1", goods_minor=1, fee_minor=0, reason="other")


def test_an_empty_account_of_the_league_can_not_give_back(town: Town) -> None:
    part_id = delivered(town, Wish("off_milk", 1))
    drawn = Transfer("d1", DELIVERY, TOP_UPS, 290)
    town.do(ledger.post, "d1", "draw", (drawn,))
    town.refuses("finance.refund_short", payments.refund, part_id, goods_minor=0, fee_minor=1, reason="other")
    refund(town, part_id, 199)


def test_a_refund_is_possible_for_a_month_after_the_arrival(town: Town) -> None:
    first = delivered(town, Wish("off_milk", 1))
    town.wait(REFUND_DAYS * DAY_US - DAY_US)
    sold(town, Wish("off_beer", 1))
    refund(town, first, 1)
    town.wait(2 * DAY_US)
    sold(town, Wish("off_beer", 1))
    with pytest.raises(HanseError) as refused:
        part(town, first)
    assert refused.value.code == "finance.not_captured"


def test_what_is_long_under_way_is_settled_all_the_same(town: Town) -> None:
    part_id = sold(town, Wish("off_milk", 1))
    town.wait(2 * REFUND_DAYS * DAY_US)
    sold(town, Wish("off_beer", 1))
    town.do(orders.deliver_part, part_id.rpartition("-")[0], part_id)
    assert town.balances()[COMMISSION] == 10


def test_capturing_beyond_the_hold_is_refused_and_nothing_held_is_nothing_done(town: Town) -> None:
    answer = town.do(place, "per_1", PlaceOrder((Wish("off_milk", 1),)))
    of = answer["order_id"], answer["parts"][0]["part_id"]
    town.refuses("finance.beyond_hold", payments.capture, *of, goods_minor=200, fee_minor=0)
    assert town.records(payments.capture, "ord_9", "ord_9-1", goods_minor=5, fee_minor=0) == []
    assert town.records(payments.release, "ord_9", "ord_9-1", "r") == []


def test_a_wallet_is_topped_up_to_its_ceiling(town: Town) -> None:
    assert town.do(payments.top_up, "per_2", 500) == 500
    over = payments.WALLET_CEILING_MINOR - 499
    assert town.refuses("finance.wallet_full", payments.top_up, "per_2", over).details == {"over_minor": 1}
    assert town.do(payments.top_up, "per_2", over - 1) == payments.WALLET_CEILING_MINOR
    town.refuses("finance.bad_amount", payments.top_up, "per_2", 0)

"""An order, from the click to the ledger.

`place` is one command and one event: stock held, money held, promise made. With its money held an order is
accepted, and the league stands for it. Who pays by card is asked for the money first
(`finance.card_payment_asked` is an effect), and the answer comes back as `card_paid` or `card_declined`.
What follows are steps: each runs when its event has been recorded.

========================  ==============  =============================
when                      do              records
========================  ==============  =============================
market.order_placed       (in place)      finance.card_payment_asked
market.part_ended         free_stock      supply.stock_released
market.part_ended         free_money      finance.payment_released
market.part_ended         free_money      finance.card_refund_asked
market.part_ended         close           market.order_closed
market.part_handed_over   leave_shelf     supply.stock_issued
market.part_handed_over   take_money      finance.payment_captured
market.part_handed_over   take_money      finance.card_refund_asked
market.part_delivered     settle          finance.payment_settled
market.part_collected     settle          finance.payment_settled
finance.payment_settled   end_part        market.part_settled
market.part_settled       close           market.order_closed
========================  ==============  =============================

The shop's own commands in between (accept, pick, hand over) stand in `market.orders`. One deadline,
`expire`, ends what nobody answers: an order that was not paid for, a part that no shop took on.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from hanse.district.core import District
from hanse.district.reactions import Deadline, Step
from hanse.events.dictionary import Event
from hanse.events.finance import CardPaymentAsked, CardRefundAsked, PaymentSettled
from hanse.events.market import PartCollected, PartDelivered, PartEnded, PartHandedOver, PartSettled
from hanse.finance.ledger.views import shortfall
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import CARD, wallet_of
from hanse.kernel.errors import InvalidInput, NotFound
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.money import AMOUNT_MAX_MINOR
from hanse.kernel.values import Fulfilment, PayBy, Wish
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders, due, order, part_of
from hanse.people.members.views import keeps_address
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import missing, missing_by_offer

__all__ = [
    "DEADLINES",
    "EFFECTS",
    "STEPS",
    "OrderAnswer",
    "PartPromise",
    "PlaceOrder",
    "card_declined",
    "card_paid",
    "place",
]

EXPIRE_PER_TURN = 100

Id = Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)]


class PlaceOrder(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What a shopper asks for: offers of one or more shops, brought or picked up, paid from wallet or card."""

    lines: Annotated[tuple[Wish, ...], msgspec.Meta(min_length=1, max_length=orders.LINES_MAX)]
    fulfilment: Fulfilment = "pickup"
    address_id: Id = ""
    payment: PayBy = "wallet"
    card_token: Annotated[str, msgspec.Meta(max_length=64)] = ""


class PartPromise(msgspec.Struct, frozen=True, gc=False):
    """What one shop's part comes to (goods and delivery, gross), and when it is promised."""

    part_id: str
    shop_id: str
    total_minor: int
    promised_us: int


class OrderAnswer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What came of it. `sold_out` names the missing units by offer, `funds_short` the missing money."""

    result: Literal["accepted", "awaiting_payment", "sold_out", "funds_short"]
    order_id: str = ""
    total_minor: int = 0
    currency: str = ""
    parts: tuple[PartPromise, ...] = ()
    missing: dict[str, int] = {}
    short_minor: int = 0


def place(district: District, shopper_id: str, request: PlaceOrder) -> OrderAnswer:
    """Place an order: all questions first, then all records, in one commit."""
    by_wallet = request.payment == "wallet"
    if request.fulfilment == "delivery" and not keeps_address(district, shopper_id, request.address_id):
        raise NotFound("people.unknown_address", "Give one of your addresses.", field="address_id")
    if not by_wallet and not request.card_token:
        raise InvalidInput("finance.no_card", "Give the token of a card.", field="card_token")
    order_id = district.next_id("ord")
    parts = orders.draft(district, order_id, request.lines, fulfilment=request.fulfilment)
    short = missing(district, parts)
    if short:
        stock.note_short(district, shopper_id, short)
        return OrderAnswer("sold_out", missing=missing_by_offer(parts, short))
    holds = payments.holds_for(wallet_of(shopper_id) if by_wallet else CARD, parts)
    short_minor = shortfall(district, holds) if by_wallet else 0
    if short_minor:
        return OrderAnswer("funds_short", currency=district.currency, short_minor=short_minor)
    total_minor = 0
    for hold in holds:
        total_minor += hold.amount_minor
    if total_minor > AMOUNT_MAX_MINOR:
        raise InvalidInput("finance.total_too_large", "Order less at once.", field="lines")

    orders.place(
        district,
        order_id,
        parts,
        shopper_id=shopper_id,
        fulfilment=request.fulfilment,
        address_id=request.address_id,
        payment=request.payment,
        total_minor=total_minor,
        holds=holds if by_wallet else (),
    )
    if not by_wallet:
        payments.ask_card(
            district, order_id, shopper_id=shopper_id, amount_minor=total_minor, card_token=request.card_token
        )
    result: Literal["accepted", "awaiting_payment"] = "accepted" if by_wallet else "awaiting_payment"
    promises = [PartPromise(p.part_id, p.shop_id, p.goods_minor + p.fee_minor, p.promised_us) for p in parts]
    return OrderAnswer(result, order_id, total_minor, district.currency, tuple(promises))


def card_paid(district: District, order_id: str, amount_minor: int) -> None:
    """The provider charged the card: accept the order, or give the money back if it came too late."""
    waiting = district.view(Orders).open.get(order_id)
    if waiting is not None and waiting.accepted:
        return
    # What was refused or cancelled meanwhile is not held any more, and has to go back.
    parts = [state.part for state in waiting.parts.values() if state.stage == "placed"] if waiting else []
    holds = payments.holds_for(CARD, parts)
    over_minor = amount_minor - sum(hold.amount_minor for hold in holds)
    if over_minor < 0:
        payments.return_charge(district, order_id, amount_minor, "less was charged than was asked for")
        return
    if over_minor:
        payments.return_charge(district, order_id, over_minor, "the payment came too late")
    if holds:
        payments.hold(district, order_id, holds)


def card_declined(district: District, order_id: str, reason: str) -> None:
    """The provider refused the card: end the order at once, so that others can buy."""
    payments.card_declined(district, order_id, reason)
    waiting = district.view(Orders).open.get(order_id)
    if waiting is not None and not waiting.accepted:
        orders.expire(district, order_id)


def free_stock(district: District, ended: PartEnded) -> None:
    """Others can buy what this part held."""
    stock.release(district, ended.order_id, ended.part_id)


def free_money(district: District, ended: PartEnded) -> None:
    """The shopper can spend what this part held."""
    payments.release(district, ended.order_id, ended.part_id, ended.why)


def leave_shelf(district: District, handed: PartHandedOver) -> None:
    """What was picked leaves the stock."""
    stock.issue(district, handed.order_id, handed.part_id)


def take_money(district: District, handed: PartHandedOver) -> None:
    """The goods are the shopper's, the money the shop's."""
    state = part_of(district, handed.order_id, handed.part_id)
    payments.capture(
        district, handed.order_id, handed.part_id, goods_minor=state.goods_minor, fee_minor=state.fee_minor
    )


def settle(district: District, arrived: PartDelivered | PartCollected) -> None:
    """The league takes the commission that was frozen at the sale."""
    state = part_of(district, arrived.order_id, arrived.part_id)
    payments.settle(district, arrived.order_id, arrived.part_id, commission_minor=state.commission_minor)


def end_part(district: District, settled: PaymentSettled) -> None:
    """The shop is done with this part."""
    orders.settle_part(district, settled.order_id, settled.part_id)


def close(district: District, ended: PartEnded | PartSettled) -> None:
    """The order is closed with its last part."""
    if ended.order_id in district.view(Orders).open:
        orders.close_if_ended(district, ended.order_id)


def expire(district: District) -> None:
    """End orders that nobody paid for in time, and parts that no shop took on."""
    for _ in range(EXPIRE_PER_TURN):
        order_id = due(district)
        if order_id is None:
            return
        late = order(district, order_id)
        if not late.accepted:
            orders.expire(district, order_id)
            continue
        for part_id, state in late.parts.items():
            if state.stage == "placed":
                orders.end_part(district, order_id, part_id, why="unanswered")


STEPS: Sequence[tuple[type[Event], Step]] = [
    (PartEnded, free_stock),
    (PartEnded, free_money),
    (PartEnded, close),
    (PartHandedOver, leave_shelf),
    (PartHandedOver, take_money),
    (PartDelivered, settle),
    (PartCollected, settle),
    (PaymentSettled, end_part),
    (PartSettled, close),
]
DEADLINES: Sequence[Deadline] = [expire]
EFFECTS: Sequence[tuple[type[Event], str]] = [(CardPaymentAsked, "card.charge"), (CardRefundAsked, "card.refund")]

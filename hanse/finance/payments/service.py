"""Commands: hold, capture, release, settle, refund; and the card provider's part in it."""

from collections.abc import Sequence
from typing import get_args

from hanse.district.core import District
from hanse.events.finance import (
    CardPaymentAsked,
    CardPaymentDeclined,
    CardRefundAsked,
    PaymentCaptured,
    PaymentHeld,
    PaymentRefunded,
    PaymentReleased,
    PaymentSettled,
)
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Ledger, account, shortfall
from hanse.finance.payments.views import (
    CARD,
    COMMISSION,
    DELIVERY,
    REMEMBERED_US,
    TOP_UPS,
    Captured,
    Payments,
    sales_of,
    wallet_of,
)
from hanse.kernel.errors import Conflict, must
from hanse.kernel.money import split
from hanse.kernel.time import DAY_US
from hanse.kernel.values import Part, RefundReason, Transfer

__all__ = [
    "ask_card",
    "capture",
    "card_declined",
    "hold",
    "holds_for",
    "open_league_accounts",
    "open_sales",
    "open_wallet",
    "refund",
    "release",
    "return_charge",
    "settle",
    "top_up",
]

_REASONS: tuple[str, ...] = get_args(RefundReason)

WALLET_CEILING_MINOR = 1_000_000_00
"""A wallet is for shopping; more than a million is a mistake."""

REFUND_DAYS = 30


def open_league_accounts(district: District) -> None:
    """Open the league's own accounts; twice is once."""
    ledger.open_account(district, COMMISSION, owner_id="league", kind="revenue")
    ledger.open_account(district, DELIVERY, owner_id="league", kind="delivery")
    for account_id in (CARD, TOP_UPS):
        ledger.open_account(district, account_id, owner_id="league", kind="clearing", floor_minor=None)


def open_wallet(district: District, person_id: str) -> None:
    """Open a person's wallet."""
    ledger.open_account(
        district,
        wallet_of(person_id),
        owner_id=person_id,
        kind="wallet",
        ceiling_minor=WALLET_CEILING_MINOR,
    )


def open_sales(district: District, shop_id: str) -> None:
    """Open a shop's account; a refund may take it below zero, so it has no floor."""
    ledger.open_account(district, sales_of(shop_id), owner_id=shop_id, kind="shop", floor_minor=None)


def holds_for(payer: str, parts: Sequence[Part]) -> tuple[Transfer, ...]:
    """The holds that an order needs: one for the goods of each part, one for its delivery fee."""
    holds = []
    for part in parts:
        if part.goods_minor:
            holds.append(Transfer(f"{part.part_id}/goods", payer, f"{part.shop_id}/sales", part.goods_minor, "hold"))
        if part.fee_minor:
            holds.append(Transfer(f"{part.part_id}/fee", payer, DELIVERY, part.fee_minor, "hold"))
    return tuple(holds)


def hold(district: District, order_id: str, holds: tuple[Transfer, ...]) -> None:
    """Set the money that a card was charged for an order aside. Records `PaymentHeld`."""
    district.record(PaymentHeld(order_id, holds))


def capture(district: District, order_id: str, part_id: str, *, goods_minor: int, fee_minor: int) -> None:
    """Take the money for what was picked, free the rest; nothing held, nothing done. Records `PaymentCaptured`.

    What a card was charged beyond it is given back: records `CardRefundAsked`.
    """
    ends, unused = [], 0
    for kind, amount_minor in (("goods", goods_minor), ("fee", fee_minor)):
        held = district.view(Ledger).holds.get(f"{part_id}/{kind}")
        if held is not None:
            must(
                amount_minor <= held.amount_minor,
                "finance.beyond_hold",
                "Capture at most what is held.",
                field="amount_minor",
                value=amount_minor,
            )
            ends.append(_end(held, amount_minor))
            unused += held.amount_minor - amount_minor
    if ends:
        district.record(PaymentCaptured(order_id, part_id, tuple(ends)))
        _give_back(district, order_id, ends[0].debit, unused, "less was picked than ordered")


def release(district: District, order_id: str, part_id: str, reason: str) -> None:
    """Free the money that is held for a part; nothing held, nothing done. Records `PaymentReleased`."""
    holds = district.view(Ledger).holds
    ends = [_end(holds[h], 0) for h in (f"{part_id}/goods", f"{part_id}/fee") if h in holds]
    if ends:
        district.record(PaymentReleased(order_id, part_id, tuple(ends)))
        _give_back(district, order_id, ends[0].debit, sum(end.amount_minor for end in ends), reason)


def settle(district: District, order_id: str, part_id: str, *, commission_minor: int) -> None:
    """Take the commission that was frozen at the sale. Records `PaymentSettled`."""
    shop = district.view(Payments).captured[part_id].shop
    fee = Transfer(f"{part_id}/commission", shop, COMMISSION, commission_minor)
    district.record(PaymentSettled(order_id, part_id, (fee,) if commission_minor else ()))


def refund(district: District, part: Captured, *, goods_minor: int, fee_minor: int, reason: RefundReason) -> None:
    """Give captured money back, and the commission on it to the shop.

    However a refund is split, all of it together gives back exactly what was captured and exactly the
    commission that was taken. Records `PaymentRefunded`, for a card `CardRefundAsked` too.

    Parameters
    ----------
    part
        What was captured, from `captured_in` the order's story, because the district has forgotten it.

    Raises
    ------
    Conflict
        More would be given back than was captured, the part is not settled yet or too long ago, or money
        was given back since the story was read.
    """
    must(reason in _REASONS, "finance.bad_reason", f"Name one of: {', '.join(_REASONS)}.", field="reason")
    part_id, now_us = part.part_id, district.now_us
    if not part.settled_us:
        raise Conflict(
            "finance.not_settled", "Wait until the goods have arrived, then give money back.", part_id=part_id
        )
    if part.settled_us < now_us - REFUND_DAYS * DAY_US:
        raise Conflict(
            "finance.refund_too_late", f"Money can be given back for {REFUND_DAYS} days after the goods have arrived."
        )
    last_us = district.view(Payments).refunded.get(part_id, part.refunded_us)
    if last_us != part.refunded_us or part.read_us <= now_us - REMEMBERED_US:
        raise Conflict("finance.refund_meanwhile", "Money was given back for this just now; look again, then decide.")
    must(
        goods_minor >= 0 and fee_minor >= 0 and goods_minor + fee_minor > 0,
        "finance.bad_refund",
        "Give an amount above zero.",
        field="goods_minor",
    )
    if (
        goods_minor > part.goods_minor - part.goods_refunded_minor
        or fee_minor > part.fee_minor - part.fee_refunded_minor
    ):
        raise Conflict(
            "finance.refund_too_large",
            "No more can be given back than was captured.",
            goods_left_minor=part.goods_minor - part.goods_refunded_minor,
            fee_left_minor=part.fee_minor - part.fee_refunded_minor,
        )
    refunded = part.goods_refunded_minor + goods_minor
    # Of the whole commission, the part that belongs to all goods refunded so far: so the last cent fits.
    due = split(part.commission_minor, [refunded, part.goods_minor - refunded])[0] if part.goods_minor else 0
    commission_minor = due - part.commission_refunded_minor
    name = f"{part_id}/refund/{part.goods_refunded_minor + part.fee_refunded_minor}"
    moves = (
        Transfer(f"{name}/goods", part.shop, part.payer, goods_minor),
        Transfer(f"{name}/fee", DELIVERY, part.payer, fee_minor),
        Transfer(f"{name}/commission", COMMISSION, part.shop, commission_minor),
    )
    made = tuple(move for move in moves if move.amount_minor)
    if shortfall(district, made):
        raise Conflict("finance.refund_short", "An account that the refund comes from is empty; top it up first.")
    district.record(PaymentRefunded(part.order_id, part_id, goods_minor, fee_minor, commission_minor, reason, made))
    _give_back(district, part.order_id, part.payer, goods_minor + fee_minor, reason)


def ask_card(district: District, order_id: str, *, shopper_id: str, amount_minor: int, card_token: str) -> None:
    """Ask the card provider for the money. Records `CardPaymentAsked`."""
    district.record(CardPaymentAsked(order_id, shopper_id, amount_minor, district.currency, card_token))


def card_declined(district: District, order_id: str, reason: str) -> None:
    """The provider said no; told twice is once. Records `CardPaymentDeclined`."""
    if order_id in district.view(Payments).cards:
        district.record(CardPaymentDeclined(order_id, reason))


def return_charge(district: District, order_id: str, amount_minor: int, reason: str) -> None:
    """Give a whole charge back that came too late. Records `CardRefundAsked`."""
    district.record(CardRefundAsked(order_id, amount_minor, district.currency, reason))


def top_up(district: District, person_id: str, amount_minor: int) -> int:
    """Put money that was paid in from outside into a wallet; returns what is in it then.

    Raises `Conflict` if the wallet would hold more than it may. Records `TransfersPosted`.
    """
    transfer = Transfer(district.next_id("top"), TOP_UPS, wallet_of(person_id), amount_minor)
    over_minor = ledger.post(district, transfer.transfer_id, "top_up", (transfer,))
    if over_minor:
        raise Conflict("finance.wallet_full", "The wallet would hold too much; pay in less.", over_minor=over_minor)
    return account(district, wallet_of(person_id)).balance_minor


def _end(held: Transfer, captured_minor: int) -> Transfer:
    action = "capture" if captured_minor else "void"
    return Transfer(
        f"{held.transfer_id}/{action}",
        held.debit,
        held.credit,
        captured_minor or held.amount_minor,
        "capture" if captured_minor else "void",
        held.transfer_id,
    )


def _give_back(district: District, order_id: str, payer: str, amount_minor: int, reason: str) -> None:
    if payer == CARD and amount_minor:
        return_charge(district, order_id, amount_minor, reason)

"""What of an order was captured and given back."""

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.finance import (
    CardPaymentAsked,
    CardPaymentDeclined,
    PaymentCaptured,
    PaymentHeld,
    PaymentRefunded,
    PaymentSettled,
)
from hanse.events.market import OrderClosed
from hanse.kernel.errors import NotFound
from hanse.kernel.time import DAY_US

__all__ = ["CARD", "COMMISSION", "DELIVERY", "TOP_UPS", "Captured", "Payments", "captured", "sales_of", "wallet_of"]

CARD = "league/card"
"""What the card provider owes the league (it goes below zero as cards are charged)."""
COMMISSION = "league/commission"
DELIVERY = "league/delivery"
TOP_UPS = "league/top-ups"
"""What was paid in from outside (it goes below zero as wallets are filled)."""

REFUND_DAYS = 30


def wallet_of(person_id: str) -> str:
    """The account of a person's wallet."""
    return f"{person_id}/wallet"


def sales_of(shop_id: str) -> str:
    """The account of what a shop has sold and not yet drawn."""
    return f"{shop_id}/sales"


class Captured(msgspec.Struct, gc=False):
    """What was captured for a part, and what of it went back. Minor units."""

    order_id: str
    payer: str
    shop: str
    goods_minor: int
    fee_minor: int
    since_us: int
    commission_minor: int = 0
    goods_refunded_minor: int = 0
    fee_refunded_minor: int = 0
    commission_refunded_minor: int = 0
    settled: bool = False


class Payments(View):
    """Captured parts that can still be refunded, and card payments that are awaited."""

    captured: dict[str, Captured] = {}
    cards: dict[str, CardPaymentAsked] = {}

    @folds(CardPaymentAsked)
    def _ask(self, event: CardPaymentAsked, now_us: int) -> None:
        self.cards[event.order_id] = event

    # Nobody waits for the card of a closed order: a payment that comes after all goes back.
    @folds(CardPaymentDeclined, PaymentHeld, OrderClosed)
    def _answered(self, event: CardPaymentDeclined | PaymentHeld | OrderClosed, now_us: int) -> None:
        self.cards.pop(event.order_id, None)

    @folds(PaymentCaptured)
    def _capture(self, event: PaymentCaptured, now_us: int) -> None:
        goods = next((t for t in event.transfers if t.credit != DELIVERY), None)
        fee = sum(t.amount_minor for t in event.transfers if t.credit == DELIVERY and t.action == "capture")
        taken = goods.amount_minor if goods and goods.action == "capture" else 0
        self.captured[event.part_id] = Captured(
            event.order_id,
            event.transfers[0].debit,
            goods.credit if goods else "",
            taken,
            fee,
            now_us,
        )
        self._forget(now_us)

    @folds(PaymentSettled)
    def _settle(self, event: PaymentSettled, now_us: int) -> None:
        part = self.captured[event.part_id] = self.captured.pop(event.part_id)
        part.commission_minor = sum(t.amount_minor for t in event.transfers)
        part.settled, part.since_us = True, now_us

    def _forget(self, now_us: int) -> None:
        # What was touched last stands last. What is not settled yet is kept, however long it is under way.
        while (oldest := next(iter(self.captured.items())))[1].since_us < now_us - REFUND_DAYS * DAY_US:
            part = self.captured.pop(oldest[0])
            if not part.settled:
                part.since_us = now_us
                self.captured[oldest[0]] = part

    @folds(PaymentRefunded)
    def _refund(self, event: PaymentRefunded, now_us: int) -> None:
        part = self.captured[event.part_id]
        part.goods_refunded_minor += event.goods_minor
        part.fee_refunded_minor += event.fee_minor
        part.commission_refunded_minor += event.commission_minor


def captured(district: District, part_id: str) -> Captured:
    """What was captured for a part; raises `NotFound` before the hand-over and 30 days after the settlement."""
    found = district.view(Payments).captured.get(part_id)
    if found is None:
        raise NotFound(
            "finance.not_captured",
            f"Nothing was captured for this part in the last {REFUND_DAYS} days.",
            part_id=part_id,
        )
    return found

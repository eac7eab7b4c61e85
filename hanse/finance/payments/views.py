"""What of an order was captured; what was given back later stands in the order's story."""

from collections.abc import Iterable

import msgspec

from hanse.district.views import View, folds
from hanse.events.dictionary import decode
from hanse.events.finance import (
    CardPaymentAsked,
    CardPaymentDeclined,
    PaymentCaptured,
    PaymentHeld,
    PaymentRefunded,
    PaymentSettled,
)
from hanse.events.market import OrderClosed
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound
from hanse.kernel.time import HOUR_US

__all__ = [
    "CARD",
    "COMMISSION",
    "DELIVERY",
    "REMEMBERED_US",
    "TOP_UPS",
    "Captured",
    "Payments",
    "captured_in",
    "sales_of",
    "wallet_of",
]

CARD = "league/card"
"""What the card provider owes the league (it goes below zero as cards are charged)."""
COMMISSION = "league/commission"
DELIVERY = "league/delivery"
TOP_UPS = "league/top-ups"
"""What was paid in from outside (it goes below zero as wallets are filled)."""

REMEMBERED_US = HOUR_US
"""So long it is known when money was last given back for a part: longer than a command is under way."""


def wallet_of(person_id: str) -> str:
    """The account of a person's wallet."""
    return f"{person_id}/wallet"


def sales_of(shop_id: str) -> str:
    """The account of what a shop has sold and not yet drawn."""
    return f"{shop_id}/sales"


class Captured(msgspec.Struct, gc=False):
    """What was captured for a part, and what of it went back. Minor units; times in microseconds since 1970.

    `settled_us` is 0 until the goods have arrived. `refunded_us` is when money last went back; `read_us` is when
    this was read from the order's story.
    """

    order_id: str
    part_id: str
    payer: str
    shop: str
    goods_minor: int
    fee_minor: int
    commission_minor: int = 0
    settled_us: int = 0
    goods_refunded_minor: int = 0
    fee_refunded_minor: int = 0
    commission_refunded_minor: int = 0
    refunded_us: int = 0
    read_us: int = 0


class Payments(View):
    """Captured parts that are not settled yet, the latest refunds, and card payments that are awaited."""

    captured: dict[str, Captured] = {}
    refunded: dict[str, int] = {}
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
        self.captured[event.part_id] = _captured(event)

    # What is settled leaves memory: a refund, days or weeks later, brings the part with it from the story.
    @folds(PaymentSettled)
    def _settle(self, event: PaymentSettled, now_us: int) -> None:
        del self.captured[event.part_id]

    @folds(PaymentRefunded)
    def _refund(self, event: PaymentRefunded, now_us: int) -> None:
        self.refunded.pop(event.part_id, None)
        self.refunded[event.part_id] = now_us
        while self.refunded[oldest := next(iter(self.refunded))] <= now_us - REMEMBERED_US:
            del self.refunded[oldest]


def captured_in(story: Iterable[Entry], part_id: str, *, read_us: int) -> Captured:
    """What was captured for a part and given back, as its order's story says now.

    Parameters
    ----------
    story
        The entries of the order's story, in their order.
    read_us
        The district's time when they were read.

    Raises
    ------
    NotFound
        Nothing was captured for it: it was not handed over, or there is no such part.
    """
    found: Captured | None = None
    for entry in story:
        event = decode(entry.name, entry.version, entry.body)
        if isinstance(event, PaymentCaptured) and event.part_id == part_id:
            found = _captured(event)
        elif found is None:
            continue
        elif isinstance(event, PaymentSettled) and event.part_id == part_id:
            found.commission_minor = sum(t.amount_minor for t in event.transfers)
            found.settled_us = entry.time_us
        elif isinstance(event, PaymentRefunded) and event.part_id == part_id:
            found.goods_refunded_minor += event.goods_minor
            found.fee_refunded_minor += event.fee_minor
            found.commission_refunded_minor += event.commission_minor
            found.refunded_us = entry.time_us
    if found is None:
        raise NotFound("finance.not_captured", "Nothing was captured for this part.", part_id=part_id)
    found.read_us = read_us
    return found


def _captured(event: PaymentCaptured) -> Captured:
    goods = next((t for t in event.transfers if t.credit != DELIVERY), None)
    fee = sum(t.amount_minor for t in event.transfers if t.credit == DELIVERY and t.action == "capture")
    taken = goods.amount_minor if goods and goods.action == "capture" else 0
    payer, shop = event.transfers[0].debit, goods.credit if goods else ""
    return Captured(event.order_id, event.part_id, payer, shop, taken, fee)

"""Accounts, transfers, payments. Every movement of money is a `Transfer` inside one of these events."""

from typing import Literal

from hanse.events.dictionary import Event, stored
from hanse.kernel.values import RefundReason, Transfer

__all__ = [
    "AccountOpened",
    "CardPaymentAsked",
    "CardPaymentDeclined",
    "CardRefundAsked",
    "HoldsExpired",
    "PaymentCaptured",
    "PaymentHeld",
    "PaymentRefunded",
    "PaymentReleased",
    "PaymentSettled",
    "TransfersPosted",
]


@stored("finance.account_opened", story="account_id")
class AccountOpened(Event, frozen=True):
    """An account of the double-entry ledger. `floor_minor` None: it may go below zero without limit."""

    account_id: str
    owner_id: str
    currency: str
    kind: Literal["wallet", "shop", "revenue", "delivery", "clearing"]
    floor_minor: int | None
    ceiling_minor: int | None


@stored("finance.transfers_posted", story="story_id")
class TransfersPosted(Event, frozen=True):
    """Money moved, all of these or none."""

    story_id: str
    purpose: str
    transfers: tuple[Transfer, ...]


@stored("finance.holds_expired", story="story_id")
class HoldsExpired(Event, frozen=True):
    """Money set aside was freed because its time was over."""

    story_id: str
    transfers: tuple[Transfer, ...]


@stored("finance.payment_held", story="order_id")
class PaymentHeld(Event, frozen=True):
    """The money for an order is set aside, part by part, after the order was placed: a card was charged."""

    order_id: str
    transfers: tuple[Transfer, ...]


@stored("finance.payment_captured", story="order_id")
class PaymentCaptured(Event, frozen=True):
    """The money for a part moved from the shopper; what was held beyond it is free again."""

    order_id: str
    part_id: str
    transfers: tuple[Transfer, ...]


@stored("finance.payment_released", story="order_id")
class PaymentReleased(Event, frozen=True):
    """The money that was set aside for a part is the shopper's again."""

    order_id: str
    part_id: str
    transfers: tuple[Transfer, ...]


@stored("finance.payment_settled", story="order_id")
class PaymentSettled(Event, frozen=True):
    """The league took the commission that was frozen at the sale; the rest is the shop's to draw."""

    order_id: str
    part_id: str
    transfers: tuple[Transfer, ...]


@stored("finance.payment_refunded", story="order_id")
class PaymentRefunded(Event, frozen=True):
    """Captured money went back to the shopper, and the commission on it back to the shop."""

    order_id: str
    part_id: str
    goods_minor: int
    fee_minor: int
    commission_minor: int
    reason: RefundReason
    transfers: tuple[Transfer, ...]


@stored("finance.card_payment_asked", story="order_id")
class CardPaymentAsked(Event, frozen=True):
    """The card provider is to authorise this amount; the answer comes back as a command."""

    order_id: str
    shopper_id: str
    amount_minor: int
    currency: str
    card_token: str


@stored("finance.card_payment_declined", story="order_id")
class CardPaymentDeclined(Event, frozen=True):
    """The provider said no."""

    order_id: str
    reason: str


@stored("finance.card_refund_asked", story="order_id")
class CardRefundAsked(Event, frozen=True):
    """The provider is to give this money back: it came too late, was too much, or the goods came back."""

    order_id: str
    amount_minor: int
    currency: str
    reason: str

"""The value structs that events, engines and services share."""

from typing import Annotated, Literal

import msgspec

from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.money import AMOUNT_MAX_MINOR
from hanse.kernel.quantity import PIECES_MAX

__all__ = [
    "AwayPart",
    "EndReason",
    "Fulfilment",
    "Line",
    "Part",
    "PayBy",
    "RefundReason",
    "SeenWish",
    "Transfer",
    "TransferAction",
    "VatAmount",
    "Wish",
]

Fulfilment = Literal["pickup", "delivery"]

PayBy = Literal["wallet", "card"]

EndReason = Literal["", "sold_out", "quality", "closing", "too_busy", "changed_mind", "other"]
"""Why a part will not be fulfilled. A code and no text: free text may name people, and the journal never does."""

RefundReason = Literal["damaged", "missing", "wrong", "late", "quality", "other"]

TransferAction = Literal["post", "hold", "capture", "void"]


class Wish(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """So many pieces of an offer, wished for: a line of a basket or of a request."""

    offer_id: Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=PIECES_MAX)]


class SeenWish(Wish, frozen=True, gc=False, forbid_unknown_fields=True):
    """A wish for a neighbour's offer: at which shop and at which price, gross, it was seen there."""

    shop_id: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
    price_minor: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_MINOR)]


class Line(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One line of an order: so many pieces of an offer at the price of the moment it was placed.

    `item_id` is the stock item that the offer draws on, `units` how many units of it one piece takes
    (a six-pack of a bottle that is also sold singly: 6). Prices are gross, in the order's currency.
    In the journal a line is an array in the order of these fields: most of an order is lines.
    """

    offer_id: str
    product_id: str
    item_id: str
    quantity: int
    price_minor: int
    vat_bp: int
    units: int = 1


class VatAmount(msgspec.Struct, frozen=True, gc=False):
    """The tax contained in a gross amount at one rate, computed once per part and rate, as a receipt does."""

    rate_bp: int
    gross_minor: int
    vat_minor: int


class Part(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one shop owes of an order, and what it gets; the commission is frozen at the sale."""

    part_id: str
    shop_id: str
    lines: tuple[Line, ...]
    goods_minor: int
    commission_minor: int
    vat: tuple[VatAmount, ...]
    promised_us: int
    fee_minor: int = 0


class AwayPart(msgspec.Struct, frozen=True, gc=False):
    """What one of a neighbour's shops has taken on of an order, and when it is promised."""

    part_id: str
    shop_id: str
    shop_name: str
    goods_minor: int
    promised_us: int


class Transfer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One movement in the double-entry ledger, from `debit` to `credit` (account ids, same currency).

    ``post`` moves money at once. ``hold`` sets it aside until `until_us` (0: no end of its own).
    ``capture`` moves all or a part of the hold `hold_id` and frees the rest; ``void`` frees all of it.
    """

    transfer_id: str
    debit: str
    credit: str
    amount_minor: int
    action: TransferAction = "post"
    hold_id: str = ""
    until_us: int = 0

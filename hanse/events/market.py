"""Shops, products, offers, baskets, orders."""

from typing import Any, Literal

from hanse.events.dictionary import Body, Event, stored, upcast
from hanse.kernel.geo import Place
from hanse.kernel.quantity import Quantity
from hanse.kernel.time import OpeningHours
from hanse.kernel.values import (
    AwayPart,
    EndReason,
    Fulfilment,
    Part,
    PayBy,
    SeenWish,
    Transfer,
    VatAmount,
    Wish,
)

__all__ = [
    "AwayCancelAsked",
    "AwayCancelRefused",
    "AwayOrderAsked",
    "AwayOrderClosed",
    "AwayOrderRefused",
    "AwayOrderTaken",
    "AwayPartMoved",
    "BasketChanged",
    "OffersSet",
    "OrderClosed",
    "OrderExpired",
    "OrderPlaced",
    "PartAccepted",
    "PartCollected",
    "PartDelivered",
    "PartEnded",
    "PartHandedOver",
    "PartPicked",
    "PartSettled",
    "ProductsListed",
    "ShopJoined",
]


@stored("market.shop_joined", story="shop_id")
class ShopJoined(Event, frozen=True):
    """A shop joined the league, or changed what it says of itself."""

    shop_id: str
    name: str
    kind: str
    street: str
    place: Place
    hours: OpeningHours
    commission_bp: int
    delivery_fee_minor: int
    prepare_minutes: int
    website: str = ""


@stored("market.products_listed")
class ProductsListed(Event, frozen=True):
    """Products entered the league's master catalogue or changed: one column per field, equal lengths."""

    product_ids: tuple[str, ...]
    gtins: tuple[str, ...]
    titles_en: tuple[str, ...]
    titles_de: tuple[str, ...]
    brands: tuple[str, ...]
    sizes: tuple[Quantity, ...]
    categories: tuple[str, ...]
    pictures: tuple[str, ...]
    vat_bp: tuple[int, ...]
    allergens: tuple[tuple[str, ...], ...]


@stored("market.offers_set", story="shop_id")
class OffersSet(Event, frozen=True):
    """A shop offers products at prices; a price of 0 takes the offer off. Unchanged rows are not here."""

    shop_id: str
    offer_ids: tuple[str, ...]
    product_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    units: tuple[int, ...]
    prices_minor: tuple[int, ...]


@stored("market.basket_changed", story="shopper_id")
class BasketChanged(Event, frozen=True):
    """A shopper's basket is now this. No lines: the basket was emptied."""

    shopper_id: str
    lines: tuple[Wish, ...]
    fulfilment: Fulfilment
    address_id: str
    payment: PayBy


@stored("market.order_placed", version=3, story="order_id")
class OrderPlaced(Event, frozen=True, omit_defaults=True):
    """A shopper ordered; stock is held from now on, and from a wallet the money too (`transfers`).

    With no transfers the money is still to come (`PaymentHeld`); unpaid by `expires_us` (else 0) the order ends.
    """

    order_id: str
    shopper_id: str
    fulfilment: Fulfilment
    payment: PayBy
    currency: str
    total_minor: int
    parts: tuple[Part, ...]
    address_id: str = ""
    expires_us: int = 0
    transfers: tuple[Transfer, ...] = ()


@upcast("market.order_placed", version=1)
def _held_apart(body: Body) -> Body:
    # Before, a wallet's money was held by a `finance.payment_held` of its own, as a card's still is.
    return {**body, "transfers": []}


@upcast("market.order_placed", version=2)
def _lines_as_objects(body: Body) -> Body:
    fields = ("offer_id", "product_id", "item_id", "quantity", "price_minor", "vat_bp", "units")

    def lifted(line: Body) -> list[Any]:
        return [line.get(field, 1) for field in fields]

    return {**body, "parts": [{**part, "lines": [*map(lifted, part["lines"])]} for part in body["parts"]]}


@stored("market.order_expired", story="order_id")
class OrderExpired(Event, frozen=True):
    """Nobody paid in time."""

    order_id: str


@stored("market.part_accepted", story="order_id")
class PartAccepted(Event, frozen=True):
    """The shop took its part on."""

    order_id: str
    part_id: str


@stored("market.part_picked", story="order_id")
class PartPicked(Event, frozen=True):
    """The goods lie ready. `quantities` is one number per line of the part, at most what was ordered.

    `goods_minor`, `fee_minor`, `commission_minor` and `vat` are what these quantities come to.
    """

    order_id: str
    part_id: str
    quantities: tuple[int, ...]
    goods_minor: int
    fee_minor: int
    commission_minor: int
    vat: tuple[VatAmount, ...]


@stored("market.part_handed_over", story="order_id")
class PartHandedOver(Event, frozen=True):
    """The goods left the shop, to the shopper or to a courier."""

    order_id: str
    part_id: str


@stored("market.part_delivered", story="order_id")
class PartDelivered(Event, frozen=True):
    """The goods are at the shopper's door."""

    order_id: str
    part_id: str


@stored("market.part_collected", story="order_id")
class PartCollected(Event, frozen=True):
    """The shopper took the goods away from the shop."""

    order_id: str
    part_id: str


@stored("market.part_ended", story="order_id")
class PartEnded(Event, frozen=True):
    """The part will not be fulfilled: refused by the shop, cancelled by the shopper, or left unanswered."""

    order_id: str
    part_id: str
    why: Literal["refused", "cancelled", "unanswered", "unpaid"]
    reason: EndReason = ""


@stored("market.part_settled", story="order_id")
class PartSettled(Event, frozen=True):
    """The shop has its money for this part, the league its commission."""

    order_id: str
    part_id: str


@stored("market.order_closed", story="order_id")
class OrderClosed(Event, frozen=True):
    """Every part has come to its end; nothing will happen to this order any more but a refund."""

    order_id: str
    outcome: Literal["fulfilled", "partly", "unfulfilled"]


@stored("market.away_order_asked", story="order_id")
class AwayOrderAsked(Event, frozen=True):
    """A shopper of this district asked for goods of a neighbour's shops, at the prices seen there.

    `group_id` joins orders in several districts that were wanted together; each is decided for itself. The
    neighbour does not take it on behind `until_us`.
    """

    order_id: str
    group_id: str
    shopper_id: str
    neighbour: str
    currency: str
    total_minor: int
    lines: tuple[SeenWish, ...]
    until_us: int


@stored("market.away_order_taken", story="order_id")
class AwayOrderTaken(Event, frozen=True):
    """The neighbour placed the order: its stock is held there."""

    order_id: str
    parts: tuple[AwayPart, ...]


@stored("market.away_order_refused", story="order_id")
class AwayOrderRefused(Event, frozen=True):
    """The neighbour did not place the order.

    `offers` says more by offer: the price of now where it changed (0: off), the missing units where it was sold out.
    """

    order_id: str
    why: Literal["late", "currency", "limit", "changed", "sold_out"]
    offers: dict[str, int]


@stored("market.away_part_moved", story="order_id")
class AwayPartMoved(Event, frozen=True):
    """The neighbour told how a part stands: its stage, what its goods come to, what of that was given back by now."""

    order_id: str
    part_id: str
    stage: Literal["accepted", "picked", "collected", "settled", "refused", "cancelled", "expired"]
    goods_minor: int
    refunded_minor: int
    reason: EndReason = ""


@stored("market.away_cancel_asked", story="order_id")
class AwayCancelAsked(Event, frozen=True):
    """The shopper wants the order back; the neighbour decides whether it is too late."""

    order_id: str


@stored("market.away_cancel_refused", story="order_id")
class AwayCancelRefused(Event, frozen=True):
    """It was too late to take anything of the order back."""

    order_id: str


@stored("market.away_order_closed", story="order_id")
class AwayOrderClosed(Event, frozen=True):
    """Every part has come to its end at the neighbour; nothing will happen to this order any more but a refund."""

    order_id: str
    outcome: Literal["fulfilled", "partly", "unfulfilled"]

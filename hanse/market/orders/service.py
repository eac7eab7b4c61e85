"""Commands: draft and place an order, then move its parts. Each checks the stage it moves from."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Literal, get_args

from hanse.district.core import District
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
    ShopJoined,
)
from hanse.kernel.errors import Conflict, InvalidInput, must
from hanse.kernel.money import split
from hanse.kernel.quantity import PIECES_MAX, check_pieces
from hanse.kernel.time import MINUTE_US, opens_us
from hanse.kernel.values import EndReason, Fulfilment, Line, Part, PayBy, Transfer, Wish
from hanse.market.catalogue.views import Catalogue, offer
from hanse.market.orders.engine import commission, price
from hanse.market.orders.views import ENDED, PartState, order, part_of

__all__ = [
    "LINES_MAX",
    "PAY_WITHIN_US",
    "accept_part",
    "cancel",
    "close_if_ended",
    "collect_part",
    "deliver_part",
    "draft",
    "end_part",
    "expire",
    "hand_over_part",
    "pick_part",
    "place",
    "settle_part",
]

LINES_MAX = 100
_END_REASONS: tuple[str, ...] = get_args(EndReason)
PAY_WITHIN_US = 10 * MINUTE_US
_offer_id = attrgetter("offer_id")


def draft(district: District, order_id: str, wishes: Sequence[Wish], *, fulfilment: Fulfilment) -> tuple[Part, ...]:
    """Price wishes into a part per shop: today's prices, VAT and commission, frozen. Changes nothing.

    Raises
    ------
    InvalidInput
        No lines, too many lines, or one that asks for too much.
    NotFound
        An offer that does not exist or was taken off.
    """
    if not 0 < len(wishes) <= LINES_MAX:
        raise InvalidInput("market.bad_lines", f"Order between 1 and {LINES_MAX} lines.", field="lines")
    if len(set(map(_offer_id, wishes))) < len(wishes):
        wishes = _merged(wishes)
    catalogue = district.view(Catalogue)
    offers = catalogue.offers
    by_shop: dict[str, list[Line]] = {}
    for wish in wishes:
        o = offers.get(wish.offer_id) or offer(district, wish.offer_id)
        pieces = wish.quantity
        if not 0 < pieces <= PIECES_MAX:
            check_pieces(pieces)
        line = Line(o.offer_id, o.product_id, o.item_id, pieces, o.price_minor, o.vat_bp, o.units)
        shop_id = o.shop_id
        if shop_id in by_shop:
            by_shop[shop_id].append(line)
        else:
            by_shop[shop_id] = [line]
    parts: list[Part] = []
    for shop_id, lines in by_shop.items():
        part_id = f"{order_id}-{len(parts) + 1}"
        parts.append(_part(district, part_id, catalogue.shops[shop_id], tuple(lines), fulfilment))
    return tuple(parts)


def _merged(wishes: Sequence[Wish]) -> list[Wish]:
    """One wish per offer."""
    pieces: dict[str, int] = {}
    for wish in wishes:
        pieces[wish.offer_id] = pieces.get(wish.offer_id, 0) + wish.quantity
    return [Wish(offer_id, count) for offer_id, count in pieces.items()]


def _part(district: District, part_id: str, shop: ShopJoined, lines: tuple[Line, ...], fulfilment: Fulfilment) -> Part:
    fee_minor = shop.delivery_fee_minor if fulfilment == "delivery" else 0
    goods_minor, vat = price(lines, None, fee_minor, district.charter.delivery_vat_bp)
    return Part(
        part_id,
        shop.shop_id,
        lines,
        goods_minor,
        commission(goods_minor, shop.commission_bp),
        vat,
        district.once(shop, _promised_us),
        fee_minor,
    )


def _promised_us(district: District, shop: ShopJoined) -> int:
    """When an order of now is ready: the time that the shop needs, from now or from its next opening on."""
    minute_us = district.now_us // MINUTE_US * MINUTE_US
    return (opens_us(shop.hours, minute_us, district.zone) or minute_us) + shop.prepare_minutes * MINUTE_US


def place(
    district: District,
    order_id: str,
    parts: tuple[Part, ...],
    *,
    shopper_id: str,
    fulfilment: Fulfilment,
    address_id: str,
    payment: PayBy,
    total_minor: int,
    holds: tuple[Transfer, ...],
) -> None:
    """Place a drafted order; with holds its money is set aside at once, and it is accepted. Records `OrderPlaced`."""
    district.record(
        OrderPlaced(
            order_id,
            shopper_id,
            fulfilment,
            payment,
            district.currency,
            total_minor,
            parts,
            address_id,
            0 if holds else district.now_us + PAY_WITHIN_US,
            holds,
        )
    )


def expire(district: District, order_id: str) -> None:
    """Nobody paid in time: end what is left of the order. Records `OrderExpired` and `PartEnded` for each part left."""
    left = [part_id for part_id, state in order(district, order_id).parts.items() if state.stage == "placed"]
    if not left:
        return
    district.record(OrderExpired(order_id))
    for part_id in left:
        district.record(PartEnded(order_id, part_id, "unpaid"))


def accept_part(district: District, order_id: str, part_id: str) -> None:
    """The shop takes its part on. Records `PartAccepted`."""
    _expect(district, order_id, part_id, "placed")
    district.record(PartAccepted(order_id, part_id))


def pick_part(district: District, order_id: str, part_id: str, quantities: Sequence[int] | None = None) -> None:
    """The goods lie ready; fewer pieces than ordered lower the bill. Records `PartPicked`.

    Parameters
    ----------
    quantities
        Pieces per line of the part, at most what was ordered, at least one in all; None: everything.
    """
    state = _expect(district, order_id, part_id, "accepted")
    part = state.part
    picked = tuple(quantities) if quantities is not None else state.quantities
    must(
        len(picked) == len(part.lines)
        and all(0 <= p <= line.quantity for p, line in zip(picked, part.lines, strict=False)),
        "market.bad_picked",
        "Give a number for each line, at most what was ordered.",
        field="quantities",
    )
    must(any(picked), "market.nothing_picked", "Refuse the part if nothing of it can be found.", field="quantities")
    goods_minor, vat = price(part.lines, picked, part.fee_minor, district.charter.delivery_vat_bp)
    # The commission was frozen at the sale: the goods that are left bear their share of it.
    kept = split(part.commission_minor, [goods_minor, part.goods_minor - goods_minor])[0] if part.goods_minor else 0
    district.record(
        PartPicked(
            order_id,
            part_id,
            picked,
            goods_minor,
            part.fee_minor,
            kept,
            vat,
        )
    )


def hand_over_part(district: District, order_id: str, part_id: str) -> None:
    """The goods leave the shop. Records `PartHandedOver`, and for pick-up `PartCollected`."""
    _expect(district, order_id, part_id, "picked")
    fulfilment = order(district, order_id).placed.fulfilment
    district.record(PartHandedOver(order_id, part_id))
    if fulfilment == "pickup":
        district.record(PartCollected(order_id, part_id))


def deliver_part(district: District, order_id: str, part_id: str) -> None:
    """The goods are at the door. Records `PartDelivered`."""
    _expect(district, order_id, part_id, "handed_over")
    district.record(PartDelivered(order_id, part_id))


def collect_part(district: District, order_id: str, part_id: str) -> None:
    """The shopper took the goods away. Records `PartCollected`."""
    _expect(district, order_id, part_id, "handed_over")
    district.record(PartCollected(order_id, part_id))


def end_part(
    district: District,
    order_id: str,
    part_id: str,
    *,
    why: Literal["refused", "cancelled", "unanswered"],
    reason: EndReason = "",
) -> None:
    """End a part that will not be fulfilled. Records `PartEnded`.

    A shop may refuse until the goods are handed over; a shopper may cancel until they are picked.
    """
    _check_reason(reason)
    state = part_of(district, order_id, part_id)
    allowed = ("placed", "accepted", "picked") if why == "refused" else ("placed", "accepted")
    if state.stage not in allowed:
        raise Conflict("market.too_late", f"This part is {state.stage}; ask for a refund instead.", stage=state.stage)
    district.record(PartEnded(order_id, part_id, why, reason))


def cancel(district: District, order_id: str, *, reason: EndReason = "") -> int:
    """The shopper takes back every part that nobody has picked; returns how many. Records `PartEnded` for each."""
    _check_reason(reason)
    parts = order(district, order_id).parts
    open_parts = [part_id for part_id, state in parts.items() if state.stage in ("placed", "accepted")]
    if not open_parts:
        raise Conflict("market.too_late", "All of this order is picked or ended; ask for a refund instead.")
    for part_id in open_parts:
        district.record(PartEnded(order_id, part_id, "cancelled", reason))
    return len(open_parts)


def _check_reason(reason: str) -> None:
    must(reason in _END_REASONS, "market.bad_reason", f"Name one of: {', '.join(_END_REASONS)}.", field="reason")


def settle_part(district: District, order_id: str, part_id: str) -> None:
    """The shop has its money. Records `PartSettled`."""
    state = part_of(district, order_id, part_id)
    if state.stage in ("delivered", "collected"):
        district.record(PartSettled(order_id, part_id))


def close_if_ended(district: District, order_id: str) -> None:
    """Close an order whose parts have all come to their end. Records `OrderClosed`."""
    states = order(district, order_id).parts.values()
    if all(state.stage in ENDED for state in states):
        settled = sum(state.stage == "settled" for state in states)
        outcome: Literal["fulfilled", "partly", "unfulfilled"] = "partly" if settled else "unfulfilled"
        district.record(OrderClosed(order_id, "fulfilled" if settled == len(states) else outcome))


def _expect(district: District, order_id: str, part_id: str, stage: str) -> PartState:
    found = order(district, order_id)
    state = part_of(district, order_id, part_id)
    if not found.accepted or state.stage != stage:
        now = state.stage if found.accepted else "unpaid"
        raise Conflict("market.wrong_stage", f"This part is {now}; it has to be {stage} for that.", stage=now)
    return state

"""The shopper follows orders: their list, one of them live, its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from hanse.app.http.placing import order_of, orders_from
from hanse.app.i18n import N_
from hanse.app.pages import goods
from hanse.app.pages.abroad import orders_abroad
from hanse.app.pages.tell import reason_said, shop_name, tell_event
from hanse.app.pages.visit import Reply, Visit
from hanse.events.dictionary import Event, decode
from hanse.events.finance import CardPaymentDeclined, CardRefundAsked, PaymentCaptured, PaymentHeld, PaymentRefunded
from hanse.events.market import (
    OrderExpired,
    OrderPlaced,
    PartAccepted,
    PartCollected,
    PartDelivered,
    PartEnded,
    PartHandedOver,
    PartPicked,
)
from hanse.kernel.errors import NotFound
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.time import from_micros
from hanse.kernel.values import VatAmount
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders import service as orders
from hanse.market.orders.views import ENDED, Order, PartState

__all__ = ["ROUTES", "LineOf", "Receipt", "Step", "StoryShown", "lines_of", "shown", "steps"]

SHOPPER = ("shopper",)
LIST_MAX = 50

Step = tuple[str, str]

_PICKUP = (
    (N_("Placed"), "placed"),
    (N_("Accepted"), "accepted"),
    (N_("Packed"), "picked"),
    (N_("Collected"), "collected"),
)
_DELIVERY = (
    (N_("Placed"), "placed"),
    (N_("Accepted"), "accepted"),
    (N_("Packed"), "picked"),
    (N_("On the way"), "handed_over"),
    (N_("Delivered"), "delivered"),
)
# What the shopper wants to read of an order's story; the rest is between shops, stock and ledger.
_FOR_SHOPPERS: tuple[type[Event], ...] = (
    OrderPlaced,
    OrderExpired,
    PaymentHeld,
    CardPaymentDeclined,
    PartAccepted,
    PartPicked,
    PartHandedOver,
    PartDelivered,
    PartCollected,
    PartEnded,
    PaymentCaptured,
    PaymentRefunded,
    CardRefundAsked,
)


class LineOf(msgspec.Struct, frozen=True):
    """A line of an order in words. `picked`: how many of it there were in the end."""

    title: str
    picture: str
    href: str
    quantity: int
    picked: int
    price_minor: int
    total_minor: int


class Receipt(msgspec.Struct, frozen=True):
    """What a part came to: lines, fee, VAT by rate, what was given back."""

    lines: list[LineOf]
    goods_minor: int
    fee_minor: int
    vat: tuple[VatAmount, ...]
    refunded_minor: int


class PartOf(msgspec.Struct, frozen=True):
    """One shop's part of an order, as its shopper sees it."""

    part_id: str
    shop_id: str
    shop: str
    street: str
    stage: str
    ended: bool
    ended_as: str
    steps: list[Step]
    promised: str
    reason: str
    receipt: Receipt


class Happened(msgspec.Struct, frozen=True):
    """One thing that happened, for the timeline."""

    what: str
    note: str
    at: datetime
    state: str
    icon: str


class StoryShown(msgspec.Struct, frozen=True):
    """An order with all that its page shows."""

    order: Order
    placed_at: datetime
    parts: list[PartOf]
    timeline: list[Happened]
    address: str
    total_minor: int
    can_cancel: bool
    open: bool


@get("/orders", roles=SHOPPER)
async def orders_page(
    visit: NamedDependency[Visit],
    before: Annotated[str, QueryParameter(required=False, max_length=ID_LENGTH_MAX)] = "",
) -> Reply:
    """The shopper's orders, page by page back to the first one."""
    ids = await orders_from(visit.house, visit.me, before=before, limit=LIST_MAX + 1)
    mine = [
        {
            "order": found,
            "at": from_micros(found.placed_us),
            "shops": " + ".join(shop_name(visit, state.part.shop_id) for state in found.parts.values()),
            "pieces": sum(sum(state.quantities) for state in found.parts.values()),
            "total_minor": _total(found),
            "state": state_of(found),
            "pictures": [line.picture for s in found.parts.values() for line in lines_of(visit, s)][:4],
        }
        for found in (order_of(visit.house, order_id) for order_id in ids[:LIST_MAX])
    ]
    older = ids[LIST_MAX - 1] if len(ids) > LIST_MAX else ""
    there = orders_abroad(visit) if not before else []
    return visit.page("shopper/orders.html", section="orders", orders=mine, older=older, abroad=there)


@get("/orders/{order_id:str}", roles=SHOPPER, sync_to_thread=False)
def order_page(visit: NamedDependency[Visit], order_id: FromPath[str]) -> Reply:
    """One order: where it stands, what happened, what it costs."""
    return visit.page("shopper/order.html", section="orders", story=shown(visit, order_id), demo=visit.demo)


@get("/live/orders/{order_id:str}", roles=SHOPPER, sync_to_thread=False)
def order_live(visit: NamedDependency[Visit], order_id: FromPath[str]) -> Stream:
    """The same, each time that something happens to it."""
    shown(visit, order_id)

    def now() -> str:
        return visit.fragment(
            "parts/order.html", "order_live", shown(visit, order_id), visit.district.currency, visit.demo
        )

    return visit.stream(visit.backstage.live.of_story(order_id, "order", now))


@post("/orders/{order_id:str}/cancel", roles=SHOPPER)
async def cancel(visit: NamedDependency[Visit], order_id: FromPath[str]) -> Reply:
    """Cancel all parts that are not packed yet."""
    _mine(visit, order_id)
    await visit.run(orders.cancel, order_id)
    return visit.go(f"/orders/{order_id}", toast=visit.say("The order is cancelled; the money is yours again."))


ROUTES = (orders_page, order_page, order_live, cancel)


def shown(visit: Visit, order_id: str) -> StoryShown:
    """An order of the visitor with all that its page shows; raises `NotFound`."""
    found = _mine(visit, order_id)
    entries = visit.house.journal.story(order_id)
    events = [(from_micros(entry.time_us), decode(entry.name, entry.version, entry.body)) for entry in entries]
    shops = {part_id: shop_name(visit, state.part.shop_id) for part_id, state in found.parts.items()}
    parts = [_part(visit, found, state, [event for _, event in events if event]) for state in found.parts.values()]
    return StoryShown(
        found,
        from_micros(found.placed_us),
        parts,
        [_happened(visit, event, at, shops) for at, event in events if isinstance(event, _FOR_SHOPPERS)],
        _address(visit, found),
        _total(found),
        any(state.stage in ("placed", "accepted") for state in found.parts.values()),
        not found.closed,
    )


def steps(visit: Visit, found: Order, state: PartState) -> list[Step]:
    """The way of a part in a few words: what is done, what comes now, what is next."""
    way = _PICKUP if found.placed.fulfilment == "pickup" else _DELIVERY
    reached = next((i for i, (_, stage) in enumerate(way) if stage == state.stage), -1)
    if state.stage == "settled":
        reached = len(way) - 1
    texts = [visit.say(text) for text, _ in way]
    if state.stage in ENDED and state.stage != "settled":
        return [(text, "next") for text in texts]
    there = reached == len(way) - 1
    return [
        (text, "done" if i < reached or there else "now" if i == reached else "next") for i, text in enumerate(texts)
    ]


def lines_of(visit: Visit, state: PartState) -> list[LineOf]:
    """The lines of a part in words."""
    products = visit.district.view(Catalogue).products
    return [
        LineOf(
            goods.title(visit, products[line.product_id]),
            goods.picture(products[line.product_id]),
            f"/products/{line.product_id}",
            line.quantity,
            picked,
            line.price_minor,
            line.price_minor * picked,
        )
        for line, picked in zip(state.part.lines, state.quantities, strict=True)
    ]


def state_of(found: Order) -> str:
    """Where an order stands as a whole: what is furthest behind of its parts, unless all have ended."""
    stages = [state.stage for state in found.parts.values()]
    if not found.accepted and not found.closed:
        return "placed"
    order = ("placed", "accepted", "picked", "handed_over", "delivered", "collected", "settled")
    alive = [stage for stage in stages if stage in order]
    return min(alive, key=order.index) if alive else stages[0]


def _mine(visit: Visit, order_id: str) -> Order:
    found = order_of(visit.house, order_id)
    if found.placed.shopper_id != visit.me:
        raise NotFound("market.unknown_order", "There is no order with this id.", order_id=order_id)
    return found


def _part(visit: Visit, found: Order, state: PartState, events: Sequence[Event]) -> PartOf:
    part = state.part
    picked = [e for e in events if isinstance(e, PartPicked) and e.part_id == part.part_id]
    refunds = [e for e in events if isinstance(e, PaymentRefunded) and e.part_id == part.part_id]
    shop = visit.district.view(Catalogue).shops[part.shop_id]
    receipt = Receipt(
        lines_of(visit, state),
        state.goods_minor,
        state.fee_minor,
        picked[-1].vat if picked else part.vat,
        sum(e.goods_minor + e.fee_minor for e in refunds),
    )
    stage = "refunded" if refunds else state.stage
    return PartOf(
        part.part_id,
        part.shop_id,
        shop.name,
        shop.street,
        stage,
        state.stage in ENDED and state.stage != "settled",
        state.stage,
        steps(visit, found, state),
        visit.when(part.promised_us),
        reason_said(visit, state.reason),
        receipt,
    )


def _happened(visit: Visit, event: Event, at: datetime, shops: dict[str, str]) -> Happened:
    said = tell_event(visit, event, shops)
    return Happened(said.what, said.note, at, "failed" if said.failed else "done", said.icon)


def _address(visit: Visit, found: Order) -> str:
    if found.placed.fulfilment == "pickup":
        return ""
    mine = dict(visit.backstage.homes.addresses(visit.me))
    address = mine.get(found.placed.address_id)
    return (
        f"{address.street}, {address.postcode} {address.city}" if address else visit.say("an address that was erased")
    )


def _total(found: Order) -> int:
    """What it comes to by now: parts that ended before cost nothing."""
    alive = [s for s in found.parts.values() if s.stage not in ENDED or s.stage == "settled"]
    return sum(state.goods_minor + state.fee_minor for state in alive)

"""Routes of orders: place, place many, read, cancel, and give money back.

Here and not in a context, because an order meets all of them. Who may see an order: its shopper, whole;
a shop, its own part only; the league, whole.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter

from hanse.app.home import Home
from hanse.app.http.orders import Reply, fingerprint, order_reply, refusal
from hanse.app.http.problems import Problem
from hanse.district.answers import KEY_LENGTH_MAX
from hanse.district.asking import Ask
from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import captured_in
from hanse.flows import order
from hanse.flows.order import OrderAnswer, PlaceOrder
from hanse.kernel.errors import HanseError, NotAllowed, NotFound
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.money import AMOUNT_MAX_MINOR
from hanse.kernel.principal import Principal
from hanse.kernel.values import EndReason, Fulfilment, Line, PayBy, RefundReason, VatAmount
from hanse.market.baskets.views import basket
from hanse.market.orders import service as orders
from hanse.market.orders.archive import orders_before
from hanse.market.orders.views import Order, Orders, from_story, orders_of_shopper

__all__ = ["BATCH_MAX", "ROUTES", "LineShown", "OrderShown", "lines_shown", "order_of", "order_shown"]

BATCH_MAX = 500
BATCH_BYTES_MAX = 4 * 1_048_576
PAGE_MAX = 50


class LineShown(Line, frozen=True, array_like=False, omit_defaults=True):
    """A line of an order, as an object with names: pieces of an offer at the gross price of then."""


class PartShown(msgspec.Struct, frozen=True):
    """A part of an order as its shopper sees it; `quantities` is what is left of each line by now."""

    part_id: str
    shop_id: str
    stage: str
    lines: tuple[LineShown, ...]
    quantities: tuple[int, ...]
    goods_minor: int
    fee_minor: int
    vat: tuple[VatAmount, ...]
    promised_us: int
    reason: str = ""


class OrderShown(msgspec.Struct, frozen=True):
    """An order. `outcome` is empty while it is open."""

    order_id: str
    shopper_id: str
    placed_us: int
    accepted: bool
    outcome: str
    fulfilment: Fulfilment
    address_id: str
    payment: PayBy
    currency: str
    total_minor: int
    parts: tuple[PartShown, ...]


class OrderPage(msgspec.Struct, frozen=True):
    """Orders, newest first, and the cursor of those that follow; empty at the end."""

    orders: tuple[OrderShown, ...]
    next: str = ""


class BatchOrder(PlaceOrder, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """An order of a batch, under a key of its own. `shopper_id` is for the league, which orders for others."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_LENGTH_MAX)]
    shopper_id: Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)] = ""


class BatchAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one order of a batch: the status and body that it would have had alone."""

    key: str
    status: int
    order: OrderAnswer | None = None
    problem: Problem | None = None


class Checkout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card to be charged, if the basket is paid by card."""

    card_token: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Refund(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much goes back of a part's goods and of its delivery fee."""

    reason: RefundReason
    goods_minor: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX_MINOR)] = 0
    fee_minor: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX_MINOR)] = 0


class Cancellation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, if somebody wants to say."""

    reason: EndReason = ""


_ANSWERS = {
    202: ResponseSpec(OrderAnswer, description="Placed; the card is being charged.", generate_examples=False),
    402: ResponseSpec(Problem, description="The wallet holds too little.", generate_examples=False),
    409: ResponseSpec(Problem, description="Sold out, or the key is being worked on.", generate_examples=False),
}


@post("/api/orders", roles=("shopper",), tags=["orders"], summary="Place an order", responses=_ANSWERS)
async def place_order(ask: NamedDependency[Ask], data: JSONBody[PlaceOrder]) -> Response[OrderAnswer]:
    """Place an order over one or more shops: all of it or nothing. `hanse.app.http.front` does the same, faster."""
    return _sent(order_reply(await ask.whole(order.place, ask.caller, data)))


@post("/api/basket/order", roles=("shopper",), tags=["orders"], summary="Order your basket", responses=_ANSWERS)
async def order_basket(ask: NamedDependency[Ask], data: JSONBody[Checkout | None] = None) -> Response[OrderAnswer]:
    """Order what lies in your basket, as you chose it there."""
    answer = await ask.whole(place_basket, ask.caller, data.card_token if data else "")
    return _sent(order_reply(answer, "/api/basket/order"))


def place_basket(district: District, shopper_id: str, card_token: str) -> OrderAnswer:
    """Place an order for what lies in a shopper's basket at this moment."""
    kept = basket(district, shopper_id)
    request = PlaceOrder(
        kept.lines, kept.fulfilment, kept.address_id if kept.fulfilment == "delivery" else "", kept.payment, card_token
    )
    return order.place(district, shopper_id, request)


@post(
    "/api/orders:batch",
    roles=("shopper", "league"),
    tags=["orders"],
    summary="Place many orders",
    status_code=200,
    request_max_body_size=BATCH_BYTES_MAX,
)
async def place_batch(
    house: NamedDependency[Home],
    principal: NamedDependency[Principal],
    data: JSONBody[Annotated[tuple[BatchOrder, ...], msgspec.Meta(min_length=1, max_length=BATCH_MAX)]],
) -> Response[tuple[BatchAnswer, ...]]:
    """Place up to 500 orders, each by itself and under its own key; the answers stand in the same order."""
    pending = [_submit(house, principal, one) for one in data]
    rows = []
    for one, answer in zip(data, pending, strict=True):
        reply = answer if isinstance(answer, Reply) else order_reply(await answer, "/api/orders:batch")
        what = b"order" if reply.status < 400 else b"problem"
        key = msgspec.json.encode(one.key)
        rows.append(b'{"key":%b,"status":%d,"%b":%b}' % (key, reply.status, what, reply.body))
    return Response(b"[" + b",".join(rows) + b"]", media_type="application/json")  # type: ignore[arg-type]


def _submit(house: Home, principal: Principal, one: BatchOrder) -> "asyncio.Future[Answer] | Reply":
    try:
        shopper_id = _for_whom(principal, one.shopper_id)
        request = PlaceOrder(one.lines, one.fulfilment, one.address_id, one.payment, one.card_token)
        stamp = fingerprint("POST", "/api/orders:batch", msgspec.json.encode((shopper_id, request)))
        return house.submit(Job(order.place, (shopper_id, request), principal.caller, one.key, stamp))
    except HanseError as error:
        return refusal(error, "/api/orders:batch")


def _for_whom(principal: Principal, shopper_id: str) -> str:
    if principal.role == "league" and shopper_id:
        return shopper_id
    if principal.role == "shopper" and shopper_id in ("", principal.id):
        return principal.id
    raise NotAllowed(
        "market.other_shopper", "Order for yourself; only the league orders for others.", field="shopper_id"
    )


@get("/api/orders", roles=("shopper",), tags=["orders"], summary="Your orders")
async def list_orders(
    house: NamedDependency[Home],
    principal: NamedDependency[Principal],
    cursor: Annotated[str, QueryParameter(required=False, max_length=ID_LENGTH_MAX)] = "",
    limit: Annotated[int, QueryParameter(required=False, ge=1, le=PAGE_MAX)] = 20,
) -> OrderPage:
    """Your orders, newest first, back to the first one. The cursor is the last id of the page before."""
    ids = await orders_from(house, principal.id, before=cursor, limit=limit + 1)
    shown = tuple(order_shown(order_of(house, order_id)) for order_id in ids[:limit])
    return OrderPage(shown, ids[limit - 1] if len(ids) > limit else "")


async def orders_from(house: Home, shopper_id: str, *, before: str, limit: int) -> list[str]:
    """The ids of a shopper's orders, newest first, placed before one of them: the latest from memory, then archived."""
    mine = orders_of_shopper(house.district, shopper_id)
    found = [order_id for order_id in mine if not before or order_id < before][:limit]
    if len(found) < limit and (mine or before):
        last = found[-1] if found else before
        found += await orders_before(house.archive, shopper_id, last, limit=limit - len(found))
    return found


@get(
    "/api/orders/{order_id:str}", roles=("shopper", "league"), tags=["orders"], summary="An order", sync_to_thread=False
)
def get_order(
    house: NamedDependency[Home], principal: NamedDependency[Principal], order_id: FromPath[str]
) -> OrderShown:
    """One order, open or closed."""
    return order_shown(_mine(house, principal, order_id))


@post(
    "/api/orders/{order_id:str}/cancel",
    roles=("shopper",),
    tags=["orders"],
    summary="Cancel an order",
    status_code=200,
)
async def cancel_order(
    ask: NamedDependency[Ask],
    house: NamedDependency[Home],
    principal: NamedDependency[Principal],
    order_id: FromPath[str],
    data: JSONBody[Cancellation | None] = None,
) -> OrderShown:
    """Cancel every part that nobody has picked yet."""
    _mine(house, principal, order_id)
    await ask.run(orders.cancel, order_id, reason=data.reason if data else "")
    return order_shown(order_of(house, order_id))


@post(
    "/api/orders/{order_id:str}/parts/{part_id:str}/refund",
    roles=("shop", "league"),
    tags=["orders"],
    summary="Give money back",
    status_code=204,
)
async def refund_part(
    ask: NamedDependency[Ask],
    house: NamedDependency[Home],
    principal: NamedDependency[Principal],
    order_id: FromPath[str],
    part_id: FromPath[str],
    data: JSONBody[Refund],
) -> None:
    """Give back some or all of what was taken for a part; the commission on it goes back to the shop."""
    taken = captured_in(house.journal.story(order_id, limit=sys.maxsize), part_id, read_us=ask.district.now_us)
    if principal.role == "shop" and taken.shop != f"{principal.id}/sales":
        raise NotFound("market.unknown_part", "You have no such part.", part_id=part_id)
    await ask.run(payments.refund, taken, goods_minor=data.goods_minor, fee_minor=data.fee_minor, reason=data.reason)


ROUTES = (place_order, order_basket, place_batch, list_orders, get_order, cancel_order, refund_part)


def order_of(house: Home, order_id: str) -> Order:
    """An order, open from the view or closed from its story; raises `NotFound`."""
    found = house.district.view(Orders).open.get(order_id) or from_story(house.journal.story(order_id))
    if found is None:
        raise NotFound("market.unknown_order", "There is no order with this id.", order_id=order_id)
    return found


def order_shown(of: Order) -> OrderShown:
    """An order as its shopper sees it: without what the shops pay the league."""
    placed = of.placed
    parts = tuple(
        PartShown(
            state.part.part_id,
            state.part.shop_id,
            state.stage,
            lines_shown(state.part.lines),
            state.quantities,
            state.goods_minor,
            state.fee_minor,
            state.part.vat,
            state.part.promised_us,
            state.reason,
        )
        for state in of.parts.values()
    )
    return OrderShown(
        placed.order_id,
        placed.shopper_id,
        of.placed_us,
        of.accepted,
        of.closed,
        placed.fulfilment,
        placed.address_id,
        placed.payment,
        placed.currency,
        placed.total_minor,
        parts,
    )


def lines_shown(lines: Sequence[Line]) -> tuple[LineShown, ...]:
    """The lines of a part, as objects with names."""
    return tuple(LineShown(*msgspec.structs.astuple(line)) for line in lines)


def _mine(house: Home, principal: Principal, order_id: str) -> Order:
    found = order_of(house, order_id)
    # Not "not allowed": who may not see an order does not get to know that it exists.
    if principal.role != "league" and found.placed.shopper_id != principal.id:
        raise NotFound("market.unknown_order", "There is no order with this id.", order_id=order_id)
    return found


def _sent(reply: Reply) -> Response[Any]:
    headers = {name.decode(): value.decode() for name, value in reply.headers if name != b"idempotent-replayed"}
    media_type = headers.pop("content-type")
    return Response(reply.body, status_code=reply.status, headers=headers, media_type=media_type)

"""Routes of a shop's work: what was ordered from it, and each step until the goods are with the shopper.

A delivery address is opened for an open part of the shop's own that is to be brought, and for nothing
else; the same holds for a courier.
"""

import asyncio
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from hanse.app.home import Home
from hanse.app.http.placing import LineShown, lines_shown
from hanse.district.asking import Ask
from hanse.district.core import District
from hanse.kernel.errors import NotFound
from hanse.kernel.principal import Principal
from hanse.kernel.quantity import PIECES_MAX
from hanse.kernel.values import EndReason, Fulfilment
from hanse.market.orders import service as orders
from hanse.market.orders.views import ENDED, Order, Orders, PartState, orders_of_shop
from hanse.people.vault import Address

__all__ = ["ROUTES", "ShopPart", "address_for", "shop_part"]


class ShopPart(msgspec.Struct, frozen=True):
    """A part that a shop still has to do with. `commission_minor` is what the league takes of it."""

    order_id: str
    part_id: str
    stage: str
    placed_us: int
    promised_us: int
    fulfilment: Fulfilment
    lines: tuple[LineShown, ...]
    quantities: tuple[int, ...]
    goods_minor: int
    fee_minor: int
    commission_minor: int
    currency: str


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the shop can't; the shopper reads it."""

    reason: EndReason


class Picked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces per line that lie ready, in the order of the part's lines; none given: everything."""

    quantities: (
        Annotated[
            tuple[Annotated[int, msgspec.Meta(ge=0, le=PIECES_MAX)], ...], msgspec.Meta(max_length=orders.LINES_MAX)
        ]
        | None
    ) = None


class Delivery(msgspec.Struct, frozen=True):
    """Where a part is to be brought."""

    part_id: str
    address: Address


@get("/api/shop/parts", roles=("shop",), tags=["shop"], summary="What you have to do", sync_to_thread=False)
def list_parts(district: NamedDependency[District], principal: NamedDependency[Principal]) -> tuple[ShopPart, ...]:
    """The parts of orders that wait for your shop, the oldest first."""
    return tuple(shop_part(of, state) for of, state in orders_of_shop(district, principal.id))


@get(
    "/api/shop/parts/{part_id:str}/address",
    roles=("shop", "courier"),
    tags=["shop"],
    summary="Where to bring it",
)
async def get_address(
    house: NamedDependency[Home], principal: NamedDependency[Principal], part_id: FromPath[str]
) -> Delivery:
    """The address of an open part that is to be delivered."""
    address_id = address_for(house.district, principal, part_id)
    return Delivery(part_id, await asyncio.to_thread(house.vault.get, address_id, Address))


@post("/api/shop/parts/{part_id:str}/accept", roles=("shop",), tags=["shop"], summary="Take it on", status_code=204)
async def accept_part(ask: NamedDependency[Ask], principal: NamedDependency[Principal], part_id: FromPath[str]) -> None:
    """Promise to fulfil a part."""
    await ask.run(orders.accept_part, _order_of(ask.district, principal, part_id), part_id)


@post("/api/shop/parts/{part_id:str}/refuse", roles=("shop",), tags=["shop"], summary="Refuse it", status_code=204)
async def refuse_part(
    ask: NamedDependency[Ask], principal: NamedDependency[Principal], part_id: FromPath[str], data: JSONBody[Refusal]
) -> None:
    """Say that you can't; stock and money are free again."""
    order_id = _order_of(ask.district, principal, part_id)
    await ask.run(orders.end_part, order_id, part_id, why="refused", reason=data.reason)


@post("/api/shop/parts/{part_id:str}/pick", roles=("shop",), tags=["shop"], summary="It lies ready", status_code=204)
async def pick_part(
    ask: NamedDependency[Ask],
    principal: NamedDependency[Principal],
    part_id: FromPath[str],
    data: JSONBody[Picked | None] = None,
) -> None:
    """Say what lies ready; less than ordered lowers the bill."""
    order_id = _order_of(ask.district, principal, part_id)
    await ask.run(orders.pick_part, order_id, part_id, data.quantities if data else None)


@post(
    "/api/shop/parts/{part_id:str}/hand-over",
    roles=("shop",),
    tags=["shop"],
    summary="It leaves the shop",
    status_code=204,
)
async def hand_over_part(
    ask: NamedDependency[Ask], principal: NamedDependency[Principal], part_id: FromPath[str]
) -> None:
    """Hand a part to the shopper or to a courier; now the money is taken."""
    await ask.run(orders.hand_over_part, _order_of(ask.district, principal, part_id), part_id)


@post(
    "/api/shop/parts/{part_id:str}/deliver",
    roles=("shop", "courier"),
    tags=["shop"],
    summary="It is at the door",
    status_code=204,
)
async def deliver_part(
    ask: NamedDependency[Ask], principal: NamedDependency[Principal], part_id: FromPath[str]
) -> None:
    """Say that a part has been delivered."""
    await ask.run(orders.deliver_part, _order_of(ask.district, principal, part_id), part_id)


ROUTES = (list_parts, get_address, accept_part, refuse_part, pick_part, hand_over_part, deliver_part)


def shop_part(of: Order, state: PartState) -> ShopPart:
    """A part as its shop sees it."""
    return ShopPart(
        of.placed.order_id,
        state.part.part_id,
        state.stage,
        of.placed_us,
        state.part.promised_us,
        of.placed.fulfilment,
        lines_shown(state.part.lines),
        state.quantities,
        state.goods_minor,
        state.fee_minor,
        state.commission_minor,
        of.placed.currency,
    )


def address_for(district: District, principal: Principal, part_id: str) -> str:
    """The id of the address that an open part is to be brought to; raises `NotFound` if this is not one to bring."""
    found = district.view(Orders).open[_order_of(district, principal, part_id)]
    state = found.parts[part_id]
    if found.placed.fulfilment != "delivery" or state.stage in ENDED or state.stage == "delivered":
        raise NotFound("market.no_delivery", "This part is not to be delivered by you now.", part_id=part_id)
    return found.placed.address_id


def _order_of(district: District, principal: Principal, part_id: str) -> str:
    """The order of an open part that is this principal's to work on; raises `NotFound`."""
    # A part's id is its order's with a number behind it.
    order_id = part_id.rpartition("-")[0]
    found = district.view(Orders).open.get(order_id)
    state = found.parts.get(part_id) if found else None
    if found is None or state is None or not found.accepted or not _works_on(principal, found, state):
        raise NotFound("market.unknown_part", "You have no such open part.", part_id=part_id)
    return order_id


def _works_on(principal: Principal, of: Order, state: PartState) -> bool:
    if principal.role == "courier":
        return of.placed.fulfilment == "delivery" and state.stage in ("picked", "handed_over")
    return state.part.shop_id == principal.id

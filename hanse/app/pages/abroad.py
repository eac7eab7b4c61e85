"""The shopper at neighbours: their shops, what these offer, and where an order there stands."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from hanse.app.abroad import Ware
from hanse.app.http.orders import fingerprint
from hanse.app.neighbours import neighbours_of
from hanse.app.pages.buying import whole
from hanse.app.pages.tell import reason_said
from hanse.app.pages.visit import Reply, Visit
from hanse.app.pages.wording import AWAY_REFUSALS, shop_kind
from hanse.app.templating import drawn
from hanse.flows import neighbours as flow
from hanse.flows.neighbours import AskAnswer, AskNeighbour
from hanse.kernel.errors import HanseError, InvalidInput, NotFound, Unavailable
from hanse.kernel.quantity import PIECES_MAX
from hanse.kernel.time import from_micros
from hanse.kernel.values import SeenWish
from hanse.market.away.views import AwayOrder, away_orders_of, own_away_order

__all__ = ["ROUTES", "orders_abroad"]

SHOPPER = ("shopper",)
LIST_MAX = 20
CANCELLABLE = ("placed", "accepted")


@get("/neighbours", roles=SHOPPER)
async def neighbours_page(visit: NamedDependency[Visit]) -> Reply:
    """The neighbours and their shops; one that does not answer is named all the same."""
    tags = list(neighbours_of(visit.house.settings.neighbours))
    found = await asyncio.gather(*(_shops(visit, tag) for tag in tags))
    rows = [{"tag": tag, "shops": shops} for tag, shops in zip(tags, found, strict=True)]
    return visit.page("shopper/neighbours.html", section="home", neighbours=rows, orders=orders_abroad(visit))


@get("/neighbours/{tag:str}/shops/{shop_id:str}", roles=SHOPPER)
async def shop_abroad(
    visit: NamedDependency[Visit],
    tag: FromPath[str],
    shop_id: FromPath[str],
    cursor: Annotated[str, QueryParameter(required=False, max_length=20)] = "",
) -> Reply:
    """What a neighbour's shop offers, to be ordered from here."""
    shops, goods = await asyncio.gather(
        visit.backstage.abroad.shops(tag), visit.backstage.abroad.goods(tag, shop_id, cursor)
    )
    shop = next((one for one in shops if one.shop_id == shop_id), None)
    if shop is None:
        raise NotFound("market.unknown_shop", "The neighbour has no such shop.", shop_id=shop_id)
    path = f"/neighbours/{tag}/shops/{shop_id}"
    return visit.page(
        "shopper/shop_abroad.html",
        section="home",
        tag=tag,
        shop=shop,
        kind=visit.say(shop_kind(shop.kind)),
        wares=[(ware, _title(visit, ware), drawn(ware.picture)) for ware in goods.offers],
        key=visit.new_id("key"),
        cursor=cursor,
        next=visit.link(path, cursor=goods.next) if goods.next else None,
    )


@post("/neighbours/{tag:str}/shops/{shop_id:str}", roles=SHOPPER)
async def order_abroad(visit: NamedDependency[Visit], tag: FromPath[str], shop_id: FromPath[str]) -> Reply:
    """Order what was chosen at the prices that were shown; the form's key makes a double click one order."""
    form = await visit.form()
    back = visit.link(f"/neighbours/{tag}/shops/{shop_id}", cursor=form.get("cursor", "")[:20])
    try:
        lines = _wishes(form, shop_id)
        said = fingerprint("POST", back, msgspec.json.encode(lines))
        ask = visit.ask(form.get("key", "")[:64], said)
        answer = await ask.answer(AskAnswer, flow.ask, visit.me, tag, AskNeighbour(lines))
    except HanseError as error:
        return visit.go(back, toast=visit.refusal(error), tone="bad")
    if answer.result == "funds_short":
        short = visit.money(answer.short_minor)
        return visit.go(back, toast=visit.say("Your wallet is short of %(sum)s.", sum=short), tone="bad")
    return visit.go(f"/neighbours/orders/{answer.order_id}", toast=visit.say("The neighbour is asked."))


@get("/neighbours/orders/{order_id:str}", roles=SHOPPER, sync_to_thread=False)
def order_there(visit: NamedDependency[Visit], order_id: FromPath[str]) -> Reply:
    """Where an order at a neighbour's stands, as far as it was told."""
    return visit.page(
        "shopper/order_abroad.html",
        section="orders",
        order=_shown(visit, own_away_order(visit.district, visit.me, order_id)),
    )


@post("/neighbours/orders/{order_id:str}/cancel", roles=SHOPPER)
async def cancel_there(visit: NamedDependency[Visit], order_id: FromPath[str]) -> Reply:
    """Ask the neighbour to take back what nobody has packed."""
    own_away_order(visit.district, visit.me, order_id)
    await visit.run(flow.ask_cancel, order_id)
    return visit.go(f"/neighbours/orders/{order_id}", toast=visit.say("The neighbour is asked to take it back."))


ROUTES = (neighbours_page, shop_abroad, order_abroad, order_there, cancel_there)


def orders_abroad(visit: Visit) -> list[dict[str, Any]]:
    """The shopper's latest orders at neighbours, in words."""
    return [_shown(visit, order) for order in islice(away_orders_of(visit.district, visit.me), LIST_MAX)]


async def _shops(visit: Visit, tag: str) -> Any:
    try:
        return await visit.backstage.abroad.shops(tag)
    except Unavailable:
        return None


def _wishes(form: dict[str, str], shop_id: str) -> tuple[SeenWish, ...]:
    """What was chosen: a field for each offer's pieces, and one for the price that stood beside it."""
    wishes = []
    for name, text in form.items():
        kind, _, offer_id = name.partition(":")
        pieces = whole(text or "0", name) if kind == "pieces" else 0
        if pieces:
            if not 0 < pieces <= PIECES_MAX:
                raise InvalidInput("kernel.bad_quantity", f"Order between 1 and {PIECES_MAX} pieces.", field=name)
            price_minor = whole(form.get(f"price:{offer_id}", ""), name)
            wishes.append(SeenWish(offer_id, pieces, shop_id, price_minor))
    if not wishes:
        raise InvalidInput("market.nothing_chosen", "Choose at least one piece.", field="pieces")
    try:
        return msgspec.convert(msgspec.to_builtins(tuple(wishes)), flow.Lines)
    except msgspec.ValidationError as error:
        raise InvalidInput("market.bad_wishes", "Choose from what the page shows, at its prices.") from error


def _shown(visit: Visit, order: AwayOrder) -> dict[str, Any]:
    asked, states = order.asked, list(order.parts.values())
    open_ = not order.outcome
    total_minor = sum(state.goods_minor - state.refunded_minor for state in states) if states else asked.total_minor
    return {
        "id": asked.order_id,
        "tag": asked.neighbour,
        "shops": " + ".join(dict.fromkeys(state.part.shop_name for state in states)) or asked.neighbour,
        "pieces": sum(line.quantity for line in asked.lines),
        "total_minor": total_minor,
        "parts": [
            {
                "shop": state.part.shop_name,
                "stage": state.stage,
                "promised": from_micros(state.part.promised_us),
                "goods_minor": state.goods_minor,
                "refunded_minor": state.refunded_minor,
                "reason": reason_said(visit, state.reason),
            }
            for state in states
        ],
        "refused": visit.say(AWAY_REFUSALS[order.refusal.why]) if order.refusal else "",
        "open": open_,
        "cancelling": order.cancelling,
        "can_cancel": open_
        and not order.cancelling
        and (not states or any(state.stage in CANCELLABLE for state in states)),
        "state": states[0].stage if states else ("refused" if order.refusal else "placed"),
    }


def _title(visit: Visit, ware: Ware) -> str:
    return (ware.title_de or ware.title_en) if visit.locale == "de" else (ware.title_en or ware.title_de)

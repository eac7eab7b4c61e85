"""The shop's counter: what was ordered, accepted, packed and handed over, live."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from hanse.app.http.shop_parts import address_for
from hanse.app.i18n import N_
from hanse.app.pages.buying import whole
from hanse.app.pages.following import LineOf, lines_of
from hanse.app.pages.seats import PERSON_COOKIE
from hanse.app.pages.tell import reason_said
from hanse.app.pages.visit import Reply, Visit
from hanse.events.dictionary import kind_of
from hanse.events.finance import PaymentHeld
from hanse.events.market import OrderPlaced, ShopJoined
from hanse.journal.protocol import Entry
from hanse.kernel.errors import HanseError, NotFound
from hanse.kernel.time import SECOND_US
from hanse.market.catalogue.views import shop
from hanse.market.orders import service as orders
from hanse.market.orders.views import Order, Orders, PartState, orders_of_shop
from hanse.people.vault import Address

__all__ = ["ROUTES"]

SHOP = ("shop",)
COLUMN_MAX = 8
_ACCEPTING = (kind_of(OrderPlaced).name, kind_of(PaymentHeld).name)
COLUMNS = (
    ("placed", N_("New"), N_("Nothing new. The next order appears here by itself.")),
    ("accepted", N_("To pack"), N_("Nothing to pack.")),
    ("picked", N_("Ready"), N_("Nothing waits to be fetched.")),
    ("handed_over", N_("On the way"), N_("Nobody is on the way.")),
)
REASONS = ("sold_out", "quality", "closing", "too_busy")


class Ticket(msgspec.Struct, frozen=True):
    """A part of an order as the shop's counter sees it."""

    order_id: str
    part_id: str
    number: str
    stage: str
    mine: bool
    delivery: bool
    promised: str
    late: bool
    age_s: int
    pieces: int
    lines: list[LineOf]
    goods_minor: int
    commission_minor: int


class Column(msgspec.Struct, frozen=True):
    """Parts at one stage; `more` of them are not shown."""

    stage: str
    title: str
    nothing: str
    tickets: list[Ticket]
    count: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.tickets)


@get("/shop", roles=SHOP, sync_to_thread=False)
def counter(visit: NamedDependency[Visit]) -> Reply:
    """What waits for the shop, stage by stage."""
    return visit.page("shop/counter.html", section="orders", shop=my_shop(visit), columns=_columns(visit))


@get("/live/counter", roles=SHOP, sync_to_thread=False)
def counter_live(visit: NamedDependency[Visit]) -> Stream:
    """The same, each time that something happens to a part of the shop's."""
    mine = {found.placed.order_id for found, _ in visit.district.view(Orders).parts_at(visit.me)}

    def concerns(entry: Entry) -> bool:
        if entry[2] in _ACCEPTING:
            found = visit.district.view(Orders).open.get(entry[4])
            if found and found.accepted and any(state.part.shop_id == visit.me for state in found.parts.values()):
                mine.add(entry[4])
        return entry[4] in mine

    def now(_: list[Entry]) -> list[tuple[str, str]]:
        mine.intersection_update(visit.district.view(Orders).open)
        return [("counter", visit.fragment("parts/counter.html", "columns", _columns(visit)))]

    return visit.stream(visit.backstage.live.watch(concerns, now))


@get("/shop/parts/{part_id:str}", roles=SHOP, sync_to_thread=False)
def part_page(visit: NamedDependency[Visit], part_id: FromPath[str]) -> Reply:
    """One part: to accept or refuse, to pack line by line, to hand over."""
    return _part_page(visit, part_id)


@post("/shop/parts/{part_id:str}/{act:str}", roles=SHOP)
async def move(visit: NamedDependency[Visit], part_id: FromPath[str], act: FromPath[str]) -> Reply:
    """Take the next step with a part."""
    found, state = _mine(visit, part_id)
    order_id = found.placed.order_id
    form = await visit.form()
    try:
        if act == "accept":
            await visit.run(orders.accept_part, order_id, part_id)
        elif act == "refuse":
            await visit.run(orders.end_part, order_id, part_id, why="refused", reason=form.get("reason", "other"))
        elif act == "pick":
            picked = tuple(whole(form.get(f"line-{i}", str(n)), "quantities") for i, n in enumerate(state.quantities))
            await visit.run(orders.pick_part, order_id, part_id, picked)
        elif act == "hand-over":
            await visit.run(orders.hand_over_part, order_id, part_id)
        elif act == "deliver":
            await visit.run(orders.deliver_part, order_id, part_id)
        else:
            raise NotFound("app.no_page", "There is no such step.")
    except HanseError as error:
        if act == "pick" and part_id in found.parts:
            return _part_page(visit, part_id, refused=error)
        raise
    return visit.go(_after(act, part_id), toast=visit.say(_SAID[act]))


_SAID = {
    "accept": N_("Accepted. Now pack it."),
    "refuse": N_("Refused. Goods and money are free again."),
    "pick": N_("Packed. It waits to be fetched."),
    "hand-over": N_("Handed over. The money is on your account."),
    "deliver": N_("Delivered."),
}

ROUTES = (counter, counter_live, part_page, move)


def my_shop(visit: Visit) -> ShopJoined:
    """The shop in whose seat the visitor sits."""
    return shop(visit.district, visit.me)


def _after(act: str, part_id: str) -> str:
    return f"/shop/parts/{part_id}" if act == "accept" else "/shop"


def _columns(visit: Visit) -> list[Column]:
    tickets: dict[str, list[tuple[Order, PartState]]] = {stage: [] for stage, _, _ in COLUMNS}
    for found, state in orders_of_shop(visit.district, visit.me):
        if state.stage in tickets:
            tickets[state.stage].append((found, state))
    person_id = visit.request.cookies.get(PERSON_COOKIE, "") if visit.demo else ""
    columns = []
    for stage, title, nothing in COLUMNS:
        # The visitor's own order first: it is what they came to see.
        rows = sorted(tickets[stage], key=lambda row: row[0].placed.shopper_id != person_id)
        shown = [_ticket(visit, found, state) for found, state in rows[:COLUMN_MAX]]
        columns.append(Column(stage, visit.say(title), visit.say(nothing), shown, len(rows)))
    return columns


def _ticket(visit: Visit, found: Order, state: PartState) -> Ticket:
    part, placed = state.part, found.placed
    now_us = visit.clock_us()
    return Ticket(
        placed.order_id,
        part.part_id,
        number_of(part.part_id),
        state.stage,
        visit.demo and placed.shopper_id == visit.request.cookies.get(PERSON_COOKIE, ""),
        placed.fulfilment == "delivery",
        visit.when(part.promised_us),
        part.promised_us < now_us and state.stage in ("placed", "accepted"),
        max(0, (now_us - found.placed_us) // SECOND_US),
        sum(state.quantities),
        lines_of(visit, state),
        state.goods_minor,
        state.commission_minor,
    )


def number_of(part_id: str) -> str:
    """A short number to call out at the counter: of the order's id, what changes fastest."""
    head, _, part = part_id.rpartition("-")
    return f"{head[10:15].upper()}-{part}"


def _mine(visit: Visit, part_id: str) -> tuple[Order, PartState]:
    order_id = part_id.rpartition("-")[0]
    found = visit.district.view(Orders).open.get(order_id)
    state = found.parts.get(part_id) if found else None
    if found is None or state is None or not found.accepted or state.part.shop_id != visit.me:
        raise NotFound("market.unknown_part", "You have no such open part.", part_id=part_id)
    return found, state


def _part_page(visit: Visit, part_id: str, refused: HanseError | None = None) -> Reply:
    found, state = _mine(visit, part_id)
    context: dict[str, Any] = {
        "ticket": _ticket(visit, found, state),
        "reasons": [(code, reason_said(visit, code)) for code in REASONS],
        "address": _address(visit, part_id),
        "refused": visit.refusal(refused) if refused else "",
        "shop": my_shop(visit),
    }
    return visit.page("shop/part.html", section="orders", status=422 if refused else 200, **context)


def _address(visit: Visit, part_id: str) -> Address | None:
    """Where to bring it; opened only while this part is to be brought by this shop."""
    try:
        return visit.house.vault.get(address_for(visit.district, visit.principal, part_id), Address)
    except NotFound:
        return None

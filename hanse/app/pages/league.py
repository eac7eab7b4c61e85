"""The league's view of the district: what happens now, the journal, decisions, shops, troubles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from hanse.app.http.league import followers
from hanse.app.http.orders import fingerprint
from hanse.app.http.stream import happening
from hanse.app.http.troubles import event_of
from hanse.app.i18n import N_
from hanse.app.pages.tell import Saying, tell
from hanse.app.pages.visit import Reply, Visit
from hanse.app.pages.wording import shop_kind
from hanse.district.own import Decisions
from hanse.district.troubles import Way, settle, troubles
from hanse.events import district as own
from hanse.events import finance, market, people, supply
from hanse.events.dictionary import decode, kind_of, kinds
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.views import COMMISSION, sales_of
from hanse.flows.settlement import book, standings
from hanse.journal.protocol import Entry
from hanse.kernel.errors import HanseError
from hanse.kernel.money import minor_of
from hanse.kernel.time import SECOND_US, from_micros
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders
from hanse.people.members.views import Members

__all__ = ["ROUTES", "EntryShown", "entry_shown"]

LEAGUE = ("league",)
LINES_A_SECOND = 4
LINES_SHOWN = 14
POINTS_A_SECOND = 12
PAGE = 50
WINDOW = 1_000
WINDOWS_MAX = 20
DECISIONS_SHOWN = 50
LATE_COUNTED_MAX = 20_000
TROUBLES_SHOWN = 20
BODY_SHOWN_MAX = 6_000

# What one follows with one's eyes; the journal has everything.
_FOLLOWED = frozenset(
    kind_of(event).name
    for event in (
        market.OrderPlaced,
        market.OrderExpired,
        market.PartAccepted,
        market.PartPicked,
        market.PartHandedOver,
        market.PartDelivered,
        market.PartCollected,
        market.PartEnded,
        market.OrderClosed,
        market.ShopJoined,
        market.OffersSet,
        supply.StockCounted,
        supply.StockShort,
        finance.PaymentRefunded,
        finance.CardPaymentDeclined,
        people.MemberJoined,
        people.MemberErased,
        people.ConsentGiven,
        people.ConsentWithdrawn,
        own.StepFailed,
        own.CommandStopped,
        own.EffectFailed,
        own.ChannelParked,
    )
)
_PLACED = kind_of(market.OrderPlaced).name


class EntryShown(msgspec.Struct, frozen=True):
    """An entry of the journal in words, with what it says exactly."""

    position: int
    at: Any
    name: str
    saying: Saying
    story: str
    href: str
    body: str


class TroubleShown(msgspec.Struct, frozen=True):
    """Something that waits for a person, in words, and what can be done about it: a path's end, and a button's text."""

    id: str
    what: str
    where: str
    error: str
    times: int
    ways: list[tuple[str, str]]


@get("/league", roles=LEAGUE, sync_to_thread=False)
def now(visit: NamedDependency[Visit]) -> Reply:
    """What happens in the district now."""
    pulse = visit.backstage.pulse
    latest = [entry for entry in reversed(pulse.recent) if entry[2] in _FOLLOWED][:LINES_SHOWN]
    return visit.page(
        "league/now.html",
        section="now",
        stats=_stats(visit),
        series=pulse.series(visit.now_us),
        lines=[entry_shown(visit, entry) for entry in latest],
        points=_shop_points(visit),
        troubles=_troubles(visit),
        followers=followers(visit.house),
        standings=standings(visit.district),
        key=visit.new_id("key"),
        world=visit.world(),
    )


@get("/live/league", roles=LEAGUE, sync_to_thread=False)
def now_live(visit: NamedDependency[Visit]) -> Stream:
    """The same, each second."""

    def say(heard: list[Entry]) -> list[tuple[str, str]]:
        at_us = visit.clock_us()
        rate = visit.backstage.pulse.rate(at_us)
        messages = [
            ("rate", json.dumps([at_us // SECOND_US, rate])),
            ("stats", visit.fragment("parts/league.html", "stats", _stats(visit))),
        ]
        followed = [entry for entry in heard if entry[2] in _FOLLOWED][-LINES_A_SECOND:]
        if followed:
            lines = "".join(_line(visit, entry) for entry in reversed(followed))
            messages.append(("lines", lines))
        points = list(islice(_pulses(visit, heard), POINTS_A_SECOND))
        if points:
            messages.append(("points", json.dumps(points)))
        return messages

    return visit.stream(visit.backstage.live.watch(lambda entry: True, say, every_s=1.0))


@post("/league/troubles/{trouble_id:str}/{way:str}", roles=LEAGUE)
async def settle_trouble(visit: NamedDependency[Visit], trouble_id: FromPath[str], way: FromPath[Way]) -> Reply:
    """Do something about a trouble."""
    await visit.run(settle, trouble_id, way, event_of(visit.house, trouble_id))
    return visit.go("/league", toast=visit.say("Done. See whether it stays off the list."))


@post("/league/neighbours/{tag:str}/payments", roles=LEAGUE)
async def book_payment(visit: NamedDependency[Visit], tag: FromPath[str]) -> Reply:
    """Book that a neighbour has paid some of what it owes."""
    form = await visit.form()
    try:
        amount_minor = minor_of(form.get("amount", ""), visit.district.currency)
        reference = form.get("reference", "")
        # The form's key makes a double click one payment.
        said = fingerprint("POST", f"/league/neighbours/{tag}/payments", f"{amount_minor} {reference}".encode())
        await visit.ask(form.get("key", "")[:64], said).run(book, tag, amount_minor, reference=reference)
    except HanseError as error:
        return visit.go("/league", toast=visit.refusal(error), tone="bad")
    return visit.go("/league", toast=visit.say("Booked. The neighbour is told."))


@get("/league/journal", roles=LEAGUE, sync_to_thread=False)
def journal(
    visit: NamedDependency[Visit],
    name: Annotated[str, QueryParameter(required=False, max_length=80)] = "",
    before: Annotated[int, QueryParameter(required=False, ge=0)] = 0,
) -> Reply:
    """The journal, newest first, of one kind of event or of all."""
    rows = _latest(visit, name, before or visit.district.position + 1)
    shown = [entry_shown(visit, entry) for entry in rows[:PAGE]]
    last = str(rows[PAGE - 1].position) if len(rows) > PAGE else ""
    return visit.page(
        "league/journal.html",
        section="journal",
        rows=shown,
        name=name,
        names=[("", visit.say("All events")), *((kind.name, kind.name) for kind in kinds())],
        next=visit.link("/league/journal", name=name, before=last) if last else None,
        continued=bool(before),
        position=visit.district.position,
    )


@get("/league/decisions", roles=LEAGUE, sync_to_thread=False)
def decisions(visit: NamedDependency[Visit]) -> Reply:
    """What brains chose and why; as long as none is at work, that is said."""
    view = visit.district.view(Decisions)
    ids = list(view.latest)[: -DECISIONS_SHOWN - 1 : -1]
    rows = [(view.latest[i], view.outcomes.get(i, [])) for i in ids]
    return visit.page("league/decisions.html", section="decisions", rows=rows)


@get("/league/shops", roles=LEAGUE, sync_to_thread=False)
def shops(visit: NamedDependency[Visit]) -> Reply:
    """The shops of the league with what they do."""
    orders, catalogue = visit.district.view(Orders), visit.district.view(Catalogue)
    accounts = visit.district.view(Ledger).accounts
    rows: list[dict[str, Any]] = []
    for shop_id, shop in catalogue.shops.items():
        sales = accounts.get(sales_of(shop_id))
        came = [m for m in sales.recent if m.amount_minor > 0 and m.other != COMMISSION] if sales else []
        rows.append(
            {
                "shop": shop,
                "kind": visit.say(shop_kind(shop.kind)),
                "offers": len(catalogue.by_shop.get(shop_id, ())),
                "open": orders.open_at(shop_id),
                "balance_minor": sales.balance_minor if sales else 0,
                "latest": from_micros(came[-1].time_us) if came else None,
            }
        )
    rows.sort(key=lambda row: -row["balance_minor"])
    return visit.page("league/shops.html", section="shops", rows=rows)


ROUTES = (now, now_live, settle_trouble, book_payment, journal, decisions, shops)


def entry_shown(visit: Visit, entry: Entry, shops: dict[str, str] | None = None) -> EntryShown:
    """An entry in words."""
    story = entry[4]
    return EntryShown(
        entry[0],
        from_micros(entry[1]),
        entry[2],
        tell(visit, Entry(*entry), shops),
        story,
        f"/league/stories/{story}" if story else "",
        readable(entry),
    )


def readable(entry: Entry) -> str:
    """What an entry says exactly, but for what lets money be taken."""
    shown = msgspec.json.decode(msgspec.json.encode(happening(entry)))
    text = msgspec.json.format(msgspec.json.encode(shown.get("body", {})), indent=2).decode()
    return text if len(text) <= BODY_SHOWN_MAX else f"{text[:BODY_SHOWN_MAX]}\n…"


def _line(visit: Visit, entry: Entry) -> str:
    shown = entry_shown(visit, entry)
    return visit.fragment("parts/league.html", "line", shown)


def _stats(visit: Visit) -> dict[str, Any]:
    district = visit.district
    orders, catalogue = district.view(Orders), district.view(Catalogue)
    at_us, world = visit.clock_us(), visit.world()
    return {
        "rate": visit.backstage.pulse.rate(at_us),
        "open": len(orders.open),
        "placed": orders.placed,
        "closed": orders.closed,
        "members": len(district.view(Members).by_id),
        "shops": len(catalogue.shops),
        "offers": len(catalogue.offers),
        "short": visit.backstage.pulse.short,
        "late": sum(1 for _ in _late(orders, at_us)) if len(orders.open) <= LATE_COUNTED_MAX else None,
        "entries": district.position,
        "world_at": from_micros(world.time_us) if world else None,
    }


def _late(orders: Orders, at_us: int) -> Iterator[str]:
    """Parts that should lie ready by now and do not."""
    for found in orders.open.values():
        for part_id, state in found.parts.items():
            if state.stage in ("placed", "accepted") and state.part.promised_us < at_us:
                yield part_id


def _shop_points(visit: Visit) -> list[dict[str, Any]]:
    return [
        {
            "id": s.shop_id,
            "lon": s.place.lon,
            "lat": s.place.lat,
            "label": s.name,
            "href": f"/league/stories/{s.shop_id}",
            "small": True,
        }
        for s in visit.backstage.shops().values()
    ]


def _pulses(visit: Visit, heard: list[Entry]) -> Iterator[dict[str, Any]]:
    """A beat on the map where an order has been placed."""
    shops = visit.backstage.shops()
    for entry in heard:
        event = decode(entry[2], entry[3], entry[7]) if entry[2] == _PLACED else None
        for part in event.parts if isinstance(event, market.OrderPlaced) else ():
            place = shops[part.shop_id].place
            yield {"id": part.part_id, "lon": place.lon, "lat": place.lat, "tone": "pulse"}


def _latest(visit: Visit, name: str, before: int) -> list[Entry]:
    """Entries in front of a position, newest first; of one kind, as far back as a look may go."""
    found: list[Entry] = []
    end = before
    for _ in range(WINDOWS_MAX):
        size = WINDOW if name else PAGE + 1
        start = max(0, end - 1 - size)
        window = [entry for entry in visit.house.journal.read(start, limit=end - 1 - start) if entry.position < end]
        found += [entry for entry in reversed(window) if not name or entry.name == name]
        end = start + 1
        if len(found) > PAGE or start == 0:
            break
    return found[: PAGE + 1]


def _troubles(visit: Visit) -> list[TroubleShown]:
    return [
        TroubleShown(
            one.id,
            visit.say(_WHAT[one.kind]),
            f"{one.what} {one.position or ''}".strip(),
            one.error,
            one.times,
            [(way, visit.say(_WAY[way])) for way in one.ways],
        )
        for one in troubles(visit.district)[:TROUBLES_SHOWN]
    ]


_WHAT = {
    "step": N_("A step failed"),
    "effect": N_("The world outside did not answer"),
    "command": N_("A command stopped the writer"),
    "channel": N_("A neighbour is not understood"),
}
_WAY = {"retry": N_("Try again"), "unpark": N_("Let it be repeated"), "dismiss": N_("Put right by hand")}

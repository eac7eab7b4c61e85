"""The story of one thing: everything that happened to it, why, and which lines of code did it."""

from __future__ import annotations

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from hanse.app.origins import whereabouts
from hanse.app.pages.league import EntryShown, entry_shown
from hanse.app.pages.tell import shop_name
from hanse.app.pages.visit import Reply, Visit
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import from_story

__all__ = ["ROUTES"]

LEAGUE = ("league",)
ENTRIES_MAX = 300


class Told(msgspec.Struct, frozen=True):
    """An entry of a story: in words, with its cause and the code that recorded it."""

    shown: EntryShown
    origin: str
    place: str
    cause: int
    cause_known: bool
    after_ms: int


@get("/league/stories/{story_id:str}", roles=LEAGUE, sync_to_thread=False)
def story(visit: NamedDependency[Visit], story_id: FromPath[str]) -> Reply:
    """Everything that happened to one thing, in order."""
    entries = visit.house.journal.story(story_id, limit=ENTRIES_MAX) if len(story_id) <= 2 * ID_LENGTH_MAX else []
    if not entries:
        raise NotFound("app.unknown_story", "Nothing has happened under this id.")
    found = from_story(entries)
    shops = {p: shop_name(visit, s.part.shop_id) for p, s in found.parts.items()} if found else {}
    return visit.page(
        "league/story.html",
        section="journal",
        story_id=story_id,
        title=_title(visit, story_id),
        order=found,
        entries=_told(visit, entries, shops),
        total_minor=found.placed.total_minor if found else 0,
        shops=list(dict.fromkeys(shops.values())),
        cut=len(entries) == ENTRIES_MAX,
    )


ROUTES = (story,)


def _told(visit: Visit, entries: list[Entry], shops: dict[str, str]) -> list[Told]:
    here = {entry.position for entry in entries}
    began_us = entries[0].time_us
    return [
        Told(
            entry_shown(visit, entry, shops),
            entry.origin,
            whereabouts(entry.origin) or "",
            entry.cause,
            entry.cause in here,
            (entry.time_us - began_us) // 1_000,
        )
        for entry in entries
    ]


def _title(visit: Visit, story_id: str) -> str:
    kind = story_id.partition("_")[0]
    if kind == "shp":
        shop = visit.district.view(Catalogue).shops.get(story_id.partition("/")[0])
        return shop.name if shop else visit.say("A shop")
    titles = {"ord": visit.say("The story of an order"), "per": visit.say("The story of a member")}
    return titles.get(kind, visit.say("A story"))

"""The shopper looks around: welcome, near you, the range, a product, a shop."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from hanse.app.pages import goods
from hanse.app.pages.goods import Tile
from hanse.app.pages.visit import Reply, Visit
from hanse.app.pages.wording import ALLERGENS, shop_kind
from hanse.events.market import ShopJoined
from hanse.kernel.geo import Place
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.time import MINUTE_US, opens_us
from hanse.market.catalogue.views import Catalogue, Offer, product, shop

__all__ = ["ROUTES"]

NEAR_MAX = 10
AGAIN_MAX = 5
PAGE = 20
NEAREST_MAX = 8
FOUND_MAX = 240
CHOICES_A_DEPARTMENT = 4
EVERYBODY = ("public", "shopper", "shop", "courier", "league")

Word = Annotated[str, QueryParameter(required=False, max_length=80)]
Id = Annotated[str, QueryParameter(required=False, max_length=ID_LENGTH_MAX)]


@get("/", roles=EVERYBODY, sync_to_thread=False)
def home(visit: NamedDependency[Visit]) -> Reply:
    """Welcome for who has no seat; what is in stock nearby for a shopper; else the way to one's own seat."""
    if visit.seat == "shop":
        return visit.go("/shop")
    if visit.seat == "league":
        return visit.go("/league")
    if visit.seat is None:
        return _welcome(visit)
    here = visit.here
    return visit.page(
        "shopper/home.html",
        section="home",
        departments=visit.shelves.departments_of(visit.district),
        near=_near(visit, here),
        again=_again(visit, here),
        again_allowed=visit.district.allowed(visit.me, "personalisation"),
        points=_points(visit, here, large=NEAREST_MAX),
        shops=_nearest(visit, here)[:NEAREST_MAX],
        has_neighbours=bool(visit.house.settings.neighbours),
    )


def _welcome(visit: Visit) -> Reply:
    catalogue = visit.district.view(Catalogue)
    return visit.page(
        "shopper/welcome.html",
        shops=len(catalogue.shops),
        offers=len(catalogue.offers),
        departments=visit.shelves.departments_of(visit.district)[:8],
        points=[p for p in _points(visit, visit.here) if p["tone"] != "me"],
        ready=bool(catalogue.shops),
    )


@get("/browse", roles=EVERYBODY, sync_to_thread=False)
def browse(
    visit: NamedDependency[Visit],
    q: Annotated[str, QueryParameter(required=False, max_length=200)] = "",
    department: Word = "",
    category: Word = "",
    shop_id: Annotated[str, QueryParameter(name="shop", required=False, max_length=ID_LENGTH_MAX)] = "",
    after: Id = "",
) -> Reply:
    """Goods by words, department, category or shop, a page at a time."""
    here = visit.here
    words = q.strip()
    chosen = visit.shelves.categories.get(category)
    department = chosen.department if chosen else department
    sold_by = visit.district.view(Catalogue).shops.get(shop_id)
    key = chosen.key if chosen else f"/{department}" if department else ""
    found, following = _found(visit, words, key, sold_by, after, here)
    context: dict[str, Any] = {
        "tiles": found,
        "next": visit.link("/browse", q=words, department=department, category=category, shop=shop_id, after=following)
        if following
        else None,
        "words": words,
        "department": visit.shelves.department(department) if department else None,
        "category": chosen,
        "shop": sold_by,
        "departments": visit.shelves.departments_of(visit.district, shop_id if sold_by else ""),
        "categories": visit.shelves.categories_of(visit.district, department, shop_id if sold_by else ""),
        "continued": bool(after),
    }
    return visit.page("shopper/browse.html", section="browse", query=words, **context)


@get("/products/{product_id:str}", roles=EVERYBODY, sync_to_thread=False)
def product_page(visit: NamedDependency[Visit], product_id: FromPath[str]) -> Reply:
    """One product: what it is, and where it can be had."""
    here = visit.here
    shown = product(visit.district, product_id)
    offers = goods.of_product(visit, product_id, here)
    category = visit.shelves.categories.get(shown.category)
    others = [p for p in visit.shelves.products(visit.district, shown.category, limit=9) if p != product_id][:5]
    return visit.page(
        "shopper/product.html",
        section="browse",
        product=shown,
        title=goods.title(visit, shown),
        other_title=visit.said(shown.title_de, shown.title_en),
        picture=goods.picture(shown),
        content=goods.content(shown),
        category=category,
        department=visit.shelves.department_of(shown.category),
        allergens=[visit.say(ALLERGENS.get(a, a)) for a in shown.allergens],
        offers=offers,
        best=offers[0] if offers else None,
        points=[_shop_point(visit, o.shop, visit.money(o.offer.price_minor)) for o in offers if o.free > 0],
        others=goods.tiles(visit, others, here),
    )


@get("/shops/{shop_id:str}", roles=EVERYBODY, sync_to_thread=False)
def shop_page(visit: NamedDependency[Visit], shop_id: FromPath[str]) -> Reply:
    """One shop: where it is, when it is open, what it offers."""
    here, shown = visit.here, shop(visit.district, shop_id)
    catalogue = visit.district.view(Catalogue)
    offers = visit.shelves.offers(visit.district, shop_id, limit=PAGE)
    return visit.page(
        "shopper/shop.html",
        section="browse",
        shop=shown,
        kind=visit.say(shop_kind(shown.kind)),
        distance_m=visit.backstage.distance_m(here, shown),
        opens=_opens(visit, shown),
        week=_week(visit, shown),
        departments=visit.shelves.departments_of(visit.district, shop_id),
        size=len(catalogue.by_shop.get(shop_id, ())),
        tiles=[goods.tile(visit, catalogue.offers[o], here, name_shop=False) for o in offers],
        points=[_shop_point(visit, shown)],
    )


ROUTES = (home, browse, product_page, shop_page)


def _found(
    visit: Visit, words: str, key: str, sold_by: ShopJoined | None, after: str, here: Place
) -> tuple[list[Tile], str]:
    """The tiles of a page, and behind what to go on (empty at the end)."""
    district, catalogue = visit.district, visit.district.view(Catalogue)
    if words:
        return _searched(visit, words, key, sold_by, after, here)
    if sold_by:
        ids = visit.shelves.offers(district, sold_by.shop_id, key, after=after, limit=PAGE + 1)
        tiles = [goods.tile(visit, catalogue.offers[o], here, name_shop=False) for o in ids[:PAGE]]
    else:
        ids = visit.shelves.products(district, key, after=after, limit=PAGE + 1)
        tiles = goods.tiles(visit, ids[:PAGE], here)
    return tiles, ids[PAGE - 1] if len(ids) > PAGE else ""


def _searched(
    visit: Visit, words: str, key: str, sold_by: ShopJoined | None, after: str, here: Place
) -> tuple[list[Tile], str]:
    """What the words find: what is in stock first, else in the order of the best match."""
    catalogue = visit.district.view(Catalogue)
    found = [
        p for p in visit.index.search(words, limit=FOUND_MAX) if visit.shelves.stands_in(catalogue.products[p], key)
    ]
    offers = []
    for product_id in found:
        mine = [catalogue.offers[o] for o in catalogue.by_product.get(product_id, ())]
        if sold_by:
            offers += [o for o in mine if o.shop_id == sold_by.shop_id][:1]
        else:
            nearest = goods.best(visit, product_id, here)
            offers += [nearest] if nearest else []
    offers.sort(key=lambda o: goods.free_pieces(visit.district, o) <= 0)
    start = int(after) if after.isdigit() else 0
    tiles = [goods.tile(visit, o, here, name_shop=sold_by is None) for o in offers[start : start + PAGE]]
    return tiles, str(start + PAGE) if len(offers) > start + PAGE else ""


def _near(visit: Visit, here: Place) -> list[Tile]:
    """Something of every department, from the nearest open shop that has it."""
    personal, muted = visit.district.allowed(visit.me, "personalisation"), visit.muted()
    departments = [d for d in visit.shelves.departments_of(visit.district) if not (personal and d.key in muted)]
    rows = [_in_stock(visit, f"/{d.key}", here) for d in departments]
    mixed = (offer for row in zip_longest(*(islice(row, 2) for row in rows)) for offer in row if offer is not None)
    return [goods.tile(visit, offer, here) for offer in islice(mixed, NEAR_MAX)]


def _in_stock(visit: Visit, key: str, here: Place) -> Iterator[Offer]:
    """Offers of a department that can be had now, one a product, in the order of the shelf."""
    for product_id in visit.shelves.products(visit.district, key, limit=CHOICES_A_DEPARTMENT):
        offer = goods.best(visit, product_id, here)
        if offer is not None and goods.free_pieces(visit.district, offer) > 0:
            yield offer


def _again(visit: Visit, here: Place) -> list[Tile]:
    """What this shopper bought before; only if they allow to look at that."""
    if not visit.district.allowed(visit.me, "personalisation"):
        return []
    bought: dict[str, None] = {}
    for found in visit.orders(limit=8):
        for state in found.parts.values():
            bought |= dict.fromkeys(line.product_id for line in state.part.lines)
    wanted = (p for p in bought if visit.district.allowed(visit.me, "personalisation", _topic(visit, p)))
    return goods.tiles(visit, islice(wanted, AGAIN_MAX), here)


def _topic(visit: Visit, product_id: str) -> str:
    """What a product is about, as far as consent is concerned: its department."""
    return visit.shelves.department_of(product(visit.district, product_id).category).key


def _nearest(visit: Visit, here: Place) -> list[dict[str, Any]]:
    """The shops with what a list says of them, the nearest first."""
    nearby = visit.backstage.distances(here)
    shops = sorted(visit.backstage.shops().values(), key=lambda s: nearby[s.shop_id])
    return [
        {"shop": s, "kind": visit.say(shop_kind(s.kind)), "distance_m": nearby[s.shop_id], "opens": _opens(visit, s)}
        for s in shops
    ]


def _opens(visit: Visit, of: ShopJoined) -> str:
    """When a shop opens next; empty while it is open, or if nobody knows."""
    minute_us = visit.now_us // MINUTE_US * MINUTE_US
    opening_us = opens_us(of.hours, minute_us, visit.district.zone)
    return "" if opening_us in (minute_us, None) else visit.when(opening_us)


def _week(visit: Visit, of: ShopJoined) -> Iterator[tuple[str, str]]:
    """Opening hours in words, day by day."""
    for day, spans in zip(visit.weekdays(), of.hours.week, strict=True):
        text = ", ".join(f"{_clock(opens)}–{_clock(closes)}" for opens, closes in spans)
        yield day, text or visit.say("closed")


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _points(visit: Visit, here: Place, *, large: int = 0) -> list[dict[str, Any]]:
    """All shops, the nearest of them as large pins, and the visitor."""
    nearby = visit.backstage.distances(here)
    shops = sorted(visit.backstage.shops().values(), key=lambda s: nearby[s.shop_id], reverse=True)
    small = {s.shop_id for s in shops[: max(0, len(shops) - large)]}
    me = {"id": "me", "lon": here.lon, "lat": here.lat, "label": visit.say("You"), "tone": "me"}
    points = [_shop_point(visit, s) | ({"small": True} if s.shop_id in small else {}) for s in shops]
    return [*points, *([me] if visit.seat == "shopper" else [])]


def _shop_point(visit: Visit, of: ShopJoined, text: str = "") -> dict[str, Any]:
    return {
        "id": of.shop_id,
        "lon": of.place.lon,
        "lat": of.place.lat,
        "label": of.name,
        "href": f"/shops/{of.shop_id}",
        "tone": "closed" if of.shop_id in visit.closed else "open",
        **({"text": text} if text else {}),
    }

"""Taking a seat in a demonstration, and what every visitor may choose: language and brightness."""

from __future__ import annotations

import secrets
from itertools import islice

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency

from hanse.app.auth import issue_token
from hanse.app.http.demo import is_known, seat_cookie
from hanse.app.i18n import LOCALES
from hanse.app.pages.visit import LOCALE_COOKIE, THEME_COOKIE, Reply, Visit, local
from hanse.kernel.errors import NotFound
from hanse.kernel.principal import Principal
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders, orders_of_shopper
from hanse.people.members.views import Members

__all__ = ["PERSON_COOKIE", "ROUTES", "SHOP_COOKIE", "forgotten", "last_shop"]

PUBLIC = ("public",)
PERSON_COOKIE = "hanse_demo_person"
SHOP_COOKIE = "hanse_demo_shop"
YEAR_S = 365 * 24 * 3_600
_HOMES = {"shopper": "/", "shop": "/shop", "league": "/league"}
_DRAWN_FROM = 4_096


@post("/seat", roles=PUBLIC)
async def take_seat(visit: NamedDependency[Visit]) -> Reply:
    """Be a shopper, a shop or the league; whoever one was before in that seat, if one was."""
    form = await visit.form()
    seat, wish = form.get("seat", ""), form.get("id", "")
    if not visit.demo or seat not in _HOMES:
        raise NotFound("app.no_demo", "This is no demonstration; nobody can take a seat here.")
    principal = _principal(visit, seat, wish)
    if principal.role == "shopper" and visit.house.world is not None:
        # From now on the world leaves this member's shopping to the visitor.
        visit.house.world.visitors.add(principal.id)
    token = issue_token(visit.house.secret, principal, now_us=visit.now_us)
    cookies = [seat_cookie(token), *_remembered(principal)]
    return visit.go(local(form.get("next", ""), _HOMES[seat]) if form.get("next") else _HOMES[seat], cookies=cookies)


@post("/leave", roles=PUBLIC, sync_to_thread=False)
def leave(visit: NamedDependency[Visit]) -> Reply:
    """Stand up: be nobody again."""
    return visit.go("/", cookies=[forgotten(name) for name in ("hanse_seat", PERSON_COOKIE, SHOP_COOKIE)])


@post("/preferences", roles=PUBLIC)
async def prefer(visit: NamedDependency[Visit]) -> Reply:
    """Choose the language or the brightness."""
    form = await visit.form()
    cookies = []
    if form.get("locale") in LOCALES:
        cookies.append(_kept(LOCALE_COOKIE, form["locale"]))
    if form.get("theme") in ("auto", "light", "dark"):
        cookies.append(_kept(THEME_COOKIE, form["theme"]))
    return visit.go(local(form.get("next", "/")), cookies=cookies)


@get("/shop/choose", roles=(*PUBLIC, "shopper", "shop", "league"), sync_to_thread=False)
def choose_shop(visit: NamedDependency[Visit]) -> Reply:
    """All shops, to take the seat of one; that of the visitor's last order first."""
    if not visit.demo:
        raise NotFound("app.no_demo", "This is no demonstration; nobody can take a seat here.")
    shops = list(visit.backstage.shops().values())
    first = last_shop(visit, visit.request.cookies.get(PERSON_COOKIE, ""))
    open_at = visit.district.view(Orders).open_at
    shops.sort(key=lambda s: (s.shop_id != first, -open_at(s.shop_id), s.name))
    rows = [{"shop": s, "open": open_at(s.shop_id), "first": s.shop_id == first} for s in shops]
    return visit.page("shop/choose.html", section="orders", seat="shop", rows=rows)


ROUTES = (take_seat, leave, prefer, choose_shop)


def last_shop(visit: Visit, person_id: str) -> str:
    """The shop that a person ordered from last and that still has to do with it; empty if there is none."""
    orders = visit.district.view(Orders)
    for order_id in orders_of_shopper(visit.district, person_id):
        found = orders.open.get(order_id)
        if found is not None:
            return next(iter(found.parts.values())).part.shop_id
    return ""


def _principal(visit: Visit, seat: str, wish: str) -> Principal:
    cookies = visit.request.cookies
    if seat == "league":
        return Principal("league")
    if seat == "shop":
        mine = last_shop(visit, cookies.get(PERSON_COOKIE, ""))
        found = (Principal("shop", s) for s in (wish, mine, cookies.get(SHOP_COOKIE, ""), _busiest(visit)) if s)
    else:
        found = (Principal("shopper", p) for p in (wish, cookies.get(PERSON_COOKIE, ""), _somebody(visit)) if p)
    for principal in found:
        if is_known(visit.house, principal):
            return principal
    raise NotFound("app.nobody_here", "This district is still empty; load it with `hanse demo`.")


def _busiest(visit: Visit) -> str:
    """The shop with the most to do; without any orders the one with the largest range."""
    open_at, ranges = visit.district.view(Orders).open_at, visit.district.view(Catalogue).by_shop
    return max(visit.backstage.shops(), key=lambda s: (open_at(s), len(ranges.get(s, ()))), default="")


def _somebody(visit: Visit) -> str:
    """A member by chance, with an address, in whose seat nobody else sits."""
    taken = visit.house.world.visitors if visit.house.world else set()
    members = visit.district.view(Members).by_id.values()
    free = [m.person_id for m in islice(members, _DRAWN_FROM) if m.addresses and m.person_id not in taken]
    return secrets.choice(free) if free else next(iter(visit.district.view(Members).by_id), "")


def _remembered(principal: Principal) -> list[Cookie]:
    name = {"shopper": PERSON_COOKIE, "shop": SHOP_COOKIE}.get(principal.role)
    return [_kept(name, principal.id)] if name else []


def _kept(name: str, value: str) -> Cookie:
    return Cookie(key=name, value=value, path="/", max_age=YEAR_S, samesite="lax")


def forgotten(name: str) -> Cookie:
    """A cookie that takes itself away."""
    return Cookie(key=name, value="", path="/", max_age=0, samesite="lax")

"""One visit of one person to one page: who asks, in which language, and the way to answer.

Every handler takes a `Visit`. It asks the district through it, sends commands through it, and ends by
`visit.page(…)` or `visit.go(…)`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response import Stream
from markupsafe import Markup

from hanse.app import i18n, templating
from hanse.app.house import now_us
from hanse.app.http.placing import order_of
from hanse.app.pages.backstage import Backstage
from hanse.app.pages.shelves import Shelves
from hanse.app.pages.wording import refusal
from hanse.app.templating import Page, Seat
from hanse.app.worlds import Town, WorldState
from hanse.district.asking import Ask
from hanse.district.own import Consents
from hanse.kernel.errors import HanseError
from hanse.kernel.geo import Place
from hanse.kernel.principal import Principal
from hanse.kernel.time import MINUTE_US, from_micros, opens_us
from hanse.market.baskets.views import basket
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Order, from_story, orders_of_shopper
from hanse.market.search import ProductIndex
from hanse.people.vault import Sealer

if TYPE_CHECKING:
    from hanse.app.home import Home
    from hanse.district.core import District

__all__ = ["LOCALE_COOKIE", "THEME_COOKIE", "Reply", "Visit", "local"]

LOCALE_COOKIE = "hanse_locale"
THEME_COOKIE = "hanse_theme"
ORDERS_KNOWN_MAX = 500

Reply = Response[Any]
Tone = Literal["plain", "good", "bad"]

_HEADERS = {
    # A page shows somebody's basket and wallet; nobody in between may keep it.
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language, HX-Request",
}


class Visit:
    """What a handler needs to know and to do; made for each request."""

    index: ProductIndex
    """Finds products by words."""

    sealer: Sealer
    """Puts what is personal into the vault."""

    def __init__(self, request: Request[Any, Any, Any], backstage: Backstage, principal: Principal) -> None:
        self.request = request
        self.backstage = backstage
        self.principal = principal
        self._now_us = now_us()
        self._shops_of: dict[str, dict[str, str]] = {}
        self.locale = i18n.negotiate(request.cookies.get(LOCALE_COOKIE), request.headers.get("accept-language"))
        theme = request.cookies.get(THEME_COOKIE, "")
        self.theme: Literal["auto", "light", "dark"] = theme if theme in ("light", "dark") else "auto"  # type: ignore[assignment]

    # Asking

    @property
    def house(self) -> Home:
        """The house that the page belongs to."""
        return self.backstage.house

    @property
    def district(self) -> District:
        """The district as it is committed now."""
        return self.house.district

    @property
    def shelves(self) -> Shelves:
        """The order in which goods are shown."""
        return self.backstage.shelves

    @property
    def town(self) -> Town | None:
        """What the world shows of itself, if there is one."""
        return self.backstage.town

    @property
    def demo(self) -> bool:
        """Whether anybody may take any seat."""
        return self.house.settings.demo

    @property
    def now(self) -> datetime:
        """The moment of the visit."""
        return from_micros(self._now_us)

    @property
    def now_us(self) -> int:
        """The moment of the visit, in microseconds since 1970."""
        return self._now_us

    @property
    def here(self) -> Place:
        """Where the visitor is: at home, or in the middle of the town."""
        home = self.backstage.homes.place(self.me) if self.principal.role == "shopper" else None
        return home or self.backstage.centre

    @cached_property
    def closed(self) -> set[str]:
        """The shops that are closed at this moment."""
        minute_us = self._now_us // MINUTE_US * MINUTE_US
        shops = self.backstage.shops().values()
        return {s.shop_id for s in shops if opens_us(s.hours, minute_us, self.district.zone) != minute_us}

    @property
    def me(self) -> str:
        """The id of the person or shop that asks."""
        return self.principal.id

    @property
    def seat(self) -> Seat | None:
        """The seat that the visitor has taken."""
        role = self.principal.role
        return role if role in ("shopper", "shop", "league") else None

    @property
    def by_htmx(self) -> bool:
        """Whether a part of the page asks, rather than the page."""
        return self.request.headers.get("hx-request") == "true"

    def say(self, message: str, **values: object) -> str:
        """A text in the visitor's language."""
        text = i18n.translations(self.locale).gettext(message)
        return text % values if values else text

    def say_many(self, one: str, many: str, num: int) -> str:
        """A text with a number in the visitor's language; the message names it ``%(num)s``."""
        text = i18n.translations(self.locale).ngettext(one, many, num)
        return text % {"num": i18n.number(num, self.locale)}

    def said(self, english: str, german: str) -> str:
        """The one of two that the visitor reads."""
        return german if self.locale == "de" else english

    def refusal(self, error: HanseError) -> str:
        """A refusal as a sentence in the visitor's language."""
        return refusal(self, error)

    def clock_us(self) -> int:
        """The wall clock; for what goes on after the visit, as a stream does."""
        return now_us()

    def money(self, minor: int) -> str:
        """An amount of the district's currency in words."""
        return i18n.money(minor, self.district.currency, self.locale)

    def quantity(self, amount: int, unit: str) -> str:
        """A content or a distance in the unit that reads best."""
        return i18n.quantity(amount, unit, self.locale)

    def stock_badge(self, free: int) -> Markup:
        """A word about the stock where there is little or nothing of it."""
        if free > 5:
            return Markup("")
        return self.fragment("components/display.html", "stock_status", free)

    def when(self, micros: int) -> str:
        """A moment near the present: «today 14:30»."""
        return i18n.when(from_micros(micros), from_micros(now_us()), self.house.settings.zone, self.locale)

    def world(self) -> WorldState | None:
        """The clock and the counters of the simulated town; None where nothing is simulated."""
        world = self.house.world
        return world.state() if world is not None and self.town is not None else None

    def muted(self) -> set[str]:
        """The topics that the visitor does not want to be shown things of."""
        return self.district.view(Consents).muted.get(self.me, {}).get("personalisation", set())

    def weekdays(self) -> list[str]:
        """The days of the week, Monday first."""
        return i18n.weekdays(self.locale)

    def orders(self, *, limit: int) -> list[Order]:
        """The visitor's latest orders, newest first, open or closed."""
        ids = orders_of_shopper(self.district, self.me)[:limit]
        return [order_of(self.house, order_id) for order_id in ids]

    def new_id(self, prefix: str) -> str:
        """An id that nobody can guess, for what is made before the writer hears of it."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def came_from(self, otherwise: str) -> str:
        """The page of ours that a form was sent from."""
        back = urlsplit(self.request.headers.get("referer", ""))
        mine = back.netloc == self.request.headers.get("host", "")
        return local(back.path + (f"?{back.query}" if back.query else ""), otherwise) if mine else otherwise

    def shops_of(self, order_id: str) -> dict[str, str]:
        """The name of the shop of each part of an order, also of one that is closed."""
        known = self._shops_of.get(order_id)
        if known is None:
            found = from_story(self.house.journal.story(order_id)) if order_id else None
            shops = self.backstage.shops()
            known = {p: shops[s.part.shop_id].name for p, s in found.parts.items()} if found else {}
            if len(self._shops_of) >= ORDERS_KNOWN_MAX:
                self._shops_of.clear()
            self._shops_of[order_id] = known
        return known

    def link(self, path: str, **values: str) -> str:
        """An address with the values that are not empty."""
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{path}?{query}" if query else path

    # Acting

    async def form(self) -> dict[str, str]:
        """What a form brought: one text for each field."""
        found = await self.request.form()
        return {name: value.strip() for name, value in found.items() if isinstance(value, str)}

    def ask(self, key: str = "", fingerprint: bytes = b"") -> Ask:
        """The way to the writer, in the visitor's name."""
        return Ask(
            self.house.submit,
            lambda: self.house.district,
            caller=self.principal.caller,
            key=key,
            fingerprint=fingerprint,
        )

    async def run(self, command: Callable[..., object], *arguments: Any, **options: Any) -> bytes:
        """Run a command in the visitor's name; returns its answer as JSON, raises the error that it raised."""
        return await self.ask().run(command, *arguments, **options)

    # Answering

    def page(
        self,
        template: str,
        *,
        section: str = "",
        status: int = 200,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        cookies: list[Cookie] | None = None,
        seat: Seat | None = None,
        **context: Any,
    ) -> Reply:
        """A page, or a part of one."""
        frame = Page(
            path=_path(self.request),
            seat=seat or self.seat,
            theme=self.theme,
            section=section,
            place=self._place(),
            query=query,
            basket_count=self.basket_count(),
            demo=self.demo,
        )
        context |= {"visit": self, "currency": self.house.settings.currency, "buyer": self.seat == "shopper"}
        html = templating.render(template, self.locale, zone=self.house.settings.zone, page=frame, **context)
        return Response(
            html,
            status_code=status,
            media_type="text/html; charset=utf-8",
            headers={**_HEADERS, **(headers or {})},
            cookies=cookies,
        )

    def fragment(self, template: str, macro: str, *args: Any, **kwargs: Any) -> Markup:
        """One component alone, for a stream or an answer to htmx."""
        return templating.render_macro(template, macro, self.locale, *args, zone=self.house.settings.zone, **kwargs)

    def part(self, html: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """A component as an answer to htmx."""
        return Response(
            html,
            status_code=status,
            media_type="text/html; charset=utf-8",
            headers={**_HEADERS, **(headers or {})},
        )

    def stream(self, content: AsyncIterator[bytes]) -> Stream:
        """Server-sent events."""
        return Stream(
            content,
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    def go(self, path: str, *, toast: str = "", tone: Tone = "good", cookies: list[Cookie] | None = None) -> Reply:
        """Lead to another page after a change; htmx is told in its own way."""
        set_cookies = [*(cookies or []), *([_note(toast, tone)] if toast else [])]
        if self.by_htmx:
            return Response("", status_code=200, headers={"HX-Redirect": path}, cookies=set_cookies)
        return Response("", status_code=303, headers={"Location": path}, cookies=set_cookies)

    def triggers(self, toast: str = "", tone: Tone = "good", **events: object) -> dict[str, str]:
        """The header that tells the page what happened."""
        said: dict[str, object] = {"toast": {"text": toast, "tone": tone}} if toast else {}
        return {"HX-Trigger": json.dumps({**said, **events})}

    def basket_count(self) -> int:
        """Pieces in the visitor's basket."""
        if self.principal.role != "shopper":
            return 0
        return sum(line.quantity for line in basket(self.district, self.me).lines)

    def _place(self) -> str:
        if self.principal.role == "shopper":
            return self.backstage.homes.street(self.me)
        if self.principal.role == "shop":
            shop = self.district.view(Catalogue).shops.get(self.me)
            return f"{shop.name}, {shop.street}" if shop else ""
        return self.house.settings.name if self.principal.role == "league" else ""


def local(path: str, otherwise: str = "/") -> str:
    """A path of this site; anything that could lead to another one becomes `otherwise`."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fine else otherwise


def _path(request: Request[Any, Any, Any]) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _note(text: str, tone: Tone) -> Cookie:
    said = f"{tone}.{quote(text).replace('.', '%2E')}"
    return Cookie(key="hanse_said", value=said, max_age=20, path="/", samesite="lax")

"""The web application: all routes around one running district, and what every answer has in common."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, Router
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from hanse.app.auth import SAFE_METHODS, Doorkeeper, issue_token
from hanse.app.home import Home
from hanse.app.house import House, now_us
from hanse.app.http import demo, description, health, history, league, neighbours, placing, shop_parts, troubles
from hanse.app.http.front import BODY_MAX, App, Front
from hanse.app.http.handling import EXCEPTION_HANDLERS, note_unavailable
from hanse.app.http.hot import hot_routes
from hanse.app.http.league import Pulse
from hanse.app.http.metrics import MetricsPage, Scrape
from hanse.app.http.observed import Observed
from hanse.app.http.position import POSITION, cookie
from hanse.app.http.requests import (
    JsonRequest,
    guard,
    provide_ask,
    provide_district,
    provide_house,
    provide_principal,
    was_replayed,
)
from hanse.app.http.security import SECURITY_HEADERS
from hanse.app.http.stream import Feed
from hanse.app.pages import FAILURES
from hanse.app.pages import ROUTES as PAGES
from hanse.app.templating import BUILT, BUILT_URL
from hanse.events.dictionary import kind_of
from hanse.events.market import ProductsListed
from hanse.finance import web as finance
from hanse.journal.protocol import Entry
from hanse.kernel.principal import Principal
from hanse.market import web as market
from hanse.market.catalogue.views import Catalogue
from hanse.market.search import ProductIndex
from hanse.market.web import Shelves
from hanse.people import web as people
from hanse.people.vault import Sealer
from hanse.supply import web as supply
from hanse.supply.stock.views import Stock

__all__ = ["create_app", "in_front"]

_LISTED = kind_of(ProductsListed).name
YEAR_S = 365 * 24 * 3_600
API_ROUTES: tuple[ControllerRouterHandler, ...] = (
    *market.ROUTES,
    *supply.ROUTES,
    *finance.ROUTES,
    *people.ROUTES,
    *placing.ROUTES,
    *shop_parts.ROUTES,
    *history.ROUTES,
    *league.ROUTES,
    *troubles.ROUTES,
    *neighbours.ROUTES,
    *health.ROUTES,
    *demo.ROUTES,
    *description.ROUTES,
)


def create_app(house: Home, *, pages: Sequence[ControllerRouterHandler] = PAGES) -> Litestar:
    """The application around a district; its lifespan starts and stops the house.

    Parameters
    ----------
    house
        Made, but not started.
    pages
        Route handlers of the pages; a program that wants the API alone gives none.
    """
    door = Doorkeeper(house.secret, clock=now_us, known=lambda principal: demo.is_known(house, principal))
    parts = _Parts(Feed(house), Pulse(house), Sealer(house.vault), ProductIndex())
    routes: list[ControllerRouterHandler] = [*API_ROUTES, *pages, _static()]
    if house.settings.demo:
        routes += finance.TOP_UP_ROUTES
    return Litestar(
        routes,
        lifespan=[_running(house, parts)],
        state=State({"house": house, "door": door, "feed": parts.feed, "sealer": parts.sealer}),
        guards=[guard],
        request_class=JsonRequest,
        request_max_body_size=BODY_MAX,
        dependencies=_dependencies(house, parts),
        exception_handlers=EXCEPTION_HANDLERS | (FAILURES if pages else {}),
        before_send=[_headers(house)],
        openapi_config=description.config(),
        logging_config=None,
    )


def in_front(app: Litestar) -> App:
    """The application with its fast way in for a purchase, counted if anybody counts; this is what the server runs."""
    house: House = app.state.house
    routes = hot_routes(house, app.state.sealer)
    front: App = Front(app, app.state.door, routes, position=lambda: house.position)
    meters = house.watch.meters
    if meters is None:
        return front
    meters.registry.register(Scrape(house, app.state))
    front = Observed(front, meters=meters, hot={path for _, path in routes}, spans=house.watch.spans)
    return front if house.settings.metrics == "off" else MetricsPage(front, house, meters)


@dataclass(frozen=True)
class _Parts:
    """What the routes need beside the house itself."""

    feed: Feed
    pulse: Pulse
    sealer: Sealer
    index: ProductIndex


def _running(house: Home, parts: _Parts) -> Callable[[Litestar], Any]:
    @asynccontextmanager
    async def run(app: Litestar) -> AsyncIterator[None]:
        parts.index.take_in(house.district.view(Catalogue).products.values())
        deaf = house.listen(lambda entries: _keep_up(parts.index, house, entries))
        await house.start()
        try:
            yield
        finally:
            deaf()
            parts.pulse.close()
            parts.feed.close()
            await house.stop()

    return run


def _keep_up(index: ProductIndex, house: Home, entries: list[Entry]) -> None:
    """Enter newly listed products into the index, after the commit that lists them."""
    if any(entry[2] == _LISTED for entry in entries):
        index.take_in(house.district.view(Catalogue).products.values())


def _dependencies(house: Home, parts: _Parts) -> dict[str, Provide]:
    def shelves(request: Request[Any, Any, Any]) -> Shelves:
        items = house.district.view(Stock).items

        def free(item_id: str) -> int:
            item = items.get(item_id)
            return item.on_hand - item.held if item else 0

        def owner(item_id: str) -> str:
            return items[item_id].shop_id if item_id in items else ""

        return Shelves(house.district, free, owner, parts.index, provide_principal(request).caller)

    def issue() -> Callable[[Principal], str]:
        return lambda principal: issue_token(house.secret, principal, now_us=now_us())

    plain: dict[str, Callable[..., Any]] = {
        "house": provide_house,
        "district": provide_district,
        "principal": provide_principal,
        "shelves": shelves,
        "issue": issue,
        "archive": lambda: house.archive,
        "journal": lambda: house.journal,
        "vault": lambda: house.vault,
        "feed": lambda: parts.feed,
        "pulse": lambda: parts.pulse,
        "sealer": lambda: parts.sealer,
        "index": lambda: parts.index,
    }
    provided = {name: Provide(give, sync_to_thread=False) for name, give in plain.items()}
    return provided | {"ask": Provide(provide_ask)}


def _headers(house: Home) -> Callable[[Any, Any], Awaitable[None]]:
    """What adds the headers that every answer carries, and to those of changes their position."""

    async def send_headers(message: Any, scope: Any) -> None:
        if message["type"] != "http.response.start":
            return
        if message["status"] > 500:
            note_unavailable(scope, message["status"])
        headers = [*message["headers"], *SECURITY_HEADERS]
        if was_replayed(scope):
            headers.append((b"idempotent-replayed", b"true"))
        if scope["method"] not in SAFE_METHODS:
            position = house.position
            headers.append((POSITION, b"%d" % position))
            if house.settings.followers:
                headers.append(cookie(position))
        message["headers"] = headers

    return send_headers


def _static() -> Router:
    """The built files; their names change with their content, so a browser may keep them for a year."""
    return create_static_files_router(
        path=BUILT_URL.rstrip("/"),
        directories=[BUILT],
        cache_control=CacheControlHeader(public=True, max_age=YEAR_S, immutable=True),
        opt={"roles": ("public",)},
    )

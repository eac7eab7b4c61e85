"""All routes of the pages, and how each of them gets its `Visit`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, Router
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException

from hanse.app.http.handling import note_bug, on_http
from hanse.app.http.problems import status_of
from hanse.app.pages import (
    about,
    abroad,
    account,
    buying,
    counter,
    following,
    league,
    seats,
    shopping,
    stock,
    stories,
    takings,
)
from hanse.app.pages.backstage import Backstage
from hanse.app.pages.visit import Reply, Visit
from hanse.app.pages.wording import refusal
from hanse.kernel.errors import HanseError, NotFound
from hanse.kernel.principal import NOBODY, Principal
from hanse.market.search import ProductIndex
from hanse.people.vault import Sealer

__all__ = ["FAILURES", "ROUTES", "failure"]

_SEATS = (("/shops", "shopper"), ("/shop", "shop"), ("/league", "league"))


def visit_of(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    index: NamedDependency[ProductIndex],
    sealer: NamedDependency[Sealer],
) -> Visit:
    """This visit, with what it may need to search and to seal."""
    visit = Visit(request, _backstage(request), principal)
    visit.index, visit.sealer = index, sealer
    return visit


def failure(request: Request[Any, Any, Any], error: Exception) -> Reply:
    """What a page says that could not be made: an error page, or a word to htmx."""
    refused = _as_refusal(request, error)
    status, _ = status_of(refused)
    backstage = _backstage(request)
    # Nobody's page is made without asking the district, which can't be asked while its journal is away.
    known = NOBODY if backstage.house.is_down else request.scope["state"].get("hanse_principal", NOBODY)
    visit = Visit(request, backstage, known)
    said = refusal(visit, refused)
    if visit.by_htmx:
        return visit.part("", status=status, headers={"X-Reason": quote(said)})
    wanted = next((seat for path, seat in _SEATS if request.url.path.startswith(path)), "shopper")
    return visit.page("about/failure.html", status=status, code=refused.code, said=said, failed=status, wanted=wanted)


def missing(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What is said where no route is: a page to a browser that asks for one, else a problem as everywhere."""
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    return failure(request, error) if wants_page else on_http(request, error)


def _backstage(request: Request[Any, Any, Any]) -> Backstage:
    """What all visits share; the first one opens it."""
    state = request.app.state
    if "backstage" not in state:
        state.backstage = Backstage(state.house)
    backstage: Backstage = state.backstage
    return backstage


def _as_refusal(request: Request[Any, Any, Any], error: Exception) -> HanseError:
    if isinstance(error, HanseError):
        return error
    if isinstance(error, HTTPException) and error.status_code < 500:
        return NotFound("app.no_page", "There is no such page.")
    note_bug(request.scope, error)
    return HanseError("app.bug", "This page met a bug; please report it with its time.")


_PAGES = (
    *shopping.ROUTES,
    *buying.ROUTES,
    *following.ROUTES,
    *abroad.ROUTES,
    *account.ROUTES,
    *seats.ROUTES,
    *counter.ROUTES,
    *stock.ROUTES,
    *takings.ROUTES,
    *league.ROUTES,
    *stories.ROUTES,
    *about.ROUTES,
)

ROUTES = [
    Router(
        "/",
        route_handlers=list(_PAGES),
        dependencies={"visit": Provide(visit_of, sync_to_thread=False)},
        exception_handlers={HanseError: failure, HTTPException: failure, Exception: failure},
        include_in_schema=False,
    )
]

FAILURES: dict[Any, Any] = {HTTPException: missing}
"""What the application answers where it has no route."""

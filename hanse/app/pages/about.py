"""Pages about the pages: the look, the sources of the data, the map's streets; and what goes wrong."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from hanse.app import design
from hanse.app.pages.visit import Reply, Visit
from hanse.kernel.errors import NotFound

__all__ = ["ROUTES"]

PUBLIC = ("public",)
YEAR_S = 365 * 24 * 3_600


@get("/design", roles=PUBLIC, sync_to_thread=False)
def look(visit: NamedDependency[Visit]) -> Reply:
    """Every token and component of the look, alive."""
    return visit.page("design.html", **design.context(visit.now))


@get("/terms", roles=PUBLIC, sync_to_thread=False)
def terms(visit: NamedDependency[Visit]) -> Reply:
    """Where the data come from, and on which terms."""
    return visit.page("about/terms.html", terms=visit.town.terms if visit.town else ())


@get("/map/{name:str}", roles=PUBLIC, sync_to_thread=False)
def streets(visit: NamedDependency[Visit], name: FromPath[str]) -> Response[Any]:
    """The streets of the town; their address changes with their content."""
    base = visit.backstage.map
    if base.path != f"/map/{name}":
        raise NotFound("app.no_map", "There is no such map any more; load the page again.")
    headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "Content-Encoding": "gzip"}
    return Response(base.packed, media_type="application/geo+json", headers=headers)


ROUTES = (look, terms, streets)

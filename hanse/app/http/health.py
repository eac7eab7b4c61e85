"""Whether the process lives, and whether it can take orders."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from hanse.app.home import Home
from hanse.district.writer import QUEUE_MAX

__all__ = ["ROUTES"]


class Health(msgspec.Struct, frozen=True):
    """How it goes."""

    status: str
    position: int


@get("/health/live", roles=("public",), tags=["health"], summary="Lives", sync_to_thread=False)
def live(house: NamedDependency[Home]) -> Health:
    """The process answers."""
    return Health("ok", house.district.position)


@get("/health/ready", roles=("public",), tags=["health"], summary="Takes orders", sync_to_thread=False)
def ready(house: NamedDependency[Home]) -> Response[Health]:
    """The writer runs and its queue has room; 503 otherwise."""
    well = house.waiting < QUEUE_MAX // 2
    return Response(Health("ok" if well else "busy", house.district.position), status_code=200 if well else 503)


ROUTES = (live, ready)

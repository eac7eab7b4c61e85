"""Whether the process lives, and whether it can take orders. Before it can, nobody listens at its port."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from hanse.app.condition import Condition, condition
from hanse.app.home import Home

__all__ = ["ROUTES"]

RETRY_AFTER_S = 1


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str
    position: int


@get("/health/live", roles=("public",), tags=["health"], summary="Lives", sync_to_thread=False)
def live(house: NamedDependency[Home]) -> Alive:
    """The process answers."""
    return Alive("ok", house.position)


@get("/health/ready", roles=("public",), tags=["health"], summary="Takes orders", sync_to_thread=False)
def ready(house: NamedDependency[Home]) -> Response[Condition]:
    """The journal can be written, the queue and the disk have room; 503 otherwise, with what is wrong."""
    found = condition(house)
    if found.status == "ok":
        return Response(found)
    return Response(found, status_code=503, headers={"retry-after": str(RETRY_AFTER_S)})


ROUTES = (live, ready)

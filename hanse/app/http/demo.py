"""Taking a seat in a demonstration: anybody may be anybody, and nowhere else."""

import msgspec
from litestar import Response, delete, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody

from hanse.app.auth import COOKIE, TOKEN_LIFE_US, issue_token
from hanse.app.home import Home
from hanse.app.house import now_us
from hanse.kernel.errors import NotFound
from hanse.kernel.principal import Principal, Role
from hanse.kernel.time import SECOND_US
from hanse.market.catalogue.views import Catalogue
from hanse.people.members.views import Members

__all__ = ["ROUTES", "Seat", "is_known", "seat_cookie"]


class TakeSeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which role to take, and as whom (a person's or a shop's id; none for the league)."""

    role: Role
    id: str = ""


class Seat(msgspec.Struct, frozen=True):
    """Who you are now, and the token that shows it."""

    role: Role
    id: str
    token: str


@post("/api/demo/seat", roles=("public",), tags=["demo"], summary="Take a seat", status_code=200, sync_to_thread=False)
def take_seat(house: NamedDependency[Home], data: JSONBody[TakeSeat]) -> Response[Seat]:
    """Be somebody, in a demonstration: gives a token, and sets it as a cookie too."""
    if not house.settings.demo:
        raise NotFound("app.no_demo", "This is no demonstration; nobody can take a seat here.")
    principal = Principal(data.role, "" if data.role == "league" else data.id)
    if not is_known(house, principal):
        raise NotFound("app.unknown_seat", "Nobody with this role and id is here.", field="id")
    if house.world is not None and principal.role == "shopper":
        house.world.visitors.add(principal.id)
    token = issue_token(house.secret, principal, now_us=now_us())
    return Response(Seat(principal.role, principal.id, token), cookies=[seat_cookie(token)])


@delete(
    "/api/session",
    roles=("public",),
    tags=["demo"],
    summary="Leave your seat",
    response_cookies=[Cookie(COOKIE, value="", path="/", httponly=True, samesite="lax", max_age=0)],
    sync_to_thread=False,
)
def leave() -> None:
    """Be nobody again: takes the cookie away."""


ROUTES = (take_seat, leave)


def is_known(house: Home, principal: Principal) -> bool:
    """Whether somebody like this exists in the district."""
    if principal.role == "shopper":
        return principal.id in house.district.view(Members).by_id
    if principal.role == "shop":
        return principal.id in house.district.view(Catalogue).shops
    return True


def seat_cookie(token: str) -> Cookie:
    """The cookie that carries a token: no script reads it, no other site sends it along with a form."""
    return Cookie(COOKIE, value=token, path="/", httponly=True, samesite="lax", max_age=TOKEN_LIFE_US // SECOND_US)

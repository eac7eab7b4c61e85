"""How a request is read: JSON strictly by msgspec, and what routes get handed of it by name."""

from csv import DictReader
from functools import lru_cache
from io import StringIO
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from hanse.app.auth import Doorkeeper, check_role
from hanse.app.home import Home
from hanse.app.http.front import JSON_TYPES
from hanse.app.http.orders import fingerprint
from hanse.app.http.problems import invalid
from hanse.district.asking import Ask
from hanse.district.core import District
from hanse.kernel.errors import InvalidInput
from hanse.kernel.principal import NOBODY, Principal

__all__ = [
    "JsonRequest",
    "guard",
    "provide_ask",
    "provide_district",
    "provide_house",
    "provide_principal",
    "was_replayed",
]

_PRINCIPAL = "hanse_principal"
_ASK = "hanse_ask"


class JsonRequest(Request[Any, Any, Any]):
    """A request whose JSON is decoded at once into the type that its route asks for.

    Strictly ("3" is no number), and with the path of what does not fit; the framework's own way goes over
    plain dictionaries, is lenient, and four times slower.
    """

    async def json(self) -> Any:
        """The body as what the route's `data` says; rows may come as CSV where the route takes it."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        wanted = self.route_handler.parsed_data_field
        annotation: Any = wanted.annotation if wanted else Any
        body = await self.body()
        try:
            if media_type == "text/csv" and self.route_handler.opt.get("takes_csv"):
                return msgspec.convert(list(DictReader(StringIO(body.decode()))), annotation, strict=False)
            if media_type.encode() in JSON_TYPES:
                return _decoder(annotation).decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise invalid(error) from error
        raise InvalidInput("app.bad_media_type", "Send the body as application/json.", field="Content-Type")


@lru_cache(maxsize=256)
def _decoder(wanted: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(wanted)


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let nobody in whom the route does not name. Runs before every route; no roles, no entry."""
    # Asynchronous, because the framework would run it in a thread otherwise: that cost 0.1 ms a request.
    door: Doorkeeper = connection.app.state.door
    principal = door.principal(connection.scope["method"], connection.scope["headers"])  # type: ignore[typeddict-item]
    connection.scope["state"][_PRINCIPAL] = principal
    if connection.scope["method"] != "OPTIONS":  # type: ignore[typeddict-item]
        check_role(principal, handler.opt.get("roles"))


def provide_principal(request: Request[Any, Any, Any]) -> Principal:
    """Who asks."""
    principal: Principal = request.scope["state"].get(_PRINCIPAL, NOBODY)
    return principal


def provide_house(request: Request[Any, Any, Any]) -> Home:
    """The running district with all its parts."""
    house: Home = request.app.state.house
    return house


def provide_district(request: Request[Any, Any, Any]) -> District:
    """The district as it is committed now."""
    return provide_house(request).district


async def provide_ask(request: Request[Any, Any, Any]) -> Ask:
    """What commands are run with: for this caller, under this request's key."""
    house = provide_house(request)
    key = request.headers.get("idempotency-key", "")
    body = await request.body() if key else b""
    ask = Ask(
        house.submit,
        lambda: house.district,
        caller=provide_principal(request).caller,
        key=key,
        fingerprint=fingerprint(request.method, request.url.path, body) if key else b"",
    )
    request.scope["state"][_ASK] = ask
    return ask


def was_replayed(scope: Any) -> bool:
    """Whether the answer to a request is one that was given before."""
    ask: Ask | None = scope.get("state", {}).get(_ASK)
    return ask is not None and ask.replayed

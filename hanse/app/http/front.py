"""The fast way in: `POST /api/orders` is answered here, everything else by the application behind.

Placing an order is what happens most when it matters, and routing, dependencies and response objects
cost more than the order itself. This does the same as the route that the API's description shows
(`hanse.app.http.placing`), and a test holds the two together.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from hanse.app.auth import Doorkeeper, check_role
from hanse.app.house import House
from hanse.app.http.orders import ORDERS_PATH, Reply, order_job, order_reply, refusal
from hanse.app.http.security import SECURITY_HEADERS
from hanse.kernel.errors import HanseError, InvalidInput

__all__ = ["BODY_MAX", "JSON_TYPES", "Front", "too_large"]

BODY_MAX = 1_048_576
JSON_TYPES = (b"", b"application/json")

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Front:
    """An ASGI application around another one."""

    def __init__(self, app: App, house: House, door: Doorkeeper) -> None:
        self._app = app
        self._house = house
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["path"] != ORDERS_PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            reply = await self._place(scope["headers"], receive)
        except HanseError as error:
            reply = refusal(error, ORDERS_PATH)
        status, headers, body = reply
        headers.append((b"content-length", str(len(body)).encode()))
        headers += SECURITY_HEADERS
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _place(self, headers: Any, receive: Receive) -> Reply:
        principal = self._door.principal("POST", headers)
        check_role(principal, ("shopper",))
        key = media_type = b""
        for name, value in headers:
            if name == b"idempotency-key":
                key = value
            elif name == b"content-type":
                media_type = value.partition(b";")[0].strip().lower()
        if media_type not in JSON_TYPES:
            raise InvalidInput("app.bad_media_type", "Send the body as application/json.", field="Content-Type")
        job = order_job(await _body(receive), principal.id, key.decode("latin-1"))
        return order_reply(await self._house.submit(job))


def too_large(limit: int) -> InvalidInput:
    """What to say about a body beyond its limit."""
    return InvalidInput("app.too_large", f"Send at most {limit} bytes in one request.", limit=limit)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_MAX:
            break
    if len(body) > BODY_MAX:
        raise too_large(BODY_MAX)
    return body

"""The fast way in: what `hot.py` knows is answered here, everything else by the application behind."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hanse.app.auth import Doorkeeper, check_role
from hanse.app.http.orders import Reply, refusal
from hanse.app.http.position import POSITION
from hanse.app.http.security import SECURITY_HEADERS
from hanse.app.telemetry.logs import say
from hanse.kernel.errors import HanseError, InvalidInput
from hanse.kernel.principal import Principal

__all__ = ["BODY_MAX", "JSON_TYPES", "Front", "Hot", "read_body", "too_large"]

BODY_MAX = 1_048_576
JSON_TYPES = (b"", b"application/json")

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Hot = Callable[[Principal, str, bytes], Awaitable[Reply]]
"""Answers a shopper's request: who asks, its Idempotency-Key, its body."""


class Front:
    """An ASGI application around another one."""

    def __init__(
        self, app: App, door: Doorkeeper, routes: Mapping[tuple[str, str], Hot], *, position: Callable[[], int]
    ) -> None:
        self._app = app
        self._door = door
        self._routes = routes
        self._position = position

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        hot = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if hot is None:
            await self._app(scope, receive, send)
            return
        try:
            status, headers, body = await self._answer(hot, scope["method"], scope["headers"], receive)
        except HanseError as error:
            status, headers, body = refusal(error, scope["path"])
        except Exception as error:  # a bug: logged with its place, and told to nobody outside
            say(logging.ERROR, "request_failed", method=scope["method"], route=scope["path"], error=error)
            status, headers, body = refusal(_bug(), scope["path"])
        if status > 500:
            say(logging.WARNING, "request_unavailable", method=scope["method"], route=scope["path"], status=status)
        headers.append((b"content-length", b"%d" % len(body)))
        headers.append((POSITION, b"%d" % self._position()))
        headers += SECURITY_HEADERS
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, hot: Hot, method: str, headers: Any, receive: Receive) -> Reply:
        principal = self._door.principal(method, headers)
        check_role(principal, ("shopper",))
        key = media_type = b""
        for name, value in headers:
            if name == b"idempotency-key":
                key = value
            elif name == b"content-type":
                media_type = value.partition(b";")[0].strip().lower()
        if media_type not in JSON_TYPES:
            raise InvalidInput("app.bad_media_type", "Send the body as application/json.", field="Content-Type")
        return await hot(principal, key.decode("latin-1"), await read_body(receive))


def _bug() -> HanseError:
    return HanseError("app.bug", "This request met a bug; please report it with its time.")


def too_large(limit: int) -> InvalidInput:
    """What to say about a body beyond its limit."""
    return InvalidInput("app.too_large", f"Send at most {limit} bytes in one request.", limit=limit)


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request; raises `InvalidInput` for one beyond `BODY_MAX`."""
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

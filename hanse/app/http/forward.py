"""What stands in front of a follower's application: reads go in, everything else goes to the writer."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from hanse.app.auth import SAFE_METHODS
from hanse.app.http.front import read_body
from hanse.app.http.orders import refusal
from hanse.app.http.position import wanted
from hanse.app.http.security import SECURITY_HEADERS
from hanse.app.outpost import Outpost
from hanse.app.relay import Line
from hanse.kernel.errors import HanseError

__all__ = ["Forward"]


OWN = re.compile(r"/(health|static)/")
"""What is about this very process, or the same in each."""

WRITERS = re.compile(r"/(api/|live/)?league(/|$)")
"""What only the writer knows whole: how it and its followers do."""

UNKNOWN = frozenset((401, 403, 404))
"""Answers that one who is behind may not give: the thing or the member may be new."""

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Forward:
    """An ASGI application around a follower's.

    Parameters
    ----------
    app
        Answers from the follower's views.
    outpost
        Says whether they are fresh enough.
    line
        To the writer.
    """

    def __init__(self, app: App, outpost: Outpost, line: Line) -> None:
        self._app = app
        self._outpost = outpost
        self._line = line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a read that may be answered here, hand on anything else."""
        if scope["type"] != "http" or OWN.match(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["method"] not in SAFE_METHODS or WRITERS.match(scope["path"]):
            await self._hand_on(scope, receive, send)
        elif await self._outpost.has_seen(wanted(scope["headers"])):
            await self._read(scope, receive, send)
        else:
            await self._hand_on(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer here; but what is unknown to us while we are behind, the writer is asked."""
        behind, withheld = self._outpost.is_behind, False

        async def check(message: Any) -> None:
            nonlocal withheld
            if behind and message["type"] == "http.response.start" and message["status"] in UNKNOWN:
                withheld = True
            if not withheld:
                await send(message)

        await self._app(scope, receive, check)
        if withheld:
            await self._hand_on(scope, receive, send)

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = b"" if scope["method"] in SAFE_METHODS else await read_body(receive)
            await self._line.hand_on(scope, body, receive, send)
        except HanseError as error:
            status, headers, said = refusal(error, scope["path"])
            headers += [(b"content-length", str(len(said)).encode()), *SECURITY_HEADERS]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": said, "more_body": False})

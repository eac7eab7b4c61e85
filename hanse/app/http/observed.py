"""Around the whole application, where an operator wants numbers or traces: one look at each request."""

from collections.abc import Container
from time import perf_counter
from typing import Any

from hanse.app.auth import Headers
from hanse.app.http.front import App, Receive, Scope, Send
from hanse.app.telemetry.meters import Meters
from hanse.app.telemetry.tracing import Spans

__all__ = ["Observed", "route_of"]

OTHER = "other"
"""What a request without a route counts as; its path is anybody's invention."""


class Observed:
    """An ASGI application around another one.

    Parameters
    ----------
    hot
        Paths that the application answers before any routing; each is its own template.
    spans
        Traces, if anybody wants traces.
    """

    def __init__(self, app: App, *, meters: Meters, hot: Container[str], spans: Spans | None = None) -> None:
        self._app = app
        self._meters = meters
        self._hot = hot
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and count it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._spans is None:
            await self._counted(scope, receive, send)
        else:
            with self._spans.request(scope) as span:
                status = await self._counted(scope, receive, send)
                route = route_of(scope, self._hot)
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes(
                    {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status}
                )
                if status >= 500:
                    span.set_status(self._spans.failed)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> int:
        status, is_stream = 500, False

        async def watched(message: Any) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                is_stream = _is_stream(message["headers"])
            await send(message)

        began = perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = None if is_stream else perf_counter() - began
            self._meters.request(scope["method"], route_of(scope, self._hot), status, seconds)
        return status


def route_of(scope: Scope, hot: Container[str]) -> str:
    """The template of the route that answered, never the path itself."""
    template: str = scope.get("path_template") or ""
    return template or (scope["path"] if scope["path"] in hot else OTHER)


def _is_stream(headers: Headers) -> bool:
    return any(name == b"content-type" and value[:17] == b"text/event-stream" for name, value in headers)

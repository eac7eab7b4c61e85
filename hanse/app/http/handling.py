"""What becomes of an exception: always a problem that says what to do, never a text of a library."""

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from hanse.app.http.front import BODY_MAX, too_large
from hanse.app.http.problems import PROBLEM_TYPE, FieldError, encode, no_json, problem_of
from hanse.app.telemetry.logs import say
from hanse.kernel.errors import HanseError, InvalidInput, NotFound

__all__ = ["EXCEPTION_HANDLERS", "note_bug", "note_unavailable"]

AnyRequest = Request[Any, Any, Any]


def on_refusal(request: AnyRequest, error: HanseError) -> Response[Any]:
    """An error of ours."""
    return _answer(request, error)


def on_http(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """What the framework refuses before a route is reached, or while it reads the query."""
    if error.status_code == 404:
        return _answer(request, NotFound("app.no_route", "There is nothing at this address; see /api/openapi.json."))
    if error.status_code == 405:
        refused = InvalidInput("app.wrong_method", "Use one of the methods in the Allow header.")
        return _answer(request, refused, dict(error.headers or {}))
    if error.status_code == 413:
        limit = request.route_handler.resolve_request_max_body_size()
        return _answer(request, too_large(limit if isinstance(limit, int) else BODY_MAX))
    if error.status_code in (400, 422):
        return _bad_input(request, error)
    return on_bug(request, error)


def on_bug(request: AnyRequest, error: Exception) -> Response[Any]:
    """A bug: logged with its place, but never with the request's content."""
    note_bug(request.scope, error)
    return _answer(request, HanseError("app.bug", "This request met a bug; please report it with its time."))


def _bad_input(request: AnyRequest, error: HTTPException) -> Response[Any]:
    found = error.extra if isinstance(error.extra, list) else []
    if any(one.get("key") == "data" for one in found) and "form" not in request.headers.get("content-type", ""):
        # A body that is there was decoded by us; the framework only ever finds that none came.
        return _answer(request, no_json())
    code, sentence = "app.bad_query", "Correct what the request says of these fields."
    errors = tuple(FieldError(one.get("key", ""), one.get("message", "")) for one in found)
    problem = msgspec.structs.replace(problem_of(InvalidInput(code, sentence), request.url.path), errors=errors)
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_TYPE)


def _answer(request: AnyRequest, error: HanseError, more: dict[str, str] | None = None) -> Response[Any]:
    status, headers, body = encode(error, request.url.path)
    said = {name.decode(): value.decode() for name, value in headers if name != b"content-type"}
    return Response(body, status_code=status, headers=said | (more or {}), media_type=PROBLEM_TYPE)


def note_bug(scope: Any, error: Exception) -> None:
    """Log a request that met a bug: by its route, never by its path, which may hold anything."""
    say(logging.ERROR, "request_failed", method=scope["method"], route=scope.get("path_template") or "", error=error)


def note_unavailable(scope: Any, status: int) -> None:
    """Log a request that could not be answered now."""
    route = scope.get("path_template") or ""
    say(logging.WARNING, "request_unavailable", method=scope["method"], route=route, status=status)


EXCEPTION_HANDLERS: dict[Any, Any] = {HanseError: on_refusal, HTTPException: on_http, Exception: on_bug}

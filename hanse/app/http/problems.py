"""Errors as RFC 9457 problems: the only place where they get an HTTP status."""

import re
from typing import Any

import msgspec

from hanse.kernel.errors import (
    Conflict,
    HanseError,
    InvalidInput,
    LimitExceeded,
    NotAllowed,
    NotFound,
    Unavailable,
)

__all__ = ["PROBLEM_TYPE", "FieldError", "Problem", "encode", "invalid", "no_json", "problem_of", "status_of"]

PROBLEM_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[HanseError], int, str], ...] = (
    (InvalidInput, 422, "The request does not fit"),
    (NotFound, 404, "There is no such thing"),
    (Conflict, 409, "Not in this state"),
    (NotAllowed, 403, "Not allowed"),
    (LimitExceeded, 429, "Too much at once"),
    (Unavailable, 503, "Not available now"),
)
_OWN_STATUS = {
    "app.not_known": (401, "Nobody is logged in"),
    "app.bad_token": (401, "Nobody is logged in"),
    "app.bad_json": (400, "The body is not JSON"),
    "app.bad_query": (400, "The query does not fit"),
    "app.bad_media_type": (415, "The body has another type"),
    "app.too_large": (413, "The body is too large"),
    "app.wrong_method": (405, "The method does not fit"),
    "market.sold_out": (409, "Sold out"),
    "finance.funds_short": (402, "The wallet holds too little"),
}
RETRY_AFTER_S = 1

_AT = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>.+)`)?$", re.DOTALL)
_FIELD = re.compile(r"field `(?P<field>[^`]+)`")


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field, named by its JSON path."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457 problem details. `code` is stable; `errors` names the fields that do not fit."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str = ""
    errors: tuple[FieldError, ...] = ()
    details: dict[str, Any] = {}


def status_of(error: HanseError) -> tuple[int, str]:
    """HTTP status and title of an error; 500 for a bug."""
    own = _OWN_STATUS.get(error.code)
    if own is not None:
        return own
    return next(((status, title) for cls, status, title in _STATUS if isinstance(error, cls)), (500, "A bug"))


def problem_of(error: HanseError, instance: str) -> Problem:
    """An error as it is sent."""
    status, title = status_of(error)
    details = dict(error.details)
    field = details.pop("field", None)
    errors = (FieldError(str(field), error.message),) if field else ()
    return Problem(f"/problems/{error.code}", title, status, error.message, error.code, instance, errors, details)


def encode(error: HanseError, instance: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of an error's answer."""
    problem = problem_of(error, instance)
    headers = [(b"content-type", PROBLEM_TYPE.encode())]
    if problem.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="hanse"'))
    if problem.status in (429, 503):
        headers.append((b"retry-after", str(error.details.get("retry_after_s") or RETRY_AFTER_S).encode()))
    return problem.status, headers, msgspec.json.encode(problem)


def no_json() -> InvalidInput:
    """What to say about a body that is no JSON, or is not there."""
    return InvalidInput("app.bad_json", "Send a body of well-formed JSON in UTF-8.")


def invalid(error: msgspec.ValidationError | msgspec.DecodeError | UnicodeDecodeError) -> InvalidInput:
    """What msgspec found in a body, as an error that names the field by its JSON path."""
    if not isinstance(error, msgspec.ValidationError):
        return no_json()
    found = _AT.match(str(error))
    message, path = (found["message"], found["path"] or "$") if found else (str(error), "$")
    named = _FIELD.search(message)
    field = f"{path}.{named['field']}" if named else path
    return InvalidInput("app.bad_field", f"{message}.", field=field)

"""Asking a running district over HTTP: found by its folder or its address."""

import os
import secrets
import urllib.error
import urllib.request
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from hanse.app.address import address_of
from hanse.app.auth import issue_token
from hanse.app.commands.options import settings_of
from hanse.app.house import now_us
from hanse.kernel.errors import Conflict, HanseError, InvalidInput, NotAllowed, NotFound, Unavailable
from hanse.kernel.principal import Principal
from hanse.kernel.time import SECOND_US

__all__ = ["TOKEN", "Answer", "At", "Where", "ask", "ask_league", "bearer", "found", "not_running"]

TOKEN = "HANSE_TOKEN"
ASK_TIMEOUT_S = 10.0
TOKEN_LIFE_US = 60 * SECOND_US

# Never by a proxy that the environment names: a district is asked where it stands.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Where = Annotated[
    str, typer.Argument(help="Address (http…) or data folder of the district.", show_default="the data folder")
]


At = Annotated[
    str,
    typer.Option("--at", help="Address (http…) or data folder of the district.", show_default="the data folder"),
]

_ERRORS = {400: InvalidInput, 401: NotAllowed, 403: NotAllowed, 404: NotFound, 503: Unavailable}


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


def found(where: str) -> str:
    """The address of a district that is named by address or folder; empty if nobody listens there."""
    if where.startswith(("http://", "https://")):
        return where.rstrip("/")
    return address_of(settings_of(folder=where or None).folder)


def bearer(where: str) -> dict[str, str]:
    """Headers that show the league: by the token in the environment, or by the folder's key, a minute long.

    Raises
    ------
    NotAllowed
        There is neither.
    """
    token = os.environ.get(TOKEN, "")
    key = settings_of(folder=None if where.startswith("http") else where or None).folder / "session.key"
    if not token and not where.startswith("http") and key.exists():
        token = issue_token(key.read_bytes(), Principal("league"), now_us=now_us(), life_us=TOKEN_LIFE_US)
    if not token:
        raise NotAllowed("app.no_token", f"Give the league's token in {TOKEN}; `hanse token league` makes one.")
    return {"Authorization": f"Bearer {token}"}


def ask(url: str, *, method: str = "GET", body: object = None, headers: dict[str, str] | None = None) -> Answer:
    """Send a request; raises `Unavailable` if nobody answers."""
    if not url.startswith(("http://", "https://")):
        raise InvalidInput("app.bad_address", f"{url} is no address; begin it with http:// or https://.")
    data = None if body is None else msgspec.json.encode(body)
    said = {"Content-Type": "application/json", **(headers or {})} if data is not None else headers or {}
    request = urllib.request.Request(url, data=data, headers=said, method=method)
    try:
        with _opener.open(request, timeout=ASK_TIMEOUT_S) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.read())
    except OSError as error:
        raise not_running(url) from error


def ask_league(at: str, path: str, *, method: str = "GET", body: object = None) -> bytes:
    """Ask a running district as its league, below ``/api/league``; raises what the district says against it."""
    url = found(at)
    if not url:
        raise not_running(at or "the data folder")
    headers = bearer(at) | ({"Idempotency-Key": secrets.token_hex(8)} if method != "GET" else {})
    answer = ask(f"{url}/api/league{path}", method=method, body=body, headers=headers)
    if answer.status >= 400:
        said: dict[str, Any] = msgspec.json.decode(answer.body)
        raise _ERRORS.get(answer.status, Conflict)(str(said.get("code")), str(said.get("detail")))
    return answer.body


def not_running(where: str) -> HanseError:
    """What to say where no district answers."""
    return Unavailable("app.not_running", f"No district answers at {where}; start it with `hanse up`.")

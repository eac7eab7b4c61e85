"""Who is asking: signed tokens, as a bearer for programs and as a cookie for pages. Default: nobody.

A token says role, id and end, and is signed with the installation's own key (HMAC-SHA256); nothing about
it is stored, so it can't leak from a database. A cookie travels by itself, so a request that changes
something and is known by its cookie must also show that it comes from a page of ours: by `Sec-Fetch-Site`,
which no page can forge, or, where a browser does not send that (plain http on a LAN), by `Origin`.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie

import msgspec

from hanse.kernel.errors import NotAllowed
from hanse.kernel.principal import NOBODY, Principal
from hanse.kernel.time import DAY_US

__all__ = ["COOKIE", "TOKEN_LIFE_US", "Doorkeeper", "check_role", "issue_token", "read_token"]

COOKIE = "hanse_seat"
TOKEN_LIFE_US = 30 * DAY_US
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
KNOWN_MAX = 65_536

Headers = Iterable[tuple[bytes, bytes]]


class _Claim(msgspec.Struct, frozen=True, gc=False):
    """What a token says."""

    principal: Principal
    until_us: int


def issue_token(secret: bytes, principal: Principal, *, now_us: int, life_us: int = TOKEN_LIFE_US) -> str:
    """A token that shows for some time that its bearer is this principal."""
    said = msgspec.json.encode(_Claim(principal, now_us + life_us))
    return f"{_text(said)}.{_text(_sign(secret, said))}"


def read_token(secret: bytes, token: str, *, now_us: int) -> Principal:
    """Whom a token shows; raises `NotAllowed` for one that is over, or was not signed here."""
    return _valid(_read(secret, token), now_us).principal


class Doorkeeper:
    """Says for each request who asks, and remembers tokens that it has checked.

    Parameters
    ----------
    secret
        The key that tokens are signed with.
    clock
        Microseconds since 1970.
    known
        Whether a principal still exists; an erased member's token opens nothing.
    """

    def __init__(self, secret: bytes, *, clock: Callable[[], int], known: Callable[[Principal], bool]) -> None:
        self._secret = secret
        self._clock = clock
        self._known = known
        self._claims: dict[bytes, _Claim] = {}

    def principal(self, method: str, headers: Headers) -> Principal:
        """Who asks.

        Raises
        ------
        NotAllowed
            A bearer token that does not hold; or a change asked for by cookie from somewhere else.
        """
        bearer = cookie = origin = site = host = b""
        for name, value in headers:
            if name == b"authorization":
                bearer = value
            elif name == b"cookie":
                cookie = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"host":
                host = value
        if bearer:
            return self._check(bearer)
        if not cookie:
            return NOBODY
        principal = self._of_cookie(cookie)
        if principal is not NOBODY and method not in SAFE_METHODS and not _from_here(site, origin, host):
            raise NotAllowed(
                "app.foreign_page", "A page of another site may not act for you; use the pages of this one."
            )
        return principal

    def _check(self, bearer: bytes) -> Principal:
        now_us = self._clock()
        claim = self._claims.get(bearer)
        if claim is None:
            scheme, _, token = bearer.decode("latin-1").partition(" ")
            if scheme.lower() != "bearer":
                raise NotAllowed("app.bad_token", "Send the token as “Authorization: Bearer …”.")
            claim = _valid(_read(self._secret, token.strip()), now_us)
            if len(self._claims) >= KNOWN_MAX:
                self._claims.clear()
            self._claims[bearer] = claim
        elif claim.until_us <= now_us:
            del self._claims[bearer]
            _valid(claim, now_us)
        if not self._known(claim.principal):
            raise NotAllowed("app.bad_token", "Whoever this token was made for is not here any more.")
        return claim.principal

    def _of_cookie(self, cookie: bytes) -> Principal:
        try:
            seat = SimpleCookie(cookie.decode("latin-1")).get(COOKIE)
            # An old cookie must not shut anybody out of the public pages: it is as good as none.
            return self._check(b"Bearer " + seat.value.encode("latin-1")) if seat else NOBODY
        except (CookieError, NotAllowed):
            return NOBODY


def check_role(principal: Principal, roles: Sequence[str] | None) -> None:
    """Raise `NotAllowed` unless a route is for this principal. A route that names no roles is for nobody."""
    if roles and ("public" in roles or principal.role in roles):
        return
    if principal.role == "public" and roles:
        raise NotAllowed("app.not_known", f"Say who you are first; this is for: {', '.join(roles)}.")
    raise NotAllowed("app.wrong_role", f"This is for: {', '.join(roles or ('nobody',))}.", role=principal.role)


def _read(secret: bytes, token: str) -> _Claim:
    try:
        said, signature = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
        if hmac.compare_digest(signature, _sign(secret, said)):
            return msgspec.json.decode(said, type=_Claim)
    except ValueError:
        pass
    raise NotAllowed("app.bad_token", "This token was not made here; get a new one.")


def _valid(claim: _Claim, now_us: int) -> _Claim:
    if claim.until_us <= now_us:
        raise NotAllowed("app.bad_token", "The time of this token is over; get a new one.")
    return claim


def _from_here(site: bytes, origin: bytes, host: bytes) -> bool:
    if site:
        return site in (b"same-origin", b"none")
    return bool(host) and origin.partition(b"://")[2] == host


def _sign(secret: bytes, said: bytes) -> bytes:
    return hmac.digest(secret, b"hanse token 1\0" + said, sha256)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()

"""The position that an answer reflects, so that whoever asks next, elsewhere, sees at least that.

The answer to whatever may have changed something carries `Hanse-Position`. A program sends it with its next
read; a browser does so by itself, with a cookie that lives for a few seconds.
"""

from collections.abc import Iterable

__all__ = ["POSITION", "cookie", "wanted"]

POSITION = b"hanse-position"
_COOKIE = b"hanse_position="
COOKIE_LIFE_S = 10
"""A follower that is further behind than a second answers nobody; this is long enough."""

DIGITS_MAX = 18


def wanted(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """The position that a read has to reflect at least, by header, cookie or the last event of a stream."""
    position = 0
    for name, value in headers:
        if name in (POSITION, b"last-event-id"):
            position = max(position, _number(value))
        elif name == b"cookie":
            _, found, rest = value.partition(_COOKIE)
            if found:
                position = max(position, _number(rest.partition(b";")[0]))
    return position


def cookie(position: int) -> tuple[bytes, bytes]:
    """The header that has a browser send a position with what it asks next."""
    said = b"%s%d; Max-Age=%d; Path=/; HttpOnly; SameSite=Lax" % (_COOKIE, position, COOKIE_LIFE_S)
    return b"set-cookie", said


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= DIGITS_MAX else 0

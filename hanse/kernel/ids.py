"""Ids: typed by a prefix, sortable by time, made without chance.

``ord_01jd3v7k2m00000a`` is: the kind (``ord``), 11 characters of microseconds, 4 characters that number
the ids of one turn, and the tag of the district. A district's `now` never goes back and rises with each turn,
so no id can come twice in it. Two districts keep apart by their tags. An id is no secret: whoever may read a
thing is decided at the door, never by who knows its id.
"""

from typing import Final

from hanse.kernel.errors import InvalidInput

__all__ = ["ID_LENGTH_MAX", "IdMaker", "tag_of", "time_part"]

ID_LENGTH_MAX = 40

# Crockford's base 32: sorts as it counts, no letters that look like digits.
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_AND_COUNT: Final = 15
_PAIRS: Final = [a + b for a in _ALPHABET for b in _ALPHABET]


def time_part(micros: int) -> str:
    """Eleven characters that sort as the microseconds do (good until the year 3111)."""
    pairs = [_PAIRS[micros >> shift & 1023] for shift in (45, 35, 25, 15, 5)]
    return "".join(pairs) + _ALPHABET[micros & 31]


def tag_of(made_id: str) -> str:
    """The tag of the district that made an id; empty for what no district made.

    Examples
    --------
    >>> tag_of("ord_01jd3v7k2m00000a")
    'a'
    """
    return made_id.partition("_")[2][_TIME_AND_COUNT:]


class IdMaker:
    """Makes the ids of one district, turn by turn.

    Parameters
    ----------
    tag
        1 to 4 characters of base 32 that no other district of the league uses.
    """

    def __init__(self, tag: str) -> None:
        if not 1 <= len(tag) <= 4 or any(character not in _ALPHABET for character in tag):
            raise InvalidInput(
                "kernel.bad_tag", "Give the district a tag of 1 to 4 characters of 0-9a-z without i, l, o, u."
            )
        self._tag = tag
        self._count = 0
        self._time = time_part(0)

    def begin(self, now_us: int) -> None:
        """Start a turn; `now_us` is later than that of the turn before."""
        self._time = time_part(now_us)
        self._count = 0

    def next(self, prefix: str) -> str:
        """The next id of the turn, such as ``ord_…``."""
        count = self._count
        self._count = count + 1
        # 20 bits: a turn makes a few thousand ids, so the million is never reached.
        return f"{prefix}_{self._time}{_PAIRS[count >> 10]}{_PAIRS[count & 1023]}{self._tag}"

"""Time: aware UTC datetimes in code, integer microseconds since 1970 in the journal.

Nothing here reads a clock: `now` is always passed in. Local time (opening hours, "tomorrow at nine")
goes through the district's IANA zone and is right on both daylight-saving nights.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hanse.kernel.errors import InvalidInput, must

__all__ = [
    "DAY_US",
    "HOUR_US",
    "MINUTE_US",
    "SECOND_US",
    "OpeningHours",
    "from_micros",
    "hours_of",
    "next_open",
    "opens_us",
    "to_micros",
    "zone",
]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OpeningHours(msgspec.Struct, frozen=True):
    """When a shop is open, in local wall-clock minutes.

    Parameters
    ----------
    week
        Seven lists (Monday first) of ``[opens, closes]``, minutes after local midnight. `closes` may
        exceed 1,440 for a bar that shuts after midnight. An empty list is a closed day.
    """

    week: tuple[tuple[tuple[int, int], ...], ...]

    def __post_init__(self) -> None:
        must(len(self.week) == 7, "kernel.bad_hours", "Give seven days, Monday first.", field="week")
        for day in self.week:
            for opens, closes in day:
                must(
                    0 <= opens < closes <= opens + 1_440 and opens < 1_440,
                    "kernel.bad_hours",
                    "Give opening times as minutes after midnight, opening before closing.",
                    field="week",
                )


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC; raises `InvalidInput` for a moment without a zone."""
    if moment.tzinfo is None:
        raise InvalidInput(
            "kernel.naive_time", "Give the moment with its offset from UTC, such as 2026-11-22T09:00:00Z."
        )
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime of a journal time."""
    return _EPOCH + timedelta(microseconds=micros)


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; raises `InvalidInput` where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            "kernel.unknown_zone", "Name an IANA time zone, such as Europe/Helsinki.", field="zone", value=name
        ) from error


def next_open(hours: OpeningHours, at: datetime, local: ZoneInfo) -> datetime | None:
    """The first moment from `at` on when the shop is open: `at` itself, a later opening, or None in 8 days.

    A local time that a clock change skips counts from the moment after the gap; one that occurs twice
    counts from its first occurrence, and closes at its second.
    """
    found = opens_us(hours, to_micros(at), local)
    return None if found is None else from_micros(found)


def opens_us(hours: OpeningHours, at_us: int, local: ZoneInfo) -> int | None:
    """What `next_open` says, in microseconds since 1970, UTC."""
    for start_us, end_us in _spans(hours, at_us // DAY_US, local):
        if at_us < end_us:
            return max(at_us, start_us)
    return None


@lru_cache(maxsize=16_384)
def _spans(hours: OpeningHours, day: int, local: ZoneInfo) -> tuple[tuple[int, int], ...]:
    """When a shop opens and closes around a UTC day (counted from 1970), by opening, in microseconds."""
    middle = _EPOCH.date() + timedelta(days=day)
    # From two days before on: local days begin earlier or later, and a bar may still be open from the evening before.
    days = [middle + timedelta(days=offset) for offset in range(-2, 10)]
    return tuple(
        sorted(
            (to_micros(_instant(on, opens, local, fold=0)), to_micros(_instant(on, closes, local, fold=1)))
            for on in days
            for opens, closes in hours.week[on.weekday()]
        )
    )


def _instant(day: date, minutes: int, local: ZoneInfo, *, fold: int) -> datetime:
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 - wall-clock arithmetic
    while True:
        # Adding to a datetime forgets its fold, so it is set last.
        moment = wall.replace(tzinfo=local, fold=fold).astimezone(UTC)
        if moment.astimezone(local).replace(tzinfo=None) == wall:
            return moment
        wall += timedelta(minutes=1)


def hours_of(week: Sequence[Sequence[Sequence[int]]]) -> OpeningHours:
    """Opening hours from plain nested lists, as data files and requests carry them."""
    return OpeningHours(tuple(tuple((int(a), int(b)) for a, b in day) for day in week))

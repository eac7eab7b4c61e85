from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.kernel.errors import InvalidInput
from hanse.kernel.time import OpeningHours, from_micros, hours_of, next_open, to_micros, zone

HELSINKI = zone("Europe/Helsinki")
CLOSED: list[list[int]] = []


def daily(*spans: list[int]) -> OpeningHours:
    return hours_of([spans] * 7)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_an_open_shop_can_begin_now() -> None:
    at = utc("2026-06-01T12:00+03:00")
    assert next_open(daily([480, 1260]), at, HELSINKI) == at


def test_at_closing_time_a_shop_is_closed() -> None:
    assert next_open(daily([480, 1260]), utc("2026-06-01T21:00+03:00"), HELSINKI) == utc("2026-06-02T08:00+03:00")


def test_a_bar_is_still_open_after_midnight() -> None:
    friday_only = hours_of([CLOSED, CLOSED, CLOSED, CLOSED, [[1080, 1620]], CLOSED, CLOSED])
    at = utc("2026-06-06T02:59+03:00")  # Saturday
    assert next_open(friday_only, at, HELSINKI) == at
    assert next_open(friday_only, at + timedelta(minutes=1), HELSINKI) == utc("2026-06-12T18:00+03:00")


def test_the_earliest_of_several_openings_counts_in_whatever_order_they_are_written() -> None:
    assert next_open(daily([900, 1200], [480, 720]), utc("2026-06-01T05:00+03:00"), HELSINKI) == utc(
        "2026-06-01T08:00+03:00"
    )


def test_a_shop_that_is_always_closed_never_opens() -> None:
    assert next_open(hours_of([CLOSED] * 7), utc("2026-06-01T12:00+03:00"), HELSINKI) is None


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_a_shop_that_never_closes_is_open_through_both_nights_of_clock_change(night: str) -> None:
    start = utc(f"{night}T00:00+02:00") - timedelta(hours=3)
    for quarter in range(4 * 8):
        at = start + timedelta(minutes=15 * quarter)
        assert next_open(daily([0, 1440]), at, HELSINKI) == at


def test_opening_and_closing_keep_wall_time_on_the_day_of_a_clock_change() -> None:
    for day, offset in (("2026-03-28", "+02:00"), ("2026-03-29", "+03:00"), ("2026-10-25", "+02:00")):
        assert next_open(daily([480, 1260]), utc(f"{day}T05:00{offset}"), HELSINKI) == utc(f"{day}T08:00{offset}")
        assert next_open(daily([480, 1260]), utc(f"{day}T21:00{offset}"), HELSINKI) == utc(
            f"{day}T08:00{offset}"
        ) + timedelta(days=1, hours=-1 if day == "2026-03-28" else 0)


@pytest.mark.parametrize("opens", [180, 210, 239])
def test_a_time_that_spring_skips_counts_from_the_moment_after_the_gap(opens: int) -> None:
    # On this night 03:00 becomes 04:00.
    assert next_open(daily([opens, 720]), utc("2026-03-29T02:00+02:00"), HELSINKI) == utc("2026-03-29T04:00+03:00")


def test_a_bar_that_closes_within_the_gap_closes_with_it() -> None:
    bar = hours_of([CLOSED] * 5 + [[[1080, 1650]], CLOSED])  # Saturday 18:00 to Sunday 03:30
    before = utc("2026-03-29T02:59+02:00")
    assert next_open(bar, before, HELSINKI) == before
    assert next_open(bar, before + timedelta(minutes=1), HELSINKI) == utc("2026-04-04T18:00+03:00")


def test_a_time_that_autumn_repeats_opens_at_its_first_and_closes_at_its_second() -> None:
    # On this night 04:00 summer time becomes 03:00.
    assert next_open(daily([210, 720]), utc("2026-10-25T02:00+03:00"), HELSINKI) == utc("2026-10-25T03:30+03:00")
    bar = hours_of([CLOSED] * 5 + [[[1080, 1650]], CLOSED])  # Saturday 18:00 to Sunday 03:30
    last = utc("2026-10-25T03:29+02:00")
    assert next_open(bar, last, HELSINKI) == last
    assert next_open(bar, last + timedelta(minutes=1), HELSINKI) == utc("2026-10-31T18:00+02:00")


@given(st.integers(-(10**15), 10**17))
def test_microseconds_survive_the_way_through_a_datetime(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        to_micros(datetime(2026, 11, 22))  # noqa: DTZ001
    assert refused.value.code == "kernel.naive_time"


def test_what_is_no_zone_is_refused() -> None:
    for name in ("Atlantis", "../etc/passwd", ""):
        with pytest.raises(InvalidInput) as refused:
            zone(name)
        assert refused.value.code == "kernel.unknown_zone"


@pytest.mark.parametrize(
    "week", [[], [[[600, 480]]] * 7, [[[600, 600]]] * 7, [[[-1, 60]]] * 7, [[[1440, 1500]]] * 7, [[[600, 2041]]] * 7]
)
def test_impossible_opening_hours_are_refused(week: list[list[list[int]]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        hours_of(week)
    assert refused.value.code == "kernel.bad_hours"

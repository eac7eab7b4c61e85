from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hanse.kernel.errors import InvalidInput
from hanse.kernel.time import HOUR_US, MINUTE_US, to_micros
from hanse.world.clock import WorldClock

HELSINKI = ZoneInfo("Europe/Helsinki")
SUNDAY_EVENING_US = to_micros(datetime(2026, 11, 22, 21, 30, tzinfo=UTC))


def test_the_world_starts_with_us_and_runs_ahead() -> None:
    clock = WorldClock(SUNDAY_EVENING_US, 10.0)
    assert clock.at(SUNDAY_EVENING_US) == SUNDAY_EVENING_US
    assert clock.at(SUNDAY_EVENING_US + 6 * MINUTE_US) == SUNDAY_EVENING_US + HOUR_US
    assert clock.wait_us(HOUR_US) == 6 * MINUTE_US


def test_the_hour_of_the_week_is_the_towns_own() -> None:
    clock = WorldClock(SUNDAY_EVENING_US, 1.0)
    assert clock.hour_of_week(SUNDAY_EVENING_US, HELSINKI) == 6 * 24 + 23
    assert clock.hour_of_week(SUNDAY_EVENING_US + HOUR_US, HELSINKI) == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, 10.5, float("nan")])
def test_a_speed_that_nobody_could_follow_is_refused(speed: float) -> None:
    with pytest.raises(InvalidInput, match="at most 10 times"):
        WorldClock(0, speed)

"""The world's time: it starts at the present and runs at most ten times as fast."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from hanse.kernel.errors import must
from hanse.kernel.time import from_micros

__all__ = ["SPEED_MAX", "WorldClock"]

SPEED_MAX = 10.0
"""Faster, and nobody could follow an order with their eyes."""


class WorldClock(msgspec.Struct, frozen=True):
    """Turns our time into the world's. Both in microseconds since 1970, UTC.

    Only what the world's people do follows this clock. Orders, deadlines and opening hours in the district
    run in our time: the district does not know that it is simulated.
    """

    began_us: int
    speed: float = SPEED_MAX

    def __post_init__(self) -> None:
        must(
            0 < self.speed <= SPEED_MAX,
            "world.bad_speed",
            f"Give a speed above 0 and at most {SPEED_MAX:g} times real time.",
            field="speed",
        )

    def at(self, now_us: int) -> int:
        """What the world's clock shows at a moment of ours."""
        return self.began_us + round((now_us - self.began_us) * self.speed)

    def wait_us(self, world_us: int) -> int:
        """How long we wait until so much time has passed in the world."""
        return round(world_us / self.speed)

    def hour_of_week(self, now_us: int, local: ZoneInfo) -> int:
        """The world's hour of the week at a moment of ours: Monday 0:00 to 1:00 is 0, 167 the last."""
        shown: datetime = from_micros(self.at(now_us)).astimezone(local)
        return shown.weekday() * 24 + shown.hour

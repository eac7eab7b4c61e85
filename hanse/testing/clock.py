"""A clock that stands still until it is moved."""

from hanse.kernel.time import SECOND_US

__all__ = ["START_US", "Clock"]

START_US = 1_790_000_000 * SECOND_US
"""2026-09-21T14:13:20Z, a Monday afternoon: shops are open."""


class Clock:
    """Call it for the time in microseconds; move it with `forward` and `back`.

    Examples
    --------
    >>> clock = Clock(0)
    >>> clock.forward(minutes=2)
    >>> clock()
    120000000
    """

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        """Microseconds since 1970, UTC."""
        return self.now_us

    def forward(self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Let time pass."""
        self.now_us += (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * SECOND_US

    def back(self, *, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Set the clock back, as a wrongly set server does."""
        self.forward(hours=-hours, minutes=-minutes, seconds=-seconds)

"""How a writer and its district are watched: told once a turn what was done, and of what is slow or goes wrong.

They know nothing of metrics, logs or traces: whoever counts and writes stands above and keeps to this.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hanse.district.jobs import Answer, Job
from hanse.journal.protocol import Entry

__all__ = ["Observer", "Turned"]


class Turned(NamedTuple):
    """A turn that was committed and answered."""

    jobs: Sequence[Job]
    answers: Sequence[Answer]
    entries: Sequence[Entry]
    folding_s: float
    """In commands, steps and deadlines, and in folding what they recorded."""
    commit_s: float


class Observer(Protocol):
    """Watches a writer. Whatever it does holds the writer up for as long, and nothing may be decided by it."""

    slow_s: float
    """A command, step or deadline that takes longer is told to `slow`; asking the clock costs 0.1 µs each time."""

    def turned(self, turned: Turned) -> None:
        """A turn is over: its commit is durable and its answers were given."""
        ...

    def slow(self, kind: str, origin: str, *, seconds: float, position: int, caller: str) -> None:
        """A ``command``, ``step`` or ``deadline`` took long; a step's position is that of its event."""
        ...

    def stumbled(self, kind: str, origin: str, *, position: int, error: Exception | None) -> None:
        """A ``command`` met a bug before it recorded, or a ``step`` failed; without an error it was passed over."""
        ...

    def restarted(self, *, reason: str, what: str, error: BaseException, parked: bool) -> None:
        """Memory was thrown away and made anew from the journal.

        Parameters
        ----------
        reason
            ``stopped``: `what` raised after it had recorded, and is `parked` if it did so before;
            ``unavailable``: a commit failed.
        """
        ...

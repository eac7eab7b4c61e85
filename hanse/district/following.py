"""Following a district: the same folds over the same journal, in another process, for reading only.

A follower stands at the end of a commit, always: nobody sees half of what a turn did. It runs no steps and
calls nobody outside.
"""

from collections.abc import Callable

from hanse.district.core import District
from hanse.journal.protocol import Entry, Journal, Mark

__all__ = ["ENTRIES_PER_ADVANCE", "Follower"]

ENTRIES_PER_ADVANCE = 1_000
"""About 15 ms of folding, in which nothing else is done. A commit of more is taken whole."""


class Follower:
    """A district that is brought up from a journal and kept up with it.

    Parameters
    ----------
    journal
        To read from; somebody else appends to it.
    build
        Makes the district as the journal says it is, such as `opening.follow`.
    clock
        Microseconds since 1970, UTC.

    Attributes
    ----------
    lag_us
        How old the latest commit was when it had been folded: from the beginning of its turn, in microseconds.
    """

    def __init__(self, journal: Journal, build: Callable[[Journal], District], *, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._clock = clock
        self.district = build(journal)
        self.lag_us = 0

    @property
    def position(self) -> int:
        """The end of the latest commit that is folded."""
        return self.district.position

    def advance(self) -> list[Entry]:
        """Fold the commits that come next, about `ENTRIES_PER_ADVANCE` entries; returns them, in order.

        Raises
        ------
        JournalUnavailable
            The journal can't be read now; nothing was folded.
        """
        mark = self._next_mark()
        if mark is None:
            return []
        entries = list(self._journal.read(self.position, limit=mark.position - self.position))
        self.district.replay(entries, steps_through=mark.position)
        self.district.chain = mark.hash
        self.lag_us = max(self._clock() - mark.time_us, 0)
        return entries

    def _next_mark(self) -> Mark | None:
        """The end of the last commit that is taken this time."""
        found: Mark | None = None
        for mark in self._journal.marks(self.position):
            if found is not None and mark.position - self.position > ENTRIES_PER_ADVANCE:
                break
            found = mark
        return found

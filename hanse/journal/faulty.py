"""A journal that fails when told to: so that tests and the simulation meet a full disk and a power cut."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from hanse.journal.protocol import Answered, Commit, Entry, Head, Journal, JournalUnavailable, Mark

__all__ = ["Crash", "Fault", "FaultyJournal"]

Fault = Literal["full_before", "full_after", "away_after", "crash_before", "crash_after"]
"""``full_…``: the append raises `JournalUnavailable`; ``away_…``: and from then on all else does, until `away` is
false again; ``crash_…``: the process is gone (raises `Crash`).
``…_before``: nothing was written; ``…_after``: the commit is durable, but nobody was told."""


class Crash(BaseException):
    """The process is gone. Not an `Exception`: nothing in the program may catch it and go on."""


class FaultyJournal:
    """Another journal with faults on its way.

    Parameters
    ----------
    inner
        Where commits go.
    on_durable
        Told of each commit that became durable, before anybody else hears of it.

    Attributes
    ----------
    next_fault
        What happens to the next append; None: nothing.
    full
        While true every append fails, as on a full disk.
    away
        While true nothing works, as with a server that is gone.
    """

    def __init__(self, inner: Journal, on_durable: Callable[[Commit], None] | None = None) -> None:
        self.inner = inner
        self.next_fault: Fault | None = None
        self.full = False
        self.away = False
        self._on_durable = on_durable

    def append(self, commit: Commit) -> None:
        fault, self.next_fault = self.next_fault, None
        self._reach()
        if self.full or fault == "full_before":
            raise _full()
        if fault == "crash_before":
            raise Crash
        self.inner.append(commit)
        if self._on_durable is not None:
            self._on_durable(commit)
        if fault == "full_after":
            raise _full()
        if fault == "away_after":
            self.away = True
            self._reach()
        if fault == "crash_after":
            raise Crash

    def extend(self, commits: Sequence[Commit]) -> None:
        self._reach()
        if self.full:
            raise _full()
        self.inner.extend(commits)

    def head(self) -> Head:
        self._reach()
        return self.inner.head()

    def probe(self) -> None:
        self._reach()
        if self.full:
            raise _full()
        self.inner.probe()

    def renew(self) -> None:
        self._reach()
        self.inner.renew()

    def read(self, after: int = 0, *, limit: int | None = None) -> Iterator[Entry]:
        self._reach()
        return self.inner.read(after, limit=limit)

    def story(self, story: str, *, limit: int = 1_000) -> list[Entry]:
        self._reach()
        return self.inner.story(story, limit=limit)

    def marks(self, after: int = 0) -> Iterator[Mark]:
        self._reach()
        return self.inner.marks(after)

    def answer(self, number: int) -> Answered | None:
        self._reach()
        return self.inner.answer(number)

    def answers_since(self, time_us: int) -> Iterator[tuple[int, str, str]]:
        self._reach()
        return self.inner.answers_since(time_us)

    def answers(self) -> Iterator[Answered]:
        self._reach()
        return self.inner.answers()

    def forget_answers(self, before_us: int, *, limit: int) -> int:
        self._reach()
        if self.full:
            raise _full()
        return self.inner.forget_answers(before_us, limit=limit)

    def close(self) -> None:
        self.inner.close()

    def _reach(self) -> None:
        if self.away:
            raise JournalUnavailable("journal.unavailable", "The server is gone; start it, then try again.")


def _full() -> JournalUnavailable:
    return JournalUnavailable("journal.unavailable", "The disk is full; free some space, then try again.")

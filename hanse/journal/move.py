"""Moving a district from one journal to another: the same entries, the same commits, the same chain of hashes.

At every moment at most one of the two can be started: the target is closed before its first entry and opened when
it is whole; the source is closed in between. A move that was broken off goes on where it stood.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from hanse.journal.check import Verdict, verify
from hanse.journal.protocol import Commit, Journal, JournalClosed
from hanse.kernel.errors import Conflict

__all__ = ["Movable", "Progress", "move"]

ENTRIES_AT_ONCE = 2_000
"""So many entries, or one commit of more, become durable together: waiting for the disk each time takes hours."""

ANSWERS_AT_ONCE = 1_000

UNFINISHED = "A move of a district into this journal is not finished; run the same hanse journal move again."

Progress = Callable[[int, int], None]
"""Told how many entries have been copied, of how many."""


class Movable(Journal, Protocol):
    """A journal that can be closed to writers, and takes several commits at once."""

    @property
    def closed(self) -> str:
        """Why nobody may write it any more; empty if somebody may."""
        ...

    def shut(self, why: str) -> None:
        """Let no writer in after this one, and tell it why; an empty reason opens it again."""
        ...

    def extend(self, commits: Sequence[Commit]) -> None:
        """Append several commits, all durable together or none."""
        ...


def move(source: Movable, target: Movable, *, gone: str, progress: Progress) -> Verdict:
    """Copy a journal, verify the copy, close the source; says what the copy holds.

    Parameters
    ----------
    source, target
        Opened for writing, so that nobody else writes them, and though they may be closed.
    gone
        What whoever starts the source from then on is told.
    progress
        Told how far it is.

    Raises
    ------
    JournalClosed
        The source moved elsewhere before, or is itself an unfinished copy.
    Conflict
        The target holds another history, or does not verify.
    """
    if source.closed and not (source.closed == gone and target.closed == UNFINISHED):
        raise JournalClosed("journal.closed", source.closed)
    _check_history(source, target)
    if target.closed != UNFINISHED:
        target.shut(UNFINISHED)
    _copy(source, target, progress)
    _copy_answers(source, target)
    verdict = verify(target)
    if verdict.fault or verdict.hash != source.head().hash.hex():
        raise Conflict(
            "journal.copy_differs",
            f"The copy is not what was copied ({verdict.fault or 'another hash'}); verify the source, delete the copy,"
            " and move again.",
        )
    source.shut(gone)
    target.shut("")
    return verdict


def _check_history(source: Journal, target: Journal) -> None:
    """The target is empty, or ends with a commit that the source has too: its hash covers everything before."""
    head = target.head()
    if head.position == 0:
        return
    mark = next(iter(source.marks(head.position - 1)), None)
    if mark is None or (mark.position, mark.hash) != (head.position, head.hash):
        raise Conflict(
            "journal.other_history",
            f"The target holds another history ({head.position} entries that the source does not have);"
            " choose an empty one.",
        )


def _copy(source: Journal, target: Movable, progress: Progress) -> None:
    total, done = source.head().position, target.head().position
    progress(done, total)
    for commits in _batches(source, after=done):
        target.extend(commits)
        assert commits[-1].mark is not None
        progress(commits[-1].mark.position, total)


def _batches(source: Journal, *, after: int) -> Iterator[list[Commit]]:
    """Whole commits behind a position, some at once."""
    entries = source.read(after)
    batch: list[Commit] = []
    size = 0
    for mark in source.marks(after):
        batch.append(Commit(list(islice(entries, max(mark.entries, 0))), [], mark))
        size += mark.entries
        if size >= ENTRIES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _copy_answers(source: Journal, target: Movable) -> None:
    # Anew, all of them: numbers begin again once all were forgotten, so older ones there may be of another count.
    newest = max((row.time_us for row in target.answers()), default=0)
    while target.forget_answers(newest + 1, limit=ANSWERS_AT_ONCE):
        pass
    answers = source.answers()
    while some := list(islice(answers, ANSWERS_AT_ONCE)):
        target.append(Commit([], some, None))

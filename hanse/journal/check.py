"""Verifying a journal: positions without gaps, times that never go back, a chain that closes.

`verify` tells an operator what it found; `sound` is for who reads on: it gives only what was verified.
"""

from collections.abc import Iterator
from itertools import islice

import msgspec

from hanse.journal.protocol import GENESIS, Entry, Journal, JournalUnavailable, Mark, seal

__all__ = ["RESTORE", "Verdict", "sound", "verify"]

RESTORE = "restore it from a backup as docs/how-to/back-up-and-restore.md tells"
"""The end of each sentence about damage."""


class Verdict(msgspec.Struct, frozen=True):
    """What a verification found: how far it got, and the first thing wrong, if any."""

    entries: int
    commits: int
    hash: str
    fault: str = ""


def verify(journal: Journal) -> Verdict:
    """Recompute the chain from the first entry; stops at the first fault. O(entries), constant memory."""
    entries = journal.read()
    position, commits, chain, time_us = 0, 0, GENESIS, 0
    for mark in journal.marks():
        # A forged count may be negative or huge: both only lead to a misfit.
        batch = list(islice(entries, max(mark.entries, 0)))
        fault = _fault(batch, position, time_us) or _misfit(mark, batch, chain)
        if fault:
            return Verdict(position, commits, chain.hex(), fault)
        position, time_us, chain, commits = mark.position, batch[-1].time_us, mark.hash, commits + 1
    return Verdict(position, commits, chain.hex(), _rest(journal, entries, position))


def sound(journal: Journal, *, after: int, chain: bytes, until: int) -> Iterator[Entry]:
    """The entries of the commits behind one of them and up to another, each commit checked before it is given.

    Parameters
    ----------
    after
        The position of the last commit that is known; 0 for the beginning.
    chain
        Its hash.
    until
        The position of the last commit to read.

    Raises
    ------
    JournalUnavailable
        A commit is not what it was.
    """
    entries = journal.read(after, limit=until - after)
    position, time_us = after, 0
    for mark in journal.marks(after):
        if position >= until:
            return
        batch = list(islice(entries, max(mark.entries, 0)))
        fault = _fault(batch, position, time_us) or _misfit(mark, batch, chain)
        if fault:
            raise JournalUnavailable("journal.damaged", f"The journal is damaged: {fault}; {RESTORE}.")
        yield from batch
        position, time_us, chain = mark.position, batch[-1].time_us, mark.hash
    if position < until:
        raise JournalUnavailable(
            "journal.damaged", f"The journal is damaged: commits behind position {position} are missing; {RESTORE}."
        )


def _fault(batch: list[Entry], position: int, time_us: int) -> str:
    for entry in batch:
        position += 1
        if entry.position != position:
            return f"position {position} is missing"
        if entry.time_us < time_us:
            return f"time goes back at position {position}"
        time_us = entry.time_us
    return ""


def _misfit(mark: Mark, batch: list[Entry], chain: bytes) -> str:
    if not batch or batch[-1].position != mark.position:
        return f"entries are missing before position {mark.position}"
    if seal(chain, batch, mark.steps_through) != mark.hash:
        return f"the entries {batch[0].position} to {mark.position} are not those that were committed"
    if mark.time_us != batch[-1].time_us or not 0 <= mark.steps_through <= mark.position:
        return f"the mark at position {mark.position} does not fit its entries"
    return ""


def _rest(journal: Journal, entries: Iterator[Entry], position: int) -> str:
    extra = next(entries, None)
    # A writer beside us may have gone on since the last mark was read.
    if extra is None or position < extra.position <= journal.head().position:
        return ""
    return f"position {extra.position} belongs to no commit"

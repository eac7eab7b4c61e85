"""Verifying a journal: positions without gaps, times that never go back, a chain that closes."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from hanse.journal.protocol import GENESIS, Entry, Journal, seal

__all__ = ["Verdict", "verify"]


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
        batch = list(islice(entries, mark.entries))
        fault = _fault(batch, position, time_us) or (
            ""
            if batch and batch[-1].position == mark.position
            else f"entries are missing before position {mark.position}"
        )
        if not fault and seal(chain, batch) != mark.hash:
            fault = f"the entries {position + 1} to {mark.position} are not those that were committed"
        if fault:
            return Verdict(position, commits, chain.hex(), fault)
        position, time_us, chain, commits = mark.position, batch[-1].time_us, mark.hash, commits + 1
    return Verdict(position, commits, chain.hex(), _rest(entries))


def _fault(batch: list[Entry], position: int, time_us: int) -> str:
    for entry in batch:
        position += 1
        if entry.position != position:
            return f"position {position} is missing"
        if entry.time_us < time_us:
            return f"time goes back at position {position}"
        time_us = entry.time_us
    return ""


def _rest(entries: Iterator[Entry]) -> str:
    extra = next(entries, None)
    return f"position {extra.position} belongs to no commit" if extra else ""

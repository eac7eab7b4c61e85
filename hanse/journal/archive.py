"""A journal written out: a folder of segments that anyone can read and check, and a journal can be made of again.

A segment is a gzip file of JSON lines: first its head (`Segment`), then a line for each commit (`Sealed`). It is named
after its first and last position, holds whole commits, and continues the chain of the one before. Segments never
change; archiving again adds what is new. The answers to keys, kept a day, are no part of it.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from hanse.journal.check import Verdict, sound
from hanse.journal.durable import make_folder, write_file
from hanse.journal.protocol import GENESIS, Commit, Entry, Journal, JournalUnavailable, Mark, seal
from hanse.kernel.errors import Conflict

__all__ = ["Sealed", "Segment", "archive", "commits_behind", "pour", "read", "segments", "verify_archive"]

T = TypeVar("T", bound=msgspec.Struct)

SEGMENT_ENTRIES = 50_000
"""Entries from which a segment is closed: about 15 MB of JSON, in memory while it is written."""

ENTRIES_PER_COMMIT = 5_000
"""So many entries are poured into a journal at a time: waiting for the disk at each commit of theirs takes hours."""


class Segment(msgspec.Struct, frozen=True, tag_field="kind", tag="hanse.segment.1"):
    """The head of a segment: which positions it holds, and the hashes before its first and of its last commit."""

    first: int
    last: int
    commits: int
    previous: str
    hash: str


class Sealed(msgspec.Struct, frozen=True):
    """A commit: its entries as arrays of eight in the order of `Entry`, and what its hash is made of besides them."""

    hash: str
    steps_through: int
    entries: list[Entry]

    @classmethod
    def of(cls, commit: Commit) -> "Sealed":
        """A commit as a line says it."""
        assert commit.mark is not None
        return cls(commit.mark.hash.hex(), commit.mark.steps_through, list(commit.entries))

    def commit(self) -> Commit:
        """The commit as a journal takes it."""
        last = self.entries[-1]
        mark = Mark(last.position, last.time_us, self.steps_through, len(self.entries), bytes.fromhex(self.hash))
        return Commit(self.entries, [], mark)


# Writing


def archive(journal: Journal, folder: Path) -> int:
    """Write out what a folder has not yet; each segment whole or not at all. Returns how many entries were new.

    Raises
    ------
    Conflict
        The folder holds the archive of another journal.
    JournalUnavailable
        The journal, or the newest segment, is damaged.
    """
    make_folder(folder)
    known = segments(folder)
    head = _head(known[-1]) if known else Segment(0, 0, 0, "", GENESIS.hex())
    _check_same(journal, head, folder)
    behind = commits_behind(journal, position=head.last, chain=bytes.fromhex(head.hash))
    position, previous = head.last, head.hash
    for batch in _batches(behind, SEGMENT_ENTRIES):
        sealed = [Sealed.of(commit) for commit in batch]
        segment = Segment(position + 1, sealed[-1].entries[-1].position, len(sealed), previous, sealed[-1].hash)
        lines = b"\n".join(msgspec.json.encode(line) for line in (segment, *sealed)) + b"\n"
        name = f"{segment.first:015d}-{segment.last:015d}.ndjson.gz"
        # Without the time in the head, the same entries are the same bytes.
        write_file(folder / name, gzip.compress(lines, mtime=0))
        position, previous = segment.last, segment.hash
    return position - head.last


def commits_behind(journal: Journal, *, position: int = 0, chain: bytes = GENESIS) -> Iterator[Commit]:
    """The commits of a journal behind one of them, each checked against the chain; up to where it ends now."""
    until = journal.head().position
    entries = sound(journal, after=position, chain=chain, until=until)
    for mark in journal.marks(position):
        if mark.position > until:
            return
        yield Commit(list(islice(entries, mark.entries)), [], mark)


def _batches(commits: Iterator[Commit], entries: int) -> Iterator[list[Commit]]:
    """Whole commits, together until they hold so many entries."""
    batch: list[Commit] = []
    held = 0
    for commit in commits:
        batch.append(commit)
        held += len(commit.entries)
        if held >= entries:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _check_same(journal: Journal, head: Segment, folder: Path) -> None:
    if head.last and _hash_at(journal, head.last) != head.hash:
        raise Conflict(
            "journal.other_archive",
            f"The archive in {folder} goes to position {head.last} of another journal; archive into another folder.",
        )


def _hash_at(journal: Journal, position: int) -> str:
    mark = next(iter(journal.marks(position - 1)), None)
    return mark.hash.hex() if mark is not None and mark.position == position else ""


# Reading


def segments(folder: Path) -> list[Path]:
    """The segments of an archive, the oldest first."""
    return sorted(folder.glob("*.ndjson.gz"))


def read(folder: Path) -> Iterator[Commit]:
    """The commits of an archive, from the first; each checked against the chain before it is given.

    Raises
    ------
    JournalUnavailable
        A segment is missing or damaged.
    """
    position, chain = 0, GENESIS
    for path in segments(folder):
        lines = _lines(path)
        head = _decode(next(lines, b""), Segment, path)
        if (head.first, head.previous) != (position + 1, chain.hex()):
            raise _damaged(path, f"it does not continue position {position}; one before it is missing or another's")
        for line in lines:
            sealed = _decode(line, Sealed, path)
            if not sealed.entries or seal(chain, sealed.entries, sealed.steps_through).hex() != sealed.hash:
                raise _damaged(path, f"what stands behind position {position} is not what was committed")
            commit = sealed.commit()
            yield commit
            position, chain = sealed.entries[-1].position, bytes.fromhex(sealed.hash)
        if (head.last, head.hash) != (position, chain.hex()):
            raise _damaged(path, f"it ends at position {position} instead of {head.last}")


def verify_archive(folder: Path, journal: Journal | None = None) -> Verdict:
    """Recompute the chain of an archive, and compare its end with a journal; the first fault, if there is one."""
    entries, commits, chain = 0, 0, GENESIS.hex()
    try:
        for commit in read(folder):
            assert commit.mark is not None
            entries, commits, chain = commit.mark.position, commits + 1, commit.mark.hash.hex()
    except JournalUnavailable as error:
        return Verdict(entries, commits, chain, error.message.rstrip("."))
    if journal is not None and entries and _hash_at(journal, entries) != chain:
        return Verdict(entries, commits, chain, f"the journal holds something else at position {entries}")
    return Verdict(entries, commits, chain)


def pour(commits: Iterable[Commit], journal: Journal) -> int:
    """Append commits to a journal that is empty, or holds the beginning of them; returns how many entries were new.

    Raises
    ------
    Conflict
        The journal holds another history.
    """
    head = journal.head()
    batch: list[Commit] = []
    held, position = 0, 0
    for commit in commits:
        assert commit.mark is not None
        position = commit.mark.position
        if position <= head.position:
            if position == head.position and commit.mark.hash != head.hash:
                raise _another()
            continue
        batch.append(commit)
        held += len(commit.entries)
        if held >= ENTRIES_PER_COMMIT:
            journal.extend(batch)
            batch, held = [], 0
    if position < head.position:
        raise _another()
    if batch:
        journal.extend(batch)
    return position - head.position


def _another() -> Conflict:
    return Conflict("journal.not_empty", "This journal holds another history; restore into an empty one.")


def _head(path: Path) -> Segment:
    return _decode(next(_lines(path), b""), Segment, path)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            yield from file
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from error


def _decode(line: bytes, form: type[T], path: Path) -> T:
    try:
        return msgspec.json.decode(line, type=form)
    except msgspec.MsgspecError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, what: str) -> JournalUnavailable:
    return JournalUnavailable(
        "journal.damaged_archive",
        f"The segment {path.name} is damaged: {what}; take it from another copy,"
        " or delete it and all behind it and archive the journal again.",
    )

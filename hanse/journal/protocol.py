"""What a journal is: commits of entries and answers, appended whole or not at all."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

import msgspec

from hanse.kernel.errors import Conflict, Unavailable

__all__ = [
    "GENESIS",
    "Answered",
    "Commit",
    "Entry",
    "Head",
    "Journal",
    "JournalClosed",
    "JournalFenced",
    "JournalUnavailable",
    "Mark",
    "seal",
]

GENESIS = bytes(32)
"""The hash before the first commit."""

_encode_rows = msgspec.msgpack.Encoder().encode


class JournalUnavailable(Unavailable):
    """The journal could not be written or read; nothing of the commit was kept."""


class JournalFenced(Conflict):
    """Somebody else wrote at this position: this writer has lost its district and must stop."""


class JournalClosed(Conflict):
    """Nobody may write this journal any more; the sentence says where it has gone."""


class Entry(NamedTuple):
    """One event as it is stored."""

    position: int
    time_us: int
    name: str
    version: int
    story: str
    origin: str
    cause: int
    body: str


class Answered(NamedTuple):
    """The answer to one keyed command as it is stored; `number` counts the answers of a journal."""

    number: int
    time_us: int
    caller: str
    key: str
    fingerprint: bytes
    kind: str
    body: bytes
    position: int


class Mark(NamedTuple):
    """The end of one commit: up to which position it goes, which steps were done by then, and the chain."""

    position: int
    time_us: int
    steps_through: int
    entries: int
    hash: bytes


class Commit(NamedTuple):
    """What one turn leaves behind. All of it becomes durable, or nothing."""

    entries: Sequence[Entry]
    answers: Sequence[Answered]
    mark: Mark | None


class Head(NamedTuple):
    """Where a journal ends."""

    position: int = 0
    time_us: int = 0
    steps_through: int = 0
    hash: bytes = GENESIS
    answers: int = 0  # the number of the latest answer that is kept


class Journal(Protocol):
    """An append-only store of one district. One process appends; any number read.

    Every method raises `JournalUnavailable` where the store cannot be reached.
    """

    def head(self) -> Head:
        """The end of the journal."""
        ...

    def renew(self) -> None:
        """Show that the writer lives, where a journal wants to know; called often, while nothing is appended too.

        Raises `JournalFenced` if another writer has taken over.
        """
        ...

    def probe(self) -> None:
        """Write what changes nothing, durable on return: whether a journal that failed takes commits again."""
        ...

    def append(self, commit: Commit) -> None:
        """Make a commit durable before returning; raises `JournalFenced` if its positions are taken."""
        ...

    def extend(self, commits: Sequence[Commit]) -> None:
        """Append several commits, all durable together or none; for filling a journal."""
        ...

    def read(self, after: int = 0, *, limit: int | None = None) -> Iterator[Entry]:
        """Entries behind a position, in order."""
        ...

    def story(self, story: str, *, limit: int = 1_000) -> list[Entry]:
        """The entries of one story, in order; none of the empty story, which is no story."""
        ...

    def marks(self, after: int = 0) -> Iterator[Mark]:
        """Ends of commits behind a position, in order."""
        ...

    def answer(self, number: int) -> Answered | None:
        """One stored answer, unless forgotten."""
        ...

    def answers_since(self, time_us: int) -> Iterator[tuple[int, str, str]]:
        """Number, caller and key of the answers given from a moment on, in order."""
        ...

    def answers(self) -> Iterator[Answered]:
        """All stored answers that were not forgotten, in order."""
        ...

    def forget_answers(self, before_us: int, *, limit: int) -> int:
        """Delete the oldest of the answers given before a moment, about `limit` of them; returns how many.

        Answers of one commit may go together.
        """
        ...

    def close(self) -> None:
        """Let go of files and locks."""
        ...


def seal(previous: bytes, entries: Sequence[Entry], steps_through: int) -> bytes:
    """The hash of a commit: SHA-256 over the previous hash and the MessagePack of its entries and `steps_through`.

    Each entry is an array of eight in the order of `Entry`; anyone can recompute it from the rows.
    """
    sealed = sha256(previous)
    sealed.update(_encode_rows((entries, steps_through)))
    return sealed.digest()

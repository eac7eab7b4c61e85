"""The archive: what is closed, as tables in one file beside the journal, for questions about the past.

Filled by following the journal, commit by commit; the position is kept in the same transaction, so nothing is
entered twice. All of it is derived: a file that is deleted, damaged, of other code or of another history is
made anew. Commands never look here: one that needs history is given it, and checks it again.
"""

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from hanse.events.dictionary import Event, decode, kind_of
from hanse.journal.protocol import GENESIS, Entry, Journal, Mark

__all__ = ["Archive", "ArchiveReader", "Chapter"]

ENTRIES_PER_STEP = 2_000
_PRAGMAS = ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000", "cache_size = -32768")
_HEAD = """CREATE TABLE archive (
    version  TEXT    NOT NULL,  -- a digest of the code that filled it
    position INTEGER NOT NULL,  -- of the last entry in it
    time_us  INTEGER NOT NULL,  -- when that was recorded, every later entry has a later time
    hash     BLOB    NOT NULL   -- of the commit that it ended
) STRICT"""


class Chapter(NamedTuple):
    """What one capability archives: its tables, and what each of its events writes into them."""

    schema: str
    writes: Mapping[type[Event], Callable[[sqlite3.Connection, Any, Entry], None]]


class Archive:
    """The archive of a journal, to be filled. One process fills, any number read.

    Parameters
    ----------
    path
        The file; made if it is not there.
    chapters
        What is archived.
    journal
        What is followed.
    """

    def __init__(self, path: Path, chapters: Sequence[Chapter], journal: Journal) -> None:
        self._chapters = chapters
        self._journal = journal
        self._writes: dict[str, list[Callable[[sqlite3.Connection, Any, Entry], None]]] = {}
        for chapter in chapters:
            for cls, write in chapter.writes.items():
                self._writes.setdefault(kind_of(cls).name, []).append(write)
        try:
            self._open(path)
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._open(path)

    def _open(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        version = _version(self._chapters)
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        known = (
            self._db.execute("SELECT version, position, hash FROM archive").fetchone() if "archive" in tables else None
        )
        if known is None or known[0] != version or not self._follows(*known[1:]):
            self._begin_anew(tables, version)
        self.position: int = self._db.execute("SELECT position FROM archive").fetchone()[0]

    def _follows(self, position: int, chain: bytes) -> bool:
        """Whether this journal holds the very commit that was archived last."""
        mark = next(iter(self._journal.marks(position - 1)), None) if position else None
        return position == 0 or (mark is not None and (mark.position, mark.hash) == (position, chain))

    def _begin_anew(self, tables: set[str], version: str) -> None:
        with self._db:
            self._db.execute("BEGIN")
            for table in tables:
                self._db.execute(f'DROP TABLE "{table}"')
            for statement in ";".join([_HEAD, *(chapter.schema for chapter in self._chapters)]).split(";"):
                self._db.execute(statement)
            self._db.execute("INSERT INTO archive VALUES (?, 0, 0, ?)", (version, GENESIS))

    def advance(self) -> int:
        """Enter the commits that come next, about `ENTRIES_PER_STEP` entries; returns how many entries.

        Raises `JournalUnavailable` if the journal can't be read; nothing was entered then.
        """
        mark = self._next_mark()
        if mark is None:
            return 0
        entries = list(self._journal.read(self.position, limit=mark.position - self.position))
        with self._db:
            self._db.execute("BEGIN")
            for entry in entries:
                for write in self._writes.get(entry.name, ()):
                    write(self._db, decode(entry.name, entry.version, entry.body), entry)
            self._db.execute(
                "UPDATE archive SET position = ?, time_us = ?, hash = ?", (mark.position, mark.time_us, mark.hash)
            )
        self.position = mark.position
        return len(entries)

    def _next_mark(self) -> Mark | None:
        found: Mark | None = None
        for mark in self._journal.marks(self.position):
            if found is not None and mark.position - self.position > ENTRIES_PER_STEP:
                break
            found = mark
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class ArchiveReader:
    """The archive, to be asked; empty while there is none.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, question: str, *values: str | int) -> list[tuple[Any, ...]]:
        """The rows that answer a SELECT, asked in a thread, so that nobody waits for the disk."""
        return await asyncio.to_thread(self.rows, question, *values)

    def rows(self, question: str, *values: str | int) -> list[tuple[Any, ...]]:
        """The rows that answer a SELECT."""
        # An archive that is being made anew, or was never made, knows nothing yet.
        with suppress(sqlite3.OperationalError):
            uri = f"{self._path.resolve().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
                return db.execute(question, values).fetchall()
        return []


def _version(chapters: Sequence[Chapter]) -> str:
    """A digest of the code that fills the archive."""
    modules = {write.__module__ for chapter in chapters for write in chapter.writes.values()} | {__name__}
    digest = blake2b(digest_size=16)
    for name in sorted(modules):
        digest.update(Path(str(sys.modules[name].__file__)).read_bytes())
    return digest.hexdigest()

"""A journal in one SQLite file: WAL mode, `synchronous=FULL`, so what was committed survives a power cut."""

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import TextIO

import msgspec

from hanse.journal.durable import sync, write_file
from hanse.journal.protocol import (
    Answered,
    Commit,
    Entry,
    Head,
    JournalClosed,
    JournalFenced,
    JournalUnavailable,
    Mark,
)
from hanse.journal.sqlite_file import bring_up, check_log, form_of, why

__all__ = ["SCHEMA", "SqliteJournal"]

SCHEMA = """
-- One row per event; nothing is ever updated or deleted.
CREATE TABLE IF NOT EXISTS entry (
    position INTEGER PRIMARY KEY,  -- the order of everything; a second writer collides here and is fenced
    time_us  INTEGER NOT NULL,     -- when the turn ran: microseconds since 1970, UTC; never goes back
    name     TEXT    NOT NULL,     -- the event's stored name, so that anyone can read the journal with SQL
    version  INTEGER NOT NULL,     -- the form of the body, so that old entries stay readable
    story    TEXT    NOT NULL,     -- what it is about (ord_…), so that one thing can be traced by index
    origin   TEXT    NOT NULL,     -- the function that recorded it, so that a trace leads to the code
    cause    INTEGER NOT NULL,     -- the entry whose step recorded it; 0 for a command: why it happened
    body     TEXT    NOT NULL      -- the event as JSON
) STRICT;
CREATE INDEX IF NOT EXISTS entry_by_story ON entry (story) WHERE story <> '';

-- One row per commit that held entries: the chain that shows tampering.
CREATE TABLE IF NOT EXISTS mark (
    position      INTEGER PRIMARY KEY,  -- the last entry of the commit
    time_us       INTEGER NOT NULL,     -- when, so that the clock can be kept from going back
    steps_through INTEGER NOT NULL,     -- steps of entries up to here are done; the rest is owed
    entries       INTEGER NOT NULL,     -- how many entries it covers, so that a lost row shows
    hash          BLOB    NOT NULL      -- SHA-256 over the previous hash, these entries and steps_through
) STRICT;

-- What was answered to keys, kept a day, so that a repeated request gets the same answer. One row per commit.
CREATE TABLE IF NOT EXISTS answers (
    number  INTEGER PRIMARY KEY,  -- of the last one; rises. The writer's memory knows it: no index on random keys
    time_us INTEGER NOT NULL,     -- when, so that they can be forgotten after their time
    given   TEXT    NOT NULL      -- JSON, for each: number, time_us, caller, key (a caller's Idempotency-Key),
                                  -- fingerprint (base64; another body under one key is refused), kind (ok, or of
                                  -- error), body (as it was given), position (that it reflects)
) STRICT;
"""

FORM = 2
"""The form of the tables; what older files are brought up to when they are opened for writing."""

_UPGRADES = {
    # Form 1 had a row for each answer, not for each commit's.
    "answer": """
INSERT OR IGNORE INTO answers
    SELECT number, time_us, given(number, time_us, caller, key, fingerprint, kind, body, position) FROM answer;
DROP TABLE answer;
"""
}

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 16000",  # pages; only if the thread beside us does not keep up
    "PRAGMA cache_size = -65536",  # KiB
    "PRAGMA temp_store = MEMORY",
    "PRAGMA busy_timeout = 5000",
)

CHECKPOINT_PAGES = 4_000
"""After so many pages of log (32 MiB) it is copied into the file: beside the writer, who would otherwise stand still
for up to 90 ms each time."""

PAGES_PER_COMMIT = 5
"""What a commit rewrites beside the pages that it adds: the last ones of three tables and an index, the first one."""

COMMITS_PER_LOOK = 16
"""How often it is asked how long the log has become; asking costs 10 µs."""

CLOSED = ".closed"
"""A file of this suffix beside the journal says why nobody may write it any more."""

ROWS_PER_INSERT = 32
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT = f"INSERT INTO entry VALUES {_ROW}"
_INSERT_MANY = f"INSERT INTO entry VALUES {', '.join([_ROW] * ROWS_PER_INSERT)}"

_Given = tuple[int, int, str, str, bytes, str, msgspec.Raw, int]
_encode_given = msgspec.json.Encoder().encode
_decode_given = msgspec.json.Decoder(list[_Given]).decode

_ENTRY = "SELECT position, time_us, name, version, story, origin, cause, body FROM entry"


class SqliteJournal:
    """The embedded default.

    Parameters
    ----------
    path
        The file; made if it is not there (unless `read_only`).
    read_only
        Open beside a running writer: no lock is taken and nothing can be written.
    though_closed
        Open it for writing even if it was closed; for moving it.
    """

    def __init__(self, path: Path, *, read_only: bool = False, though_closed: bool = False) -> None:
        self._path = path
        if not read_only and not though_closed and self.closed:
            raise JournalClosed("journal.closed", self.closed)
        self._lock = None if read_only else _lock(path)
        self._checkpointing: Thread | None = None
        with ExitStack() as undo, _speaking(path):
            if self._lock is not None:
                undo.callback(self._lock.close)
                check_log(path)
            where = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._db = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
            undo.callback(self._db.close)
            if read_only:
                self._check_form()
            else:
                self._bring_up()
            undo.pop_all()

    def _bring_up(self) -> None:
        # 8 KiB pages suit rows of 300 bytes; only a new file takes it.
        self._db.execute("PRAGMA page_size = 8192")
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        self._db.create_function("given", 8, lambda *answer: _given([Answered(*answer)])[2])
        bring_up(self._db, self._path, form=FORM, schema=SCHEMA, upgrades=_UPGRADES)
        self._copied, self._commits = self._pages(), 0

    def _check_form(self) -> None:
        form_of(self._db, self._path, newest=FORM)
        if not self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'answers'").fetchone():
            raise JournalUnavailable(
                "journal.older_form",
                f"{self._path.name} was written by an older Hanse; start the district once (hanse up),"
                " which brings it up in place.",
            )

    def head(self) -> Head:
        with _speaking(self._path):
            mark = self._db.execute(
                "SELECT position, time_us, steps_through, hash FROM mark ORDER BY position DESC LIMIT 1"
            ).fetchone()
            answers = self._db.execute("SELECT coalesce(max(number), 0) FROM answers").fetchone()[0]
        return Head._make((*(mark or Head()[:-1]), answers))

    def append(self, commit: Commit) -> None:
        self.extend((commit,))

    def extend(self, commits: Sequence[Commit]) -> None:
        with _speaking(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for commit in commits:
                    self._insert(commit.entries)
                    if commit.mark is not None:
                        self._db.execute("INSERT INTO mark VALUES (?, ?, ?, ?, ?)", commit.mark)
                    if commit.answers:
                        self._db.execute("INSERT INTO answers VALUES (?, ?, ?)", _given(commit.answers))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self._keep_log_short()

    def _keep_log_short(self) -> None:
        """Copy the log into the file, most of it beside the writer. Nothing depends on when or whether that works."""
        self._commits += 1
        if self._commits % COMMITS_PER_LOOK:
            return
        with suppress(sqlite3.Error, RuntimeError):
            thread = self._checkpointing
            if thread is None and self._pages() - self._copied + self._commits * PAGES_PER_COMMIT >= CHECKPOINT_PAGES:
                self._checkpointing = Thread(target=_checkpoint, args=(self._path,), name="checkpoint", daemon=True)
                self._checkpointing.start()
            elif thread is not None and not thread.is_alive():
                self._checkpointing, self._copied, self._commits = None, self._pages(), 0
                # Only what came meanwhile is left; when that is copied too, the log starts anew.
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _pages(self) -> int:
        """The size of the file with its log, in pages."""
        pages: int = self._db.execute("PRAGMA page_count").fetchone()[0]
        return pages

    def _insert(self, entries: Sequence[Entry]) -> None:
        """Insert entries, many to a statement: one by one costs half as much again."""
        whole = len(entries) - len(entries) % ROWS_PER_INSERT
        for start in range(0, whole, ROWS_PER_INSERT):
            self._db.execute(_INSERT_MANY, tuple(chain.from_iterable(entries[start : start + ROWS_PER_INSERT])))
        self._db.executemany(_INSERT, entries[whole:])

    def renew(self) -> None:
        pass

    def probe(self) -> None:
        with _speaking(self._path):
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            # The same number again: a page of the log and a sync, as a commit has them.
            self._db.execute(f"PRAGMA user_version = {version}")

    def read(self, after: int = 0, *, limit: int | None = None) -> Iterator[Entry]:
        rows = -1 if limit is None else limit
        with _speaking(self._path):
            yield from map(
                Entry._make,
                self._db.execute(f"{_ENTRY} WHERE position > ? ORDER BY position LIMIT ?", (after, rows)),
            )

    def story(self, story: str, *, limit: int = 1_000) -> list[Entry]:
        with _speaking(self._path):
            rows = self._db.execute(
                f"{_ENTRY} WHERE story = ? AND story <> '' ORDER BY position LIMIT ?", (story, limit)
            )
            return [Entry._make(row) for row in rows]

    def marks(self, after: int = 0) -> Iterator[Mark]:
        with _speaking(self._path):
            yield from map(
                Mark._make,
                self._db.execute(
                    "SELECT position, time_us, steps_through, entries, hash FROM mark"
                    " WHERE position > ? ORDER BY position",
                    (after,),
                ),
            )

    def answer(self, number: int) -> Answered | None:
        with _speaking(self._path):
            row = self._db.execute(
                "SELECT given FROM answers WHERE number >= ? ORDER BY number LIMIT 1", (number,)
            ).fetchone()
        given = _decode_given(row[0]) if row else []
        return next((Answered(*one[:6], bytes(one[6]), one[7]) for one in given if one[0] == number), None)

    def answers_since(self, time_us: int) -> Iterator[tuple[int, str, str]]:
        with _speaking(self._path):
            for (row,) in self._db.execute("SELECT given FROM answers WHERE time_us >= ? ORDER BY number", (time_us,)):
                yield from ((number, caller, key) for number, _, caller, key, *_ in _decode_given(row))

    def answers(self) -> Iterator[Answered]:
        with _speaking(self._path):
            for (row,) in self._db.execute("SELECT given FROM answers ORDER BY number"):
                yield from (Answered(*one[:6], bytes(one[6]), one[7]) for one in _decode_given(row))

    def forget_answers(self, before_us: int, *, limit: int) -> int:
        with _speaking(self._path):
            # Numbers and times rise together, so the oldest rows are the first by number: no index is needed.
            # A row has a thousand answers: they are counted only in those that go.
            oldest = self._db.execute(
                "SELECT number, IIF(time_us < ?, json_array_length(given), 0) FROM answers ORDER BY number",
                (before_us,),
            )
            forgotten, through = 0, 0
            for number, count in oldest:
                if not count or forgotten >= limit:
                    break
                forgotten, through = forgotten + count, number
            oldest.close()
            if forgotten:
                self._db.execute("DELETE FROM answers WHERE number <= ?", (through,))
        return forgotten

    @property
    def closed(self) -> str:
        """Why nobody may write it any more; empty if somebody may."""
        marker = self._path.with_suffix(CLOSED)
        return marker.read_text(encoding="utf-8").strip() if marker.exists() else ""

    def shut(self, why: str) -> None:
        """Let no writer in after this one, and tell it why; an empty reason opens it again."""
        marker = self._path.with_suffix(CLOSED)
        if why:
            write_file(marker, f"{why}\n".encode())
        else:
            marker.unlink(missing_ok=True)
            sync(marker.parent)

    def close(self) -> None:
        if self._checkpointing is not None:
            self._checkpointing.join()
        self._db.close()
        if self._lock is not None:
            self._lock.close()


def _checkpoint(path: Path) -> None:
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, isolation_level=None)) as db:
        # The second time for what was written during the first.
        for _ in range(2):
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _given(answers: Sequence[Answered]) -> tuple[int, int, str]:
    """The row that holds a commit's answers."""
    given = [(n, at, caller, key, of, kind, msgspec.Raw(body), p) for n, at, caller, key, of, kind, body, p in answers]
    return answers[-1][0], answers[-1][1], _encode_given(given).decode()


def _lock(path: Path) -> TextIO:
    """Hold the file beside the journal as long as the process lives: a second writer is refused at once."""
    try:
        lock = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise JournalFenced(
            "journal.in_use", f"Another process writes {path.name}; stop it first, or choose another folder."
        ) from error
    return lock


@contextmanager
def _speaking(path: Path) -> Iterator[None]:
    """Turn what SQLite says into what an operator can act on."""
    try:
        yield
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_PRIMARYKEY":
            raise JournalFenced(
                "journal.fenced", "Another writer has taken over this district; stop this one."
            ) from error
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> JournalUnavailable:
    return JournalUnavailable(
        "journal.unavailable",
        f"The journal {why(path, error)}",
    )

"""A journal in PostgreSQL, or in a database that speaks like it: a standby, several machines, many districts.

Plain SQL only, which Citus, YugabyteDB and CockroachDB document too (docs/how-to/use-postgresql.md has a table of the
statements): no advisory locks, no notifications, no functions in the server.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from hanse.journal.connection import Connection, connect, fenced, speaking, unusable
from hanse.journal.lease import LEASE_S, Lease
from hanse.journal.protocol import Answered, Commit, Entry, Head, Mark
from hanse.kernel.errors import NotFound

__all__ = ["SCHEMA", "PostgresJournal"]

SCHEMA = """
-- One row per event; nothing is ever updated or deleted.
CREATE TABLE IF NOT EXISTS entry (
    district TEXT   NOT NULL,  -- the district's tag; where tables are distributed, they are by this
    position BIGINT NOT NULL,  -- the order of everything in a district; a second writer collides here
    time_us  BIGINT NOT NULL,  -- when the turn ran: microseconds since 1970, UTC; never goes back
    name     TEXT   NOT NULL,  -- the event's stored name, so that anyone can read the journal with SQL
    version  BIGINT NOT NULL,  -- the form of the body, so that old entries stay readable
    story    TEXT   NOT NULL,  -- what it is about (ord_…), so that one thing can be traced by index
    origin   TEXT   NOT NULL,  -- the function that recorded it, so that a trace leads to the code
    cause    BIGINT NOT NULL,  -- the entry whose step recorded it; 0 for a command: why it happened
    body     TEXT   NOT NULL,  -- the event as JSON; text, because the hash is of its very characters
    PRIMARY KEY (district, position)
);
CREATE INDEX IF NOT EXISTS entry_by_story ON entry (district, story, position) WHERE story <> '';

-- One row per commit that held entries: the chain that shows tampering.
CREATE TABLE IF NOT EXISTS mark (
    district      TEXT   NOT NULL,
    position      BIGINT NOT NULL,  -- the last entry of the commit
    time_us       BIGINT NOT NULL,  -- when, so that the clock can be kept from going back
    steps_through BIGINT NOT NULL,  -- steps of entries up to here are done; the rest is owed
    entries       BIGINT NOT NULL,  -- how many entries it covers, so that a lost row shows
    hash          BYTEA  NOT NULL,  -- SHA-256 over the previous hash, these entries and steps_through
    PRIMARY KEY (district, position)
);

-- What was answered to keys, kept a day, so that a repeated request gets the same answer.
CREATE TABLE IF NOT EXISTS answer (
    district    TEXT   NOT NULL,
    number      BIGINT NOT NULL,  -- rises; the writer's memory knows it: no index on random keys
    time_us     BIGINT NOT NULL,  -- when, so that it can be forgotten after its time
    caller      TEXT   NOT NULL,  -- who asked
    key         TEXT   NOT NULL,  -- the caller's Idempotency-Key
    fingerprint BYTEA  NOT NULL,  -- of the body; another one under the same key is refused
    kind        TEXT   NOT NULL,  -- ok, or of error
    body        BYTEA  NOT NULL,  -- JSON, as it was given
    position    BIGINT NOT NULL,  -- that it reflects
    PRIMARY KEY (district, number)
);

-- Who writes which district; see hanse/journal/lease.py.
CREATE TABLE IF NOT EXISTS lease (
    district TEXT        NOT NULL PRIMARY KEY,
    epoch    BIGINT      NOT NULL,  -- rises with each taking; who shows an older one is refused
    holder   TEXT        NOT NULL,  -- host, process, its start; empty: nobody
    until    TIMESTAMPTZ NOT NULL,  -- by the server's clock; from then on another one may take it
    closed   TEXT        NOT NULL   -- why nobody may write it any more; empty: somebody may
);
"""

FEW = 16
"""So many rows go faster as single statements in one round trip than by two COPYs of three."""

FIRST_PAGE_ROWS = 200
"""Who asks for one row, or follows a commit at a time, shall not wait for thousands."""

PAGE_ROWS = 4_000
"""Entries of one statement when reading: bounds memory, and holds no transaction open in between."""

TRIES = 5
"""How often a transaction is run that the database broke off for its own reasons (SQLSTATE 40001, 40P01)."""

_COLUMNS = "position, time_us, name, version, story, origin, cause, body"
_MARK = "position, time_us, steps_through, entries, hash"
_ANSWER = "number, time_us, caller, key, fingerprint, kind, body, position"

_ENTRY_TYPES = ("text", "int8", "int8", "text", "int8", "text", "text", "int8", "text")
_ANSWER_TYPES = ("text", "int8", "int8", "text", "text", "bytea", "text", "bytea", "int8")
_MARK_TYPES = ("text", "int8", "int8", "int8", "int8", "bytea")
_TABLES = (
    ("entry", f"district, {_COLUMNS}", _ENTRY_TYPES),
    ("answer", f"district, {_ANSWER}", _ANSWER_TYPES),
    ("mark", f"district, {_MARK}", _MARK_TYPES),
)


_Rows = list[tuple[Any, ...]]


class PostgresJournal:
    """The journal of one district in a database that may hold others.

    Parameters
    ----------
    url
        ``postgresql://user@host:port/database``, or whatever else libpq understands.
    district
        The district's tag.
    read_only
        Read beside a running writer: no lease is taken and nothing can be written.
    lease_s
        How long a writer that fell silent keeps the district.
    though_closed
        Open it for writing even if it was closed; for moving it.

    Raises
    ------
    NotFound
        There is no such district to read.
    JournalFenced
        Another process writes it.
    JournalClosed
        It was closed to writers.
    """

    def __init__(
        self,
        url: str,
        *,
        district: str,
        read_only: bool = False,
        lease_s: float = LEASE_S,
        though_closed: bool = False,
    ) -> None:
        self._url = url
        self._district = district
        self._lease = None if read_only else Lease(district, seconds=lease_s, though_closed=though_closed)
        self._db: Connection | None = None
        self._ended = False
        self._connection()

    # Writing

    def append(self, commit: Commit) -> None:
        self.extend((commit,))

    def extend(self, commits: Sequence[Commit]) -> None:
        """Append several commits, all durable together or none."""
        with self._speaking() as db:
            for attempt in range(1, TRIES + 1):
                try:
                    self._write(db, commits)
                    return
                except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    db.rollback()
                    if attempt == TRIES:
                        raise

    def renew(self) -> None:
        if self._lease is not None and self._lease.due:
            self.probe()

    def probe(self) -> None:
        if self._lease is not None:
            with self._speaking() as db:
                if self._lease.show(db).rowcount != 1:
                    raise fenced()

    def _write(self, db: Connection, commits: Sequence[Commit]) -> None:
        rows = self._rows(*commits)
        if sum(len(of_table) for of_table in rows) <= FEW:
            self._insert(db, rows)
        else:
            self._begin_safely(db)
            self._copy(db, rows)
        db.execute("COMMIT")

    def _rows(self, *commits: Commit) -> tuple[_Rows, _Rows, _Rows]:
        tag = self._district
        return (
            [(tag, *entry) for commit in commits for entry in commit.entries],
            [(tag, *answer) for commit in commits for answer in commit.answers],
            [(tag, *commit.mark) for commit in commits if commit.mark is not None],
        )

    def _insert(self, db: Connection, rows: Sequence[_Rows]) -> None:
        with db.pipeline():
            shown = self._begin(db)
            for (table, columns, types), of_table in zip(_TABLES, rows, strict=True):
                values = ", ".join(["%b"] * len(types))
                for row in of_table:
                    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", row, prepare=True)
        _check(shown)

    def _copy(self, db: Connection, rows: Sequence[_Rows]) -> None:
        for (table, columns, types), of_table in zip(_TABLES, rows, strict=True):
            if of_table:
                with _copying(db, table, columns, types) as copy:
                    write = copy.write_row
                    for row in of_table:
                        write(row)

    def _begin_safely(self, db: Connection) -> None:
        """Begin a transaction that no other writer can be beside."""
        with db.pipeline():
            shown = self._begin(db)
        _check(shown)

    def _begin(self, db: Connection) -> "psycopg.Cursor[tuple[Any, ...]]":
        if self._lease is None:
            raise unusable("it was opened for reading only")
        db.execute("BEGIN")
        return self._lease.show(db)

    def forget_answers(self, before_us: int, *, limit: int) -> int:
        # Numbers and times rise together, so the oldest are the first by number: no index is needed.
        query = "SELECT number, time_us FROM answer WHERE district = %s ORDER BY number LIMIT %s"
        first = self._all(query, self._district, 1)
        if not first or first[0][1] >= before_us:
            return 0
        old = [number for number, time_us in self._all(query, self._district, limit) if time_us < before_us]
        if old:
            with self._speaking() as db:
                db.execute("DELETE FROM answer WHERE district = %s AND number <= %s", (self._district, old[-1]))
        return len(old)

    # Reading

    def head(self) -> Head:
        mark = self._all(
            "SELECT position, time_us, steps_through, hash FROM mark"
            " WHERE district = %s ORDER BY position DESC LIMIT 1",
            self._district,
        )
        answers = self._all("SELECT coalesce(max(number), 0) FROM answer WHERE district = %s", self._district)
        return Head._make((*(mark[0] if mark else Head()[:-1]), answers[0][0]))

    def read(self, after: int = 0, *, limit: int | None = None) -> Iterator[Entry]:
        return map(Entry._make, self._pages("entry", _COLUMNS, "position", after, limit))

    def story(self, story: str, *, limit: int = 1_000) -> list[Entry]:
        rows = self._all(
            f"SELECT {_COLUMNS} FROM entry"
            " WHERE district = %s AND story = %s AND story <> '' ORDER BY position LIMIT %s",
            self._district,
            story,
            limit,
        )
        return [Entry._make(row) for row in rows]

    def marks(self, after: int = 0) -> Iterator[Mark]:
        return map(Mark._make, self._pages("mark", _MARK, "position", after))

    def answer(self, number: int) -> Answered | None:
        rows = self._all(f"SELECT {_ANSWER} FROM answer WHERE district = %s AND number = %s", self._district, number)
        return Answered._make(rows[0]) if rows else None

    def answers(self) -> Iterator[Answered]:
        return map(Answered._make, self._pages("answer", _ANSWER, "number", 0))

    def answers_since(self, time_us: int) -> Iterator[tuple[int, str, str]]:
        first = self._all(
            "SELECT number FROM answer WHERE district = %s AND time_us >= %s ORDER BY number LIMIT 1",
            self._district,
            time_us,
        )
        if first:
            yield from self._pages("answer", "number, caller, key", "number", first[0][0] - 1)

    def _pages(
        self, table: str, columns: str, key: str, after: int, limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Rows behind a key, page by page, each a statement of its own; ends where a page is empty."""
        query = f"SELECT {columns} FROM {table} WHERE district = %s AND {key} > %s ORDER BY {key} LIMIT %s"
        left, page = limit, FIRST_PAGE_ROWS
        while left is None or left > 0:
            rows = self._all(query, self._district, after, page if left is None else min(left, page))
            if not rows:
                return
            yield from rows
            after, page = rows[-1][0], PAGE_ROWS
            left = None if left is None else left - len(rows)

    def _all(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self._speaking() as db:
            return db.execute(query, parameters, prepare=True, binary=True).fetchall()

    # The connection

    @property
    def closed(self) -> str:
        """Why nobody may write it any more; empty if somebody may."""
        rows = self._all("SELECT closed FROM lease WHERE district = %s", self._district)
        return str(rows[0][0]) if rows else ""

    def shut(self, why: str) -> None:
        """Let no writer in after this one, and tell it why; an empty reason opens it again."""
        assert self._lease is not None
        with self._speaking() as db:
            self._lease.close(db, why)

    def close(self) -> None:
        if self._db is not None and not self._db.closed:
            with suppress(psycopg.Error):
                if self._lease is not None:
                    self._lease.release(self._db)
            self._db.close()
        self._ended = True

    def _connection(self) -> Connection:
        """The connection; a new one, and the lease taken anew, if the old one was lost."""
        if self._ended:
            raise unusable("it was closed")
        if self._db is None or self._db.closed:
            db = connect(self._url, read_only=self._lease is None)
            try:
                if self._lease is None:
                    _require(db, self._district)
                else:
                    _make_tables(db)
                    self._lease.take(db)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    @contextmanager
    def _speaking(self) -> Iterator[Connection]:
        """The connection, its errors as ours."""
        with speaking():
            db = self._connection()
            try:
                yield db
            except BaseException:
                _give_up(db)
                raise


@contextmanager
def _copying(db: Connection, table: str, columns: str, types: tuple[str, ...]) -> Iterator[psycopg.Copy]:
    with db.cursor().copy(f"COPY {table} ({columns}) FROM STDIN WITH BINARY") as copy:
        copy.set_types(types)
        yield copy


def _check(shown: "psycopg.Cursor[tuple[Any, ...]]") -> None:
    if shown.rowcount != 1:
        raise fenced()


def _give_up(db: Connection) -> None:
    """Roll back what is under way; a connection on which that fails is of no use any more."""
    try:
        if not db.closed and db.info.transaction_status != TransactionStatus.IDLE:
            db.rollback()
    except psycopg.Error:
        db.close()


def _require(db: Connection, district: str) -> None:
    try:
        known = db.execute("SELECT district FROM lease WHERE district = %s", (district,)).fetchone()
    except psycopg.errors.UndefinedTable:
        known = None
    if known is None:
        raise NotFound(
            "journal.not_found", f"This database holds no district {district}; name another tag or database."
        )


def _make_tables(db: Connection) -> None:
    try:
        db.execute("SELECT district FROM lease WHERE district = ''")
    except psycopg.errors.UndefinedTable:
        # Two that come first at once meet each other's tables half made; then the other one has made them.
        with suppress(psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable):
            db.execute(SCHEMA)

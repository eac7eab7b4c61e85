"""Reaching PostgreSQL: a connection set up as a journal needs it, and its errors as an operator can act on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from hanse.journal.protocol import JournalFenced, JournalUnavailable
from hanse.kernel.errors import InvalidInput

__all__ = ["Connection", "connect", "fenced", "named", "speaking", "unusable"]

Connection = psycopg.Connection[tuple[Any, ...]]

_PATIENCE = {
    # A server that vanished without a word is noticed within about ten seconds.
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

LOCK_TIMEOUT_S = 5

_DURABILITY = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')"


def connect(url: str, *, read_only: bool) -> Connection:
    """A connection on which each statement is its own transaction, unless it says otherwise.

    Raises
    ------
    InvalidInput
        The address is none.
    JournalUnavailable
        The server does not answer, or does not keep what it commits.
    """
    said = {**_PATIENCE, **_parts(url), "client_encoding": "UTF8", "application_name": "hanse"}
    with speaking():
        db = psycopg.connect(**said, autocommit=True)
        # One type for all whole numbers: a statement is prepared once, not for each size of its numbers.
        db.adapters.register_dumper(int, Int8Dumper)
        db.adapters.register_dumper(int, Int8BinaryDumper)
        if read_only:
            db.execute("SET default_transaction_read_only = on")
        else:
            _make_durable(db)
    return db


def named(url: str) -> str:
    """The address as it may be shown: host, port and database, without user and password."""
    said = _parts(url)
    host = str(said.get("host") or said.get("hostaddr") or "localhost")
    port = f":{said['port']}" if said.get("port") else ""
    database = said.get("dbname") or ""
    return f"postgresql:///{database}?host={host}" if host.startswith("/") else f"postgresql://{host}{port}/{database}"


@contextmanager
def speaking() -> Iterator[None]:
    """Turn what PostgreSQL says into what an operator can act on."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise fenced() from error
    except psycopg.Error as error:
        raise unusable(_reason(error)) from error


def unusable(reason: str) -> JournalUnavailable:
    """The journal can't be had now, for this reason."""
    return JournalUnavailable(
        "journal.unavailable",
        f"The journal in PostgreSQL cannot be used ({reason}); see that the server runs, then try again.",
    )


def fenced() -> JournalFenced:
    """What a writer is told whose district somebody else has taken."""
    return JournalFenced("journal.fenced", "Another writer has taken over this district; stop this one.")


def _parts(url: str) -> dict[str, Any]:
    try:
        return conninfo_to_dict(url)
    except psycopg.Error:
        # Without what the parser said: it quotes the address, and with it the password.
        raise InvalidInput(
            "journal.bad_address",
            "Write the journal's address as postgresql://user@host:port/database.",
            field="journal",
        ) from None


def _make_durable(db: Connection) -> None:
    """See that a commit that was acknowledged is on disk, and that waiting for others ends."""
    settings: dict[str, str] = dict(db.execute(_DURABILITY).fetchall())
    if settings.get("fsync") == "off":
        raise JournalUnavailable(
            "journal.not_durable", "This PostgreSQL runs with fsync off and would lose orders; switch it on."
        )
    if settings.get("synchronous_commit") in ("off", "local"):
        db.execute("SET synchronous_commit = on")
    db.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")


def _reason(error: psycopg.Error) -> str:
    """One line without addresses: it may be sent to whoever asked."""
    if error.diag.message_primary:
        return error.diag.message_primary
    line = str(error).strip().split("\n")[0]
    return line.rpartition(" failed: ")[2] or type(error).__name__

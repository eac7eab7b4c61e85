"""Who may write a district that lies in a database: one holder at a time, and an epoch that rises with each.

A writer takes the lease before it reads where the journal ends, and shows its epoch in every transaction. Taking
and writing update the same row, so they wait for each other: whoever takes the lease has seen the last commit of
the one before, and what that one tries afterwards finds another epoch. Only the database's clock counts.
"""

import os
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from hanse.journal.connection import Connection, fenced
from hanse.journal.protocol import JournalClosed, JournalFenced

__all__ = ["LEASE_S", "Lease"]

LEASE_S = 10.0
"""How long a writer that fell silent keeps its district; nobody waits longer for a machine that is gone."""

RENEWALS_PER_LEASE = 3
LOOK_EVERY_S = 0.1
TRIES = 8

_ENTER = """
INSERT INTO lease (district, epoch, holder, until, closed) VALUES (%s, 0, '', now(), '')
ON CONFLICT (district) DO NOTHING
"""
_LOOK = "SELECT epoch, holder, until, until > now(), closed FROM lease WHERE district = %s"
_TAKE = """
UPDATE lease SET epoch = epoch + 1, holder = %s, until = now() + %s * interval '1 second'
WHERE district = %s AND epoch = %s AND until = %s
"""
_SHOW = "UPDATE lease SET until = now() + %s * interval '1 second' WHERE district = %s AND epoch = %s"
_RELEASE = "UPDATE lease SET holder = '', until = now() WHERE district = %s AND epoch = %s"
_CLOSE = "UPDATE lease SET closed = %s WHERE district = %s AND epoch = %s"


class _Seen(NamedTuple):
    epoch: int
    holder: str
    until: object
    live: bool
    closed: str


class Lease:
    """One writer's right to one district.

    Parameters
    ----------
    district
        Tag of the district.
    seconds
        How long the right lasts after each sign of life.
    though_closed
        Take it even of a journal that is closed to writers; for moving one.
    """

    def __init__(self, district: str, *, seconds: float = LEASE_S, though_closed: bool = False) -> None:
        self._district = district
        self._seconds = seconds
        self._though_closed = though_closed
        self._me = f"{_process(os.getpid())}/{secrets.token_hex(4)}"
        self._epoch = 0
        self._shown = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time for a sign of life."""
        return time.monotonic() - self._shown > self._seconds / RENEWALS_PER_LEASE

    def take(self, db: Connection) -> None:
        """Become the one who writes; on a new connection too, which waits for what was under way on the old one.

        Raises
        ------
        JournalFenced
            Another process writes the district, or has done so since.
        JournalClosed
            The journal was moved elsewhere.
        """
        db.execute(_ENTER, (self._district,))
        first: _Seen | None = None
        deadline = time.monotonic() + self._seconds * 2
        for _ in range(TRIES):
            seen = self._look(db)
            while not self._may_take(seen) and time.monotonic() < deadline:
                first = first or seen
                if first != seen:
                    raise _in_use(self._district, seen.holder)
                time.sleep(LOOK_EVERY_S)
                seen = self._look(db)
            if not self._may_take(seen):
                break
            if self._takes(db, seen):
                self._epoch, self._shown = seen.epoch + 1, time.monotonic()
                return
        raise _in_use(self._district, self._look(db).holder)

    def show(self, db: Connection) -> "psycopg.Cursor[tuple[Any, ...]]":
        """Lock the row until the transaction ends, and stay alive; it is held if this updated one row."""
        shown = db.execute(_SHOW, (self._seconds, self._district, self._epoch), prepare=True)
        self._shown = time.monotonic()
        return shown

    def release(self, db: Connection) -> None:
        """Let the next one in at once."""
        db.execute(_RELEASE, (self._district, self._epoch))

    def close(self, db: Connection, why: str) -> None:
        """Let no writer in any more, and tell it why; open it again with no reason."""
        if db.execute(_CLOSE, (why, self._district, self._epoch)).rowcount != 1:
            raise fenced()

    def _look(self, db: Connection) -> _Seen:
        row = db.execute(_LOOK, (self._district,)).fetchone()
        assert row is not None
        seen = _Seen._make(row)
        if seen.closed and not self._though_closed:
            raise JournalClosed("journal.closed", seen.closed)
        if self._epoch and (seen.epoch, seen.holder) != (self._epoch, self._me):
            raise fenced()
        return seen

    def _takes(self, db: Connection, seen: _Seen) -> bool:
        # What somebody wrote meanwhile is no failure: it is looked at again.
        with suppress(psycopg.errors.SerializationFailure):
            taken = db.execute(_TAKE, (self._me, self._seconds, self._district, seen.epoch, seen.until))
            return taken.rowcount == 1
        return False

    def _may_take(self, seen: _Seen) -> bool:
        return not seen.live or seen.holder in ("", self._me) or _is_dead(seen.holder)


def _in_use(district: str, holder: str) -> JournalFenced:
    host, pid, *_ = [*holder.split("/"), "", ""]
    where = f"Process {pid} on {host}" if host else "Another process"
    return JournalFenced("journal.in_use", f"{where} writes district {district}; stop it first, or choose another tag.")


def _process(pid: int) -> str:
    """What tells a process from all others: host, number, start, and where numbers mean the same."""
    return f"{socket.gethostname()}/{pid}/{_started(pid)}/{_place()}"


def _is_dead(holder: str) -> bool:
    """Whether the process of a lease is known to have ended; elsewhere than here, and than on Linux, nobody knows."""
    host, pid, started, place, *_ = [*holder.split("/"), "", "", ""]
    here = place != "" and (host, place) == (socket.gethostname(), _place())
    return here and pid.isdigit() and _started(int(pid)) != started


def _place() -> str:
    # Two containers on one machine number their processes each for itself.
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.readlink('/proc/self/ns/pid')}"
    return ""


def _started(pid: int) -> str:
    """When a process started, in ticks; empty if there is none. A number is given again, number and start are not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""

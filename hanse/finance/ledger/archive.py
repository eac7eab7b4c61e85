"""Every movement of every account as a table: statements that reach back to the first day."""

import sqlite3
from collections.abc import Iterable
from typing import Any, get_args

from hanse.district.archive import ArchiveReader, Chapter
from hanse.events.dictionary import decode, kind_of
from hanse.finance.ledger.views import Movement, Moving
from hanse.journal.protocol import Entry, Journal
from hanse.kernel.errors import Unavailable

__all__ = ["CHAPTER", "balance_at", "change", "movements_before"]

LACKING_MAX = 5_000
"""Entries behind the end of the archive that are looked through at once."""

_SCHEMA = """
CREATE TABLE movement (
    account_id   TEXT    NOT NULL,
    time_us      INTEGER NOT NULL,
    position     INTEGER NOT NULL,  -- of the entry in the journal
    number       INTEGER NOT NULL,  -- of the transfer in the entry
    transfer_id  TEXT    NOT NULL,
    other        TEXT    NOT NULL,  -- the other account
    amount_minor INTEGER NOT NULL,  -- positive came in
    PRIMARY KEY (account_id, time_us, position, number)
) STRICT, WITHOUT ROWID
"""


async def movements_before(
    archive: ArchiveReader, account_id: str, *, time_us: int, transfer_id: str, limit: int
) -> list[Movement]:
    """The movements of an account before one of its own, the latest first."""
    question = (
        "SELECT time_us, transfer_id, other, amount_minor FROM movement WHERE account_id = ?1"
        " AND (time_us, position, number) < (SELECT time_us, position, number FROM movement"
        " WHERE account_id = ?1 AND time_us = ?2 AND transfer_id = ?3)"
        " ORDER BY time_us DESC, position DESC, number DESC LIMIT ?4"
    )
    return [Movement(*row) for row in await archive.ask(question, account_id, time_us, transfer_id, limit)]


async def balance_at(archive: ArchiveReader, journal: Journal, account_id: str, at_us: int) -> int:
    """What stood in an account at a past moment: what the archive has up to then, and what it still lacks of it.

    Raises
    ------
    Unavailable
        The archive is still being filled.
    """
    question = (
        "SELECT position, time_us, (SELECT coalesce(sum(amount_minor), 0) FROM movement"
        " WHERE account_id = ? AND time_us <= ?) FROM archive"
    )
    position, through_us, balance_minor = next(iter(await archive.ask(question, account_id, at_us)), (0, 0, 0))
    if through_us >= at_us:
        return int(balance_minor)
    later = list(journal.read(position, limit=LACKING_MAX + 1))
    if len(later) > LACKING_MAX and later[-1].time_us <= at_us:
        raise Unavailable(
            "finance.archive_behind", "Older movements are still being sorted; try again in a minute.", retry_after_s=60
        )
    return int(balance_minor) + change(later, account_id, until_us=at_us)


def change(entries: Iterable[Entry], account_id: str, *, until_us: int) -> int:
    """By how much entries of the journal changed what stands in an account, up to a moment. Minor units."""
    changed_minor = 0
    for entry in entries:
        if entry.time_us > until_us:
            break
        if entry.name in _KINDS:
            event = decode(entry.name, entry.version, entry.body)
            changed_minor += sum(row[-1] for row in _rows(event, entry) if row[0] == account_id)
    return changed_minor


def _rows(event: Any, entry: Entry) -> list[tuple[str, int, int, int, str, str, int]]:
    rows = []
    for number, transfer in enumerate(event.transfers):
        if transfer.action in ("post", "capture"):
            amount = transfer.amount_minor
            head = (entry.time_us, entry.position, number, transfer.transfer_id)
            rows.append((transfer.debit, *head, transfer.credit, -amount))
            rows.append((transfer.credit, *head, transfer.debit, amount))
    return rows


def _move(db: sqlite3.Connection, event: Moving, entry: Entry) -> None:
    db.executemany("INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?, ?)", _rows(event, entry))


CHAPTER = Chapter(_SCHEMA, dict.fromkeys(get_args(Moving), _move))
_KINDS = {kind_of(cls).name for cls in CHAPTER.writes}

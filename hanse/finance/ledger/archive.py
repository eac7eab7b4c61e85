"""Every movement of every account as a table: statements that reach back to the first day."""

import sqlite3

from hanse.district.archive import ArchiveReader, Chapter
from hanse.events.finance import (
    HoldsExpired,
    PaymentCaptured,
    PaymentHeld,
    PaymentRefunded,
    PaymentReleased,
    PaymentSettled,
    TransfersPosted,
)
from hanse.events.market import OrderPlaced
from hanse.finance.ledger.views import Movement, Moving
from hanse.journal.protocol import Entry

__all__ = ["CHAPTER", "movements_before"]

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


def _move(db: sqlite3.Connection, event: Moving, entry: Entry) -> None:
    rows = []
    for number, transfer in enumerate(event.transfers):
        if transfer.action in ("post", "capture"):
            amount = transfer.amount_minor
            head = (entry.time_us, entry.position, number, transfer.transfer_id)
            rows.append((transfer.debit, *head, transfer.credit, -amount))
            rows.append((transfer.credit, *head, transfer.debit, amount))
    db.executemany("INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


CHAPTER = Chapter(
    _SCHEMA,
    dict.fromkeys(
        (
            TransfersPosted,
            HoldsExpired,
            OrderPlaced,
            PaymentHeld,
            PaymentCaptured,
            PaymentReleased,
            PaymentSettled,
            PaymentRefunded,
        ),
        _move,
    ),
)

"""Orders and their parts as tables: each shopper's whole history, each shop's ended parts by time."""

import sqlite3

import msgspec

from hanse.district.archive import ArchiveReader, Chapter
from hanse.events.market import OrderClosed, OrderPlaced, PartEnded, PartPicked, PartSettled
from hanse.journal.protocol import Entry

__all__ = ["CHAPTER", "EndedPart", "ended_parts", "orders_before"]

_SCHEMA = """
CREATE TABLE placed_order (
    order_id    TEXT PRIMARY KEY,  -- ids sort by time
    shopper_id  TEXT    NOT NULL,  -- a pseudonym, who it was is in the vault alone
    placed_us   INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,  -- as ordered
    outcome     TEXT    NOT NULL DEFAULT '',  -- empty while it is open
    closed_us   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX order_by_shopper ON placed_order (shopper_id, order_id);
CREATE TABLE order_part (
    part_id          TEXT PRIMARY KEY,
    order_id         TEXT    NOT NULL,
    shop_id          TEXT    NOT NULL,
    goods_minor      INTEGER NOT NULL,  -- as picked, before that as ordered
    fee_minor        INTEGER NOT NULL,
    commission_minor INTEGER NOT NULL,
    ended            TEXT    NOT NULL DEFAULT '',  -- settled, refused, cancelled, unanswered, unpaid
    ended_us         INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX part_by_shop ON order_part (shop_id, ended_us, part_id) WHERE ended_us > 0
"""


class EndedPart(msgspec.Struct, frozen=True):
    """A part of an order that a shop is done with. `ended`: settled, refused, cancelled, unanswered or unpaid."""

    part_id: str
    order_id: str
    goods_minor: int
    fee_minor: int
    commission_minor: int
    ended: str
    ended_us: int


async def orders_before(archive: ArchiveReader, shopper_id: str, order_id: str, *, limit: int) -> list[str]:
    """Ids of a shopper's orders that were placed before one of theirs, newest first."""
    question = "SELECT order_id FROM placed_order WHERE shopper_id = ? AND order_id < ? ORDER BY order_id DESC LIMIT ?"
    return [row[0] for row in await archive.ask(question, shopper_id, order_id, limit)]


async def ended_parts(
    archive: ArchiveReader, shop_id: str, *, since_us: int, before: tuple[int, str], limit: int
) -> list[EndedPart]:
    """The parts that ended for a shop since a moment and before a time and part id, the latest first."""
    question = (
        "SELECT part_id, order_id, goods_minor, fee_minor, commission_minor, ended, ended_us FROM order_part"
        " WHERE shop_id = ? AND ended_us > 0 AND ended_us >= ? AND (ended_us, part_id) < (?, ?)"
        " ORDER BY ended_us DESC, part_id DESC LIMIT ?"
    )
    return [EndedPart(*row) for row in await archive.ask(question, shop_id, since_us, *before, limit)]


def _place(db: sqlite3.Connection, event: OrderPlaced, entry: Entry) -> None:
    db.execute(
        "INSERT INTO placed_order (order_id, shopper_id, placed_us, total_minor) VALUES (?, ?, ?, ?)",
        (event.order_id, event.shopper_id, entry.time_us, event.total_minor),
    )
    db.executemany(
        "INSERT INTO order_part (part_id, order_id, shop_id, goods_minor, fee_minor, commission_minor)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(p.part_id, event.order_id, p.shop_id, p.goods_minor, p.fee_minor, p.commission_minor) for p in event.parts],
    )


def _pick(db: sqlite3.Connection, event: PartPicked, entry: Entry) -> None:
    db.execute(
        "UPDATE order_part SET goods_minor = ?, fee_minor = ?, commission_minor = ? WHERE part_id = ?",
        (event.goods_minor, event.fee_minor, event.commission_minor, event.part_id),
    )


def _end(db: sqlite3.Connection, event: PartSettled | PartEnded, entry: Entry) -> None:
    ended = event.why if isinstance(event, PartEnded) else "settled"
    db.execute("UPDATE order_part SET ended = ?, ended_us = ? WHERE part_id = ?", (ended, entry.time_us, event.part_id))


def _close(db: sqlite3.Connection, event: OrderClosed, entry: Entry) -> None:
    db.execute(
        "UPDATE placed_order SET outcome = ?, closed_us = ? WHERE order_id = ?",
        (event.outcome, entry.time_us, event.order_id),
    )


CHAPTER = Chapter(
    _SCHEMA, {OrderPlaced: _place, PartPicked: _pick, PartSettled: _end, PartEnded: _end, OrderClosed: _close}
)

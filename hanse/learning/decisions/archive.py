"""All decisions with what came of them, as tables: memory has the latest ten thousand only."""

import sqlite3

import msgspec

from hanse.district.archive import ArchiveReader, Chapter
from hanse.events.learning import DecisionMade, OutcomeObserved
from hanse.journal.protocol import Entry
from hanse.learning.decisions.views import Logged

__all__ = ["CHAPTER", "decisions_before"]

_SCHEMA = """
CREATE TABLE decision (
    decision_id TEXT PRIMARY KEY,  -- ids sort by time
    capability  TEXT NOT NULL,
    subject_id  TEXT NOT NULL,
    body        TEXT NOT NULL  -- the event as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_by_capability ON decision (capability, decision_id);
CREATE TABLE outcome (
    decision_id TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (decision_id, position)
) STRICT, WITHOUT ROWID
"""

_encode = msgspec.json.Encoder().encode
_decision = msgspec.json.Decoder(DecisionMade).decode
_outcome = msgspec.json.Decoder(OutcomeObserved).decode


async def decisions_before(
    archive: ArchiveReader, decision_id: str, *, capability: str = "", limit: int
) -> list[Logged]:
    """The decisions that were made before one, newest first: of one capability or of all."""
    of_one = "capability = ?1" if capability else "?1 = ''"
    decisions = await archive.ask(
        f"SELECT decision_id, body FROM decision WHERE {of_one} AND decision_id < ?2"
        " ORDER BY decision_id DESC LIMIT ?3",
        capability,
        decision_id,
        limit,
    )
    made = [row[0] for row in decisions]
    seen: dict[str, list[OutcomeObserved]] = {}
    of_these = ", ".join("?" * len(made))
    outcomes = await archive.ask(
        f"SELECT decision_id, body FROM outcome WHERE decision_id IN ({of_these}) ORDER BY decision_id, position", *made
    )
    for of, body in outcomes:
        seen.setdefault(of, []).append(_outcome(body))
    return [Logged(_decision(body), tuple(seen.get(one, ()))) for one, body in decisions]


def _made(db: sqlite3.Connection, event: DecisionMade, entry: Entry) -> None:
    db.execute(
        "INSERT INTO decision VALUES (?, ?, ?, ?)",
        (event.decision_id, event.capability, event.subject_id, _encode(event).decode()),
    )


def _observed(db: sqlite3.Connection, event: OutcomeObserved, entry: Entry) -> None:
    db.execute("INSERT INTO outcome VALUES (?, ?, ?)", (event.decision_id, entry.position, _encode(event).decode()))


CHAPTER = Chapter(_SCHEMA, {DecisionMade: _made, OutcomeObserved: _observed})

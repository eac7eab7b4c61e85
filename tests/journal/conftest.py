from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Answered, Commit, Entry, Head, Journal, Mark, seal
from hanse.journal.sqlite import SqliteJournal

Append = Callable[..., Commit]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Every kind of journal there is; each new one joins by its name here, and the cases stay the same."""
    opened: Journal
    match request.param:
        case "memory":
            opened = MemoryJournal()
        case "sqlite":
            opened = SqliteJournal(tmp_path / "journal.sqlite")
        case _:
            url = request.getfixturevalue("postgres")
            from hanse.journal.postgres import PostgresJournal

            opened = PostgresJournal(url, district="0")
    yield opened
    opened.close()


def entry(position: int, *, time_us: int = 0, story: str = "ord_1", body: str = '{"n":1}') -> Entry:
    return Entry(position, time_us or position * 10, "market.order_closed", 1, story, "tests.here", 0, body)


def answered(number: int, *, time_us: int = 0, key: str = "") -> Answered:
    return Answered(number, time_us or number * 10, "per_1", key or f"key-{number}", b"\x01", "ok", b"{}", number)


def commit(head: Head, *entries: Entry, answers: tuple[Answered, ...] = (), steps_through: int = 0) -> Commit:
    """A commit as the writer makes it: sealed onto the chain behind `head`."""
    mark = None
    if entries:
        last = entries[-1]
        mark = Mark(last.position, last.time_us, steps_through, len(entries), seal(head.hash, entries, steps_through))
    return Commit(entries, answers, mark)


def contents(journal: Journal) -> object:
    return journal.head(), list(journal.read()), list(journal.marks()), list(journal.answers_since(0))

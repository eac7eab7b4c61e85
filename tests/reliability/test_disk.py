"""A full disk, a second writer, a journal that somebody changed, a torn file."""

import os
import sqlite3
from pathlib import Path

import pytest

from hanse.flows.order import PlaceOrder, place
from hanse.journal.check import verify
from hanse.journal.protocol import JournalFenced
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.values import Wish
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock
from hanse.testing import Stage, district, small_town
from tests.reliability.conftest import audit

TEA = PlaceOrder((Wish("off_mill_tea", 1),))


@pytest.fixture
def town(tmp_path: Path) -> Stage:
    return small_town(district(journal=SqliteJournal(tmp_path / "journal.sqlite")))


def limit_pages(town: Stage, pages: int) -> int:
    """Let the file grow to so many pages; 0: as large as it likes. Returns the pages it has."""
    journal = town.journal.inner
    assert isinstance(journal, SqliteJournal)
    database = journal._db
    database.execute(f"PRAGMA max_page_count = {pages or 1_073_741_823}")
    return int(database.execute("PRAGMA page_count").fetchone()[0])


def test_a_full_disk_refuses_clearly_loses_nothing_and_goes_on_when_there_is_space(town: Stage) -> None:
    limit_pages(town, limit_pages(town, 0) + 6)
    acknowledged, refusals = {}, []
    for number in range(40):
        # Free text of a request is long here, so that the last page is soon full.
        key = f"key-{number:0>100}"
        answer = town.ask(stock.count, "shp_mill", [(f"mill/item-{number}-{'x' * 700}", number)], key=key)
        if answer.kind == "ok":
            acknowledged[key] = answer
        else:
            refusals.append((key, answer))
    assert acknowledged
    assert refusals
    for _, answer in refusals:
        assert answer.kind == "Unavailable"
        assert b"database or disk is full" in answer.body
        assert b"free disk space" in answer.body
    audit(town.journal, town.writer)
    items = town.view(Stock).items
    assert sum(item_id.startswith("mill/item") for item_id in items) == len(acknowledged)

    limit_pages(town, 0)
    for key, _ in refusals:
        number = int(key.split("-")[1])
        answer = town.ask(stock.count, "shp_mill", [(f"mill/item-{number}-{'x' * 700}", number)], key=key)
        assert (answer.kind, answer.replayed) == ("ok", False)
    for key, before in acknowledged.items():
        number = int(key.split("-")[1])
        again = town.ask(stock.count, "shp_mill", [(f"mill/item-{number}-{'x' * 700}", number)], key=key)
        assert (again.body, again.replayed) == (before.body, True)
    town.crash()
    audit(town.journal, town.writer)


def test_running_ends_while_the_disk_is_full_and_steps_are_owed(town: Stage) -> None:
    order_id = town.do(place, "per_ada", TEA)["order_id"]
    answers: list[object] = []

    town.submit(answers, orders.end_part, order_id, f"{order_id}-1", why="cancelled")  # type: ignore[arg-type]
    town.turn()
    assert town.district.steps_owed == 1
    town.journal.full = True
    town.writer.run()
    assert town.district.steps_owed == 1
    town.journal.full = False
    town.writer.run()
    assert town.district.steps_owed == 0
    assert town.view(Orders).open == {}
    audit(town.journal, town.writer)


def test_tidying_waits_while_the_disk_is_full(town: Stage) -> None:
    town.do(stock.count, "shp_mill", [("mill/tea", 7)], key="old")
    town.clock.forward(days=2)
    town.journal.full = True
    town.writer.tidy()
    town.journal.full = False
    town.writer.tidy()
    assert list(town.journal.answers_since(0)) == []


def test_a_second_writer_is_refused_at_once(town: Stage, tmp_path: Path) -> None:
    with pytest.raises(JournalFenced, match=r"Another process writes journal\.sqlite"):
        SqliteJournal(tmp_path / "journal.sqlite")
    town.do(place, "per_ada", TEA)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE entry SET body = replace(body, '250', '25') WHERE name = 'market.order_placed'", "not those"),
        ("UPDATE entry SET time_us = time_us + 1 WHERE name = 'market.order_placed'", "time goes back|not those"),
        ("DELETE FROM entry WHERE name = 'market.order_placed'", "missing"),
        ("UPDATE mark SET hash = zeroblob(32) WHERE position = (SELECT max(position) FROM mark)", "not those"),
    ],
)
def test_an_altered_journal_does_not_verify(town: Stage, tmp_path: Path, change: str, fault: str) -> None:
    town.do(place, "per_ada", TEA)
    assert verify(town.journal).fault == ""
    town.journal.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        assert database.execute(change).rowcount > 0
    database.close()
    altered = SqliteJournal(tmp_path / "journal.sqlite")
    found = verify(altered).fault
    altered.close()
    assert any(words in found for words in fault.split("|")), found


@pytest.mark.parametrize("cut", [1, 3_000, 20_000])
def test_a_torn_write_ahead_log_loses_at_most_its_end(tmp_path: Path, cut: int) -> None:
    folder = tmp_path / "running"
    folder.mkdir()
    town = small_town(district(journal=SqliteJournal(folder / "journal.sqlite")))
    for _ in range(10):
        town.do(place, "per_ada", TEA)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        (copy / name).write_bytes((folder / name).read_bytes())
    os.truncate(copy / "journal.sqlite-wal", (copy / "journal.sqlite-wal").stat().st_size - cut)

    torn = district(journal=SqliteJournal(copy / "journal.sqlite"))
    books = audit(torn.journal, torn.writer)
    whole = [entry for entry in town.entries() if entry.position <= books.position]
    assert torn.entries() == whole
    assert 0 < books.position < town.district.position
    torn.do(place, "per_bo", TEA)
    audit(torn.journal, torn.writer)

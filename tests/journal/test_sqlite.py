"""What is peculiar to the journal in a file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hanse.journal import sqlite
from hanse.journal.check import verify
from hanse.journal.protocol import Commit, Head, JournalFenced, JournalUnavailable
from hanse.journal.sqlite import SqliteJournal
from tests.journal.conftest import answered, commit, contents, entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_what_was_committed_is_there_when_the_file_is_opened_again(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        journal.append(commit(Head(), entry(1), entry(2), answers=(answered(1),)))
        before = contents(journal)
    with closing(SqliteJournal(path)) as journal:
        assert contents(journal) == before


def test_anyone_can_read_the_file_with_sql(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        journal.append(commit(Head(), entry(1), entry(2)))
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT position, name, body ->> 'n' FROM entry").fetchall() == [
                (1, "market.order_closed", 1),
                (2, "market.order_closed", 1),
            ]
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_reader_beside_the_writer_sees_each_commit_whole_and_writes_nothing(path: Path) -> None:
    with closing(SqliteJournal(path)) as writer, closing(SqliteJournal(path, read_only=True)) as reader:
        assert contents(reader) == contents(writer)
        writer.append(commit(Head(), entry(1), entry(2)))
        assert contents(reader) == contents(writer)
        with pytest.raises(JournalUnavailable):
            reader.append(commit(reader.head(), entry(3)))
        writer.append(commit(writer.head(), entry(3)))
        assert contents(reader) == contents(writer)
        assert verify(reader).fault == ""


def test_a_reader_that_is_under_way_goes_on_with_what_it_began(path: Path) -> None:
    with closing(SqliteJournal(path)) as writer, closing(SqliteJournal(path, read_only=True)) as reader:
        writer.append(commit(Head(), entry(1), entry(2)))
        entries = reader.read()
        assert next(entries).position == 1
        writer.append(commit(writer.head(), entry(3)))
        assert [e.position for e in entries] == [2]


def test_a_second_writer_is_refused_at_once_and_may_follow_the_first(path: Path) -> None:
    with closing(SqliteJournal(path)):
        with pytest.raises(JournalFenced) as refused:
            SqliteJournal(path)
        assert refused.value.code == "journal.in_use"
    SqliteJournal(path).close()


def test_a_broken_row_leaves_nothing_of_its_commit(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        broken = entry(2)._replace(body=None)  # type: ignore[arg-type]
        with pytest.raises(JournalUnavailable):
            journal.append(Commit([entry(1), broken], [answered(1)], None))
        assert contents(journal) == (Head(), [], [], [])


def test_what_can_not_be_opened_is_unavailable(tmp_path: Path, path: Path) -> None:
    path.write_bytes(b"this is no database, but it is longer than a header " * 50)
    for bad in (path, tmp_path / "no" / "folder" / "journal.sqlite"):
        with pytest.raises(JournalUnavailable) as refused:
            SqliteJournal(bad)
        assert refused.value.code == "journal.unavailable"
    with pytest.raises(JournalUnavailable):
        SqliteJournal(tmp_path / "none.sqlite", read_only=True)
    assert not (tmp_path / "none.sqlite").exists()


def test_a_closed_journal_is_unavailable_in_every_method(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.close()
    for ask in (
        journal.head,
        lambda: journal.append(commit(Head(), entry(1))),
        lambda: list(journal.read()),
        lambda: journal.story("ord_1"),
        lambda: list(journal.marks()),
        lambda: journal.answer(1),
        lambda: list(journal.answers_since(0)),
        lambda: journal.forget_answers(1, limit=1),
    ):
        with pytest.raises(JournalUnavailable):
            ask()


def test_verifying_the_file_finds_a_row_that_was_changed_by_sql(path: Path) -> None:
    with closing(SqliteJournal(path)) as journal:
        journal.append(commit(Head(), entry(1), entry(2)))
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE entry SET body = '{}' WHERE position = 2")
            db.commit()
        assert verify(journal).fault == "the entries 1 to 2 are not those that were committed"


def test_the_log_is_copied_into_the_file_beside_the_writer(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 200)
    with closing(SqliteJournal(path)) as journal:
        for number in range(1, 401):
            journal.append(commit(journal.head(), entry(number)._replace(body=f'"{"long" * 500}"')))
            if journal._checkpointing is not None:
                journal._checkpointing.join()
        # A page or more of log a commit, had it never started anew.
        assert path.with_name("journal.sqlite-wal").stat().st_size < 400 * 8_192
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as file_alone:
            (kept,) = file_alone.execute("SELECT count(*) FROM entry").fetchone()
        assert 300 < kept <= 400
        assert verify(journal).entries == 400


def test_a_log_that_can_not_be_copied_now_stops_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 1)

    def no_thread(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(sqlite, "Thread", no_thread)
    with closing(SqliteJournal(path)) as journal:
        for number in range(1, 51):
            journal.append(commit(journal.head(), entry(number)._replace(body=f'"{"long" * 500}"')))
        assert verify(journal).entries == 50

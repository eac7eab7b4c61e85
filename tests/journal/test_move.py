"""Moving a district between a file and PostgreSQL: the same chain, no moment with two that can be started."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hanse.journal.check import verify
from hanse.journal.move import UNFINISHED, Movable, move
from hanse.journal.protocol import JournalClosed, JournalFenced
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import Conflict
from tests.journal.conftest import answered, commit, contents, entry

GONE = "This district moved away; start it there."
Open = Callable[..., Movable]


def quiet(done: int, total: int) -> None:
    """Nobody looks."""


@pytest.fixture
def file(tmp_path: Path) -> Open:
    return lambda **options: SqliteJournal(tmp_path / "journal.sqlite", **options)


@pytest.fixture
def database(postgres: str) -> Open:
    from hanse.journal.postgres import PostgresJournal

    return lambda **options: PostgresJournal(postgres, district="0", **options)


@pytest.fixture(params=["to the database", "to the file"])
def ways(request: pytest.FixtureRequest, file: Open, database: Open) -> tuple[Open, Open]:
    """Where from and where to."""
    return (file, database) if request.param == "to the database" else (database, file)


def fill(journal: Movable, commits: int) -> None:
    """Commits of one to five entries, each with an answer."""
    for number in range(1, commits + 1):
        head = journal.head()
        entries = [entry(head.position + n, body='{"n":"ü\\\\ 😀"}') for n in range(1, 2 + number % 5)]
        journal.append(
            commit(head, *entries, answers=(answered(head.answers + 1, key=f"k{head.answers + 1}"),), steps_through=1)
        )


def carry(source: Open, target: Open) -> None:
    with closing(source(though_closed=True)) as here, closing(target(though_closed=True)) as there:
        move(here, there, gone=GONE, progress=quiet)


def test_a_district_arrives_as_it_was_and_can_be_started_there_only(ways: tuple[Open, Open]) -> None:
    source, target = ways
    with closing(source()) as here:
        fill(here, 1_200)
        before, answers = contents(here), list(here.answers())
    shown: list[tuple[int, int]] = []
    with closing(source()) as here, closing(target()) as there:
        verdict = move(here, there, gone=GONE, progress=lambda done, total: shown.append((done, total)))
    assert (verdict.entries, verdict.commits, verdict.fault) == (3_600, 1_200, "")
    assert shown[0] == (0, 3_600)
    assert shown[-1] == (3_600, 3_600)
    with pytest.raises(JournalClosed, match=GONE):
        source()
    with closing(source(read_only=True)) as left, closing(target()) as arrived:
        assert contents(left) == contents(arrived) == before
        assert list(arrived.answers()) == answers
        fill(arrived, 3)
        assert verify(arrived).fault == ""


def test_there_and_back_copies_what_came_meanwhile(ways: tuple[Open, Open]) -> None:
    source, target = ways
    with closing(source()) as here:
        fill(here, 5)
    carry(source, target)
    with closing(target()) as there:
        there.forget_answers(10**9, limit=10**6)
        fill(there, 7)
        after = contents(there)
    carry(target, source)
    with closing(source()) as here:
        assert contents(here) == after
        assert verify(here).fault == ""
    with pytest.raises(JournalClosed):
        target()


KILLED = """
import os, signal
from pathlib import Path
from hanse.journal import move as module
from hanse.journal.postgres import PostgresJournal
from hanse.journal.sqlite import SqliteJournal

def kill(done, total):
    if done >= 1_000:
        os.kill(os.getpid(), signal.SIGKILL)

module.ENTRIES_AT_ONCE = 300
file = SqliteJournal(Path({file!r}), though_closed=True)
database = PostgresJournal({url!r}, district="0", though_closed=True)
source, target = (file, database) if {to_database!r} else (database, file)
module.move(source, target, gone={gone!r}, progress=kill)
"""


def test_a_move_that_was_killed_goes_on_where_it_stood(
    ways: tuple[Open, Open], tmp_path: Path, postgres: str, file: Open
) -> None:
    source, target = ways
    with closing(source()) as here:
        fill(here, 800)
        before = contents(here)
    path = str(tmp_path / "journal.sqlite")
    program = KILLED.format(file=path, url=postgres, to_database=source is file, gone=GONE)
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    with pytest.raises(JournalClosed, match="is not finished"):
        target()
    source().close()
    with closing(target(though_closed=True)) as there:
        assert 1_000 <= there.head().position < 2_400
        assert verify(there).fault == ""
    carry(source, target)
    with closing(target()) as there:
        assert contents(there) == before


def test_a_move_that_ended_between_closing_and_opening_is_finished(
    ways: tuple[Open, Open], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = ways
    with closing(source()) as here:
        fill(here, 5)
    with closing(source()) as here, closing(target()) as there:
        shut = there.shut
        monkeypatch.setattr(there, "shut", lambda why: shut(why) if why else 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(here, there, gone=GONE, progress=quiet)
    for closed in ways:
        with pytest.raises(JournalClosed):
            closed()
    carry(source, target)
    target().close()
    with pytest.raises(JournalClosed, match=GONE):
        source()


def test_a_target_with_another_history_is_refused_and_nothing_changes(ways: tuple[Open, Open]) -> None:
    source, target = ways
    with closing(source()) as here, closing(target()) as there:
        fill(here, 5)
        there.append(commit(there.head(), entry(1, body='{"n":"another"}')))
        before = contents(here), contents(there)
        with pytest.raises(Conflict) as refused:
            move(here, there, gone=GONE, progress=quiet)
        assert refused.value.code == "journal.other_history"
        assert (contents(here), contents(there), here.closed, there.closed) == (*before, "", "")


def test_what_is_ahead_of_the_source_is_another_history(ways: tuple[Open, Open]) -> None:
    source, target = ways
    with closing(source()) as here:
        fill(here, 3)
    carry(source, target)
    with closing(target()) as there:
        fill(there, 1)
    with closing(source(though_closed=True)) as here:
        here.shut("")
    with pytest.raises(Conflict, match="another history"):
        carry(source, target)


def test_a_district_that_is_in_use_is_not_moved(ways: tuple[Open, Open], monkeypatch: pytest.MonkeyPatch) -> None:
    for used in ways:
        with closing(used()) as at_work:
            monkeypatch.setattr("hanse.journal.lease.time.sleep", lambda _, at_work=at_work: fill(at_work, 1))
            with pytest.raises(JournalFenced) as refused:
                carry(*ways)
            assert refused.value.code == "journal.in_use"
            assert at_work.closed == ""


def test_a_source_that_was_altered_is_not_closed(ways: tuple[Open, Open]) -> None:
    source, target = ways
    with closing(source()) as here, closing(target()) as there:
        head = here.head()
        whole = commit(head, entry(1), entry(2))
        here.append(whole._replace(entries=[entry(1), entry(2, body='{"n":2}')]))
        with pytest.raises(Conflict) as refused:
            move(here, there, gone=GONE, progress=quiet)
        assert refused.value.code == "journal.copy_differs"
        assert (here.closed, there.closed) == ("", UNFINISHED)


@pytest.fixture(autouse=True)
def _nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: float) -> None:
        raise AssertionError("nobody has to wait here")

    monkeypatch.setattr("hanse.journal.lease.time.sleep", never)

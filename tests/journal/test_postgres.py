"""What is peculiar to the journal in PostgreSQL: districts beside each other, leases, lost connections."""

import os
import socket
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import psycopg
import pytest

from hanse.journal import lease
from hanse.journal import postgres as module
from hanse.journal.check import verify
from hanse.journal.connection import named
from hanse.journal.postgres import PostgresJournal
from hanse.journal.protocol import Commit, Head, JournalFenced, JournalUnavailable
from hanse.kernel.errors import InvalidInput, NotFound
from tests.journal.conftest import answered, commit, contents, entry

LEASE_S = 30.0
ALWAYS_DUE = 10**9
Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def db(postgres: str) -> Iterator[Database]:
    """A second way in, beside the journal."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


def opened(url: str, district: str = "0") -> PostgresJournal:
    return PostgresJournal(url, district=district, lease_s=LEASE_S)


def end_other_connections(db: Database) -> None:
    """As an operator, a failing network or a restart does."""
    db.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def lose_the_lease(db: Database) -> None:
    """What is left of the time of whoever writes has passed."""
    db.execute("UPDATE lease SET until = now() - interval '1 second'")


def test_what_was_committed_is_there_when_it_is_opened_again(postgres: str) -> None:
    with closing(opened(postgres)) as journal:
        journal.append(commit(Head(), entry(1), entry(2), answers=(answered(1),)))
        before = contents(journal)
    with closing(opened(postgres)) as journal:
        assert contents(journal) == before


def test_districts_lie_beside_each_other_in_one_database(postgres: str) -> None:
    with closing(opened(postgres, "a")) as one, closing(opened(postgres, "b")) as other:
        one.append(commit(Head(), entry(1), entry(2), answers=(answered(1),)))
        assert contents(other) == (Head(), [], [], [])
        other.append(commit(Head(), entry(1, body='{"n":7}'), answers=(answered(1, key="k"),)))
        assert [e.body for e in other.read()] == ['{"n":7}']
        assert one.head().position == 2
        assert (verify(one).fault, verify(other).fault) == ("", "")


@pytest.mark.parametrize("rows", [1, 5, module.FEW + 1, 400])
def test_few_rows_and_many_are_written_alike(postgres: str, rows: int) -> None:
    entries = [entry(n, body=f'{{"text":"\\\\ \\t \\n ü 😀 {n}"}}') for n in range(1, rows + 1)]
    answers = tuple(answered(n)._replace(fingerprint=bytes(range(256)), body=b"\x00\xff") for n in range(1, rows + 1))
    with closing(opened(postgres)) as journal:
        journal.append(commit(Head(), *entries, answers=answers, steps_through=rows))
        assert list(journal.read()) == entries
        assert list(journal.answers()) == list(answers)
        assert verify(journal).commits == 1


def test_many_rows_are_read_page_by_page(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAGE_ROWS", 2)
    monkeypatch.setattr(module, "PAGE_ROWS", 3)
    with closing(opened(postgres)) as journal:
        for number in range(1, 9):
            journal.append(commit(journal.head(), entry(number), answers=(answered(number),)))
        assert [e.position for e in journal.read(1)] == [2, 3, 4, 5, 6, 7, 8]
        assert [e.position for e in journal.read(1, limit=5)] == [2, 3, 4, 5, 6]
        assert [m.position for m in journal.marks(2)] == [3, 4, 5, 6, 7, 8]
        assert [number for number, _, _ in journal.answers_since(30)] == [3, 4, 5, 6, 7, 8]
        assert verify(journal).entries == 8


def test_a_reader_beside_the_writer_sees_each_commit_whole_and_writes_nothing(postgres: str) -> None:
    with closing(opened(postgres)) as writer:
        with closing(PostgresJournal(postgres, district="0", read_only=True)) as reader:
            assert contents(reader) == contents(writer)
            writer.append(commit(Head(), entry(1), entry(2)))
            assert contents(reader) == contents(writer)
            with pytest.raises(JournalUnavailable):
                reader.append(commit(reader.head(), entry(3)))
            assert contents(reader) == contents(writer)
            assert verify(reader).fault == ""
        writer.append(commit(writer.head(), entry(3)))


def test_a_reader_finds_no_district_that_is_not_there(postgres: str) -> None:
    opened(postgres, "a").close()
    with pytest.raises(NotFound) as refused:
        PostgresJournal(postgres, district="b", read_only=True)
    assert refused.value.code == "journal.not_found"


def test_verifying_beside_a_writer_finds_no_fault_in_what_comes_meanwhile(postgres: str) -> None:
    with closing(opened(postgres)) as writer:
        writer.append(commit(Head(), entry(1)))
        with closing(PostgresJournal(postgres, district="0", read_only=True)) as reader:
            marks = list(reader.marks())
            reader.marks = lambda after=0: iter(marks)  # type: ignore[method-assign]
            writer.append(commit(writer.head(), entry(2)))
            assert verify(reader).fault == ""


def test_verifying_finds_a_row_that_was_changed_by_sql(postgres: str, db: Database) -> None:
    with closing(opened(postgres)) as journal:
        journal.append(commit(Head(), entry(1), entry(2)))
        db.execute("UPDATE entry SET body = '{}' WHERE position = 2")
        assert verify(journal).fault == "the entries 1 to 2 are not those that were committed"


def test_a_broken_row_leaves_nothing_of_its_commit(postgres: str) -> None:
    with closing(opened(postgres)) as journal:
        for rows in (2, 100):
            entries = [entry(n) for n in range(1, rows)] + [entry(rows)._replace(body=None)]  # type: ignore[arg-type]
            with pytest.raises(JournalUnavailable):
                journal.append(Commit(entries, [answered(1)], None))
            assert contents(journal) == (Head(), [], [], [])


# The lease


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """What happens while somebody waits for a lease."""
    monkeypatch.setattr(lease.time, "sleep", lambda _: act())


def never() -> None:
    raise AssertionError("nobody has to wait here")


def held_by(db: Database, host: str, pid: int, started: str, place: str) -> None:
    db.execute(
        "UPDATE lease SET holder = %s, until = now() + interval '1 hour'", (f"{host}/{pid}/{started}/{place}/nonce",)
    )


def test_a_second_writer_is_refused_and_may_follow_the_first(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(postgres)
    meanwhile(monkeypatch, lambda: first.append(commit(first.head(), entry(first.head().position + 1))))
    with pytest.raises(JournalFenced, match=r"Process \d+ on .* writes district 0; stop it first") as refused:
        opened(postgres)
    assert refused.value.code == "journal.in_use"
    first.append(commit(first.head(), entry(2)))
    first.close()
    meanwhile(monkeypatch, never)
    with closing(opened(postgres)) as second:
        assert second.head().position == 2


def test_one_that_has_nothing_to_write_keeps_its_district_by_renewing(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWALS_PER_LEASE", ALWAYS_DUE)
    with closing(opened(postgres)) as first:
        meanwhile(monkeypatch, first.renew)
        with pytest.raises(JournalFenced, match="stop it first"):
            opened(postgres)


def test_the_district_of_a_writer_that_fell_silent_is_taken_when_its_time_is_over(
    postgres: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = opened(postgres)
    silent.append(commit(Head(), entry(1)))
    meanwhile(monkeypatch, lambda: lose_the_lease(db))
    with closing(opened(postgres)) as heir:
        assert heir.head().position == 1
        heir.append(commit(heir.head(), entry(2)))
        for rows in (1, 100):
            late = [entry(n) for n in range(3, 3 + rows)]
            with pytest.raises(JournalFenced) as refused:
                silent.append(commit(heir.head(), *late))
            assert refused.value.code == "journal.fenced"
        monkeypatch.setattr(lease, "RENEWALS_PER_LEASE", ALWAYS_DUE)
        with pytest.raises(JournalFenced):
            silent.renew()
        assert [e.position for e in heir.read()] == [1, 2]
        silent.close()
        heir.append(commit(heir.head(), entry(3)))


def test_one_that_lost_its_lease_and_its_connection_does_not_take_it_back(
    postgres: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = opened(postgres)
    lose_the_lease(db)
    meanwhile(monkeypatch, never)
    with closing(opened(postgres)):
        pass
    end_other_connections(db)
    with pytest.raises(JournalUnavailable):
        silent.head()
    with pytest.raises(JournalFenced):
        silent.head()


def test_the_district_of_a_dead_process_on_this_machine_is_taken_at_once(
    postgres: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, never)
    opened(postgres).close()
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    for pid, started in ((gone.pid, "1"), (os.getpid(), "1")):
        held_by(db, socket.gethostname(), pid, started, lease._place())
        opened(postgres).close()


@pytest.mark.parametrize("where", ["this machine", "another container", "another machine"])
def test_a_process_that_may_live_is_waited_for(
    postgres: str, db: Database, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    opened(postgres).close()
    match where:
        case "this machine":
            held_by(db, socket.gethostname(), os.getpid(), lease._started(os.getpid()), lease._place())
        case "another container":
            held_by(db, socket.gethostname(), os.getpid(), "1", "boot:pid:[4711]")
        case _:
            held_by(db, "elsewhere", os.getpid(), "1", lease._place())
    waited: list[None] = []
    meanwhile(monkeypatch, lambda: (waited.append(None), lose_the_lease(db)))
    opened(postgres).close()
    assert len(waited) == 1


def test_who_takes_a_district_waits_for_the_commit_that_is_under_way(postgres: str, db: Database) -> None:
    first = opened(postgres)
    first_db = first._connection()
    held_by(db, socket.gethostname(), os.getpid(), "1", lease._place())
    first_db.execute("BEGIN")
    assert first._lease is not None
    first._lease.show(first_db)
    first_db.execute("INSERT INTO mark VALUES ('0', 1, 10, 0, 1, '')")
    taken: list[PostgresJournal] = []
    taking = Thread(target=lambda: taken.append(opened(postgres)))
    taking.start()
    wait_for_a_lock(db)
    assert taken == []
    first_db.execute("COMMIT")
    taking.join()
    with closing(taken[0]) as second:
        assert second.head().position == 1
        with pytest.raises(JournalFenced):
            first.append(commit(Head(), entry(2)))


def wait_for_a_lock(db: Database) -> None:
    for _ in range(10_000):
        if db.execute("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone() is not None:
            return
    raise AssertionError("nobody waits")


# The connection


def test_a_connection_that_was_lost_is_made_anew_and_nothing_is_there_twice(postgres: str, db: Database) -> None:
    with closing(opened(postgres)) as journal:
        journal.append(commit(Head(), entry(1)))
        end_other_connections(db)
        with pytest.raises(JournalUnavailable, match="see that the server runs"):
            journal.append(commit(journal_head := Head(1, 10, 0, b"", 0), entry(2)))
        assert journal_head.position == journal.head().position == 1
        journal.append(commit(journal.head(), entry(2)))
        assert [e.position for e in journal.read()] == [1, 2]
        assert db.execute("SELECT epoch FROM lease").fetchone() == (2,)


def test_a_closed_journal_is_unavailable_in_every_method(postgres: str) -> None:
    journal = opened(postgres)
    journal.close()
    for ask in (
        journal.head,
        lambda: journal.append(commit(Head(), entry(1))),
        lambda: list(journal.read()),
        lambda: journal.story("ord_1"),
        lambda: list(journal.marks()),
        lambda: journal.answer(1),
        lambda: list(journal.answers()),
        lambda: list(journal.answers_since(0)),
        lambda: journal.forget_answers(1, limit=1),
    ):
        with pytest.raises(JournalUnavailable):
            ask()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:sesame@127.0.0.1:1/hanse",
        "postgresql://ada:sesame@/hanse?host=/nowhere",
        "host=127.0.0.1 port=1 user=ada password=sesame",
        "postgresql://ada:sesame@127.0.0.1:1/hanse?no_such_option=1",
        "postgresql://ada:sesame@[::1/hanse",
        "ada sesame",
    ],
)
def test_what_can_not_be_reached_is_told_without_the_password(address: str) -> None:
    with pytest.raises((JournalUnavailable, InvalidInput)) as refused:
        opened(address)
    told = "".join(traceback.format_exception(refused.value))
    assert "sesame" not in told


def test_an_address_is_shown_without_user_and_password() -> None:
    assert named("postgresql://ada:sesame@db.quay:5433/hanse?sslmode=require") == "postgresql://db.quay:5433/hanse"
    assert named("host=/run/postgresql dbname=hanse password=sesame") == "postgresql:///hanse?host=/run/postgresql"


def test_commits_wait_for_the_disk_whatever_the_database_says(postgres: str, db: Database) -> None:
    (name,) = db.execute("SELECT current_database()").fetchone() or ("",)
    db.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with closing(opened(postgres)) as journal:
        assert journal._connection().execute("SHOW synchronous_commit").fetchone() == ("on",)

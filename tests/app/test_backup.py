"""Backups of a running district, and districts made of them again."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from hanse.app import backup
from hanse.app.backup import back_up, back_up_vault, restore
from hanse.app.house import House, now_us
from hanse.app.settings import Settings
from hanse.district.jobs import Answer, Job
from hanse.district.snapshots import take
from hanse.journal.archive import archive
from hanse.journal.check import verify
from hanse.journal.protocol import Journal
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import Conflict, HanseError, InvalidInput, NotFound, Unavailable
from hanse.people.members import service as members
from hanse.people.members.views import Members
from hanse.people.vault import Vault
from hanse.people.vault.store import Identity
from hanse.testing.town import found
from tests.reliability.zygote import order_job

Run = Callable[..., tuple[int, str, str]]


class Living:
    """A district in a folder that goes on: people join and leave, orders are placed."""

    def __init__(self, settings: Settings) -> None:
        self.house = House(settings)

    def do(self, command: Callable[..., object], *arguments: object, **options: object) -> None:
        """Run a command; what it refuses is a fault of the test."""
        answers: list[Answer] = []
        self.house.writer.submit(Job(partial(command, **options), arguments, "test"), answers.append)
        self.house.writer.run()
        assert answers[0].kind == "ok", answers[0].body

    def members(self) -> set[str]:
        return set(self.house.district.view(Members).by_id)

    def join(self, person_id: str) -> None:
        self.house.vault.put(person_id, {person_id: Identity(f"Xanthippe {person_id}")})
        self.do(members.join, person_id, locale="en")

    def erase(self, person_id: str) -> None:
        self.house.vault.erase(person_id)
        self.do(members.erase, person_id)

    def order(self, key: str) -> Answer:
        answers: list[Answer] = []
        self.house.writer.submit(order_job(key), answers.append)
        self.house.writer.run()
        return answers[0]

    def contents(self) -> tuple[object, ...]:
        return contents(self.house.journal)

    def close(self) -> None:
        asyncio.run(self.house.stop())


def contents(journal: Journal) -> tuple[object, ...]:
    return list(journal.read()), list(journal.marks()), list(journal.answers()), journal.head()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=tmp_path / "data")


@pytest.fixture
def living(settings: Settings) -> Iterator[Living]:
    """The small town, with two more members, one of them erased."""
    one = Living(settings)
    found(one)  # type: ignore[arg-type]
    for person_id in ("per_1", "per_2"):
        one.join(person_id)
    one.erase("per_2")
    yield one
    one.close()


def bytes_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def restored_at(folder: Path) -> Living:
    return Living(Settings(folder=folder))


def test_a_district_is_backed_up_while_it_runs_and_restored_as_it_was(living: Living, tmp_path: Path) -> None:
    before = living.order("k-1")
    manifest = back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    then = living.contents()
    living.order("k-2")
    assert (manifest.position, manifest.hash) == (then[-1].position, then[-1].hash.hex())  # type: ignore[attr-defined]

    done = restore(tmp_path / "backup", Settings(folder=tmp_path / "new"))
    assert (done.position, done.hash) == (manifest.position, manifest.hash)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["journal.sqlite"]
    with closing(SqliteJournal(tmp_path / "new" / "journal.sqlite", read_only=True)) as journal:
        assert contents(journal) == then
    again = restored_at(tmp_path / "new")
    answer = again.order("k-1")
    assert (answer.body, answer.replayed) == (before.body, True)
    assert again.order("k-3").kind == "ok"
    assert verify(again.house.journal).fault == ""
    assert again.house.secret != living.house.secret
    again.close()


def test_a_backup_holds_whole_commits_while_the_writer_goes_on(living: Living, tmp_path: Path) -> None:
    enough, errors = Event(), []

    def take_backups() -> None:
        try:
            for number in range(5):
                back_up(living.house.settings, tmp_path / str(number), now_us=now_us())
        except BaseException as error:  # told below, by the thread that can fail the test
            errors.append(error)
        finally:
            enough.set()

    thread = Thread(target=take_backups)
    thread.start()
    number = 0
    while not enough.is_set():
        number += 1
        assert living.order(f"k-{number}").kind == "ok"
    thread.join()
    assert errors == []
    entries, marks, _, _ = living.contents()
    for taken in range(5):
        with closing(SqliteJournal(tmp_path / str(taken) / "journal.sqlite", read_only=True)) as journal:
            verdict = verify(journal)
            assert verdict.fault == ""
            assert list(journal.read()) == entries[: verdict.entries]  # type: ignore[index]
            assert list(journal.marks()) == marks[: verdict.commits]  # type: ignore[index]
    assert verdict.entries > 0


def test_no_backup_and_no_archive_holds_a_key_or_a_name(living: Living, tmp_path: Path) -> None:
    settings = living.house.settings
    back_up(settings, tmp_path / "backup", now_us=now_us())
    back_up_vault(settings, tmp_path / "apart" / "vault.sqlite")
    archive(living.house.journal, tmp_path / "archive")
    wrapped = [row[0] for row in living.house.vault._db.execute("SELECT wrapped FROM person_key")]
    keys = [(settings.folder / name).read_bytes() for name in ("vault.key", "session.key")]
    assert len(wrapped) == 1
    assert wrapped[0] in bytes_in(tmp_path / "apart")
    for folder in ("backup", "archive"):
        stored = bytes_in(tmp_path / folder)
        assert [key for key in (*wrapped, *keys, b"Xanthippe") if key in stored] == []
    assert [key for key in (*keys, b"Xanthippe") if key in bytes_in(tmp_path / "apart")] == []


def test_an_older_vault_never_brings_back_who_was_erased_since(living: Living, tmp_path: Path) -> None:
    living.join("per_3")
    back_up_vault(living.house.settings, tmp_path / "vault.sqlite")
    living.erase("per_3")
    living.join("per_4")
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    done = bring(living, tmp_path)
    assert (done.people, done.erased, done.unknown) == (1, 1, 0)
    with closing(Vault(tmp_path / "new" / "vault.sqlite")) as vault:
        assert vault.people() == {"per_1"}
        assert vault.get("per_1", Identity) == Identity("Xanthippe per_1")
        for person_id in ("per_2", "per_3", "per_4"):
            with pytest.raises(NotFound):
                vault.get(person_id, Identity)
    with closing(sqlite3.connect(tmp_path / "vault.sqlite")) as old:
        (wrapped,) = old.execute("SELECT wrapped FROM person_key WHERE person_id = 'per_3'").fetchone()
    assert wrapped not in bytes_in(tmp_path / "new")
    again = restored_at(tmp_path / "new")
    assert {"per_1", "per_4"} <= again.members()
    assert "per_3" not in again.members()
    again.close()


def test_a_newer_vault_keeps_nothing_of_whom_the_journal_does_not_know(living: Living, tmp_path: Path) -> None:
    living.join("per_3")
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    living.join("per_4")
    living.erase("per_3")
    back_up_vault(living.house.settings, tmp_path / "vault.sqlite")
    done = bring(living, tmp_path)
    assert (done.people, done.erased, done.unknown) == (1, 0, 1)
    again = restored_at(tmp_path / "new")
    assert again.house.vault.people() == {"per_1"}
    # The journal is of before the erasure: they are a member still, of whom nothing can be read.
    assert "per_3" in again.members()
    with pytest.raises(NotFound):
        again.house.vault.get("per_3", Identity)
    again.close()


def bring(living: Living, tmp_path: Path) -> backup.Restored:
    key = living.house.settings.folder / "vault.key"
    return restore(tmp_path / "backup", Settings(folder=tmp_path / "new"), vault=tmp_path / "vault.sqlite", key=key)


def test_the_vaults_backup_replaces_the_one_before(living: Living, tmp_path: Path) -> None:
    file = tmp_path / "apart" / "vault.sqlite"
    living.join("per_3")
    back_up_vault(living.house.settings, file)
    (wrapped,) = living.house.vault._db.execute("SELECT wrapped FROM person_key WHERE person_id = 'per_3'").fetchone()
    assert wrapped in file.read_bytes()
    living.erase("per_3")
    back_up_vault(living.house.settings, file)
    assert wrapped not in bytes_in(file.parent)
    assert [path.name for path in file.parent.iterdir()] == ["vault.sqlite"]


def test_an_erasure_during_a_backup_of_the_vault_is_made_up_for(living: Living, tmp_path: Path) -> None:
    living.join("per_3")
    folder = living.house.settings.folder
    (wrapped,) = living.house.vault._db.execute("SELECT wrapped FROM person_key WHERE person_id = 'per_3'").fetchone()
    with closing(sqlite3.connect(f"file:{folder / 'vault.sqlite'}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sealed").fetchone()
        living.erase("per_3")
        assert wrapped in b"".join(path.read_bytes() for path in folder.glob("vault.sqlite*"))
    living.join("per_4")
    assert wrapped not in b"".join(path.read_bytes() for path in folder.glob("vault.sqlite*"))


def test_a_journal_is_restored_from_an_archive_without_its_answers(living: Living, tmp_path: Path) -> None:
    living.order("k-1")
    archive(living.house.journal, tmp_path / "archive")
    done = restore(tmp_path / "archive", Settings(folder=tmp_path / "new"))
    entries, marks, _, head = living.contents()
    with closing(SqliteJournal(tmp_path / "new" / "journal.sqlite", read_only=True)) as journal:
        assert contents(journal) == (entries, marks, [], head._replace(answers=0))  # type: ignore[attr-defined]
    assert done.position == head.position  # type: ignore[attr-defined]
    again = restored_at(tmp_path / "new")
    assert again.order("k-1").replayed is False
    again.close()


def test_a_district_moves_between_sqlite_and_postgresql_by_its_backup(
    living: Living, tmp_path: Path, postgres: str
) -> None:
    before = living.order("k-1")
    there = Settings(folder=tmp_path / "there", journal=postgres)
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    restore(tmp_path / "backup", there)
    moved = Living(there)
    assert moved.contents() == living.contents()
    back_up(there, tmp_path / "written", now_us=now_us())
    assert sorted(path.name for path in (tmp_path / "written").iterdir()) == [
        "answers.ndjson",
        "archive",
        "manifest.json",
    ]
    moved.close()

    restore(tmp_path / "written", Settings(folder=tmp_path / "back"))
    back = restored_at(tmp_path / "back")
    assert back.contents() == living.contents()
    answer = back.order("k-1")
    assert (answer.body, answer.replayed) == (before.body, True)
    back.close()


def test_a_restore_into_a_database_that_was_cut_off_is_gone_on_with(
    living: Living, tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        living.order(f"k-{number}")
    there = Settings(folder=tmp_path / "there", journal=postgres)
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())

    def some(commits: Iterator[object], journal: Journal) -> int:
        for commit in list(commits)[:9]:
            journal.append(commit)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(backup, "pour", some)
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "backup", there)
    assert not there.folder.exists()
    restore(tmp_path / "backup", there)
    moved = Living(there)
    assert moved.contents() == living.contents()
    moved.close()
    with pytest.raises(Conflict) as refused:
        restore(tmp_path / "backup", msgspec.structs.replace(there, folder=there.folder))
    assert refused.value.code == "app.folder_in_use"


# What is refused


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_there_already_is_never_overwritten(living: Living, tmp_path: Path) -> None:
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    before = everything(tmp_path / "backup") | everything(tmp_path / "full")
    for folder in (tmp_path / "backup", tmp_path / "full", tmp_path / "full" / "file"):
        with pytest.raises(Conflict) as refused:
            back_up(living.house.settings, folder, now_us=now_us())
        assert refused.value.code == "app.folder_in_use"
        with pytest.raises(Conflict):
            restore(tmp_path / "backup", Settings(folder=folder))
    assert everything(tmp_path / "backup") | everything(tmp_path / "full") == before
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "backup", Settings(folder=tmp_path / "empty"))
    assert (tmp_path / "empty" / "journal.sqlite").exists()


@pytest.mark.parametrize("name", ["journal.sqlite", "manifest.json"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(living: Living, tmp_path: Path, name: str) -> None:
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    whole = (tmp_path / "backup" / name).read_bytes()
    for place in range(0, len(whole), max(len(whole) // 40, 1)):
        damaged = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
        (tmp_path / "backup" / name).write_bytes(damaged)
        try:
            done = restore(tmp_path / "backup", Settings(folder=tmp_path / "new"))
        except HanseError:
            assert not (tmp_path / "new").exists()
            continue
        # A flipped bit in the manifest's words on whose and when it is changes nothing that is restored.
        assert name == "manifest.json"
        assert done.hash == living.house.district.chain.hex()
        shutil.rmtree(tmp_path / "new")
    for path in (tmp_path / "backup").iterdir():
        path.unlink()
    with pytest.raises(NotFound) as refused:
        restore(tmp_path / "backup", Settings(folder=tmp_path / "new"))
    assert refused.value.code == "app.no_backup"


def test_a_key_that_does_not_fit_is_refused_and_leaves_nothing(living: Living, tmp_path: Path) -> None:
    back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    back_up_vault(living.house.settings, tmp_path / "vault.sqlite")
    new = Settings(folder=tmp_path / "new")
    (tmp_path / "other.key").write_bytes(os.urandom(32))
    with pytest.raises(Unavailable) as refused:
        restore(tmp_path / "backup", new, vault=tmp_path / "vault.sqlite", key=tmp_path / "other.key")
    assert refused.value.code == "people.wrong_master_key"
    for vault, key in ((tmp_path / "vault.sqlite", None), (None, tmp_path / "other.key")):
        with pytest.raises(InvalidInput):
            restore(tmp_path / "backup", new, vault=vault, key=key)
    assert not new.folder.exists()


def test_what_was_killed_in_the_middle_leaves_no_half_folder_and_can_be_repeated(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    settings, new = living.house.settings, Settings(folder=tmp_path / "new")
    for step in ("copy_file", "_measure", "_digests", "_put_in_place"):
        with monkeypatch.context() as patched:
            patched.setattr(backup, step, killed)
            with pytest.raises(KeyboardInterrupt):
                back_up(settings, tmp_path / "backup", now_us=now_us())
        assert not (tmp_path / "backup").exists()
    back_up(settings, tmp_path / "backup", now_us=now_us())
    back_up_vault(settings, tmp_path / "vault.sqlite")
    for step in ("_check_manifest", "_bring_vault", "_put_in_place"):
        with monkeypatch.context() as patched:
            patched.setattr(backup, step, killed)
            with pytest.raises(KeyboardInterrupt):
                bring(living, tmp_path)
        assert not new.folder.exists()
    bring(living, tmp_path)
    assert sorted(path.name for path in new.folder.iterdir()) == ["journal.sqlite", "vault.key", "vault.sqlite"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data", "new", "vault.sqlite"]


def test_a_damaged_journal_makes_no_backup(living: Living, tmp_path: Path) -> None:
    with closing(sqlite3.connect(living.house.settings.folder / "journal.sqlite")) as db:
        db.execute("UPDATE entry SET body = replace(body, 'e', 'a') WHERE position = 4")
        db.commit()
    with pytest.raises(Unavailable) as refused:
        back_up(living.house.settings, tmp_path / "backup", now_us=now_us())
    assert refused.value.code == "journal.damaged"
    assert not (tmp_path / "backup").exists()


# The commands


def test_the_commands_say_how_far_and_where(run: Run, living: Living, tmp_path: Path) -> None:
    data, to, apart, new = (tmp_path / name for name in ("data", "backup", "vault.sqlite", "new"))
    take(living.house.district, data / "snapshots")
    position, chain = living.house.district.position, living.house.district.chain.hex()
    code, out, _ = run("backup", to, "--data", data, "--vault", apart)
    assert (code, out.splitlines()[::2]) == (0, [f"position {position}", f"hash     {chain}"])
    assert f"The journal is in {to}, the vault in {apart}." in " ".join(out.split())
    code, out, _ = run("restore", to, "--data", new, "--vault", apart, "--key", data / "vault.key")
    assert code == 0
    assert "people   1 in the vault; erased again: 0; unknown to the journal and erased: 0" in out
    assert run("journal", "verify", "--data", new)[:2] == run("journal", "verify", "--data", data)[:2]

    code, out, _ = run("journal", "archive", tmp_path / "archive", "--data", data)
    assert (code, out) == (0, f"{position} entries are new in {tmp_path / 'archive'}, which holds 1 segments.\n")
    code, out, _ = run("journal", "verify", "--archive", tmp_path / "archive", "--data", data)
    assert (code, f"hash     {chain}\nThe archive is whole." in out) == (0, True)
    (segment,) = (tmp_path / "archive").iterdir()
    segment.write_bytes(segment.read_bytes()[:-5])
    code, _, err = run("journal", "verify", "--archive", tmp_path / "archive", "--data", data)
    assert (code, "take it from another copy" in err) == (1, True)

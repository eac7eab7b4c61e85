"""A disk that is full, read-only, failing or slow: said in a sentence, nothing lost, gone on with by itself."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import msgspec
import pytest

from hanse.app import cli
from hanse.app.backup import back_up
from hanse.app.house import House, now_us
from hanse.app.settings import Settings
from hanse.district import writer as writing
from hanse.district.jobs import Answer
from hanse.district.writer import Writer
from hanse.journal.protocol import Commit
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import LimitExceeded, Unavailable
from hanse.people.vault import Vault
from hanse.people.vault.store import Identity
from tests.reliability.conftest import audit, found_town, open_writer
from tests.reliability.power import Disk, recording
from tests.reliability.sqlite_files import FULL, IOERR, READONLY
from tests.reliability.zygote import order_job


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    found_town(folder, now_us)
    return folder


@pytest.fixture
def disk(data: Path) -> Iterator[Disk]:
    with recording(data) as disk:
        yield disk


class Till:
    """A writer whom orders are given to, and what it answered to which key."""

    def __init__(self, data: Path) -> None:
        self.journal, self.writer = open_writer(data, now_us)
        self.placed: dict[str, str] = {}

    def order(self, key: str) -> Answer:
        answers: list[Answer] = []
        self.writer.submit(order_job(key), answers.append)
        self.writer.run()
        if answers[0].kind == "ok":
            self.placed[key] = order_id(answers[0])
        return answers[0]

    def check(self) -> None:
        """Exactly what was acknowledged is there, and is answered so again."""
        books = audit(self.journal, self.writer)
        assert set(self.placed.values()) == books.stories.all.keys()
        for key, placed in self.placed.items():
            answers: list[Answer] = []
            self.writer.submit(order_job(key), answers.append)
            assert (order_id(answers[0]), answers[0].replayed) == (placed, True)


def order_id(answer: Answer) -> str:
    return str(msgspec.json.decode(answer.body)["order_id"])


def failing(step: str, code: int) -> Callable[[str, str], int]:
    return lambda what, path: code if what == step else 0


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        ("write", FULL, "free disk space, then try again; nothing is lost"),
        ("write", READONLY, "let this process write the file and its folder"),
        ("write", IOERR, "the disk fails: look after it"),
        ("sync", IOERR, "the disk fails: look after it"),
    ],
    ids=["full", "read-only", "no write", "no sync"],
)
def test_what_the_disk_refuses_is_answered_in_a_sentence_and_goes_on_when_it_does_not(
    data: Path, disk: Disk, step: str, code: int, words: str
) -> None:
    till = Till(data)
    for number in range(3):
        assert till.order(f"before-{number}").kind == "ok"
    disk.fails = failing(step, code)
    for number in range(3):
        answer = till.order(f"during-{number}")
        assert answer.kind == "Unavailable"
        assert words in answer.body.decode()
    disk.fails = failing("", 0)
    for key in ("during-0", "during-1", "during-2", "after"):
        answer = till.order(key)
        assert (answer.kind, answer.replayed) == ("ok", False)
    till.check()
    till.journal.close()
    again = Till(data)
    again.placed = till.placed
    again.check()
    again.journal.close()


def test_the_vault_refuses_on_a_full_disk_and_goes_on(data: Path, disk: Disk) -> None:
    with closing(Vault(data / "vault.sqlite")) as vault:
        vault.put("per_1", {"per_1": Identity("Ada")})
        disk.fails = failing("write", FULL)
        for act in (lambda: vault.put("per_2", {"per_2": Identity("Bo")}), lambda: vault.erase("per_1")):
            with pytest.raises(Unavailable, match=r"The vault vault\.sqlite cannot be used .*free disk space"):
                act()
        assert vault.get("per_1", Identity) == Identity("Ada")
        disk.fails = failing("", 0)
        vault.put("per_2", {"per_2": Identity("Bo")})
        vault.erase("per_1")
        assert vault.people() == {"per_2"}


def test_a_journal_that_may_only_be_read_is_refused_at_the_start(data: Path, disk: Disk) -> None:
    disk.fails = failing("open", READONLY)
    with pytest.raises(Unavailable) as refused:
        SqliteJournal(data / "journal.sqlite").append(Commit([], [], None))
    assert refused.value.message.endswith("let this process read and write the file and its folder, then try again.")
    disk.fails = failing("", 0)
    till = Till(data)
    assert till.order("k").kind == "ok"
    till.journal.close()


def test_a_folder_that_can_not_be_written_is_refused_at_the_start(data: Path) -> None:
    (data / "journal.lock").unlink()
    (data / "journal.lock").mkdir()
    with pytest.raises(Unavailable, match="let this process read and write the file and its folder"):
        SqliteJournal(data / "journal.sqlite")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir(mode=0o500)
    assert cli.run(["up", "--data", str(tmp_path / "mine" / "data"), "--port", "0"]) == 7
    assert "let this process write there" in capsys.readouterr().err


def test_a_command_says_what_the_disk_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("no folder")
    assert cli.run(["up", "--data", str(tmp_path / "file" / "data"), "--port", "0"]) == 7
    assert "The disk refuses (File exists: " in capsys.readouterr().err


def test_a_backup_to_a_full_disk_leaves_nothing_and_says_so(data: Path, tmp_path: Path) -> None:
    with recording(tmp_path) as disk:
        disk.fails = lambda what, path: FULL if what == "write" and "backup" in path else 0
        with pytest.raises(Unavailable, match=r"No copy of journal\.sqlite was made: .*free disk space"):
            back_up(Settings(folder=data), tmp_path / "backup", now_us=now_us())
        assert not (tmp_path / "backup").exists()
        disk.fails = failing("", 0)
        back_up(Settings(folder=data), tmp_path / "backup", now_us=now_us())


def test_a_house_stops_where_no_snapshot_can_be_written(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanse.app.house.WORTH_A_SNAPSHOT", 1)
    house = House(Settings(folder=data))
    (data / "snapshots").write_text("no folder")
    asyncio.run(house.stop())
    SqliteJournal(data / "journal.sqlite").close()


# Slow


def test_a_slow_disk_keeps_the_order_and_answers_nobody_before_it_has_synced(data: Path, disk: Disk) -> None:
    synced: list[int] = []

    def slowly(what: str, path: str) -> int:
        if what == "sync":
            Event().wait(0.05)
            synced.append(len(told))
        return 0

    told: list[str] = []

    async def live() -> list[str]:
        house = House(Settings(folder=data))
        disk.fails = slowly
        await house.start()
        waiting = []
        for number in range(30):
            waiting.append(house.submit(order_job(f"k-{number}")))
            waiting[-1].add_done_callback(lambda future: told.append(order_id(future.result())))
            if number % 5 == 0:
                await waiting[-1]
        placed = [order_id(answer) for answer in await asyncio.gather(*waiting)]
        disk.fails = failing("", 0)
        await house.stop()
        return placed

    placed = asyncio.run(live())
    assert told == placed == sorted(placed)
    # Nobody had been told when the first sync of theirs ended.
    assert synced[0] == 0
    with closing(SqliteJournal(data / "journal.sqlite", read_only=True)) as journal:
        stored = [entry.story for entry in journal.read() if entry.name == "market.order_placed"]
    assert stored == placed


def test_what_waits_for_a_slow_disk_is_bounded(data: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "QUEUE_MAX", 10)
    till = Till(data)
    refused: list[LimitExceeded] = []

    def while_syncing(what: str, path: str) -> int:
        # The disk takes so long that orders come in meanwhile.
        if what == "sync" and not refused:
            for number in range(15):
                submit(till.writer, f"meanwhile-{number}", refused)
        return 0

    disk.fails = while_syncing
    assert till.order("first").kind == "ok"
    disk.fails = failing("", 0)
    assert [error.details for error in refused] == [{"retry_after_s": 1}] * 5
    assert len(audit(till.journal, till.writer).stories.all) == 11
    till.journal.close()


def submit(writer: Writer, key: str, refused: list[LimitExceeded]) -> None:
    try:
        writer.submit(order_job(key), lambda _: None)
    except LimitExceeded as error:
        refused.append(error)

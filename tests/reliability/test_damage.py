"""Bits that turn over, files that go missing: found, said in a sentence, and nothing made up from what is left."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import Charter
from hanse.district.opening import opener
from hanse.district.snapshots import take
from hanse.district.writer import Writer
from hanse.journal import sqlite_file
from hanse.journal.check import Verdict, verify
from hanse.journal.protocol import Entry, Mark
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import HanseError, NotFound, Unavailable
from hanse.people.vault import Vault
from hanse.people.vault.store import Identity
from tests.reliability.conftest import found_town, open_writer
from tests.reliability.zygote import order_job

RESTORE = "restore it from a backup as docs/how-to/back-up-and-restore.md tells"


def now_us() -> int:
    """A clock that stands: so the files are the same each time, and with them the bits that turn over."""
    return 1_780_000_000_000_000


OPEN = opener(Charter(), views=VIEWS, flows=FLOWS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A district that took forty orders and was stopped."""
    folder = tmp_path / "data"
    folder.mkdir()
    found_town(folder, now_us)
    journal, writer = open_writer(folder, now_us)
    for turn in range(8):
        place(writer, turn)
    journal.close()
    return folder


def place(writer: Writer, turn: int) -> None:
    for number in range(5):
        writer.submit(order_job(f"{turn}-{number}"), lambda _: None)
    writer.run()


def flip(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def flips(content: bytes, *, each: int, page: int, seed: int) -> Iterator[bytes]:
    """The content with one bit turned over, in several places of each page, its head among them."""
    chance = random.Random(seed)
    for start in range(0, len(content), page):
        places = [chance.randrange(16), *(chance.randrange(page) for _ in range(each - 1))]
        for place in places:
            if start + place < len(content):
                yield flip(content, start + place, chance.randrange(8))


def told(journal: SqliteJournal) -> tuple[list[Entry], list[Mark]]:
    return list(journal.read()), list(journal.marks())


def state(writer: Writer) -> dict[str, bytes]:
    return {name: msgspec.msgpack.encode(view) for name, view in writer.district.views().items()}


def outcome(ask: Callable[[], object]) -> object:
    """What it says, or the error that it refuses with; what else it raises is a fault of ours, and its words too."""
    try:
        return ask()
    except Unavailable as error:
        return error if error.message.endswith(f"{RESTORE}.") or "disk" in error.message else error.message


@pytest.mark.parametrize("each", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_a_bit_that_turns_over_is_found_by_verify_or_changed_nothing(data: Path, tmp_path: Path, each: int) -> None:
    path = data / "journal.sqlite"
    with closing(SqliteJournal(path)) as journal:
        whole = told(journal)
    found = {"refused": 0, "fault": 0, "same": 0}
    for damaged in flips(path.read_bytes(), each=each, page=8_192, seed=each):
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / path.name).write_bytes(damaged)
        said = outcome(lambda at=copy / path.name: look(at))
        if isinstance(said, HanseError):
            found["refused"] += 1
        else:
            verdict, contents = said
            found["fault" if verdict.fault else "same"] += 1
            assert verdict.fault or contents == whole
        shutil.rmtree(copy)
    assert min(found.values()) > 0, found


def look(path: Path) -> tuple[Verdict, object]:
    with closing(SqliteJournal(path, read_only=True)) as journal:
        verdict = verify(journal)
        return verdict, None if verdict.fault else told(journal)


@pytest.mark.parametrize("each", [1, pytest.param(15, marks=pytest.mark.slow)])
def test_a_start_folds_nothing_that_is_not_what_was_committed(data: Path, tmp_path: Path, each: int) -> None:
    path = data / "journal.sqlite"
    journal, writer = open_writer(data, now_us)
    whole = state(writer)
    journal.close()
    found = {"refused": 0, "same": 0}
    for damaged in flips(path.read_bytes(), each=each, page=8_192, seed=each):
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / path.name).write_bytes(damaged)
        said = outcome(lambda at=copy: start(at))
        found["refused" if isinstance(said, HanseError) else "same"] += 1
        assert isinstance(said, HanseError) or said == whole
        shutil.rmtree(copy)
    assert min(found.values()) > 0, found


def start(folder: Path) -> dict[str, bytes]:
    journal = SqliteJournal(folder / "journal.sqlite")
    try:
        return state(Writer(journal, OPEN, clock=now_us))
    finally:
        journal.close()


# The log


@pytest.fixture
def running(data: Path, tmp_path: Path) -> Path:
    """The files of the district while it runs: its last turns stand in the log alone."""
    journal, writer = open_writer(data, now_us)
    for turn in range(8, 14):
        place(writer, turn)
    copy = tmp_path / "running"
    shutil.copytree(data, copy)
    journal.close()
    return copy


def frames(log: bytes) -> list[int]:
    """Where each frame of a log begins."""
    return list(range(32, len(log), 24 + 8_192))


def commit_ends(log: bytes) -> list[int]:
    """Where the last frame of each commit begins."""
    return [at for at in frames(log) if log[at + 4 : at + 8] != bytes(4)]


def test_a_log_that_is_whole_is_read_to_its_end(running: Path) -> None:
    journal, _ = open_writer(running, now_us)
    assert len({key for _, _, key in journal.answers_since(0)}) == 14 * 5
    journal.close()


@pytest.mark.parametrize("each", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_damage_in_the_log_never_makes_a_start_forget_what_was_acknowledged(
    running: Path, tmp_path: Path, each: int
) -> None:
    log = (running / "journal.sqlite-wal").read_bytes()
    # Damage in what the last two commits wrote may look as a power cut does: see `check_log`.
    sure = commit_ends(log)[-3] + 24 + 8_192
    chance = random.Random(each)
    places = [
        at + offset
        for at in frames(log[:sure]) * each
        for offset in (chance.randrange(24), 24 + chance.randrange(8_192))
    ]
    for at in [*range(0, 32, 3), *places]:
        copy = tmp_path / "copy"
        shutil.copytree(running, copy)
        (copy / "journal.sqlite-shm").unlink()
        damaged = flip(log, at, chance.randrange(8))
        (copy / "journal.sqlite-wal").write_bytes(damaged)
        for _ in range(2):  # the second start finds what the first one found: it has changed nothing
            said = outcome(lambda at=copy: start(at))
            assert isinstance(said, Unavailable), at
            assert "acknowledged stand behind the damage" in said.message, said.message
        assert (copy / "journal.sqlite-wal").read_bytes() == damaged
        shutil.rmtree(copy)


def test_a_log_that_was_not_copied_along_is_missed_where_a_snapshot_knows_of_it(running: Path) -> None:
    journal, writer = open_writer(running, now_us)
    known = take(writer.district, running / "snapshots")
    position = writer.district.position
    files = {name: (running / name).read_bytes() for name in ("journal.sqlite", "journal.sqlite-wal")}
    journal.close()
    (running / "journal.sqlite").write_bytes(files["journal.sqlite"])
    opened = opener(Charter(), views=VIEWS, flows=FLOWS, snapshots=running / "snapshots")
    with closing(SqliteJournal(running / "journal.sqlite")) as shorter:
        assert shorter.head().position < position
        with pytest.raises(HanseError) as refused:
            Writer(shorter, opened, clock=now_us)
        assert refused.value.code == "district.lost_end"
        assert f"a snapshot was taken at {position}" in refused.value.message
        assert RESTORE in refused.value.message
        known.unlink()
        Writer(shorter, opened, clock=now_us)


# The vault


def test_a_damaged_vault_says_so_and_opens_no_wrong_record(tmp_path: Path) -> None:
    people = {f"per_{n}": {f"per_{n}": Identity(f"name {n}", "x" * 300)} for n in range(60)}
    with closing(Vault(tmp_path / "vault.sqlite")) as vault:
        vault.put_many(people)
    found = {"refused": 0, "same": 0}
    for damaged in flips((tmp_path / "vault.sqlite").read_bytes(), each=8, page=4_096, seed=1):
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "vault.sqlite").write_bytes(damaged)
        shutil.copy(tmp_path / "vault.key", copy / "vault.key")
        try:
            with closing(Vault(copy / "vault.sqlite")) as vault:
                for person_id in people:
                    assert vault.get(person_id, Identity) == people[person_id][person_id]
            found["same"] += 1
        except (Unavailable, NotFound):
            found["refused"] += 1
        shutil.rmtree(copy)
    assert min(found.values()) > 0, found


def test_what_is_no_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    for name, kind in (("journal.sqlite", SqliteJournal), ("vault.sqlite", Vault)):
        (tmp_path / name).write_bytes(b"something else, but as long as the head of a database is " * 9)
        (tmp_path / "vault.key").write_bytes(bytes(32))
        with pytest.raises(Unavailable, match=f"{name} cannot be used .*it is damaged: {RESTORE}"):
            kind(tmp_path / name)


def test_a_row_that_sql_changed_is_found_at_the_start_too(data: Path) -> None:
    with closing(sqlite3.connect(data / "journal.sqlite")) as db:
        db.execute("UPDATE entry SET body = replace(body, '1', '2') WHERE position = 30")
        db.commit()
    with pytest.raises(Unavailable) as refused:
        start(data)
    assert refused.value.code == "journal.damaged"
    assert refused.value.message.endswith(f"are not those that were committed; {RESTORE}.")


def test_a_log_that_grows_while_it_is_looked_at_is_not_damaged(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = running / "journal.sqlite"
    real, looks = sqlite_file._valid_frames, []

    def early(of: Path) -> int:
        """At first what was valid before the writer went on; then the truth."""
        looks.append(real(of))
        return looks[-1] - 12 if len(looks) == 1 else looks[-1]

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file, "_valid_frames", early)
        sqlite_file.check_log(path)
    assert len(looks) == 3
    with monkeypatch.context() as patched:
        patched.setattr(sqlite_file, "_valid_frames", lambda of: real(of) - 12)
        with pytest.raises(Unavailable, match="acknowledged stand behind"):
            sqlite_file.check_log(path)

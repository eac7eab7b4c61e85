"""The power goes while a district works: orders, keys of persons, secrets and snapshots."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import msgspec
import pytest

from hanse.app.house import FLOWS, VIEWS, House, now_us
from hanse.app.settings import Settings
from hanse.district.core import Charter
from hanse.district.jobs import Answer
from hanse.district.opening import follow
from hanse.district.snapshots import latest, take
from hanse.journal import sqlite
from hanse.kernel.errors import NotFound
from hanse.people.vault import Vault
from hanse.people.vault.store import Identity
from tests.reliability.conftest import audit, found_town, open_writer
from tests.reliability.power import Disk, recording
from tests.reliability.zygote import order_job

Notes = list[object]


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the log into the file every few commits."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 30)
    monkeypatch.setattr(sqlite, "COMMITS_PER_LOOK", 4)


def after_cuts(
    disk: Disk, folder: Path, *, seed: int, every: int = 1, most: int | None = None
) -> Iterator[tuple[Notes, Path]]:
    """Each image laid out in a folder of its own, with what had been noted; `most`: only so many, drawn by chance."""
    images = list(disk.images(seed=seed, every=every))
    if most is not None and most < len(images):
        images = random.Random(seed).sample(images, most)
    numbers = count()
    for notes, image in images:
        laid_out = folder / str(next(numbers))
        disk.restore(image, laid_out)
        yield notes, laid_out
        shutil.rmtree(laid_out)


def order_and_note(folder: Path, disk: Disk, *, turns: int) -> None:
    """Orders, six a turn, each noted once its answer was given."""
    journal, writer = open_writer(folder, now_us)
    for turn in range(turns):
        for number in range(6):
            key = f"{turn}-{number}"
            writer.submit(order_job(key), lambda answer, key=key: disk.note((key, order_id(answer))))
        writer.run()
    journal.close()


def order_id(answer: Answer) -> str:
    return str(msgspec.json.decode(answer.body)["order_id"])


def check_orders(folder: Path, notes: Notes) -> None:
    """Every order that was answered is there once, and is answered the same again under its key."""
    journal, writer = open_writer(folder, now_us)
    try:
        writer.run()
        for key, placed in notes:
            answers: list[Answer] = []
            writer.submit(order_job(key), answers.append)
            writer.run()
            assert (order_id(answers[0]), answers[0].replayed) == (placed, True)
        # Commands of one turn stand in one commit: of the last turn all or nothing.
        books = audit(journal, writer)
        assert len(books.stories.all) % 6 == 0
        assert 0 <= len(books.stories.all) - len(notes) <= 6
    finally:
        journal.close()


def test_every_order_that_was_answered_survives_a_power_cut(tmp_path: Path, found: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    found_town(folder, now_us)
    survive_orders(folder, found, turns=6, most=30)


@pytest.mark.slow
def test_every_order_survives_many_more_power_cuts(tmp_path: Path, found: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    found_town(folder, now_us)
    survive_orders(folder, found, turns=25, most=400)


def survive_orders(folder: Path, found: Path, *, turns: int, most: int) -> None:
    before = (folder / "journal.sqlite").read_bytes()
    with recording(folder) as disk:
        disk.take_as_it_is(folder / "journal.sqlite", before)
        order_and_note(folder, disk, turns=turns)
    for notes, laid_out in after_cuts(disk, found, seed=turns, most=most):
        check_orders(laid_out, notes)


def test_an_erased_person_never_comes_back_and_a_kept_secret_is_kept(tmp_path: Path, found: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    wrapped: dict[str, bytes] = {}
    with recording(folder) as disk:
        vault = Vault(folder / "vault.sqlite")
        for number in range(6):
            person_id = f"per_{number}"
            vault.put(person_id, {person_id: Identity(f"name {number}"), f"adr_{number}": Identity("x" * 3_000)})
            (wrapped[person_id],) = vault._db.execute(
                "SELECT wrapped FROM person_key WHERE person_id = ?", (person_id,)
            ).fetchone()
            disk.note(("put", person_id))
            if number % 2:
                disk.note(("erasing", f"per_{number - 1}"))
                vault.erase(f"per_{number - 1}")
                disk.note(("erased", f"per_{number - 1}"))
        vault.close()
    for notes, laid_out in after_cuts(disk, found, seed=1):
        on_disk = b"".join(path.read_bytes() for path in laid_out.iterdir())
        check_vault(laid_out, notes, on_disk, wrapped)


def check_vault(folder: Path, notes: Notes, on_disk: bytes, wrapped: dict[str, bytes]) -> None:
    said = {what: {person for kind, person in notes if kind == what} for what in ("put", "erasing", "erased")}
    with closing(Vault(folder / "vault.sqlite")) as vault:
        for person_id in said["put"] - said["erasing"]:
            assert vault.get(person_id, Identity) == Identity(f"name {person_id[4:]}")
        for person_id in said["erased"]:
            with pytest.raises(NotFound):
                vault.get(person_id, Identity)
            assert wrapped[person_id] not in on_disk
        # What was under way happened, or did not; and either way what is gone is gone from every file.
        kept = {row[0] for row in vault._db.execute("SELECT person_id FROM person_key")}
        opened = b"".join(path.read_bytes() for path in folder.glob("vault.sqlite*"))
        for person_id in said["erasing"] - kept:
            assert wrapped[person_id] not in opened
        vault.put("per_new", {"per_new": Identity("new")})
        assert vault.get("per_new", Identity) == Identity("new")


def test_the_vaults_check_finds_an_erasure_that_does_not_wait_for_the_disk(
    tmp_path: Path, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hasty(vault: Vault) -> None:
        vault._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    monkeypatch.setattr(Vault, "_scrub", hasty)
    with pytest.raises(AssertionError):
        test_an_erased_person_never_comes_back_and_a_kept_secret_is_kept(tmp_path, found)


def test_a_snapshot_is_whole_or_passed_over(tmp_path: Path, found: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    journal, writer = open_writer(folder, now_us)
    with recording(folder / "snapshots") as disk:
        for turn in range(3):
            writer.submit(order_job(f"0-{turn}"), lambda _: None)
            writer.run()
            take(writer.district, folder / "snapshots")
            disk.note(writer.district.position)
    positions = []
    for notes, laid_out in after_cuts(disk, found, seed=3):
        views = follow(journal, Charter(), views=VIEWS, flows=FLOWS).views()
        usable = latest(laid_out, journal, views=views, up_to=journal.head().position)
        position = usable[0].position if usable else 0
        assert position >= max((int(str(note)) for note in notes), default=0)
        positions.append(position)
    assert set(positions) == {0, *(int(str(step.what)) for step in disk.log if type(step).__name__ == "Note")}
    journal.close()


def test_a_district_can_be_opened_whenever_the_power_went_at_its_first_start(tmp_path: Path, found: Path) -> None:
    folder = tmp_path / "data"
    with recording(tmp_path) as disk:
        close(House(Settings(folder=folder)))
        secret = (folder / "session.key").read_bytes()
        disk.note("open")
    for notes, laid_out in after_cuts(disk, found, seed=4, most=150):
        house = House(Settings(folder=laid_out / "data"))
        assert len(house.secret) == 32
        assert not notes or house.secret == secret
        house.vault.put("per_1", {"per_1": Identity("Ada")})
        close(house)


def close(house: House) -> None:
    asyncio.run(house.stop())

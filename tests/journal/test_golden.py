"""What each release left on disks: opened, brought up in place, folded and gone on with by the code of today."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from hanse.flows.order import place
from hanse.journal import sqlite
from hanse.journal.check import verify
from hanse.journal.protocol import JournalUnavailable
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import NotFound, Unavailable
from hanse.people.vault import Vault
from hanse.people.vault.store import Identity
from hanse.testing import Clock, district
from tests.journal.write_golden import ADA, ASKED, FILES, FOLDER, TEA, Golden, ask, tell
from tests.reliability.power import recording

RELEASES = sorted(path.name for path in FOLDER.iterdir())
OLDEST = "before-0.1.0"
"""Made by the code that wrote a row for each answer: form 1 of the tables."""


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unpack(release: str, folder: Path) -> Golden:
    for name in FILES:
        (folder / name).write_bytes(gzip.decompress((FOLDER / release / f"{name}.gz").read_bytes()))
    return msgspec.json.decode((FOLDER / release / "comes_to.json").read_bytes(), type=Golden)


def test_a_journal_of_each_release_comes_to_what_it_came_to(release: str, tmp_path: Path) -> None:
    golden = unpack(release, tmp_path)
    town = district(Clock(golden.now_us), journal=SqliteJournal(tmp_path / "journal.sqlite"))
    # Steps that are new since then are declared in an entry of their own, behind all others.
    assert tell(town, golden.answers) == msgspec.structs.replace(
        golden, position=town.district.position, commits=verify(town.journal).commits, hash=town.district.chain.hex()
    )
    marks = {mark.position: mark.hash.hex() for mark in town.journal.marks()}
    assert marks[golden.position] == golden.hash
    assert town.district.position - golden.position <= 1
    town.journal.close()


def test_what_was_answered_in_each_release_is_answered_so_again(release: str, tmp_path: Path) -> None:
    golden = unpack(release, tmp_path)
    town = district(Clock(golden.now_us), journal=SqliteJournal(tmp_path / "journal.sqlite"))
    assert list(golden.answers) == list(ASKED)
    for key, body in golden.answers.items():
        again = ask(town, key)
        assert (again.replayed, msgspec.json.decode(again.body)) == (True, msgspec.json.decode(body))
    town.do(place, "per_cleo", TEA)
    assert verify(town.journal).fault == ""
    town.journal.close()


def test_a_vault_of_each_release_opens_and_who_was_erased_stays_so(release: str, tmp_path: Path) -> None:
    unpack(release, tmp_path)
    with closing(Vault(tmp_path / "vault.sqlite")) as vault:
        assert vault.get("per_ada", Identity) == ADA
        with pytest.raises(NotFound):
            vault.get("per_dora", Identity)


def test_the_oldest_is_of_an_older_form_which_only_a_writer_brings_up(tmp_path: Path) -> None:
    unpack(OLDEST, tmp_path)
    path = tmp_path / "journal.sqlite"
    assert _form(path) == (0, {"entry", "mark", "answer"})
    before = path.read_bytes()
    with pytest.raises(JournalUnavailable) as refused:
        SqliteJournal(path, read_only=True)
    assert refused.value.code == "journal.older_form"
    assert path.read_bytes() == before
    SqliteJournal(path).close()
    assert _form(path) == (sqlite.FORM, {"entry", "mark", "answers"})


def _form(path: Path) -> tuple[int, set[str]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        return db.execute("PRAGMA user_version").fetchone()[0], tables


def test_an_upgrade_is_whole_or_not_begun_whenever_the_power_goes(tmp_path: Path, found: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    golden = unpack(OLDEST, folder)
    path = folder / "journal.sqlite"
    with recording(folder) as disk:
        disk.take_as_it_is(path, path.read_bytes())
        disk.note("the old file is there")
        SqliteJournal(path).close()
    tried = 0
    for number, (notes, image) in enumerate(disk.images(seed=1)):
        if not notes:
            continue
        disk.restore(image, found / str(number))
        with closing(SqliteJournal(found / str(number) / path.name)) as journal:
            assert (verify(journal).hash, verify(journal).fault) == (golden.hash, "")
            keys = {key: number for number, _, key in journal.answers_since(0)}
            for key, body in golden.answers.items():
                given = journal.answer(keys[key])
                assert given is not None
                assert msgspec.json.decode(given.body) == msgspec.json.decode(body)
        tried += 1
    assert tried > 20


@pytest.mark.parametrize(("name", "kind"), [("journal.sqlite", SqliteJournal), ("vault.sqlite", Vault)])
def test_a_file_of_a_newer_hanse_is_refused_and_left_as_it_is(
    tmp_path: Path, name: str, kind: type[SqliteJournal] | type[Vault]
) -> None:
    unpack("0.1.0", tmp_path)
    with closing(sqlite3.connect(tmp_path / name)) as db:
        db.execute("PRAGMA user_version = 99")
    before = (tmp_path / name).read_bytes()
    for _ in range(2):
        with pytest.raises(Unavailable, match="written by a newer Hanse") as refused:
            kind(tmp_path / name)
        assert refused.value.code == "journal.newer_form"
    assert (tmp_path / name).read_bytes() == before

import shutil
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from hanse.kernel.errors import InvalidInput, NotFound, Unavailable
from hanse.people.vault import Vault
from hanse.people.vault.store import RECORD_MAX, Address, Identity

ANNA = Identity("Anna Achterdeck", "+358 40 1234567")
HOME = Address("Anna Achterdeck", "Kaivokatu 1", "00100", "Helsinki", 60.17, 24.94, "ring twice")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with closing(Vault(tmp_path / "vault.sqlite")) as opened:
        yield opened


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.suffix != ".key")


def test_what_was_sealed_is_opened_again_also_by_the_next_process(vault: Vault, tmp_path: Path) -> None:
    vault.put("per_1", {"per_1": ANNA, "adr_1": HOME})
    with closing(Vault(tmp_path / "vault.sqlite")) as next_one:
        for one in (vault, next_one):
            assert (one.get("per_1", Identity), one.get("adr_1", Address)) == (ANNA, HOME)


def test_a_record_is_replaced(vault: Vault) -> None:
    vault.put("per_1", {"per_1": ANNA})
    vault.put("per_1", {"per_1": Identity("Anna Bugspriet")})
    assert vault.get("per_1", Identity).name == "Anna Bugspriet"


def test_no_file_shows_what_is_sealed(vault: Vault, tmp_path: Path) -> None:
    vault.put_many({"per_1": {"per_1": ANNA, "adr_1": HOME}, "per_2": {"per_2": ANNA}})
    stored = files(tmp_path)
    assert b"per_1" in stored
    assert [word for word in (b"Achterdeck", b"1234567", b"Kaivokatu", b"ring twice") if word in stored] == []


def test_one_text_sealed_twice_looks_different(vault: Vault) -> None:
    vault.put("per_1", {"a": ANNA, "b": ANNA})
    bodies = [body[-20:] for (body,) in vault._db.execute("SELECT body FROM sealed")]
    assert bodies[0] != bodies[1]


def test_an_erased_person_is_gone_and_others_are_not(vault: Vault) -> None:
    vault.put_many({"per_1": {"per_1": ANNA}, "per_2": {"per_2": ANNA}})
    for _ in range(2):
        vault.erase("per_1")
    with pytest.raises(NotFound) as refused:
        vault.get("per_1", Identity)
    assert refused.value.code == "people.nothing_sealed"
    assert vault.get("per_2", Identity) == ANNA


def test_erasing_makes_old_copies_of_sealed_rows_unreadable(vault: Vault) -> None:
    vault.put("per_1", {"per_1": ANNA})
    (copy,) = vault._db.execute("SELECT * FROM sealed").fetchall()
    vault.erase("per_1")
    vault._db.execute("INSERT INTO sealed VALUES (?, ?, ?)", copy)
    with pytest.raises(NotFound):
        vault.get("per_1", Identity)
    vault.put("per_1", {"adr_1": HOME})  # who comes again gets another key
    with pytest.raises(Unavailable) as refused:
        vault.get("per_1", Identity)
    assert refused.value.code == "people.damaged_record"


def test_a_destroyed_key_stands_in_no_file_any_more(vault: Vault, tmp_path: Path) -> None:
    vault.put("per_1", {"per_1": ANNA})
    (wrapped,) = vault._db.execute("SELECT wrapped FROM person_key").fetchone()
    assert wrapped in files(tmp_path)
    vault.erase("per_1")
    assert wrapped not in files(tmp_path)


def test_a_row_moved_to_another_id_does_not_open(vault: Vault) -> None:
    vault.put("per_1", {"per_1": ANNA})
    vault._db.execute("UPDATE sealed SET record_id = 'per_9'")
    with pytest.raises(Unavailable):
        vault.get("per_9", Identity)


def test_the_master_key_is_its_owners_only(vault: Vault, tmp_path: Path) -> None:
    key = tmp_path / "vault.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32


def test_another_master_key_opens_nothing_and_says_so(vault: Vault, tmp_path: Path) -> None:
    vault.put("per_1", {"per_1": ANNA})
    vault.close()
    (tmp_path / "vault.key").write_bytes(bytes(32))
    with closing(Vault(tmp_path / "vault.sqlite")) as wrong, pytest.raises(Unavailable) as refused:
        wrong.get("per_1", Identity)
    assert refused.value.code == "people.wrong_master_key"


@pytest.mark.parametrize(("key", "code"), [(None, "people.no_master_key"), (b"short", "people.bad_master_key")])
def test_a_vault_whose_master_key_is_gone_or_damaged_does_not_open(
    vault: Vault, tmp_path: Path, key: bytes | None, code: str
) -> None:
    vault.close()
    path = tmp_path / "vault.key"
    path.unlink() if key is None else path.write_bytes(key)
    with pytest.raises(Unavailable) as refused:
        Vault(tmp_path / "vault.sqlite")
    assert refused.value.code == code
    assert path.exists() == (key is not None)


def test_a_batch_with_a_record_too_large_leaves_nothing_and_the_vault_goes_on(vault: Vault, tmp_path: Path) -> None:
    large = Identity("x" * RECORD_MAX)
    with pytest.raises(InvalidInput) as refused:
        vault.put_many({"per_1": {"per_1": ANNA}, "per_2": {"per_2": large}})
    assert refused.value.details == {"field": "per_2"}
    with pytest.raises(NotFound):
        vault.get("per_1", Identity)
    vault.put("per_1", {"per_1": ANNA})
    vault.close()
    shutil.copytree(tmp_path, tmp_path / "copy")
    with closing(Vault(tmp_path / "copy" / "vault.sqlite")) as copy:
        assert copy.get("per_1", Identity) == ANNA


def test_a_follower_opens_it_while_it_is_written(vault: Vault, tmp_path: Path) -> None:
    opened = Event()

    def write() -> None:
        number = 0
        while not opened.is_set():
            vault.put(f"per_{number % 40}", {f"per_{number % 40}": ANNA})
            number += 1

    vault.put("per_0", {"per_0": ANNA})
    thread = Thread(target=write)
    thread.start()
    try:
        for _ in range(20):
            with closing(Vault(tmp_path / "vault.sqlite")) as follower:
                assert follower.get("per_0", Identity) == ANNA
    finally:
        opened.set()
        thread.join()

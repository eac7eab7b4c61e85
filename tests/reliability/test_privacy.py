"""Nothing that says who somebody is lies in clear in any file: journal, log, vault, snapshot, output."""

import sqlite3
from pathlib import Path

import pytest

from hanse.app.house import now_us
from hanse.app.settings import Settings
from hanse.app.snapshot import write as write_snapshot
from hanse.kernel.errors import NotFound
from hanse.kernel.principal import Principal
from hanse.people.vault import Vault
from hanse.people.vault.store import Address, Identity
from tests.reliability.conftest import found_town
from tests.reliability.serving import serving

NAME = "Xanthippe Quackenbush-Äyräväinen"
PHONE = "+358 40 7654321"
STREET = "Zwölferstraße 4711"
CITY = "Qaanaaqstad"
NOTE = "knock thrice, ask for Zebulon"
PLANTED = (NAME, "Quackenbush", "Äyräväinen", PHONE, "7654321", STREET, "4711", CITY, NOTE, "Zebulon")


def planted_in(folder: Path) -> list[str]:
    """What of it stands in clear in some file, in the encodings that a program might write."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        for words in PLANTED:
            forms = (words.encode(), words.encode("utf-16-le"), words.encode("latin-1"), ascii(words)[1:-1].encode())
            if any(form in content for form in forms):
                found.append(f"{words} in {path.name}")
    return found


def test_the_search_would_find_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(f"… {NAME} …")
    assert planted_in(tmp_path) == [f"{w} in file" for w in (NAME, "Quackenbush", "Äyräväinen")]


@pytest.mark.slow
def test_a_member_who_joins_orders_and_leaves_is_nowhere_in_clear(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    found_town(data, now_us)
    with serving(data) as server:
        client = server.client
        joined = client.post("/api/members", json={"name": NAME, "phone": PHONE}, headers={"Idempotency-Key": "j"})
        assert joined.status_code == 201, joined.text
        me = {"Authorization": f"Bearer {joined.json()['token']}"}
        person_id = joined.json()["person_id"]
        address = {"name": NAME, "street": STREET, "postcode": "00100", "city": CITY, "lat": 60.1, "lon": 24.9}
        kept = client.post("/api/addresses", json={**address, "note": NOTE}, headers={**me, "Idempotency-Key": "a"})
        assert kept.status_code == 201, kept.text
        order = {
            "lines": [{"offer_id": "off_mill_tea", "quantity": 1}],
            "fulfilment": "delivery",
            "address_id": kept.json()["address_id"],
            "payment": "card",
            "card_token": "tok_ok",
        }
        placed = client.post("/api/orders", json=order, headers={**me, "Idempotency-Key": "o"})
        assert placed.status_code in (201, 202), placed.text
        assert NAME in client.get("/api/members/me", headers=me).text
        # What is wrong is refused, and is not repeated in a log.
        assert client.post("/api/addresses", json={**address, "house": NOTE}, headers=me).status_code in (400, 422)
        server.kill()

        write_snapshot(Settings(folder=data))
        assert list((data / "snapshots").glob("*.snapshot"))
        assert planted_in(tmp_path) == []

    with serving(data) as server:
        assert server.client.delete("/api/members/me", headers=me).status_code in (200, 204)
        shop = server.bearer(Principal("shop", "shp_mill"))
        assert NAME not in server.client.get("/api/shop/parts", headers=shop).text
        server.kill()
    assert planted_in(tmp_path) == []
    vault = Vault(data / "vault.sqlite")
    with pytest.raises(NotFound):
        vault.get(person_id, Identity)
    vault.close()


def test_an_old_copy_of_what_was_sealed_opens_nothing_after_an_erasure(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.sqlite")
    sealed = {"per_x": Identity(NAME, PHONE), "adr_x": Address(NAME, STREET, "00100", CITY, 60.1, 24.9, NOTE)}
    vault.put("per_x", sealed)
    assert vault.get("per_x", Identity).name == NAME
    with sqlite3.connect(tmp_path / "vault.sqlite") as database:
        copied = database.execute("SELECT record_id, person_id, body FROM sealed").fetchall()
    vault.erase("per_x")
    vault.close()
    with sqlite3.connect(tmp_path / "vault.sqlite") as database:
        assert database.execute("SELECT count(*) FROM person_key").fetchone() == (0,)
        database.executemany("INSERT INTO sealed VALUES (?, ?, ?)", copied)
    database.close()

    again = Vault(tmp_path / "vault.sqlite")
    for record_id, kind in (("per_x", Identity), ("adr_x", Address)):
        with pytest.raises(NotFound):
            again.get(record_id, kind)
    # Not even a new key of the same person opens the old rows.
    again.put("per_x", {"new": Identity("somebody")})
    for record_id, kind in (("per_x", Identity), ("adr_x", Address)):
        with pytest.raises(Exception, match="damaged"):
            again.get(record_id, kind)
    again.close()
    assert planted_in(tmp_path) == []

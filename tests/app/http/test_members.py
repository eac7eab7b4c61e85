"""Members over HTTP: joining, addresses, consent, export, being forgotten; and money at a past moment."""

from pathlib import Path

import pytest

from hanse.kernel.errors import NotFound
from hanse.kernel.time import from_micros
from hanse.people.members.views import Members
from hanse.people.vault.store import Identity
from tests.app.http.town import Town, key, lines

pytestmark = pytest.mark.anyio

WHERE = {
    "name": "Planted Person",
    "street": "Plantedstreet 7",
    "postcode": "00100",
    "city": "Helsinki",
    "lat": 60.17,
    "lon": 24.95,
    "note": "plantednote",
}


async def test_a_new_member_can_go_shopping_at_once(town: Town) -> None:
    async with town.client() as nobody:
        joined = await nobody.post(
            "/api/members", json={"name": "Planted Name", "phone": "+358 40 1234567"}, headers=key()
        )
    assert joined.status_code == 201
    person_id = joined.json()["person_id"]
    await town.settle()
    headers = {"Authorization": f"Bearer {joined.json()['token']}"}
    async with town.client() as member:
        wallet = await member.get("/api/wallet", headers=headers)
        me = await member.get("/api/members/me", headers=headers)
    assert wallet.json()["balance_minor"] == 0
    assert (me.json()["person_id"], me.json()["identity"]["name"]) == (person_id, "Planted Name")


async def test_joining_twice_is_once_and_the_token_is_given_once(town: Town) -> None:
    once = key()
    async with town.client() as nobody:
        first = await nobody.post("/api/members", json={"name": "Planted Name"}, headers=once)
        again = await nobody.post("/api/members", json={"name": "Planted Name"}, headers=once)
        other = await nobody.post("/api/members", json={"name": "Another"}, headers=once)
    assert again.json() == {"person_id": first.json()["person_id"], "token": ""}
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert other.status_code == 422
    assert len(town.house.district.view(Members).by_id) == 3


async def test_an_address_is_kept_once_per_key_and_shown_to_its_owner(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as ada:
        first = (await ada.post("/api/addresses", json=WHERE, headers=once)).json()
        again = (await ada.post("/api/addresses", json=WHERE, headers=once)).json()
        kept = (await ada.get("/api/addresses")).json()
    assert first == again
    assert kept == [{"address_id": first["address_id"], "address": WHERE}]


async def test_there_is_a_bound_on_addresses(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        statuses = [(await ada.post("/api/addresses", json=WHERE, headers=key())).status_code for _ in range(21)]
    assert statuses == [201] * 20 + [429]


async def test_consent_is_given_muted_and_taken_back(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        assert (await ada.get("/api/consents")).json() == {"given": {}}
        given = (await ada.put("/api/consents", json={"purpose": "personalisation"}, headers=key())).json()
        assert town.house.district.allowed("per_ada", "personalisation", "bread")
        await ada.delete("/api/consents?purpose=personalisation&topic=bread", headers=key())
        assert not town.house.district.allowed("per_ada", "personalisation", "bread")
        assert town.house.district.allowed("per_ada", "personalisation", "milk")
        gone = (await ada.delete("/api/consents?purpose=personalisation", headers=key())).json()
    assert given == {"given": {"personalisation": [""]}}
    assert gone == {"given": {}}


async def test_who_is_forgotten_is_out_and_leaves_nothing_readable(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        address_id = (await ada.post("/api/addresses", json=WHERE, headers=key())).json()["address_id"]
        erased = await ada.delete("/api/members/me", headers=key())
        after = await ada.get("/api/members/me")
        order = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())
    assert erased.status_code == 204
    assert (after.status_code, order.status_code) == (401, 401)
    for record_id in ("per_ada", address_id):
        with pytest.raises(NotFound):
            town.house.vault.get(record_id, Identity)


async def test_an_old_request_to_join_brings_nobody_back(town: Town) -> None:
    once = key()
    async with town.client() as nobody:
        joined = (await nobody.post("/api/members", json={"name": "Planted Name"}, headers=once)).json()
        headers = {"Authorization": f"Bearer {joined['token']}"}
        assert (await nobody.delete("/api/members/me", headers=headers)).status_code == 204
        again = await nobody.post("/api/members", json={"name": "Planted Name"}, headers=once)
    assert again.json() == {"person_id": joined["person_id"], "token": ""}
    with pytest.raises(NotFound):
        town.house.vault.get(joined["person_id"], Identity)


async def test_nothing_personal_stands_in_journal_stories_or_logs(
    town: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with town.client("shopper", "per_ada") as ada:
        token = ada.headers["Authorization"].removeprefix("Bearer ")
        address_id = (await ada.post("/api/addresses", json=WHERE, headers=key())).json()["address_id"]
        order = lines(("shp_1:prd_1", 1)) | {"fulfilment": "delivery", "address_id": address_id}
        await ada.post("/api/orders", json=order, headers=key())
        await ada.post("/api/addresses", json=WHERE | {"lat": 1_000}, headers=key())
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("journal.sqlite*"))
    vault = b"".join(path.read_bytes() for path in tmp_path.glob("vault.sqlite*"))
    for planted in ("Planted", "Plantedstreet", "plantednote", token):
        assert planted.encode() not in kept
        assert planted.encode() not in vault
        assert planted not in caplog.text


async def test_a_wallet_says_what_was_in_it_at_any_moment(town: Town) -> None:
    before = from_micros(town.house.district.now_us).isoformat()
    async with town.client("shopper", "per_ada") as ada:
        filled = await ada.post("/api/wallet/top-up", json={"amount_minor": 500, "currency": "EUR"}, headers=key())
        then = (await ada.get("/api/wallet/balance", params={"at": before})).json()
        now = (
            await ada.get("/api/wallet/balance", params={"at": from_micros(town.house.district.now_us).isoformat()})
        ).json()
    assert filled.json()["balance_minor"] == 10_500
    assert filled.json()["movements"][0]["amount_minor"] == 500
    assert (then["balance_minor"], now["balance_minor"]) == (10_000, 10_500)


async def test_a_top_up_repeated_under_its_key_fills_once(town: Town) -> None:
    once = key()
    async with town.client("shopper", "per_ada") as ada:
        for _ in range(2):
            answer = await ada.post("/api/wallet/top-up", json={"amount_minor": 500, "currency": "EUR"}, headers=once)
    assert (answer.status_code, answer.json()["balance_minor"]) == (200, 10_500)
    assert answer.headers["idempotent-replayed"] == "true"


async def test_the_league_sees_how_the_district_does(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        order_id = (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())).json()["order_id"]
    async with town.client("league") as league:
        summary = (await league.get("/api/league/summary")).json()
        story = (await league.get(f"/api/stories/{order_id}")).json()
        decisions = (await league.get("/api/decisions")).json()
        nothing = await league.get("/api/stories/ord_nothing")
    assert (summary["placed"], summary["accepted"], summary["open"], summary["failed_steps"]) == (1, 1, 1, [])
    assert [entry["name"] for entry in story] == ["market.order_placed"]
    assert decisions == []
    assert nothing.status_code == 404

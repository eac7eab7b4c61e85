from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.app.house import House
from hanse.app.settings import Settings
from hanse.district.jobs import Job
from hanse.district.own import Consents, Troubles
from hanse.district.writer import Writer
from hanse.finance.ledger.views import Ledger
from hanse.kernel.errors import Unavailable
from hanse.kernel.quantity import Quantity
from hanse.market.catalogue.views import Catalogue
from hanse.people.members.views import Members
from hanse.people.vault import Vault
from hanse.people.vault.store import Address, Identity
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock
from hanse.world.demo.scenario import Scenario
from hanse.world.keep import keep, read
from hanse.world.load import load
from hanse.world.town import Helsinki


def no_progress(stage: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def vault(tmp_path: Path) -> Any:
    vault = Vault(tmp_path / "vault.sqlite")
    yield vault
    vault.close()


def test_a_town_is_in_the_district_under_short_ids(
    tiny: Scenario, vault: Vault, new_writer: Callable[[Any], Writer], wall: Any
) -> None:
    writer = new_writer(wall)
    load(writer, vault, tiny, no_progress)
    catalogue, ledger = writer.district.view(Catalogue), writer.district.view(Ledger)
    assert list(catalogue.shops) == ["shp_00", "shp_01", "shp_02"]
    assert [catalogue.shops[shop].commission_bp for shop in catalogue.shops] == [500, 700, 700]
    assert catalogue.shops["shp_01"].street == "Katu 1"
    assert catalogue.products["prd_00000"].size == Quantity(660, "ml")
    assert catalogue.products["prd_00005"].size == Quantity(1, "pc")
    assert catalogue.products["prd_00004"].allergens == ("milk",)
    assert {o.offer_id: (o.item_id, o.price_minor) for o in catalogue.offers.values() if o.shop_id == "shp_01"} == {
        "off_01_00000": ("itm_01_00000", 300),
        "off_01_00004": ("itm_01_00004", 304),
    }
    assert {item: count.on_hand for item, count in writer.district.view(Stock).items.items()} == {
        **{f"itm_00_0000{product}": 40 for product in range(4)},
        **{f"itm_01_0000{product}": 30 for product in (0, 4)},
        "itm_02_00005": 20,
    }
    assert [member.addresses for member in writer.district.view(Members).by_id.values()] == [
        [f"adr_0000{number}"] for number in range(4)
    ]
    assert all(ledger.accounts[f"per_0000{number}/wallet"].balance_minor >= 5_000 for number in range(4))
    assert sum(account.balance_minor for account in ledger.accounts.values()) == 0
    assert writer.district.view(Troubles).failed_steps == []


def test_names_and_addresses_are_in_the_vault_and_nowhere_else(
    tiny: Scenario, vault: Vault, new_writer: Callable[[Any], Writer], wall: Any, tmp_path: Path
) -> None:
    writer = new_writer(wall)
    load(writer, vault, tiny, no_progress)
    kept = keep(tiny, "Tiny", tmp_path / "world.msgpack")
    assert vault.get("per_00002", Identity) == Identity("Aino Name2", "+44 7700 900000")
    assert vault.get("adr_00002", Address).street == "Kuja 2"
    journal = b"".join(entry.body.encode() for entry in writer._journal.read())
    for told in (journal, (tmp_path / "world.msgpack").read_bytes(), msgspec.msgpack.encode(kept)):
        assert b"Aino" not in told
        assert b"Kuja" not in told
        assert b"7700" not in told


def test_loading_again_changes_nothing_but_what_was_broken_off(
    tiny: Scenario, vault: Vault, new_writer: Callable[[Any], Writer], wall: Any
) -> None:
    writer = new_writer(wall)
    load(writer, vault, tiny, no_progress)
    writer.submit(Job(stock.count, ("shp_00", [("itm_00_00000", 7)])), lambda _: None)
    writer.run()
    position, consents = writer.district.position, msgspec.msgpack.encode(writer.district.view(Consents))
    load(writer, vault, tiny, no_progress)
    assert writer.district.position == position
    assert writer.district.view(Stock).items["itm_00_00000"].on_hand == 7
    assert msgspec.msgpack.encode(writer.district.view(Consents)) == consents


def test_a_refused_part_stops_the_loading_and_says_why(
    tiny: Scenario, vault: Vault, new_writer: Callable[[Any], Writer], wall: Any
) -> None:
    nameless = msgspec.structs.replace(tiny, shops=(msgspec.structs.replace(tiny.shops[0], name=" "), *tiny.shops[1:]))
    with pytest.raises(Unavailable, match="Give the shop a name"):
        load(new_writer(wall), vault, nameless, no_progress)


def test_stages_are_told_from_nothing_to_all(
    tiny: Scenario, vault: Vault, new_writer: Callable[[Any], Writer], wall: Any
) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    load(new_writer(wall), vault, tiny, lambda stage, done, total: told.setdefault(stage, []).append((done, total)))
    assert {stage: (steps[0], steps[-1]) for stage, steps in told.items()} == {
        "people": ((0, 4), (4, 4)),
        "shops": ((0, 3), (3, 3)),
        "products": ((0, 6), (6, 6)),
        "offers": ((0, 7), (7, 7)),
        "stock": ((0, 7), (7, 7)),
        "members": ((0, 4), (4, 4)),
        "wallets": ((0, 4), (4, 4)),
    }


def test_what_is_kept_gives_the_same_baskets_back(tiny: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "world.msgpack"
    assert read(path) is None
    keep(tiny, "Tiny", path)
    kept = read(path)
    assert kept is not None
    assert kept.baskets().fingerprint() == tiny.baskets.fingerprint()
    assert kept.targets["itm_01_00004"] == 30
    assert kept.town.categories[0].german == "Dinge"
    path.write_bytes(b"\xc1")
    with pytest.raises(Unavailable, match="delete it"):
        read(path)


@pytest.mark.slow
def test_the_whole_demo_is_loaded_and_known_at_the_second_start(tmp_path: Path) -> None:
    house = House(Settings(folder=tmp_path))
    try:
        town = Helsinki(tmp_path)
        assert not town.loaded
        try:
            town.load(house.writer, house.vault, no_progress)
        except Unavailable as missing:
            pytest.skip(f"the demo's data packages are not installed: {missing}")
        catalogue = house.district.view(Catalogue)
        assert len(catalogue.shops) >= 20
        assert len(catalogue.offers) > 20_000
        assert len(house.district.view(Members).by_id) == 2_469
        assert sum(account.balance_minor for account in house.district.view(Ledger).accounts.values()) == 0
        assert house.district.view(Troubles).failed_steps == []
        again = Helsinki(tmp_path)
        assert again.loaded
        assert again.town == town.town
    finally:
        house.journal.close()
        house.vault.close()

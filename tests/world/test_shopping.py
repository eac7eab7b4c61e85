from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hanse.district.jobs import Job
from hanse.district.writer import Writer
from hanse.kernel.geo import Place
from hanse.kernel.values import Wish
from hanse.people.vault import Vault
from hanse.supply.stock import service as stock
from hanse.world.clock import WorldClock
from hanse.world.demo.scenario import Scenario
from hanse.world.load import load
from hanse.world.shoppers import Shoppers
from hanse.world.shopping import fill

AT_SHOP_0 = Place(60.17, 24.94)
AT_SHOP_1 = Place(60.175, 24.94)


@pytest.fixture
def writer(tiny: Scenario, new_writer: Callable[[Any], Writer], wall: Any, tmp_path: Path) -> Writer:
    made, vault = new_writer(wall), Vault(tmp_path / "vault.sqlite")
    load(made, vault, tiny, lambda stage, done, total: None)
    vault.close()
    return made


def count(writer: Writer, shop_id: str, item_id: str, on_hand: int) -> None:
    writer.submit(Job(stock.count, (shop_id, [(item_id, on_hand)])), lambda _: None)
    writer.run()


def test_the_nearest_shop_is_taken(writer: Writer) -> None:
    assert fill(writer.district, AT_SHOP_0, [("prd_00000", 2)]) == (Wish("off_00_00000", 2),)
    assert fill(writer.district, AT_SHOP_1, [("prd_00000", 2)]) == (Wish("off_01_00000", 2),)


def test_a_shop_with_more_of_the_list_is_worth_a_longer_way(writer: Writer) -> None:
    wants = [("prd_00000", 1), ("prd_00001", 1), ("prd_00002", 1), ("prd_00003", 1)]
    assert fill(writer.district, AT_SHOP_1, wants) == tuple(Wish(f"off_00_0000{product}", 1) for product in range(4))


def test_what_one_shop_lacks_comes_from_the_next(writer: Writer) -> None:
    wants = [("prd_00001", 1), ("prd_00004", 1), ("prd_00005", 1)]
    assert {wish.offer_id for wish in fill(writer.district, AT_SHOP_0, wants)} == {
        "off_00_00001",
        "off_01_00004",
        "off_02_00005",
    }


def test_a_shop_that_is_out_of_it_is_passed_over(writer: Writer) -> None:
    count(writer, "shp_00", "itm_00_00000", 0)
    assert fill(writer.district, AT_SHOP_0, [("prd_00000", 2)]) == (Wish("off_01_00000", 2),)


def test_one_takes_what_is_left(writer: Writer) -> None:
    count(writer, "shp_02", "itm_02_00005", 3)
    assert fill(writer.district, AT_SHOP_0, [("prd_00005", 9)]) == (Wish("off_02_00005", 3),)


def test_nothing_to_be_had_is_nothing_wished_for(writer: Writer) -> None:
    count(writer, "shp_02", "itm_02_00005", 0)
    assert fill(writer.district, AT_SHOP_0, [("prd_00005", 1), ("prd_99999", 1)]) == ()


def test_over_a_week_one_order_a_second_is_expected(tiny: Scenario) -> None:
    shoppers = Shoppers(tiny.baskets, WorldClock(0), seed=1, home=lambda _: AT_SHOP_0, visitors=set())
    rates = [shoppers.rate_per_s(hour) for hour in range(168)]
    assert sum(rates) / 168 == pytest.approx(1.0)
    assert min(rates) == pytest.approx(0.7)

"""The order of goods: made once, kept up to date, gone through page by page."""

import msgspec
import pytest

from hanse.app.pages.shelves import OTHER, Shelves
from hanse.app.worlds import Category, Department, Town
from hanse.journal.protocol import Entry
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Catalogue
from tests.conftest import OFFERS, stand_up
from tests.conftest import Town as Standing

TOWN = Town(
    "Testtown",
    (24.9, 60.1, 25.0, 60.2),
    {},
    (Department("dairy", "Dairy", "Milchprodukte", "dairy"), Department("drinks", "Drinks", "Getränke", "drink")),
    (Category("dairy", "dairy", "Milk", "Milch", "dairy"), Category("drink", "drinks", "Beer", "Bier", "drink")),
    (),
)


@pytest.fixture
def standing() -> Standing:
    return stand_up(Standing())


@pytest.fixture
def shelves() -> Shelves:
    return Shelves(TOWN)


def test_products_stand_by_category_and_by_department(standing: Standing, shelves: Shelves) -> None:
    assert shelves.products(standing.district) == ["prd_milk", "prd_beer"]
    assert shelves.products(standing.district, "dairy") == ["prd_milk"]
    assert shelves.products(standing.district, "/drinks") == ["prd_beer"]
    assert shelves.products(standing.district, "/none") == []


def test_pages_go_on_behind_a_product(standing: Standing, shelves: Shelves) -> None:
    assert shelves.products(standing.district, limit=1) == ["prd_milk"]
    assert shelves.products(standing.district, after="prd_milk", limit=1) == ["prd_beer"]
    assert shelves.products(standing.district, after="prd_beer") == []
    assert shelves.offers(standing.district, "shp_a", after="off_milk", limit=1) == ["off_beer"]


def test_a_shop_has_only_its_own(standing: Standing, shelves: Shelves) -> None:
    assert shelves.offers(standing.district, "shp_b") == ["off_milk_b"]
    assert [d.key for d in shelves.departments_of(standing.district, "shp_b")] == ["dairy"]
    assert [c.key for c in shelves.categories_of(standing.district, "drinks", "shp_a")] == ["drink"]


def test_an_offer_that_is_taken_off_is_gone_once_heard_of(standing: Standing, shelves: Shelves) -> None:
    assert shelves.offers(standing.district, "shp_b") == ["off_milk_b"]
    before = standing.district.position
    gone = msgspec.structs.replace(OFFERS[3], price_minor=0)
    standing.do(catalogue.set_offers, "shp_b", [gone])
    shelves.hear([Entry(*entry) for entry in standing.journal.read(before)])
    assert shelves.offers(standing.district, "shp_b") == []
    assert shelves.products(standing.district, "dairy") == ["prd_milk"]


def test_goods_of_an_unknown_category_stand_with_everything_else(standing: Standing) -> None:
    bare = Shelves(None)
    assert bare.products(standing.district, f"/{OTHER.key}") == ["prd_milk", "prd_beer"]
    assert bare.stands_in(standing.district.view(Catalogue).products["prd_milk"], f"/{OTHER.key}")

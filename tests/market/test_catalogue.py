from typing import Any

import pytest
from msgspec.structs import replace

from hanse.kernel.errors import HanseError
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Catalogue, Offer, Product, offer, product, shop
from tests.conftest import OFFERS, PRODUCTS, SHOPS, Town

MILK, BEER = PRODUCTS


def set_offer(town: Town, **changes: Any) -> list[str]:
    return town.records(catalogue.set_offers, "shp_a", [replace(OFFERS[0], **changes)])


def offers_of(town: Town, product_id: str) -> list[str]:
    return list(town.district.view(Catalogue).by_product[product_id])


def test_what_is_listed_can_be_asked_for(town: Town) -> None:
    assert shop(town.district, "shp_a") == SHOPS[0]
    assert product(town.district, "prd_milk") == MILK
    assert offer(town.district, "off_six") == OFFERS[2]
    assert list(town.district.view(Catalogue).by_shop["shp_a"]) == ["off_milk", "off_beer", "off_six"]
    assert offers_of(town, "prd_milk") == ["off_milk", "off_milk_b"]


@pytest.mark.parametrize("ask", [shop, product, offer])
def test_what_is_not_there_is_not_found(town: Town, ask: Any) -> None:
    with pytest.raises(HanseError) as refused:
        ask(town.district, "nothing")
    assert refused.value.code == f"market.unknown_{ask.__name__}"


def test_what_is_unchanged_is_not_recorded_again(town: Town) -> None:
    assert town.records(catalogue.join_shop, SHOPS[0]) == []
    assert town.records(catalogue.list_products, PRODUCTS) == []
    assert set_offer(town) == []


def test_many_rows_are_recorded_in_columns(town: Town) -> None:
    many = [replace(MILK, product_id=f"prd_{n}") for n in range(catalogue.ROWS_PER_EVENT + 1)]
    assert town.records(catalogue.list_products, many) == ["market.products_listed"] * 2
    offers = [replace(OFFERS[0], offer_id=f"off_{n}") for n in range(catalogue.ROWS_PER_EVENT)]
    assert town.records(catalogue.set_offers, "shp_a", [*offers, OFFERS[0]]) == ["market.offers_set"]


def test_a_new_price_counts_at_once(town: Town) -> None:
    assert set_offer(town, price_minor=210) == ["market.offers_set"]
    assert offer(town.district, "off_milk").price_minor == 210


def test_a_price_of_zero_takes_an_offer_off_once(town: Town) -> None:
    assert set_offer(town, price_minor=0) == ["market.offers_set"]
    assert set_offer(town, price_minor=0) == []
    assert offers_of(town, "prd_milk") == ["off_milk_b"]
    assert list(town.district.view(Catalogue).by_shop["shp_a"]) == ["off_beer", "off_six"]


def test_an_offer_that_changes_its_product_is_found_under_the_new_one_only(town: Town) -> None:
    set_offer(town, product_id="prd_beer")
    assert (offers_of(town, "prd_milk"), offers_of(town, "prd_beer")) == (
        ["off_milk_b"],
        ["off_beer", "off_six", "off_milk"],
    )
    assert offer(town.district, "off_milk").vat_bp == 2550


def test_a_new_vat_rate_reaches_the_offers_of_the_product(town: Town) -> None:
    town.do(catalogue.list_products, [replace(MILK, vat_bp=1400)])
    assert [offer(town.district, one).vat_bp for one in ("off_milk", "off_milk_b", "off_beer")] == [1400, 1400, 2550]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "market.no_name"),
        ({"commission_bp": 10_001}, "market.bad_commission"),
        ({"commission_bp": -1}, "market.bad_commission"),
        ({"delivery_fee_minor": -1}, "market.bad_terms"),
        ({"prepare_minutes": 1_441}, "market.bad_terms"),
    ],
)
def test_a_shop_with_impossible_terms_is_refused(town: Town, changes: dict[str, Any], code: str) -> None:
    town.refuses(code, catalogue.join_shop, replace(SHOPS[0], **changes))


@pytest.mark.parametrize(
    ("changes", "code"), [({"title_de": ""}, "market.no_title"), ({"vat_bp": 10_000}, "market.bad_vat")]
)
def test_one_impossible_product_refuses_the_whole_list(town: Town, changes: dict[str, Any], code: str) -> None:
    good: Product = replace(BEER, title_en="Ale")
    town.refuses(code, catalogue.list_products, [good, replace(MILK, **changes)])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"product_id": "prd_none"}, "market.unknown_product"),
        ({"price_minor": -1}, "market.bad_price"),
        ({"units": 0}, "market.bad_price"),
        ({"shop_id": "shp_b"}, "market.other_shop"),
        ({"offer_id": "off_milk_b"}, "market.other_shop"),
    ],
)
def test_one_impossible_offer_refuses_all(town: Town, changes: dict[str, Any], code: str) -> None:
    good: Offer = replace(OFFERS[1], price_minor=1)
    town.refuses(code, catalogue.set_offers, "shp_a", [good, replace(OFFERS[0], **changes)])
    town.refuses("market.unknown_shop", catalogue.set_offers, "shp_x", [good])

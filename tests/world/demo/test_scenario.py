import json
import random

import pytest

from hanse.kernel.errors import Unavailable
from hanse.world.demo import build, gtin, sources, tables
from hanse.world.demo.scenario import Household, Scenario, Shop

ALLERGENS = set(
    "gluten crustaceans eggs fish peanuts soybeans milk nuts celery mustard sesame sulphites lupin molluscs".split()
)


def test_the_same_seed_builds_the_same(scenario: Scenario) -> None:
    assert build.fingerprint(build.scenario(1)) == build.fingerprint(scenario)


def test_it_is_large_enough_to_live(scenario: Scenario) -> None:
    assert len(scenario.shops) >= 20
    assert len(scenario.products) >= 5_000
    assert 30_000 <= len(scenario.offers) <= 60_000
    assert len(scenario.households) == 2_469
    assert scenario.line_share > 0.90


def test_shops_stand_in_the_district(scenario: Scenario) -> None:
    west, south, east, north = scenario.map.box
    places: tuple[Shop | Household, ...] = (*scenario.shops, *scenario.households)
    for place in places:
        assert west <= place.lon <= east
        assert south <= place.lat <= north
        assert place.street


def test_every_shop_opens_and_sells(scenario: Scenario) -> None:
    sellers = {offer.shop for offer in scenario.offers}
    for number, shop in enumerate(scenario.shops):
        assert number in sellers, shop
        assert any(shop.hours)
        assert all(0 <= opens < closes <= 2 * 1440 for day in shop.hours for opens, closes in day)


def test_article_numbers_are_in_store_numbers_of_their_own(scenario: Scenario) -> None:
    numbers = [product.gtin for product in scenario.products]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert len(number) == 13
        assert 20 <= int(number[:2]) <= 29
        assert gtin.check_digit(number[:12]) == number[12]


def test_prices_and_stock_are_plausible(scenario: Scenario) -> None:
    assert all(5 <= product.price_minor < 10_000 for product in scenario.products)
    for offer in scenario.offers:
        assert 0.5 < offer.price_minor / scenario.products[offer.product].price_minor < 2
        assert 0 < offer.stock < 10_000


def test_an_article_stands_once_in_a_shop_and_somewhere(scenario: Scenario) -> None:
    pairs = [(offer.shop, offer.product) for offer in scenario.offers]
    assert pairs == sorted(set(pairs))
    assert {product for _, product in pairs} == set(range(len(scenario.products)))


def test_a_bakery_sells_no_detergent(scenario: Scenario) -> None:
    sold = {
        scenario.products[offer.product].category
        for offer in scenario.offers
        if scenario.shops[offer.shop].kind == "bakery"
    }
    assert sold == {"bread", "cakes", "hotdeli"}


def test_the_category_tree_is_whole(scenario: Scenario) -> None:
    departments = {department.key for department in scenario.departments}
    categories = {category.key: category for category in scenario.categories}
    assert {category.department for category in categories.values()} <= departments
    assert {product.category for product in scenario.products} <= set(categories)
    assert {category.vat_bp for category in categories.values()} == {1350, 2550}
    assert {code for category in categories.values() for code in category.allergens} <= ALLERGENS
    assert len({category.picture for category in categories.values()}) <= 24
    parts = departments | set(categories)
    assert all(row.part in parts and 0 < row.carried_share <= 1 for row in tables.ranges())


def test_no_brand_is_a_known_one(scenario: Scenario) -> None:
    assert not {product.brand.casefold() for product in scenario.products} & tables.real_brands()


def test_people_have_numbers_of_their_own_that_nobody_has(scenario: Scenario) -> None:
    phones = {household.phone for household in scenario.households}
    assert len(phones) == len(scenario.households)
    assert all(phone.startswith(("+44 7700 900", "+44 20 7946 0", "+44 161 496 0")) for phone in phones)


def test_baskets_hold_articles_of_the_demo(scenario: Scenario) -> None:
    chance = random.Random(3)
    for _ in range(500):
        basket = scenario.baskets.draw(chance)
        assert 0 <= basket.household < len(scenario.households)
        assert 1 <= basket.weekday <= 7
        assert 0 <= basket.minute < 1440
        assert basket.lines
        assert len({product for product, _ in basket.lines}) == len(basket.lines)
        assert all(product < len(scenario.products) and 1 <= packs <= 24 for product, packs in basket.lines)


def test_baskets_can_be_drawn_by_the_hour(scenario: Scenario) -> None:
    chance = random.Random(4)
    basket = scenario.baskets.draw(chance, hour_of_week=5 * 24 + 17)
    assert (basket.weekday, basket.minute // 60) == (6, 17)
    assert sum(scenario.baskets.hour_shares) == pytest.approx(1.0)
    assert scenario.baskets.hour_shares[17] > 5 * scenario.baskets.hour_shares[4]
    hours = [scenario.baskets.draw_hour(chance) % 24 for _ in range(300)]
    assert sum(7 <= hour <= 22 for hour in hours) > 250


def test_the_map_is_small_geojson(scenario: Scenario) -> None:
    assert set(scenario.map.layers) == {"streets", "water", "parks", "buildings"}
    assert sum(map(len, scenario.map.layers.values())) < 1_500_000
    streets = json.loads(scenario.map.layers["streets"])["features"]
    assert {street["properties"].get("name") for street in streets} >= {"Mannerheimintie", "Aleksanterinkatu"}
    assert all(json.loads(layer)["features"] for layer in scenario.map.layers.values())


@pytest.mark.usefixtures("scenario")
def test_progress_is_told_from_start_to_end(progress: list[tuple[str, float]]) -> None:
    assert progress[0][1] == 0.0
    assert progress[-1] == ("done", 1.0)
    assert [share for _, share in progress] == sorted(share for _, share in progress)


def test_missing_data_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="make install") as refused:
        sources.products_file()
    assert refused.value.code == "world.demo_data_missing"

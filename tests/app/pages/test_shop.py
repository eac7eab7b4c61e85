"""The shop's pages: the counter, the range, the money."""

import pytest

from hanse.finance.ledger.views import account
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders
from hanse.supply.stock.views import Stock
from tests.app.http.town import Town
from tests.app.pages.conftest import Visitor, orders_something, state, text

pytestmark = pytest.mark.anyio


async def test_an_order_goes_over_the_counter(town: Town, shopper: Visitor, shop: Visitor) -> None:
    part_id = await orders_something(shopper) + "-1"
    assert "2 pieces · Whole milk" in await shop.reads("/shop")
    answer = await shop.send(f"/shop/parts/{part_id}/accept")
    assert answer.headers["location"] == f"/shop/parts/{part_id}"
    answer = await shop.send(f"/shop/parts/{part_id}/pick", **{"line-0": "1"})
    assert answer.headers["location"] == "/shop"
    await shop.send(f"/shop/parts/{part_id}/hand-over")
    await town.settle()
    assert account(town.house.district, "shp_1/sales").balance_minor == 199 - 10
    money = await shop.reads("/shop/money")
    assert "Sale" in money
    assert "€1.99" in money
    assert "-€0.10" in money
    bill = await shopper.reads(f"/orders/{part_id[:-2]}")
    assert "1 of 2 found" in bill
    assert "Sum €1.99" in bill


async def test_packing_nothing_is_refused_where_it_was_tried(town: Town, shopper: Visitor, shop: Visitor) -> None:
    part_id = await orders_something(shopper) + "-1"
    await shop.send(f"/shop/parts/{part_id}/accept")
    before = state(town)
    answer = await shop.send(f"/shop/parts/{part_id}/pick", **{"line-0": "0"})
    assert answer.status_code == 422
    assert "refuse the order instead" in text(answer)
    assert state(town) == before


async def test_a_refusal_tells_the_shopper_why(town: Town, shopper: Visitor, shop: Visitor) -> None:
    order_id = await orders_something(shopper)
    await shop.send(f"/shop/parts/{order_id}-1/refuse", reason="closing")
    await town.settle()
    page = await shopper.reads(f"/orders/{order_id}")
    assert "The shop has to close early" in page
    assert "Nothing was charged for it." in page
    assert account(town.house.district, "per_ada/wallet").held_minor == 0


async def test_another_shop_can_neither_see_nor_move_a_part(town: Town, shopper: Visitor) -> None:
    part_id = await orders_something(shopper) + "-1"
    other = await Visitor(town).sits("shop", "shp_2")
    assert (await other.get(f"/shop/parts/{part_id}")).status_code == 404
    assert (await other.send(f"/shop/parts/{part_id}/accept")).status_code == 404
    assert town.house.district.view(Orders).open[part_id[:-2]].parts[part_id].stage == "placed"


async def test_a_price_is_changed_in_its_row(town: Town, shop: Visitor) -> None:
    answer = await shop.click("/shop/stock/shp_1:prd_1", price="2,49")
    assert answer.status_code == 200
    assert 'value="2.49"' in answer.text
    assert town.house.district.view(Catalogue).offers["shp_1:prd_1"].price_minor == 249


@pytest.mark.parametrize("price", ["", "0", "-1", "1.999", "two", "1e3"])
async def test_what_is_no_price_changes_nothing(town: Town, shop: Visitor, price: str) -> None:
    before = state(town)
    answer = await shop.click("/shop/stock/shp_1:prd_1", price=price)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert state(town) == before


async def test_a_count_is_changed_in_its_row(town: Town, shop: Visitor) -> None:
    await shop.click("/shop/stock/shp_1:prd_1", on_hand="42")
    assert town.house.district.view(Stock).items["shp_1/prd_1"].on_hand == 42


async def test_offers_of_another_shop_cannot_be_changed(town: Town, shop: Visitor) -> None:
    before = state(town)
    assert (await shop.click("/shop/stock/shp_2:prd_1", price="1.00")).status_code == 404
    assert state(town) == before


async def brings(shop: Visitor, content: str) -> str:
    answer = await shop.client.post("/shop/stock", files={"file": ("prices.csv", content.encode(), "text/csv")})
    return text(answer)


async def test_a_file_of_prices_and_counts_is_taken_in(town: Town, shop: Visitor) -> None:
    page = await brings(shop, "gtin;price;on_hand\n2000000000015;2,15;7\n2000000000022;3.49;3\n")
    assert "2 rows read, 1 prices and 2 counts changed." in page
    assert town.house.district.view(Catalogue).offers["shp_1:prd_1"].price_minor == 215
    assert town.house.district.view(Stock).items["shp_1/prd_2"].on_hand == 3


async def test_a_file_with_one_bad_row_changes_nothing(town: Town, shop: Visitor) -> None:
    before = state(town)
    page = await brings(shop, "gtin;price\n2000000000015;2,15\n4006381333931;1,00\n2000000000022;much\n")
    assert "Nothing was changed" in page
    assert "Line 3: This is not in your range." in page
    assert "Line 4" in page
    assert state(town) == before


async def test_the_range_is_searched_and_paged(shop: Visitor) -> None:
    page = await shop.reads("/shop/stock?q=bread")
    assert "Rye bread" in page
    assert "Whole milk" not in page
    assert "Running low" in page
    assert "Whole milk" not in await shop.reads("/shop/stock?low=true")

"""The shopper's pages: look around, fill a basket, order, follow."""

import json

import msgspec
import pytest

from hanse.finance.ledger.views import account
from hanse.market.baskets.views import basket
from hanse.market.orders.views import Orders
from hanse.people.consent import service as consent
from tests.app.http.town import Town
from tests.app.pages.conftest import Visitor, orders_something, state, text

pytestmark = pytest.mark.anyio


async def test_the_welcome_explains_and_offers_three_seats(town: Town) -> None:
    answer = await Visitor(town).get("/")
    assert [name in text(answer) for name in ("Be a shopper", "Be a shop", "Be the league")] == [True] * 3
    assert "2 shops and 6 offers" in text(answer)
    assert answer.text.count('name="seat" value="shopper"') == 2


async def test_home_shows_what_is_in_stock_and_the_nearest_shop(shopper: Visitor) -> None:
    page = await shopper.reads("/")
    assert "Whole milk" in page
    assert "€1.99" in page
    assert "Kauppa 0 · 0 m" in page


async def test_home_looks_at_what_was_bought_only_with_consent(town: Town, shopper: Visitor) -> None:
    await orders_something(shopper, "shp_2:prd_2")
    assert "Only if you want" in await shopper.reads("/")
    await shopper.send("/account/consents", purpose="personalisation", allow="yes", next="/")
    page = await shopper.reads("/")
    again = page[page.index("Buy again") : page.index("Shops near you")]
    assert "Rye bread" in again
    assert "Whole milk" not in again


async def test_a_muted_topic_is_not_shown_again(town: Town, shopper: Visitor) -> None:
    await orders_something(shopper, "shp_2:prd_2")
    await shopper.send("/account/consents", purpose="personalisation", allow="yes")
    await shopper.send("/account/consents", purpose="personalisation", allow="no", topic="other")
    page = await shopper.reads("/")
    assert "Rye bread" not in page[page.index("Buy again") : page.index("Shops near you")]


async def test_words_are_found_in_both_languages(shopper: Visitor) -> None:
    assert "Rye bread" in await shopper.reads("/browse?q=Roggenbrot")
    assert "Nothing found" in await shopper.reads("/browse?q=zzzz")


async def test_a_product_says_what_the_law_wants_to_know(shopper: Visitor) -> None:
    page = await shopper.reads("/products/prd_1")
    for said in ("Whole milk", "Vollmilch", "€1.99 / l", "13.5%", "2000000000015", "demo data", "Kauppa 0", "Kauppa 1"):
        assert said in page


async def test_adding_by_a_click_tells_the_page_the_new_count(town: Town, shopper: Visitor) -> None:
    answer = await shopper.click("/basket/lines", offer_id="shp_1:prd_1", pieces="3")
    said = json.loads(answer.headers["hx-trigger"])
    assert said == {"toast": {"text": "Whole milk is in the basket.", "tone": "good"}, "basket": {"count": 3}}
    assert [line.quantity for line in basket(town.house.district, "per_ada").lines] == [3]


async def test_adding_without_scripts_leads_back_to_the_page(shopper: Visitor) -> None:
    fields = {"offer_id": "shp_1:prd_1", "pieces": "1"}
    answer = await shopper.client.post(
        "/basket/lines", data=fields, headers={"Referer": "http://hanse.test/browse?q=m"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/browse?q=m")
    answer = await shopper.client.post("/basket/lines", data=fields, headers={"Referer": "http://evil.test/x"})
    assert answer.headers["location"] == "/basket"


async def test_the_basket_shows_lines_by_shop_with_the_sum(shopper: Visitor) -> None:
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="2")
    await shopper.send("/basket/lines", offer_id="shp_2:prd_2", pieces="1")
    page = await shopper.reads("/basket")
    assert "Kauppa 0" in page
    assert "Kauppa 1" in page
    assert "To pay €7.48" in page
    assert "VAT included €0.89" in page


async def test_a_stepper_at_nought_takes_the_line_out(town: Town, shopper: Visitor) -> None:
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="2")
    answer = await shopper.click("/basket/lines/shp_1:prd_1", pieces="0")
    assert "Your basket is empty" in text(answer)
    assert basket(town.house.district, "per_ada").lines == ()


async def test_a_double_click_is_one_order(town: Town, shopper: Visitor) -> None:
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="2")
    first, second = [await shopper.send("/orders", key="same") for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    assert town.house.district.view(Orders).placed == 1


async def test_sold_out_is_said_at_the_line_and_can_be_mended(town: Town, shopper: Visitor) -> None:
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="2")
    await shopper.send("/basket/lines", offer_id="shp_1:prd_2", pieces="1")
    await town.set_stock("shp_1/prd_1", 1)
    before = town.house.district.view(Orders).placed
    answer = await shopper.send("/orders", key="k")
    assert answer.status_code == 422
    assert "Only 1 left" in text(answer)
    assert "Nothing was ordered" in text(answer)
    assert town.house.district.view(Orders).placed == before
    await shopper.send("/basket/fit")
    kept = basket(town.house.district, "per_ada").lines
    assert [(line.offer_id, line.quantity) for line in kept] == [("shp_1:prd_1", 1), ("shp_1:prd_2", 1)]


async def test_an_empty_wallet_is_said_with_what_is_missing(town: Town, shopper: Visitor) -> None:
    await town.set_stock("shp_1/prd_2", 100)
    await shopper.send("/basket/lines", offer_id="shp_1:prd_2", pieces="40")
    answer = await shopper.send("/orders", key="k")
    assert answer.status_code == 422
    assert "Your wallet is short of €39.60" in text(answer)
    await shopper.send("/wallet/top-up", amount_minor="5000")
    assert account(town.house.district, "per_ada/wallet").balance_minor == 15_000
    assert (await shopper.send("/orders", key="k2")).status_code == 303


async def test_only_the_offered_sums_can_be_topped_up(town: Town, shopper: Visitor) -> None:
    before = state(town)
    assert (await shopper.send("/wallet/top-up", amount_minor="999999")).status_code == 422
    assert state(town) == before


async def test_a_new_address_is_sealed_and_chosen(town: Town, shopper: Visitor) -> None:
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="1")
    fields = {"name": "Aino Testi", "street": "Testikatu 7", "postcode": "00100", "city": "Helsinki", "next": "/basket"}
    answer = await shopper.send("/addresses", **fields)
    assert answer.headers["location"] == "/basket"
    page = await shopper.reads("/basket")
    assert "Testikatu 7, Helsinki" in page
    assert "Delivery €2.90" in page
    journal = b"".join(entry.body.encode() for entry in town.house.journal.read())
    assert b"Testikatu" not in journal


async def test_an_address_without_a_street_comes_back_with_the_field_named(town: Town, shopper: Visitor) -> None:
    before = state(town)
    answer = await shopper.send("/addresses", name="Aino", street="", postcode="00100", city="Helsinki", next="/basket")
    assert answer.status_code == 422
    assert "Please fill this in." in text(answer)
    assert 'value="Aino"' in answer.text
    assert state(town) == before


async def test_an_order_is_followed_and_cancelled_by_its_shopper_alone(town: Town, shopper: Visitor) -> None:
    order_id = await orders_something(shopper)
    page = await shopper.reads(f"/orders/{order_id}")
    for said in ("Kauppa 0", "Order placed", "Promised for today", "2 × €1.99", "VAT 13.5% of €3.98"):
        assert said in page
    bob = await Visitor(town).sits("shopper", "per_bob")
    assert (await bob.get(f"/orders/{order_id}")).status_code == 404
    assert (await bob.send(f"/orders/{order_id}/cancel")).status_code == 404
    assert town.house.district.view(Orders).open[order_id].parts[f"{order_id}-1"].stage == "placed"
    await shopper.send(f"/orders/{order_id}/cancel")
    assert "Cancelled" in await shopper.reads(f"/orders/{order_id}")


async def test_the_account_gives_a_copy_of_everything(shopper: Visitor) -> None:
    order_id = await orders_something(shopper)
    answer = await shopper.get("/account/export")
    kept = msgspec.json.decode(answer.content)
    assert kept["identity"]["name"] == "Planted Name per_ada"
    assert [order["order_id"] for order in kept["orders"]] == [order_id]
    assert "attachment" in answer.headers["content-disposition"]


async def test_erasing_needs_a_tick_and_forgets(town: Town, shopper: Visitor) -> None:
    before = state(town)
    await shopper.send("/account/erase")
    assert state(town) == before
    answer = await shopper.send("/account/erase", sure="yes")
    assert answer.headers["location"] == "/"
    assert "Be a shopper" in await shopper.reads("/")
    assert consent.given(town.house.district, "per_ada") == {}
    assert (await shopper.get("/account")).status_code == 401


async def test_who_has_no_seat_may_look_and_is_offered_one_to_buy(town: Town) -> None:
    visitor = Visitor(town)
    answer = await visitor.get("/products/prd_1")
    assert "Be a shopper to buy it" in text(answer)
    assert 'action="/basket/lines"' not in answer.text
    answer = await visitor.send("/seat", seat="shopper", next="/products/prd_1")
    assert answer.headers["location"] == "/products/prd_1"
    assert "Add to basket" in await visitor.reads("/products/prd_1")

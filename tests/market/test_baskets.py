from msgspec.structs import replace

from hanse.app.http.placing import place_basket
from hanse.events.market import BasketChanged
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.quantity import PIECES_MAX
from hanse.kernel.values import Wish
from hanse.market.baskets import service as baskets
from hanse.market.baskets.views import basket
from hanse.market.catalogue import service as catalogue
from tests.conftest import OFFERS, Town


def lines(town: Town) -> dict[str, int]:
    return {line.offer_id: line.quantity for line in basket(town.district, "per_1").lines}


def test_a_basket_begins_empty_for_pickup_from_the_wallet(town: Town) -> None:
    assert basket(town.district, "per_1") == BasketChanged("per_1", (), "pickup", "", "wallet")


def test_pieces_are_put_in_and_taken_out(town: Town) -> None:
    assert town.records(baskets.add, "per_1", "off_milk", 2) == ["market.basket_changed"]
    town.do(baskets.add, "per_1", "off_beer", 1)
    town.do(baskets.add, "per_1", "off_milk", -1)
    assert lines(town) == {"off_milk": 1, "off_beer": 1}
    town.do(baskets.add, "per_1", "off_milk", -5)
    assert lines(town) == {"off_beer": 1}


def test_lines_of_one_offer_become_one_and_no_change_is_no_event(town: Town) -> None:
    town.do(baskets.put, "per_1", [Wish("off_milk", 1), Wish("off_beer", 1), Wish("off_milk", 2)])
    assert lines(town) == {"off_milk": 3, "off_beer": 1}
    assert town.records(baskets.put, "per_1", [Wish("off_milk", 3), Wish("off_beer", 1)]) == []


def test_choices_stay_whatever_lies_in_the_basket(town: Town) -> None:
    town.do(baskets.choose, "per_1", payment="card")
    town.do(baskets.choose, "per_1", fulfilment="delivery", address_id="adr_1")
    town.do(baskets.put, "per_1", [Wish("off_milk", 1)])
    town.do(baskets.put, "per_1", [])
    assert basket(town.district, "per_1") == BasketChanged("per_1", (), "delivery", "adr_1", "card")


def test_an_order_empties_the_basket(town: Town) -> None:
    town.do(baskets.add, "per_1", "off_milk", 2)
    town.do(place, "per_1", PlaceOrder((Wish("off_milk", 2),)))
    assert lines(town) == {}


def test_what_was_taken_off_leaves_the_basket_and_the_rest_can_be_bought(town: Town) -> None:
    town.do(baskets.put, "per_1", [Wish("off_milk", 1), Wish("off_beer", 2)])
    town.do(catalogue.set_offers, "shp_a", [replace(OFFERS[0], price_minor=0)])
    gone = OFFERS[0].offer_id
    assert gone not in lines(town)
    assert len(lines(town)) == 1
    town.do(baskets.add, "per_1", "off_six", 1)
    answer = town.do(place_basket, "per_1", "")
    assert answer["result"] == "accepted"
    town.refuses("market.unknown_offer", baskets.add, "per_1", gone, 1)


def test_what_can_not_be_bought_does_not_come_in(town: Town) -> None:
    town.do(baskets.add, "per_1", "off_milk", 1)
    town.refuses("market.unknown_offer", baskets.add, "per_1", "off_none", 1)
    town.refuses("kernel.bad_quantity", baskets.add, "per_1", "off_milk", PIECES_MAX)
    many = [f"off_{n}" for n in range(baskets.LINES_MAX)]
    town.do(catalogue.set_offers, "shp_a", [replace(OFFERS[0], offer_id=one) for one in many])
    town.refuses("market.basket_full", baskets.put, "per_1", [Wish(one, 1) for one in ("off_milk", *many)])

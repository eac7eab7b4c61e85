import pytest

from hanse.flows.order import PlaceOrder, place
from hanse.kernel.values import Line, Part, Wish
from hanse.market.orders import service as orders
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock, available, missing
from tests.conftest import Town

MILK = "shp_a/milk"


def ordered(town: Town, pieces: int, offer_id: str = "off_milk") -> tuple[str, str]:
    """An order of so many pieces, and its only part."""
    answer = town.do(place, "per_1", PlaceOrder((Wish(offer_id, pieces),)))
    assert answer["result"] == "accepted"
    return answer["order_id"], answer["parts"][0]["part_id"]


def picked(town: Town, of: tuple[str, str], pieces: int) -> None:
    town.do(orders.accept_part, *of)
    town.do(orders.pick_part, *of, (pieces,))


def test_a_count_says_what_is_there_and_drops_what_is_unchanged(town: Town) -> None:
    assert town.records(stock.count, "shp_a", [(MILK, 25), ("shp_a/beer", 10)]) == ["supply.stock_counted"]
    assert available(town.district, MILK) == 25
    assert town.do(stock.count, "shp_a", [(MILK, 25)]) == 0
    assert town.do(stock.count, "shp_a", [("new", 0)]) == 1
    assert available(town.district, "never seen") == 0


@pytest.mark.parametrize("on_hand", [-1, stock.UNITS_MAX + 1])
def test_an_impossible_count_is_refused_whole(town: Town, on_hand: int) -> None:
    town.refuses("supply.bad_count", stock.count, "shp_a", [(MILK, 3), ("shp_a/beer", on_hand)])


def test_many_counts_are_recorded_in_columns(town: Town) -> None:
    many = [(f"i{n}", 1) for n in range(stock.ROWS_PER_EVENT + 1)]
    assert town.records(stock.count, "shp_a", many) == ["supply.stock_counted"] * 2


def test_a_placed_order_holds_and_an_ended_one_frees(town: Town) -> None:
    of = ordered(town, 5)
    assert (town.shelf(MILK), available(town.district, MILK)) == ((20, 5), 15)
    town.do(orders.end_part, *of, why="cancelled")
    assert town.shelf(MILK) == (20, 0)
    assert town.district.view(Stock).holds == {}


def test_a_piece_may_take_several_units(town: Town) -> None:
    ordered(town, 1, "off_six")
    assert town.shelf("shp_a/beer") == (10, 6)
    wanted = [("shp_a/beer", 1), ("shp_a/beer", 5), (MILK, 1), ("none", 2)]
    lines = tuple(Line("off", "prd", item_id, count, 100, 0) for item_id, count in wanted)
    assert missing(town.district, [Part("prt", "shp_a", lines, 0, 0, (), 0)]) == {"shp_a/beer": 2, "none": 2}


def test_what_was_handed_over_has_left_and_nothing_else(town: Town) -> None:
    of = ordered(town, 5)
    picked(town, of, 5)
    town.do(orders.hand_over_part, *of)
    assert town.shelf(MILK) == (15, 0)


def test_what_is_not_found_when_picking_is_written_off_at_once(town: Town) -> None:
    of = ordered(town, 5)
    picked(town, of, 3)
    assert town.shelf(MILK) == (18, 3)
    town.do(orders.hand_over_part, *of)
    assert town.shelf(MILK) == (15, 0)


@pytest.mark.parametrize(("counted", "left"), [(18, 15), (17, 14), (25, 22)])
def test_a_count_between_picking_and_hand_over_is_believed(town: Town, counted: int, left: int) -> None:
    of = ordered(town, 5)
    picked(town, of, 3)
    town.do(stock.count, "shp_a", [(MILK, counted)])
    town.do(orders.hand_over_part, *of)
    assert town.shelf(MILK) == (left, 0)


def test_what_was_not_found_does_not_come_back_when_the_part_ends(town: Town) -> None:
    of = ordered(town, 5)
    picked(town, of, 3)
    town.do(orders.end_part, *of, why="refused")
    assert (town.shelf(MILK), available(town.district, MILK)) == ((18, 0), 18)


@pytest.mark.parametrize(
    ("counted", "sold", "left"),
    [
        (4, 3, 0),  # four were there; one more is missing, and that is all that can be lost
        (3, 3, 0),  # the count has written the missing two off already
        (19, 3, 14),
        (2, 3, -1),  # more was handed over than was counted: somebody has to count again
    ],
)
def test_a_count_between_order_and_picking_is_not_written_off_twice(
    town: Town, counted: int, sold: int, left: int
) -> None:
    of = ordered(town, 5)
    town.do(stock.count, "shp_a", [(MILK, counted)])
    assert available(town.district, MILK) == counted - 5
    picked(town, of, sold)
    town.do(orders.hand_over_part, *of)
    assert town.shelf(MILK) == (left, 0)


def test_nothing_held_nothing_done(town: Town) -> None:
    for command in (stock.release, stock.issue):
        assert town.records(command, "ord_9", "ord_9-1") == []


def test_returned_goods_can_be_sold_again(town: Town) -> None:
    assert town.records(stock.take_back, "ord_1", "ord_1-1", {MILK: 2}) == ["supply.stock_returned"]
    assert town.shelf(MILK) == (22, 0)
    town.refuses("supply.bad_return", stock.take_back, "ord_1", "ord_1-1", {})
    town.refuses("supply.bad_return", stock.take_back, "ord_1", "ord_1-1", {MILK: 0})
    town.refuses("supply.unknown_item", stock.take_back, "ord_1", "ord_1-1", {MILK: 1, "none": 1})

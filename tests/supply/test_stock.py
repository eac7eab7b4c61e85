import pytest

from hanse.district.core import District
from hanse.events.market import PartPicked
from hanse.events.supply import StockCounted, StockReturned, StockShort
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.values import Line, Part, Wish
from hanse.market.orders import service as orders
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Item, Stock, available, held_for, missing
from hanse.testing import given
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
    error = town.refuses("supply.bad_count", stock.count, "shp_a", [(MILK, 3), ("shp_a/beer", on_hand)])
    assert error.details == {"field": "on_hand", "value": on_hand}
    town.do(stock.count, "shp_a", [(MILK, stock.UNITS_MAX)])
    assert available(town.district, MILK) == stock.UNITS_MAX


def test_what_one_shop_has_counted_no_other_shop_counts(town: Town) -> None:
    error = town.refuses("supply.other_shop", stock.count, "shp_b", [("shp_b/milk", 3), (MILK, 3)])
    assert error.details == {"item_id": MILK}


def test_many_counts_are_recorded_in_columns() -> None:
    many = [(f"i{n}", n) for n in range(501)]
    ids, counts = zip(*many, strict=True)
    columns = StockCounted("shp_a", ids[:500], counts[:500]), StockCounted("shp_a", ids[500:], counts[500:])
    given().when(stock.count, "shp_a", many).answers(501).expect(*columns)


def test_what_was_short_is_recorded_with_who_wanted_it() -> None:
    given().when(stock.note_short, "per_1", {MILK: 2}).expect(StockShort("per_1", {MILK: 2}))


def test_an_item_that_nobody_counted_is_empty_and_nobodys() -> None:
    assert Item() == Item(on_hand=0, held=0, shop_id="")


def test_columns_of_unequal_length_are_never_cut_to_fit(town: Town) -> None:
    order_id, part_id = ordered(town, 5)
    with pytest.raises(ValueError, match="zip"):
        Stock()._count(StockCounted("shp_a", ("i1", "i2"), (1,)), 0)
    with pytest.raises(ValueError, match="zip"):
        town.district.view(Stock)._pick(PartPicked(order_id, part_id, (), 0, 0, 0, ()), 0)


def test_a_placed_order_holds_and_an_ended_one_frees(town: Town) -> None:
    of = ordered(town, 5)
    assert (town.shelf(MILK), available(town.district, MILK)) == ((20, 5), 15)
    town.do(orders.end_part, *of, why="cancelled")
    assert town.shelf(MILK) == (20, 0)
    assert town.district.view(Stock).holds == {}


def test_a_piece_may_take_several_units(town: Town) -> None:
    of = ordered(town, 1, "off_six")
    assert (town.shelf("shp_a/beer"), held_for(town.district, of[1])) == ((10, 6), {"shp_a/beer": 6})
    picked(town, of, 1)
    assert town.shelf("shp_a/beer") == (10, 6)
    town.do(orders.hand_over_part, *of)
    assert town.shelf("shp_a/beer") == (4, 0)


def short(district: District, *wanted: tuple[str, int, int]) -> dict[str, int]:
    lines = tuple(Line("off", "prd", item_id, count, 100, 0, units) for item_id, count, units in wanted)
    return missing(district, [Part("prt", "shp_a", lines, 0, 0, (), 0)])


def test_what_several_lines_take_of_one_item_counts_together(town: Town) -> None:
    ordered(town, 1, "off_six")
    wanted = [("shp_a/beer", 1, 1), ("shp_a/beer", 1, 4), (MILK, 1, 1), ("none", 2, 1), ("none", 1, 3)]
    assert short(town.district, *wanted) == {"shp_a/beer": 1, "none": 5}
    assert short(town.district, ("shp_a/beer", 2, 2), (MILK, 4, 5)) == {}


def test_after_a_count_below_what_is_held_all_that_is_wanted_is_missing(town: Town) -> None:
    ordered(town, 5)
    town.do(stock.count, "shp_a", [(MILK, 2)])
    assert (available(town.district, MILK), short(town.district, (MILK, 1, 1))) == (-3, {MILK: 1})


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
    everything = dict.fromkeys(town.district.view(Stock).items, 2)
    town.do(stock.take_back, "ord_1", "ord_1-1", everything)
    assert town.shelf(MILK) == (22, 0)
    counted = StockCounted("shp_a", (MILK,), (20,))
    given(counted).when(stock.take_back, "ord_1", "ord_1-1", {MILK: 2}).expect(
        StockReturned("ord_1", "ord_1-1", {MILK: 2})
    )


@pytest.mark.parametrize(
    ("units", "code"),
    [
        ({}, "supply.bad_return"),
        ({MILK: 0}, "supply.bad_return"),
        ({MILK: 1, "shp_a/beer": 0}, "supply.bad_return"),
        ({MILK: 1, "none": 1}, "supply.unknown_item"),
    ],
)
def test_a_return_of_nothing_or_of_what_was_never_there_is_refused(
    town: Town, units: dict[str, int], code: str
) -> None:
    assert town.refuses(code, stock.take_back, "ord_1", "ord_1-1", units).details == {"field": "units"}


def test_a_part_of_which_nothing_is_held_any_more_names_no_items(town: Town) -> None:
    of = ordered(town, 5)
    town.do(orders.accept_part, *of)
    town.district.view(Stock)._pick(PartPicked(*of, (0,), 0, 0, 0, ()), 0)
    assert held_for(town.district, of[1]) == {}
    town.stage.crash()  # what was only folded by hand is gone

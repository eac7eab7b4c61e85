"""The aids for tests say yes to what is right, and no to what is not."""

from collections.abc import Callable
from random import random
from typing import Any

import pytest

from hanse.events.market import PartAccepted, PartEnded
from hanse.events.supply import StockCounted, StockReleased
from hanse.flows import order
from hanse.flows.order import PlaceOrder, place
from hanse.journal.faulty import Fault
from hanse.kernel.errors import NotFound, must
from hanse.kernel.values import Wish
from hanse.market.orders import service as orders
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import available
from hanse.testing import Clock, Crash, Stage, check_engine, given, small_town

TEA = PlaceOrder((Wish("off_mill_tea", 2),))


@pytest.fixture
def town() -> Stage:
    return small_town()


def test_a_step_is_looked_at_alone(town: Stage) -> None:
    order_id = town.do(place, "per_ada", TEA)["order_id"]
    ended = PartEnded(order_id, f"{order_id}-1", "refused")
    outcome = given(*town.events(), ended).when(order.free_stock, ended)
    outcome.expect(StockReleased(order_id, f"{order_id}-1")).answers(None)
    assert available(outcome.district, "mill/tea") == 20


def test_an_expectation_that_is_not_met_is_an_error() -> None:
    counted = StockCounted("shp_1", ("tea",), (7,))
    outcome = given(counted).when(stock.count, "shp_1", [("tea", 9)])
    with pytest.raises(AssertionError, match="It recorded"):
        outcome.expect(counted)
    with pytest.raises(AssertionError, match="It answered"):
        outcome.answers(2)
    with pytest.raises(AssertionError, match="nothing"):
        outcome.refuses("supply.bad_count")


def test_a_refusal_is_raised_as_the_error_that_it_was(town: Stage) -> None:
    before = town.entries()
    with pytest.raises(NotFound, match="no open order"):
        town.do(orders.accept_part, "ord_none", "ord_none-1")
    assert town.entries() == before


@pytest.mark.parametrize(("fault", "durable"), [("crash_before", False), ("crash_after", True)])
def test_a_crash_keeps_what_was_durable_and_tells_nobody(town: Stage, fault: Fault, durable: bool) -> None:
    answers: list[Any] = []
    town.journal.next_fault = fault
    town.submit(answers, place, "per_ada", TEA, key="k")
    with pytest.raises(Crash):
        town.turn()
    assert answers == []
    town.crash()
    assert len(town.entries("market.order_placed")) == durable
    again = town.ask(place, "per_ada", TEA, key="k")
    assert (again.kind, again.replayed) == ("ok", durable)
    assert len(town.entries("market.order_placed")) == 1


def test_time_stands_until_it_is_moved(town: Stage) -> None:
    began = town.clock()
    town.do(place, "per_ada", TEA)
    assert town.clock() == began
    town.clock.forward(hours=1, minutes=1)
    town.settle()
    assert [e.outcome for e in town.events("market.order_closed")] == ["unfulfilled"]  # type: ignore[attr-defined]


def test_a_clock_goes_both_ways() -> None:
    clock = Clock(1_000_000)
    clock.forward(days=1, seconds=2)
    clock.back(hours=24)
    assert clock() == 3_000_000


def shuffled(numbers: list[int]) -> list[float]:
    return [number + random() for number in numbers]


def sorting_in_place(numbers: list[int]) -> list[int]:
    numbers.sort()
    return numbers


def losing(numbers: list[int]) -> list[int]:
    return sorted(numbers)[1:]


def careful(numbers: list[int]) -> list[int]:
    must(numbers, "sorting.nothing", "Give at least one number.")
    return sorted(numbers)


@pytest.mark.parametrize(
    ("engine", "fault"),
    [(shuffled, "twice differently"), (sorting_in_place, "changed its input"), (losing, "not allowed")],
)
def test_an_engine_that_breaks_a_rule_is_named(engine: Callable[..., Any], fault: str) -> None:
    with pytest.raises(AssertionError, match=f"{engine.__name__} .*{fault}"):
        check_engine(engine, ([3, 1, 2],), feasible=lambda made, given: len(made) == len(given))


def test_an_engine_is_no_worse_than_the_naive_way_and_refuses_what_is_bad() -> None:
    check_engine(careful, ([3, 1],), cost=lambda made, _: made[0], naive=list, bad=[([],)])
    with pytest.raises(AssertionError, match="the naive way"):
        check_engine(careful, ([3, 1],), cost=lambda made, _: -made[0], naive=list)
    with pytest.raises(AssertionError, match="sorted took"):
        check_engine(sorted, ([3, 1],), bad=[([],)])


def test_an_accepted_part_is_expected_by_its_event(town: Stage) -> None:
    order_id = town.do(place, "per_ada", TEA)["order_id"]
    part = order_id, f"{order_id}-1"
    given(*town.events()).when(orders.accept_part, *part).expect(PartAccepted(*part))
    given(*town.events()).when(orders.pick_part, *part).refuses("market.wrong_stage")

"""What a look for garbage frees, and what it has nothing to do with."""

import gc
import weakref
from collections.abc import Iterator

import msgspec
import pytest

from hanse.district import collector
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.values import Wish
from hanse.market.orders.views import Orders
from hanse.testing import Stage, small_town


@pytest.fixture(autouse=True)
def disabled() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_a_circle_is_freed_by_the_next_look_that_is_worth_it() -> None:
    collector.look(new_max=0)
    gone = weakref.ref(Circle())
    collector.look(new_max=1_000_000)
    assert gone() is not None
    collector.look(new_max=0)
    assert gone() is None


def test_a_circle_that_lived_through_a_look_is_freed_by_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "LONG_NS", 10**18)
    circle = Circle()
    gone = weakref.ref(circle)
    collector.look(new_max=0)
    del circle
    collector.look(new_max=0)
    assert gone() is None


def test_what_made_a_look_long_is_looked_at_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "LONG_NS", -1)
    lives = [Circle()]
    collector.look(new_max=0)
    assert not any(known is lives[0] for known in gc.get_objects())


def test_pythons_own_collector_is_left_alone_where_it_is_at_work() -> None:
    gc.enable()
    gone = weakref.ref(Circle())
    collector.look(new_max=0)
    assert gone() is not None


def place_many(town: Stage, count: int) -> None:
    for _ in range(count):
        town.do(place, "per_ada", PlaceOrder((Wish("off_mill_tea", 1),)))


def of_state() -> int:
    """How many objects of the kinds that views are made of a look has to look at."""
    kinds = (tuple, list, dict, set)
    return sum(type(known) in kinds or isinstance(known, msgspec.Struct) for known in gc.get_objects())


def test_an_open_order_has_nothing_that_a_look_has_to_look_at() -> None:
    town = small_town()
    place_many(town, 3)
    gc.collect()
    gc.freeze()
    place_many(town, 1)
    gc.collect()
    before = of_state()
    place_many(town, 15)
    gc.collect()
    assert len(town.view(Orders).open) == 19
    assert of_state() - before < 5

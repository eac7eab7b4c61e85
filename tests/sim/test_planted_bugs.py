"""Whoever puts one of these bugs into the core is found out: within so many seeds of 3,000 commands."""

import pytest

from hanse.world.simulation import Failure, run
from hanse.world.simulation.plants import PLANTS

SEEDS = 4

FOUND_BY = {
    "stock is not released when a part is cancelled": "stock of .* never happened",
    "stock is checked line by line, not by the item that lines share": "oversold",
    "a part is captured twice": "was captured twice",
    "more is refunded than was captured": "refunded",
    "the rest of a hold stays held when less was picked": "held",
    "the commission is computed at the settlement, not frozen at the sale": "frozen at the sale",
    "commission is not given back with the last refund": "of the commission",
    "a refund believes what was read before another refund": "refunded of|of the commission",
    "answers are not remembered by their keys": "twice|was taken under the key",
    "an order is refused after it was recorded": "stopped the writer",
    "answers are given before the commit": "durable|not in the journal",
    "a failed commit leaves memory as it is": "the process ended|the journal",
    "steps that were owed are lost by a restart": "never happened|owed steps",
    "a step needs what a later step takes away": "the step flows.order.free_stock",
    "a deadline fires twice": "was ended as unpaid|closed",
    "a deadline never fires": "deadlines have passed unnoticed",
    "the clock goes back": "time went back",
    "a fold reads the clock": "gives another .*Orders",
    "a snapshot lacks a field of a view": "gives another .*Ledger",
    "a failed step is passed over in silence": "never happened",
    "the league keeps money that nobody paid": "the journal adds up to",
}


def test_each_plant_is_looked_for() -> None:
    assert PLANTS.keys() == FOUND_BY.keys()


@pytest.mark.parametrize("name", FOUND_BY)
def test_the_simulation_finds(name: str) -> None:
    with pytest.raises(Failure, match=FOUND_BY[name]):
        _run_seeds(name)


def _run_seeds(name: str) -> None:
    for seed in range(SEEDS):
        run(seed, 3_000, plant=name)


def test_a_plant_is_taken_out_again() -> None:
    with pytest.raises(Failure):
        run(0, 3_000, plant="a part is captured twice")
    assert run(0, 1_000).commands >= 1_000

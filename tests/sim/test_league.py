"""The simulation of a league holds, repeats itself, and finds the bugs that are put between its districts."""

import os
import subprocess
import sys

import pytest

from hanse.world.simulation import Failure
from hanse.world.simulation.league import LeagueReport, run
from hanse.world.simulation.league_plants import PLANTS

SEEDS = 8

FOUND_BY = {
    "a receipt is given before the commit": "durable|not in the journal|let go of",
    "a message that comes twice is heard twice": "answered this order before|took message|was answered by Conflict",
    "what comes before its time is taken all the same": "is next",
    "messages are let go of when they are sent": "let go of message",
    "the newest messages are sent first": "is parked|is next|took another",
    "the end of a part is not told": "at home the parts are",
    "a refund is not told": "the accounts of",
    "a debt that was paid is booked by one side only": "the accounts of",
    "the whole of what was set aside is taken although less was picked": "the accounts of",
    "the money is freed here when the neighbour does not answer in time": "the accounts of|is parked|paid",
    "a cancellation is granted here before the neighbour has answered": "the accounts of",
    "an order is placed and refused": "answered this order before|has answered",
}


@pytest.mark.parametrize(("seed", "districts"), [(1, 3), (2, 2)])
def test_both_sides_of_everything_agree_whatever_fails(seed: int, districts: int) -> None:
    report = run(seed, 4_000, districts=districts)
    assert report.commands >= 4_000
    assert report.crashes > 0
    assert report.lost > 0
    assert report.doubled > 0
    assert {"fulfilled", "unfulfilled", "refused"} <= report.trips.keys()
    assert len(set(report.hashes.values())) == districts


@pytest.mark.slow
@pytest.mark.parametrize("block", range(4))
def test_both_sides_agree_for_many_seeds(block: int) -> None:
    for seed in range(1_000 + 3 * block, 1_003 + 3 * block):
        run(seed, 5_000, districts=2 + seed % 2)


def test_one_seed_makes_the_same_journals_in_every_process() -> None:
    code = "from hanse.world.simulation.league import run; print(sorted(run(7, 900).hashes.items()))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert told == {f"{sorted(run(7, 900).hashes.items())}\n"}


def test_each_plant_is_looked_for() -> None:
    assert PLANTS.keys() == FOUND_BY.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUND_BY)
def test_the_simulation_finds(name: str) -> None:
    with pytest.raises(Failure, match=FOUND_BY[name]):
        _run_seeds(name)


def _run_seeds(name: str) -> None:
    for seed in range(SEEDS):
        run(seed, 3_000, name)


def test_a_failure_tells_the_story_in_all_districts() -> None:
    with pytest.raises(Failure) as found:
        run(0, 3_000, "a cancellation is granted here before the neighbour has answered")
    assert str(found.value).startswith("Seed 0, turn ")
    assert "Last commands:" in str(found.value)


def test_the_summary_says_what_was_gone_through() -> None:
    report = LeagueReport(3, 4_000, 9, {"fulfilled": 20}, 700, 30, 40, {"a": "ab" * 32, "b": "cd" * 32})
    assert report.summary().splitlines() == [
        "Seed 3: every rule held, in each of 2 districts and between them.",
        "  4,000 commands, 9 crashes",
        "  orders over a border: 20 fulfilled",
        "  700 messages; on their way 30 batches and receipts were lost, 40 doubled",
        "  journals a abababababab, b cdcdcdcdcdcd",
    ]

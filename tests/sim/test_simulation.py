"""The simulation holds, repeats itself, and says what it found."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import InvalidInput
from hanse.world.simulation import Failure, Report, run
from hanse.world.simulation.life import Life

SEEDS_PER_BLOCK = 20
BLOCK_BUDGET_S = 110.0


@pytest.mark.parametrize("seed", [1, 2])
def test_every_rule_holds_through_ten_thousand_commands(seed: int) -> None:
    report = run(seed)
    assert report.commands >= 10_000
    assert report.crashes > 0
    assert report.commit_failures > 0
    assert report.restarts_from_zero > 0
    assert report.restarts_from_snapshot > 0
    assert {"fulfilled", "partly", "unfulfilled"} <= report.orders.keys()


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_every_rule_holds_for_two_hundred_seeds(block: int, record_property: Callable[[str, object], None]) -> None:
    # The blocks share the machine's cores, and ten minutes between them on two.
    began, done = time.monotonic(), 0
    for seed in range(1_000 + block * SEEDS_PER_BLOCK, 1_000 + (block + 1) * SEEDS_PER_BLOCK):
        run(seed)
        done += 1
        if time.monotonic() - began > BLOCK_BUDGET_S:
            break
    record_property("seeds", done)


def test_one_seed_makes_one_journal() -> None:
    assert run(7, 1_500) == run(7, 1_500)
    assert run(8, 1_500).journal_hash != run(7, 1_500).journal_hash


def test_the_journal_does_not_depend_on_the_process() -> None:
    code = "from hanse.world.simulation import run; print(run(7, 800).journal_hash)"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert hashes == {run(7, 800).journal_hash + "\n"}


def test_the_journal_in_a_file_is_the_journal_in_memory(tmp_path: Path) -> None:
    in_file = Life(7, tmp_path / "snapshots", SqliteJournal(tmp_path / "journal.sqlite")).run(800)
    assert in_file == run(7, 800)


def test_a_failure_names_seed_turn_commands_and_story() -> None:
    with pytest.raises(Failure) as found:
        run(0, 3_000, plant="a part is captured twice")
    text = str(found.value)
    assert text.startswith("Seed 0, turn ")
    assert "was captured twice" in text
    assert "Last commands:" in text
    assert "market.order_placed" in text
    assert "finance.payment_captured" in text


def test_an_unknown_plant_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="a part is captured twice"):
        run(0, 10, plant="moles")


def test_the_summary_says_what_was_gone_through() -> None:
    report = Report(3, commands=10_000, turns=1_200, crashes=17, orders={"fulfilled": 400}, journal_hash="ab" * 32)
    assert report.summary().splitlines() == [
        "Seed 3: every rule held.",
        "  10,000 commands in 1,200 turns, 0 entries; 0 repeated, 0 refused",
        "  orders: 400 fulfilled",
        "  17 crashes, 0 failed commits, 0 stops by a bug, 0 clock jumps; 0 restarts (0 from a snapshot)",
        "  journal abababababababab",
    ]

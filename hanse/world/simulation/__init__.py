"""One seed, a whole town, everything that can go wrong: the simulation that tests the core.

Random commands of all kinds, duplicates, crashes at every point, full disks, clocks that jump, a card provider
that answers late, twice or never; and an auditor that keeps books of its own from the journal's JSON and
compares after every turn. The same seed makes the same journal, byte for byte.

`town` draws what people do · `clients` ask again until they have an answer · `provider` is the world outside ·
`life` runs the turns and the faults · `books` (with `shelves`, `accounts`, `stories`) is the auditor ·
`league` runs several towns as neighbours over `mail`, a network that fails; `between` audits what lies between them ·
`checks` compares it with the views · `plants` puts bugs in, to see that they are found.
"""

import tempfile
from contextlib import nullcontext
from pathlib import Path

from hanse.world.simulation.life import Life
from hanse.world.simulation.plants import plant as planted
from hanse.world.simulation.report import Failure, Report

__all__ = ["Failure", "Report", "run"]


def run(seed: int, commands: int = 10_000, plant: str | None = None) -> Report:
    """Run the simulation of one seed.

    Parameters
    ----------
    seed
        Decides everything; the same seed and commands give the same journal.
    commands
        How many commands are submitted, repetitions included.
    plant
        The name of a bug to put in first (see `plants.PLANTS`); None: the core as it is.

    Raises
    ------
    Failure
        A rule does not hold; says the seed, the turn, the last commands and the story.
    """
    with planted(plant) if plant else nullcontext(), tempfile.TemporaryDirectory(prefix="hanse-sim-") as folder:
        return Life(seed, Path(folder)).run(commands)

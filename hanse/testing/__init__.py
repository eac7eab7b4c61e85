"""Aids for tests, shipped with the package, so that whoever builds on Hanse tests in the same way.

- `district()`: a whole district in memory; `small_town()`: the same with shops, goods, members and money.
- `league()`: several small towns that are neighbours; `exchange()` brings their messages to each other.
- `Clock`: stands still until it is moved.
- `given(events).when(command, …).expect(events)`: one command or step, looked at alone.
- `FaultyJournal`, `Crash`: a full disk, a power cut before or after a commit.
- `check_engine`: what every engine must be.
"""

from hanse.journal.faulty import Crash, FaultyJournal
from hanse.testing.clock import START_US, Clock
from hanse.testing.engines import check_engine
from hanse.testing.league import exchange, league
from hanse.testing.scenario import Given, Outcome, given
from hanse.testing.stage import Stage, district
from hanse.testing.town import fill_wallet, small_town

__all__ = [
    "START_US",
    "Clock",
    "Crash",
    "FaultyJournal",
    "Given",
    "Outcome",
    "Stage",
    "check_engine",
    "district",
    "exchange",
    "fill_wallet",
    "given",
    "league",
    "small_town",
]

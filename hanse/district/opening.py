"""Bringing a district up: the newest usable snapshot, then the journal behind it."""

import gc
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

from hanse.district.core import Charter, District
from hanse.district.own import Deployment
from hanse.district.reactions import Flow
from hanse.district.snapshots import latest, newest_position
from hanse.district.views import View
from hanse.journal.check import RESTORE, sound
from hanse.journal.protocol import GENESIS, Journal
from hanse.kernel.errors import Conflict

__all__ = ["follow", "opener"]


def opener(
    charter: Charter,
    *,
    views: Iterable[type[View]],
    flows: Sequence[Flow],
    snapshots: Path | None = None,
) -> Callable[[Journal], District]:
    """A function that makes the district as a journal says it is; what the writer calls at each start."""
    kept = tuple(views)

    def build(journal: Journal) -> District:
        district = follow(journal, charter, views=kept, flows=flows, snapshots=snapshots, owing=True)
        _check(charter, district.view(Deployment))
        if snapshots is not None:
            _check_end(district.position, newest_position(snapshots))
        return district

    return build


def follow(
    journal: Journal,
    charter: Charter,
    *,
    views: Iterable[type[View]],
    flows: Sequence[Flow],
    snapshots: Path | None = None,
    owing: bool = False,
) -> District:
    """A district as its journal says it is now; `owing`: with the steps that are owed, for who will run them."""
    district = District(charter, views=views, flows=flows)
    head = journal.head()
    after, seal = 0, GENESIS
    # Hundreds of thousands of open orders are no garbage: looking for some among them costs seconds.
    collecting = gc.isenabled()
    gc.disable()
    found = latest(snapshots, journal, views=district.views(), up_to=head.position) if snapshots else None
    if found is not None:
        snapshot, state = found
        district.restore(state, position=snapshot.position, now_us=snapshot.now_us)
        after, seal = snapshot.position, snapshot.chain
    steps_through = head.steps_through if owing else head.position
    start = min(after, steps_through)
    owed = journal.read(start, limit=after - start) if start < after else ()
    # A writer beside us may have gone on since we looked at the head: no further than that.
    folded = sound(journal, after=after, chain=seal, until=head.position)
    district.replay(chain(owed, folded), steps_through=steps_through)
    district.chain = head.hash
    if collecting:
        gc.enable()
    gc.collect()
    gc.freeze()
    return district


def _check(charter: Charter, declared: Deployment) -> None:
    said = (charter.zone, charter.currency, charter.country)
    if declared.zone and said != (declared.zone, declared.currency, declared.country):
        raise Conflict(
            "district.other_charter",
            f"This journal belongs to a district of {declared.country}, {declared.currency}, {declared.zone};"
            " start it with that zone, currency and country.",
        )


def _check_end(position: int, snapshot: int) -> None:
    """A snapshot is written behind its commit: where it knows more than the journal, that has lost its end."""
    if snapshot > position:
        raise Conflict(
            "district.lost_end",
            f"The journal ends at position {position}, but a snapshot was taken at {snapshot}: some of it is missing,"
            f" such as a -wal file that was not copied along; {RESTORE}, or delete the folder snapshots if you mean to"
            " go on with the shorter journal.",
        )

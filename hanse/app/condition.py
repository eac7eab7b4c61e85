"""Whether a district can take orders, and what keeps it from it: for probes, for `hanse status`, for people."""

import shutil

import msgspec

from hanse.app.home import Home
from hanse.app.house import House
from hanse.app.outpost import Outpost
from hanse.district.writer import QUEUE_MAX

__all__ = ["Check", "Condition", "condition"]

BUSY_FROM = QUEUE_MAX // 2
TRY_AGAIN_S = 10.0
"""So long after a commit failed nobody is sent here; then somebody has to try whether it works again."""

MEGABYTE = 1_000_000


class Check(msgspec.Struct, frozen=True):
    """One thing that has to be well, and what is to be said about it."""

    name: str
    ok: bool
    says: str


class Condition(msgspec.Struct, frozen=True):
    """How a district is: ``ok``, or ``not_ready`` with at least one check that says why."""

    status: str
    position: int
    checks: tuple[Check, ...]


def condition(home: Home) -> Condition:
    """What a house or an outpost comes to by all checks."""
    checks = [_journal(home), _commands(home), _disk(home)]
    if isinstance(home, Outpost):
        checks.append(_reads(home))
    return Condition("ok" if all(check.ok for check in checks) else "not_ready", home.position, tuple(checks))


def _journal(home: Home) -> Check:
    failed_s = home.watch.unavailable_s if isinstance(home, House) else None
    if home.is_down:
        return Check("journal", False, "The journal is out of reach; it is tried again every second.")
    if failed_s is not None and failed_s < TRY_AGAIN_S:
        return Check("journal", False, f"A commit failed {failed_s:.0f} s ago; see commit_failed in the log.")
    return Check("journal", True, "It can be written.")


def _commands(home: Home) -> Check:
    return Check("commands", home.waiting < BUSY_FROM, f"{home.waiting} wait; {BUSY_FROM} are too many.")


def _reads(outpost: Outpost) -> Check:
    behind = f"{outpost.lag_us / 1e6:.1f} s behind the writer"
    return Check("reads", outpost.fit, f"{behind}." if outpost.fit else f"{behind}: reads are handed on to it.")


def _disk(home: Home) -> Check:
    free_mb = shutil.disk_usage(home.settings.folder).free // MEGABYTE
    reserve_mb = home.settings.disk_reserve_mb
    return Check("disk", free_mb >= reserve_mb, f"{free_mb} MB are free; {reserve_mb} have to be (disk_reserve_mb).")

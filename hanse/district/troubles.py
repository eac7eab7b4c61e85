"""What waits for a person, and what a person can do about it. Each act is a command, so it is recorded and replayed.

A failed step is run again, a failed effect is asked again, a parked command may be repeated by whoever asked for it.
What was put right by hand is dismissed. A parked channel goes on by itself once its message can be taken.
"""

from hashlib import blake2b
from typing import Literal

import msgspec

from hanse.district.core import District
from hanse.district.neighbours import Neighbours
from hanse.district.own import Stop, Troubles
from hanse.events.dictionary import Event
from hanse.events.district import TroubleSettled
from hanse.kernel.errors import Conflict, InvalidInput, NotFound

__all__ = ["Trouble", "Way", "settle", "trouble", "troubles"]

Way = Literal["retry", "unpark", "dismiss"]

_WAYS: dict[str, tuple[Way, ...]] = {
    "step": ("retry", "dismiss"),
    "effect": ("retry", "dismiss"),
    "command": ("unpark",),
    "channel": (),
}


class Trouble(msgspec.Struct, frozen=True):
    """Something that waits for a person: which step, effect, command or channel, on which event, and what it said."""

    id: str
    kind: Literal["step", "effect", "command", "channel"]
    what: str
    position: int
    times: int
    error: str
    ways: tuple[Way, ...]
    caller: str = ""
    key: str = ""


def troubles(district: District) -> list[Trouble]:
    """Everything that waits for a person, the most pressing kind first."""
    view = district.view(Troubles)
    found = [_trouble("command", stop.what, 0, stop.error, stop) for stop in view.stopped.values()]
    channels = district.view(Neighbours).channels
    found += [
        _trouble("channel", f"{way} {tag}", 0, error)
        for tag, channel in channels.items()
        for way, error in (("in", channel.parked_in), ("out", channel.parked_out))
        if error
    ]
    found += [_trouble("effect", failed.effect, failed.position, failed.error) for failed in view.failed_effects]
    found += [_trouble("step", failed.step, failed.position, failed.error) for failed in view.failed_steps]
    return found


def trouble(district: District, trouble_id: str) -> Trouble:
    """One of them; raises `NotFound` for one that was settled, or never was."""
    found = next((one for one in troubles(district) if one.id == trouble_id), None)
    if found is None:
        raise NotFound("district.no_trouble", "There is no such trouble, or not any more; look at the list again.")
    return found


def settle(district: District, trouble_id: str, way: Way, event: Event | None = None) -> None:
    """Do something about a trouble.

    Parameters
    ----------
    district
        Where it is.
    trouble_id
        Which one.
    way
        What to do; see `Trouble.ways`.
    event
        For a step that is run again: the event that it is run for, as the journal has it.

    Raises
    ------
    NotFound
        There is no such trouble.
    InvalidInput
        That cannot be done about this kind.
    Conflict
        The step failed again, and nothing was changed; or the program does not have it any more.
    """
    found = trouble(district, trouble_id)
    if way not in found.ways:
        ways = ", ".join(found.ways) or "nothing by hand"
        raise InvalidInput("district.no_way", f"About this can be done: {ways}.", field="way")
    if found.kind == "step" and way == "retry":
        _run_again(district, found, event)
    district.record(TroubleSettled(found.kind, found.what, found.position, found.caller, found.key, way))


def _run_again(district: District, found: Trouble, event: Event | None) -> None:
    before = district.position
    if event is None or not district.has_step(found.what):
        raise Conflict(
            "district.step_gone",
            "The program has no such step; name what it is called now in RENAMED of its flow, or dismiss this.",
        )
    try:
        district.run_step(found.what, found.position, event)
    except Exception as error:  # any bug: harmless before the first record, fatal after it
        if district.position != before:
            raise
        raise Conflict("district.step_failed_again", f"It failed again ({type(error).__name__}).") from error


def _trouble(
    kind: Literal["step", "effect", "command", "channel"],
    what: str,
    position: int,
    error: str,
    stop: Stop | None = None,
) -> Trouble:
    caller, key, times = (stop.caller, stop.key, stop.times) if stop else ("", "", 1)
    named = blake2b(msgspec.json.encode((kind, what, position, caller, key)), digest_size=8).hexdigest()
    return Trouble(f"trb_{named}", kind, what, position, times, error, _WAYS[kind], caller, key)

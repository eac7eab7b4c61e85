"""What a district records about itself."""

from hanse.events.dictionary import Event, stored

__all__ = ["CommandStopped", "DistrictDeployed", "EffectAnswered", "EffectFailed", "StepFailed"]


@stored("district.deployed")
class DistrictDeployed(Event, frozen=True):
    """A program with another table of steps and effects took over.

    `steps_after` says for each of them behind which position it counts: 0 for the first table, this
    deployment for one that was added later, so that a new step never runs over history.
    """

    zone: str
    currency: str
    country: str
    steps_after: dict[str, int]


@stored("district.step_failed")
class StepFailed(Event, frozen=True):
    """A step raised and was passed over; it blocks nobody and waits for a person."""

    step: str
    position: int
    error: str


@stored("district.command_stopped")
class CommandStopped(Event, frozen=True):
    """A command or step raised after it had recorded: a bug. Its records were thrown away by replay."""

    what: str
    caller: str
    key: str
    error: str


@stored("district.effect_answered")
class EffectAnswered(Event, frozen=True):
    """The world outside answered what the event at `position` asked of it."""

    effect: str
    position: int


@stored("district.effect_failed")
class EffectFailed(Event, frozen=True):
    """The world outside did not answer before the deadline; nobody asks again by machine."""

    effect: str
    position: int
    error: str

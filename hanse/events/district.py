"""What a district records about itself."""

from typing import Any, Literal

from hanse.events.dictionary import Event, stored

__all__ = [
    "ChannelParked",
    "CommandStopped",
    "DistrictDeployed",
    "EffectAnswered",
    "EffectFailed",
    "MessageReceived",
    "MessageSent",
    "MessagesAcknowledged",
    "NeighbourDeclared",
    "StepFailed",
    "TroubleSettled",
]


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
    """A step raised and was passed over, or is gone from the program; it blocks nobody and waits for a person."""

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


@stored("district.trouble_settled")
class TroubleSettled(Event, frozen=True):
    """A person did something about what waited for one; what a step that was run again records stands before it.

    `position` is that of the event which a step or an effect was for; `caller` and `key` tell a command from others.
    """

    kind: Literal["step", "effect", "command", "channel"]
    what: str
    position: int
    caller: str
    key: str
    way: Literal["retry", "unpark", "dismiss"]


@stored("district.neighbour_declared")
class NeighbourDeclared(Event, frozen=True):
    """The operator named another district to speak with, or changed the limit of what one may owe the other.

    A limit of 0 ends it: nothing new is begun, what is under way comes to its end.
    """

    neighbour: str
    limit_minor: int


@stored("district.message_sent", story="story")
class MessageSent(Event, frozen=True):
    """A neighbour is to hear this: the outbox, and the very form in which it travels.

    Numbers rise by one for each neighbour. `chain` seals this message and all before it, so that both
    sides can see whether they hold the same history.
    """

    neighbour: str
    number: int
    kind: str
    story: str
    body: dict[str, Any]
    chain: str


@stored("district.message_received", story="story")
class MessageReceived(Event, frozen=True):
    """A neighbour's message was taken in; what it caused stands in the same commit."""

    neighbour: str
    number: int
    kind: str
    story: str
    chain: str


@stored("district.messages_acknowledged")
class MessagesAcknowledged(Event, frozen=True):
    """The neighbour has all messages through this number, durably."""

    neighbour: str
    through: int


@stored("district.channel_parked")
class ChannelParked(Event, frozen=True):
    """Nothing goes on with this neighbour in one direction until a person has looked; it is tried again all the time.

    ``in``: the message of this number cannot be taken. ``out``: the neighbour says what cannot be true.
    """

    neighbour: str
    way: Literal["in", "out"]
    number: int
    error: str

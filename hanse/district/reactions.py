"""What happens in a district when an event is recorded: folds, steps, effects. Bound once, used for each event."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from hanse.district.jobs import origin_of
from hanse.district.neighbours import Message
from hanse.district.views import Fold, View, folds_of
from hanse.events.dictionary import Event, kinds

__all__ = ["Deadline", "Flow", "Hearer", "Reaction", "Step", "hearers", "reactions", "renamed", "table"]

Step = Callable[[Any, Any], None]
"""What a flow does when an event has been recorded; takes the district and the event."""

Deadline = Callable[[Any], None]
"""What a flow looks after in each turn; takes the district."""

Hearer = Callable[[Any, str, Any], None]
"""What a flow does when a neighbour's message has come; takes the district, the neighbour's tag, the message."""


class Flow(Protocol):
    """A story across contexts: a module with these three tables.

    One that speaks with other districts has a fourth, MESSAGES: pairs of a class of messages and its `Hearer`.
    One whose steps were moved or dropped has RENAMED: what a step or an effect was called, as the journal knows it,
    and what it is called now, or nothing for one that is not wanted any more.
    """

    STEPS: Sequence[tuple[type[Event], Step]]
    DEADLINES: Sequence[Deadline]
    EFFECTS: Sequence[tuple[type[Event], str]]


class Reaction(NamedTuple):
    """What the district does when an event of one class is recorded."""

    name: str
    version: int
    story: Callable[[Any], str] | None
    folds: tuple[Fold, ...]
    steps: tuple[Step, ...]
    effects: tuple[str, ...]


def reactions(views: Iterable[View], flows: Iterable[Flow]) -> dict[type[Event], Reaction]:
    """For each class of events the folds of these views and the steps and effects of these flows, in order."""
    folds: dict[type[Event], list[Fold]] = {}
    steps: dict[type[Event], list[Step]] = {}
    effects: dict[type[Event], list[str]] = {}
    for view in views:
        for cls, fold in folds_of(view):
            folds.setdefault(cls, []).append(fold)
    for flow in flows:
        for cls, step in flow.STEPS:
            steps.setdefault(cls, []).append(step)
        for cls, effect in flow.EFFECTS:
            effects.setdefault(cls, []).append(effect)
    return {
        kind.cls: Reaction(
            kind.name,
            kind.version,
            kind.story,
            tuple(folds.get(kind.cls, ())),
            tuple(steps.get(kind.cls, ())),
            tuple(effects.get(kind.cls, ())),
        )
        for kind in kinds()
    }


def renamed(flows: Iterable[Flow]) -> dict[str, str]:
    """What steps and effects that the journal may know are called now; empty for those that are not wanted."""
    return {old: new for flow in flows for old, new in getattr(flow, "RENAMED", {}).items()}


def table(flows: Iterable[Flow]) -> frozenset[str]:
    """The names of all steps and effects."""
    return frozenset(
        [origin_of(step) for flow in flows for _, step in flow.STEPS]
        + [effect for flow in flows for _, effect in flow.EFFECTS]
    )


def hearers(flows: Iterable[Flow]) -> dict[str, tuple[type[Message], Hearer]]:
    """For each kind of message its class, and the function of a flow that hears it."""
    return {cls.kind(): (cls, hearer) for flow in flows for cls, hearer in getattr(flow, "MESSAGES", ())}

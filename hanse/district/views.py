"""Views: folds of the journal, held in memory, always reproducible by replay."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hanse.events.dictionary import Event

__all__ = ["Fold", "View", "folds", "folds_of"]

Fold = Callable[[Any, int], None]
_F = TypeVar("_F", bound=Callable[..., None])


class View(msgspec.Struct):
    """State that events are folded into. The fields are the state, and its snapshot.

    A fold never refuses, never reads a clock and never looks at another view: it only takes in what
    has been decided. Questions are methods.
    """


def folds(*events: type[Event]) -> Callable[[_F], _F]:
    """Mark a method of a view as the fold of these events; it takes the event and the turn's microseconds."""

    def mark(method: _F) -> _F:
        method.__folds__ = events  # type: ignore[attr-defined]
        return method

    return mark


def folds_of(view: View) -> list[tuple[type[Event], Fold]]:
    """The folds of a view, bound, by event."""
    return [
        (event, getattr(view, name))
        for name, method in vars(type(view)).items()
        for event in getattr(method, "__folds__", ())
    ]

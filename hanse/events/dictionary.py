"""How a class becomes an event: a stored name, a version, a story, and the way up from older versions."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from hanse.kernel.errors import Conflict

__all__ = ["Body", "Event", "Kind", "decode", "kind_of", "kinds", "stored", "upcast"]


class Event(msgspec.Struct, frozen=True, gc=False):
    """Something that happened. Past tense, complete in itself, never changed once recorded."""


class Kind(msgspec.Struct, frozen=True):
    """What the dictionary knows of one class of events."""

    cls: type[Event]
    name: str
    version: int
    story: Callable[[Any], str] | None
    decode: Callable[[bytes | str], Event]


E = TypeVar("E", bound=Event)
Body = dict[str, Any]
"""The stored form of an event: JSON, decoded."""

_by_class: dict[type[Event], Kind] = {}
_by_name: dict[str, Kind] = {}
_lifts: dict[tuple[str, int], Callable[[Body], Body]] = {}


def stored(name: str, *, version: int = 1, story: str = "") -> Callable[[type[E]], type[E]]:
    """Enter an event class into the dictionary.

    Parameters
    ----------
    name
        The name in the journal, ``context.past_tense``. It never follows a refactoring.
    version
        Of the body's form. Raise it when the form changes, and register an `upcast` from the form before.
    story
        The field that holds the id of what the event is about (``order_id``); entries are indexed by it.
    """

    def enter(cls: type[E]) -> type[E]:
        if name in _by_name:
            raise Conflict("events.name_taken", f"The event name {name} is taken; choose another.")
        decoder = msgspec.json.Decoder(cls)
        kind = Kind(cls, name, version, attrgetter(story) if story else None, decoder.decode)
        _by_class[cls] = _by_name[name] = kind
        return cls

    return enter


def upcast(name: str, *, version: int) -> Callable[[Callable[[Body], Body]], Callable[[Body], Body]]:
    """Register the function that lifts a stored body of `version` to the form of `version` + 1."""

    def enter(lift: Callable[[Body], Body]) -> Callable[[Body], Body]:
        _lifts[name, version] = lift
        return lift

    return enter


def decode(name: str, version: int, body: bytes | str) -> Event | None:
    """The event of a stored body, lifted to the present version; None if no class of that name is present.

    Events of an absent capability are kept in the journal and skipped here.
    """
    kind = _by_name.get(name)
    if kind is None:
        return None
    if version == kind.version:
        return kind.decode(body)
    if version > kind.version:
        raise Conflict(
            "events.from_the_future",
            f"The journal holds {name} in version {version}, this program knows version {kind.version}: upgrade it.",
        )
    form: Body = msgspec.json.decode(body)
    for step in range(version, kind.version):
        form = _lifts[name, step](form)
    # As JSON again: a lift sees and gives exactly what is stored.
    return kind.decode(msgspec.json.encode(form))


def kind_of(cls: type[Event]) -> Kind:
    """What the dictionary knows of an event class."""
    return _by_class[cls]


def kinds() -> list[Kind]:
    """All kinds of events, by name."""
    return sorted(_by_name.values(), key=attrgetter("name"))

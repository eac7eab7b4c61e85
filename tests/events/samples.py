"""One event of each kind, made from its type alone: every field set, every number another."""

import importlib
import pkgutil
from itertools import count
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

import hanse.events
from hanse.events.dictionary import Event, Kind, kinds
from hanse.kernel.geo import Place
from hanse.kernel.time import OpeningHours, hours_of

_PLACES: dict[type, object] = {
    Place: Place(60.1699, 24.9384),
    OpeningHours: hours_of([[[480, 720], [780, 1260]]] * 6 + [[]]),
}


def all_kinds() -> list[Kind]:
    """Every kind that the package's dictionary has; made-up ones of tests are left out."""
    for module in pkgutil.iter_modules(hanse.events.__path__, "hanse.events."):
        importlib.import_module(module.name)
    return [kind for kind in kinds() if kind.cls.__module__.startswith("hanse.")]


def sample(cls: type[Event]) -> Event:
    """An event of this class; the same each time."""
    made = _struct(cls, count(1))
    assert isinstance(made, Event)
    return made


def _struct(cls: type, numbers: "count[int]") -> object:
    hints = get_type_hints(cls, include_extras=True)
    fields = msgspec.structs.fields(cls)
    return cls(**{field.name: _value(hints[field.name], field.name, numbers) for field in fields})


def _value(of: Any, name: str, numbers: "count[int]") -> object:
    if of in _PLACES:
        return _PLACES[of]
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        return _struct(of, numbers)
    arguments = get_args(of)
    match get_origin(of):
        case None:
            return _plain(of, name, next(numbers))
        case origin if origin is Annotated:
            return _value(arguments[0], name, numbers)
        case origin if origin is Literal:
            return arguments[-1]
        case origin if origin in (Union, UnionType):
            return _value(next(a for a in arguments if a is not NoneType), name, numbers)
        case origin if origin is tuple:
            return (_value(arguments[0], name, numbers), _value(arguments[0], name, numbers))
        case origin if origin is dict:
            return {_value(arguments[0], name, numbers): _value(arguments[1], name, numbers)}
    raise TypeError(f"no sample for {of}")


def _plain(of: Any, name: str, number: int) -> object:
    if of is str:
        return f"{name}-{number}"
    return number if of is int else number / 4

"""A command on its way and what it came to."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from hanse.kernel.errors import HanseError

__all__ = ["Answer", "Job", "Stopped", "bug", "origin_of", "problem"]


class Job(msgspec.Struct, frozen=True, gc=False):
    """A command on its way: `command(district, *arguments)`, and who asked for it under which key.

    `bulk`: it has many rows, and is one of its kind in a turn, so that it holds up others for one such command at most.
    """

    command: Callable[..., object]
    arguments: tuple[Any, ...]
    caller: str = ""
    key: str = ""
    fingerprint: bytes = b""
    bulk: bool = False


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a command came to: `kind` is ``ok`` or the kind of error; `body` is JSON."""

    kind: str
    body: bytes
    position: int
    replayed: bool = False


class Stopped(Exception):
    """A command, step or deadline raised after it had recorded: what is in memory can't be trusted any more."""

    def __init__(self, what: str, job: Job, error: BaseException) -> None:
        super().__init__(f"{what} raised after it had recorded: {type(error).__name__}: {error}")
        self.what = what
        self.job = job


def origin_of(function: Callable[..., Any]) -> str:
    """Where a function stands, such as ``flows.order.place``: so a trace leads to the code."""
    try:
        return _origins[function]
    except KeyError:
        if isinstance(function, partial):
            return origin_of(function.func)
        name = f"{function.__module__.removeprefix('hanse.')}.{function.__qualname__}"
        _origins[function] = name
        return name


_origins: dict[Callable[..., Any], str] = {}


def problem(error: HanseError) -> dict[str, object]:
    """An error as it is stored and sent: code, sentence, details."""
    return {"code": error.code, "message": error.message, "details": error.details}


def bug(error: Exception) -> dict[str, object]:
    """A bug as it is stored and sent: without its text, which may hold what nobody should read."""
    return {
        "code": "district.bug",
        "message": "This request met a bug and changed nothing; please report it with its time.",
        "details": {"error": type(error).__name__},
    }

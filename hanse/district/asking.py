"""Asking the writer for one caller: what a web route or a tool does with a command."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import msgspec

from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.kernel.errors import HanseError

__all__ = ["Ask", "error_of"]

T = TypeVar("T")

BULK_ROWS = 100
"""A command with more rows than that waits for its turn in a queue of its own."""


class Ask:
    """Runs commands for one caller and waits until their answer is durable.

    Parameters
    ----------
    submit
        Takes a command to the writer.
    district
        Gives the district as it is committed now.
    caller
        Who asks: the id of a person or a shop.
    key, fingerprint
        The idempotency key of the request, and what tells its body from others.
    """

    def __init__(
        self,
        submit: Callable[[Job], Awaitable[Answer]],
        district: Callable[[], District],
        *,
        caller: str,
        key: str = "",
        fingerprint: bytes = b"",
    ) -> None:
        self._submit = submit
        self._district = district
        self.caller = caller
        self.key = key
        self.fingerprint = fingerprint
        self.replayed = False

    @property
    def district(self) -> District:
        """The district as it is committed now."""
        return self._district()

    async def answer(self, gives: type[T], command: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Run a command; returns its answer as it was stored, raises the error that it raised."""
        return msgspec.json.decode(await self.run(command, *arguments, **options), type=gives)

    async def run(self, command: Callable[..., object], *arguments: Any, **options: Any) -> bytes:
        """Run a command; returns its answer as JSON, raises the error that it raised."""
        answer = await self.whole(command, *arguments, **options)
        if answer.kind != "ok":
            raise error_of(answer)
        return answer.body

    async def whole(self, command: Callable[..., object], *arguments: Any, **options: Any) -> Answer:
        """Run a command; returns its answer as it is, a refusal too."""
        act = partial(command, **options) if options else command
        bulk = any(isinstance(argument, list | tuple) and len(argument) > BULK_ROWS for argument in arguments)
        answer = await self._submit(Job(act, arguments, self.caller, self.key, self.fingerprint, bulk))
        self.replayed = answer.replayed
        return answer


def error_of(answer: Answer) -> HanseError:
    """The error that a stored refusal stands for; a plain `HanseError` for a bug."""
    stored = msgspec.json.decode(answer.body)
    cls = next((cls for cls in _below(HanseError) if cls.kind == answer.kind), HanseError)
    return cls(stored["code"], stored["message"], **stored["details"])


def _below(cls: type[HanseError]) -> Iterator[type[HanseError]]:
    for child in cls.__subclasses__():
        yield child
        yield from _below(child)

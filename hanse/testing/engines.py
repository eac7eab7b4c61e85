"""What every engine must be: deterministic, without side effects, typed in its errors, better than naive."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, TypeVar

import msgspec

from hanse.kernel.errors import HanseError

__all__ = ["check_engine"]

R = TypeVar("R")


def check_engine(
    solve: Callable[..., R],
    *cases: tuple[Any, ...],
    feasible: Callable[..., bool] | None = None,
    cost: Callable[..., float] | None = None,
    naive: Callable[..., R] | None = None,
    bad: Iterable[tuple[Any, ...]] = (),
) -> None:
    """Check an engine on some cases; raises `AssertionError` that says what it is not.

    Parameters
    ----------
    solve
        The engine's function.
    cases
        Its arguments, one tuple a case; a seed among them where it takes one.
    feasible
        Takes the result and the arguments; whether the result keeps the rules.
    cost
        Takes the result and the arguments; less is better.
    naive
        The simplest method that is feasible; the engine's cost may not exceed its cost.
    bad
        Arguments that must be refused with a `HanseError`.

    Examples
    --------
    >>> check_engine(sorted, ([3, 1, 2],), feasible=lambda made, given: len(made) == len(given))
    """
    assert cases, "Give at least one case."
    for case in cases:
        before = deepcopy(case)
        first = solve(*case)
        assert _form(case) == _form(before), f"{solve.__name__} changed its input: {case!r:.300}"
        assert _form(solve(*deepcopy(before))) == _form(first), f"{solve.__name__} answered twice differently"
        if feasible is not None:
            assert feasible(first, *case), f"{solve.__name__} gave what is not allowed: {first!r:.300}"
        if cost is not None and naive is not None:
            mine, simple = cost(first, *case), cost(naive(*deepcopy(before)), *case)
            assert mine <= simple, f"{solve.__name__} costs {mine}, the naive way {simple}"
    for arguments in bad:
        _check_refused(solve, arguments)


def _check_refused(solve: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    refusal = _refusal(solve, arguments)
    assert refusal is not None, f"{solve.__name__} took {arguments!r:.300}"
    assert "." in refusal.code, f"{solve.__name__} refused with the code {refusal.code}; name its context"
    assert str(refusal), f"{solve.__name__} refused {refusal.code} without saying what to do"


def _refusal(solve: Callable[..., object], arguments: tuple[Any, ...]) -> HanseError | None:
    try:
        solve(*deepcopy(arguments))
    except HanseError as error:
        return error
    return None


def _form(value: Any) -> bytes:
    """A value as bytes, so that arrays and structs compare whole."""
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    tolist = getattr(value, "tolist", None)
    return [str(value.dtype), tolist()] if tolist is not None else repr(value)

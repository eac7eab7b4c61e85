"""Bugs to put into the core, by name, so that a test can see the simulation find each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["PLANTS", "plant"]

PLANTS: dict[str, Callable[[], None]] = {}


@contextmanager
def plant(name: str) -> Iterator[None]:
    """Put a bug in for the time of a `with` block."""
    yield

"""What the app knows of a world: a town that can be loaded into a district, and then lives in it.

A world stands above the app and is found by name among the entry points ``hanse.worlds``; the app works
without any. Pages read `Town` (what does not change: map, categories, terms) and `WorldState` (its clock).
"""

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

import msgspec

from hanse.district.core import District
from hanse.district.effects import Call
from hanse.district.jobs import Answer, Job
from hanse.district.writer import Writer
from hanse.journal.protocol import Journal
from hanse.kernel.errors import NotFound
from hanse.people.vault import Vault

__all__ = ["Category", "Department", "Door", "Progress", "Terms", "Town", "World", "WorldState", "find"]

Progress = Callable[[str, int, int], None]
"""Told of the stage, how much of it is done, and how much there is."""


class Department(msgspec.Struct, frozen=True):
    """The upper level of the category tree, in words."""

    key: str
    english: str
    german: str
    picture: str


class Category(msgspec.Struct, frozen=True):
    """The lower level of the category tree, in words; products name it by `key`."""

    key: str
    department: str
    english: str
    german: str
    picture: str


class Terms(msgspec.Struct, frozen=True):
    """Where data come from and on which terms they may be used; shown where they are used."""

    name: str
    what: str
    licence: str
    url: str


class Town(msgspec.Struct, frozen=True):
    """What pages show of a world: map layers as GeoJSON, their box (west, south, east, north), the category tree."""

    name: str
    box: tuple[float, float, float, float]
    layers: dict[str, bytes]
    departments: tuple[Department, ...]
    categories: tuple[Category, ...]
    terms: tuple[Terms, ...]


class WorldState(msgspec.Struct, frozen=True):
    """What the world's clock shows (microseconds since 1970, UTC), how fast it goes, what has happened so far."""

    time_us: int
    speed: float
    orders_placed: int
    orders_refused: int


class Door(Protocol):
    """Where a world hands in its commands, like anybody; a house is one."""

    @property
    def district(self) -> District:
        """The district as it is committed now."""
        ...

    @property
    def journal(self) -> Journal:
        """Where the stories of closed orders stand."""
        ...

    @property
    def vault(self) -> Vault:
        """Where a courier finds the address."""
        ...

    def submit(self, job: Job) -> asyncio.Future[Answer]:
        """Queue a command."""
        ...


class World(Protocol):
    """A simulated town: data to begin with, a world outside to call, people who act."""

    visitors: set[str]
    """Members whose seat a real person has taken: the world leaves them alone."""

    @property
    def calls(self) -> Mapping[str, Call]:
        """The world outside, by effect."""
        ...

    @property
    def town(self) -> Town:
        """What does not change; raises `Unavailable` before the world was loaded."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether this data folder's district was loaded from this world to the end."""
        ...

    def load(self, writer: Writer, vault: Vault, progress: Progress) -> None:
        """Bring the town into a district through the public commands; goes on where it was broken off."""
        ...

    def state(self) -> WorldState:
        """The world's clock and counters."""
        ...

    async def live(self, door: Door) -> None:
        """Act until cancelled."""
        ...


def find(name: str) -> Callable[..., World]:
    """What makes the world of that name: ``make(data_folder, seed=…, speed=…)``; raises `NotFound`."""
    worlds = {entry.name: entry for entry in entry_points(group="hanse.worlds")}
    if name not in worlds:
        raise NotFound(
            "app.unknown_world", f"There is no world {name}; there are: {', '.join(sorted(worlds))}.", name=name
        )
    make: Callable[[Path], World] = worlds[name].load()
    return make

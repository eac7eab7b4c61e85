"""What routes and pages ask of where they are served: the writer's house, or a follower's outpost."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from hanse.app.relay import Standing
from hanse.app.settings import Settings
from hanse.app.worlds import World
from hanse.district.archive import ArchiveReader
from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.journal.protocol import Entry, Journal
from hanse.people.vault import Vault

__all__ = ["Home"]


class Home(ABC):
    """A district that can be read here; commands are run here or nowhere.

    A base class and no protocol, because the framework looks at the type of what it hands to each route: that takes
    a protocol twenty times as long.
    """

    settings: Settings
    world: World | None
    journal: Journal
    vault: Vault
    archive: ArchiveReader
    secret: bytes
    started_us: int
    is_down: bool = False
    """Whether commands are refused because the journal is out of reach."""
    standings: Callable[[], dict[int, Standing]]
    """Where each follower stands; none where there are none."""

    @property
    @abstractmethod
    def district(self) -> District:
        """The district as it is committed now; ask for it anew each time."""

    @property
    @abstractmethod
    def position(self) -> int:
        """Where it stands, even while nobody can read it."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """How many commands wait for the writer."""

    @property
    @abstractmethod
    def restarts(self) -> int:
        """How often the writer had to begin anew."""

    @abstractmethod
    def submit(self, job: Job) -> asyncio.Future[Answer]:
        """Queue a command; the future is done when its answer is durable."""

    @abstractmethod
    def listen(self, listener: Callable[[list[Entry]], None]) -> Callable[[], None]:
        """Hear of the entries of each commit; returns what ends it."""

    @abstractmethod
    async def start(self) -> None:
        """Begin."""

    @abstractmethod
    async def stop(self) -> None:
        """Let go of everything."""

"""Helsinki as a world that ``hanse demo`` starts: loaded once, then alive."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from hanse.app.worlds import Door, Progress, Town, WorldState
from hanse.district.effects import Call
from hanse.district.jobs import Answer, Job
from hanse.district.writer import Writer
from hanse.kernel.errors import HanseError, NotFound, Unavailable
from hanse.kernel.geo import Place
from hanse.people.vault import Vault
from hanse.people.vault.store import Address
from hanse.world.clock import SPEED_MAX, WorldClock
from hanse.world.keep import Kept, keep, read
from hanse.world.life import Life
from hanse.world.load import address_id, load
from hanse.world.provider import SimulatedCards

__all__ = ["FILE", "Helsinki"]

FILE = "world.msgpack"
LOOK_EVERY_S = 0.2
_BUILD_STEPS = 100


def _now_us() -> int:
    return time.time_ns() // 1_000


class Helsinki:
    """Real shops, goods, baskets and homes; everything that they do is simulated.

    Parameters
    ----------
    data
        The district's data folder; what the world keeps for itself lies beside the journal.
    seed
        Of all that is invented and drawn.
    speed
        How much faster than ours the world's clock runs; at most ten times.
    clock
        Microseconds since 1970.
    """

    def __init__(
        self, data: Path, *, seed: int = 1, speed: float = SPEED_MAX, clock: Callable[[], int] = _now_us
    ) -> None:
        self.visitors: set[str] = set()
        self.cards = SimulatedCards(clock=clock)
        self._path = data / FILE
        self._seed = seed
        self._now_us = clock
        self._clock = WorldClock(clock(), speed)
        self._kept: Kept | None = read(self._path)
        self._life: Life | None = None

    @property
    def calls(self) -> Mapping[str, Call]:
        """The simulated card provider."""
        return self.cards.calls

    @property
    def town(self) -> Town:
        """Map, categories and terms."""
        return self._known().town

    @property
    def loaded(self) -> bool:
        """Whether what is kept beside the journal is there: it is written last."""
        return self._kept is not None

    def load(self, writer: Writer, vault: Vault, progress: Progress) -> None:
        """Read the sources, keep what is needed later, bring everything into the district."""
        # Only here: a second start needs neither the sources nor what reads them.
        from hanse.world.demo.build import scenario

        def reading(stage: str, share: float) -> None:
            progress("reading the sources", round(share * _BUILD_STEPS), _BUILD_STEPS)

        # Says whose folder it is, should the loading be broken off.
        begun = self._path.with_suffix(".loading")
        begun.touch()
        data = scenario(self._seed, progress=reading)
        load(writer, vault, data, progress)
        self._kept = keep(data, "Helsinki", self._path)
        begun.unlink()

    def state(self) -> WorldState:
        """Clock and counters."""
        placed, refused = (self._life.placed, self._life.refused) if self._life else (0, 0)
        return WorldState(self._clock.at(self._now_us()), self._clock.speed, placed, refused)

    async def live(self, door: Door) -> None:
        """Look and act, five times a second, until cancelled."""
        kept = self._known()
        home = partial(_home, door.vault, {})
        life = self._life = Life(
            kept.baskets(),
            kept.targets,
            self._clock,
            seed=self._seed,
            home=home,
            story=door.journal.story,
            visitors=self.visitors,
        )
        while True:
            try:
                wanted = life.look(door.district, self._now_us())
            except Unavailable:
                wanted = []  # nobody can look while the journal is away
            for job in wanted:
                try:
                    door.submit(job).add_done_callback(partial(_tell, life, job))
                except HanseError:
                    # A full queue, or the same key on its way: people try again, and so do these.
                    continue
            await asyncio.sleep(LOOK_EVERY_S)

    def _known(self) -> Kept:
        if self._kept is None:
            raise Unavailable(
                "world.not_loaded", "This district was not loaded from a world; start it with `hanse demo`."
            )
        return self._kept


def _tell(life: Life, job: Job, answered: "asyncio.Future[Answer]") -> None:
    if not answered.cancelled():
        life.told(job, answered.result())


def _home(vault: Vault, known: dict[int, Place | None], household: int) -> Place | None:
    if household not in known:
        try:
            address = vault.get(address_id(household), Address)
            known[household] = Place(address.lat, address.lon)
        except NotFound:
            known[household] = None
    return known[household]

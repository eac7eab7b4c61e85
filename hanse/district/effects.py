"""Effects: the world outside is called here, never inside the writer.

The flow's EFFECTS say which event asks for which effect; what has not been answered is the view `Owed`.
A worker calls the outside at least once, with an idempotency key and a deadline, and brings the answer
back as a command. So a crash between the two costs a second call under the same key, never an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from hanse.district.core import District, Job
from hanse.district.own import Owed
from hanse.district.writer import Writer
from hanse.events.dictionary import Event, decode
from hanse.events.district import EffectAnswered, EffectFailed
from hanse.journal.protocol import Journal
from hanse.kernel.errors import HanseError
from hanse.kernel.time import SECOND_US

__all__ = ["CALL_TIMEOUT_S", "GIVE_UP_US", "Call", "EffectWorker", "bring_back"]

CALL_TIMEOUT_S = 10.0
GIVE_UP_US = 600 * SECOND_US
AT_ONCE_MAX = 32
PAUSE_S = (0.2, 1.0, 5.0, 15.0, 60.0)

Call = Callable[[Event, str], Awaitable[Job]]
"""Asks the world outside; takes the event and an idempotency key, gives the command that tells the answer."""


class EffectWorker:
    """Calls what is owed, a bounded number at once, each again after a growing pause until it gives up."""

    def __init__(
        self, writer: Writer, journal: Journal, calls: Mapping[str, Call], *, clock: Callable[[], int]
    ) -> None:
        self._writer = writer
        self._journal = journal
        self._calls = calls
        self._clock = clock
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}

    def look(self) -> None:
        """Start a call for each effect that is owed and not being called; cheap when nothing is owed."""
        for effect, asked in self._writer.district.view(Owed).since_us.items():
            for position, since_us in asked.items():
                if (effect, position) not in self._running and len(self._running) < AT_ONCE_MAX:
                    task = asyncio.get_running_loop().create_task(self._settle(effect, position, since_us))
                    self._running[effect, position] = task
                    task.add_done_callback(partial(self._done, (effect, position)))

    def _done(self, owed: tuple[str, int], task: "asyncio.Task[None]") -> None:
        self._running.pop(owed, None)

    async def _settle(self, effect: str, position: int, since_us: int) -> None:
        entry = next(self._journal.read(position - 1, limit=1))
        event = decode(entry.name, entry.version, entry.body)
        assert event is not None
        job = Job(give_up, (effect, position, "There is nobody to call for this effect."))
        for attempt in range(1_000):
            try:
                job = await asyncio.wait_for(self._calls[effect](event, f"{effect}-{position}"), CALL_TIMEOUT_S)
                break
            except Exception as error:  # whatever the outside does, it is called again until the time is over
                if self._clock() - since_us > GIVE_UP_US or effect not in self._calls:
                    job = Job(give_up, (effect, position, f"{type(error).__name__}"))
                    break
                await asyncio.sleep(PAUSE_S[min(attempt, len(PAUSE_S) - 1)])
        self._writer.submit(Job(bring_back, (effect, position, job), "district"), lambda _: None)


def bring_back(district: District, effect: str, position: int, job: Job) -> None:
    """Run the command that tells the answer, and note that the effect is answered; once only."""
    if position not in district.view(Owed).since_us.get(effect, {}):
        return
    before = district.position
    try:
        job.command(district, *job.arguments)
    except HanseError as error:
        if district.position != before:
            raise
        district.record(EffectFailed(effect, position, error.message))
        return
    if job.command is not give_up:
        district.record(EffectAnswered(effect, position))


def give_up(district: District, effect: str, position: int, error: str) -> None:
    """Stop asking; a person has to look."""
    district.record(EffectFailed(effect, position, error))

"""Effects: the world outside is called here, never inside the writer.

The flow's EFFECTS say which event asks for which effect; what has not been answered is the view `Owed`.
A worker calls the outside at least once, with an idempotency key and a deadline, and brings the answer
back as a command. So a crash between the two costs a second call under the same key, never an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.district.own import Owed
from hanse.district.writer import Writer
from hanse.events.dictionary import Event, decode
from hanse.events.district import EffectAnswered, EffectFailed
from hanse.journal.protocol import Journal
from hanse.kernel.errors import HanseError, Unavailable
from hanse.kernel.time import SECOND_US

__all__ = ["CALL_TIMEOUT_S", "GIVE_UP_US", "Call", "EffectWorker", "bring_back", "give_up"]

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
        if self._writer.is_down:
            return
        for effect, asked in self._writer.district.view(Owed).since_us.items():
            for position, since_us in asked.items():
                if (effect, position) not in self._running and len(self._running) < AT_ONCE_MAX:
                    task = asyncio.get_running_loop().create_task(self._settle(effect, position, since_us))
                    self._running[effect, position] = task
                    task.add_done_callback(partial(self._done, (effect, position)))

    async def stop(self) -> None:
        """Let go of the calls under way; they are still owed and are made again after the next start."""
        calls = list(self._running.values())
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _done(self, owed: tuple[str, int], task: "asyncio.Task[None]") -> None:
        self._running.pop(owed, None)

    async def _settle(self, effect: str, position: int, since_us: int) -> None:
        """Ask and tell until the answer is durable; give up when the time is over, but ask once at least."""
        error, attempt = "there is nobody to call for this effect", 0
        while effect in self._calls:
            try:
                answer = await self._tell(bring_back, effect, position, await self._ask(effect, position))
                if answer.kind == "ok":
                    return
                error = answer.kind
            except Exception as failed:  # whatever the outside does, it is called again until the time is over
                error = type(failed).__name__
            if self._clock() - since_us > GIVE_UP_US:
                break
            await asyncio.sleep(PAUSE_S[min(attempt, len(PAUSE_S) - 1)])
            attempt += 1
        # Who can't be told now is found owed at the next look.
        with suppress(Unavailable):
            await self._tell(give_up, effect, position, error)

    async def _ask(self, effect: str, position: int) -> Job:
        entry = next(self._journal.read(position - 1, limit=1))
        event = decode(entry.name, entry.version, entry.body)
        assert event is not None
        return await asyncio.wait_for(self._calls[effect](event, f"{effect}-{position}"), CALL_TIMEOUT_S)

    async def _tell(self, command: Callable[..., None], effect: str, position: int, what: Job | str) -> Answer:
        told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # The fingerprint tells this effect from others, should its command have to be parked.
        job = Job(command, (effect, position, what), "district", fingerprint=f"{effect}-{position}".encode())
        self._writer.submit(job, lambda answer: None if told.done() else told.set_result(answer))
        return await told


def bring_back(district: District, effect: str, position: int, job: Job) -> None:
    """Run the command that tells the answer, and note that the effect is answered; once only."""
    if not _owed(district, effect, position):
        return
    before = district.position
    try:
        job.command(district, *job.arguments)
    except HanseError as error:
        if district.position != before:
            raise
        district.record(EffectFailed(effect, position, error.message))
        return
    district.record(EffectAnswered(effect, position))


def give_up(district: District, effect: str, position: int, error: str) -> None:
    """Stop asking; a person has to look."""
    if _owed(district, effect, position):
        district.record(EffectFailed(effect, position, error))


def _owed(district: District, effect: str, position: int) -> bool:
    return position in district.view(Owed).since_us.get(effect, {})

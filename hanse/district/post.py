"""The post: brings what waits for neighbours to them, for ever, and their receipts back.

One batch is under way for each neighbour, and a growing pause lies behind one that got nowhere. Nothing is ever given
up: what a neighbour has to hear concerns money.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from hanse.district.jobs import Answer, Job
from hanse.district.messages import acknowledge, next_batch
from hanse.district.neighbours import Batch, Neighbours, Receipt
from hanse.district.writer import Writer

__all__ = ["PAUSES_S", "Deliver", "Post"]

PAUSES_S = (0.2, 1.0, 5.0, 15.0, 60.0)

Deliver = Callable[[Batch], Awaitable[Receipt]]
"""Brings a batch to the neighbour that it is for; raises whatever went wrong on the way."""


class Post:
    """Sends to each of these neighbours what waits for it.

    Parameters
    ----------
    writer
        Of the district that sends.
    deliver
        The way there.
    neighbours
        The tags of those who can be reached.
    pauses_s
        How long it rests after the first, second … attempt in vain; the last again and again.
    """

    def __init__(
        self, writer: Writer, deliver: Deliver, neighbours: Iterable[str], *, pauses_s: tuple[float, ...] = PAUSES_S
    ) -> None:
        self._writer = writer
        self._deliver = deliver
        self._neighbours = tuple(neighbours)
        self._pauses_s = pauses_s
        self._running: dict[str, asyncio.Task[None]] = {}
        self.failures: dict[str, str] = {}
        """Why the last attempt got nowhere, by neighbour; nothing for one that is reached."""

    def look(self) -> None:
        """Begin to send where something waits; cheap when nothing does."""
        if self._writer.is_down:
            return
        channels = self._writer.district.view(Neighbours).channels
        for tag in self._neighbours:
            if tag not in self._running and tag in channels and channels[tag].waiting:
                task = self._running[tag] = asyncio.get_running_loop().create_task(self._send(tag))
                task.add_done_callback(partial(self._done, tag))

    async def stop(self) -> None:
        """Let go of what is under way; it still waits and is sent again after the next start."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, tag: str, task: "asyncio.Task[None]") -> None:
        self._running.pop(tag, None)

    async def _send(self, tag: str) -> None:
        attempt = 0
        while (batch := next_batch(self._writer.district, tag)) is not None:
            self.failures[tag] = await self._exchange(batch)
            if not self.failures[tag]:
                del self.failures[tag]
                attempt = 0
                continue
            await asyncio.sleep(self._pauses_s[min(attempt, len(self._pauses_s) - 1)])
            attempt += 1

    async def _exchange(self, batch: Batch) -> str:
        """Bring a batch there and its receipt back; what went wrong, if nothing was gained by it."""
        try:
            receipt = await self._deliver(batch)
            told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            # The fingerprint tells this receipt from others, should its command have to be parked.
            job = Job(acknowledge, (receipt,), "district", fingerprint=f"{batch.to}-{receipt.through}".encode())
            self._writer.submit(job, lambda answer: None if told.done() else told.set_result(answer))
            answer = await told
        except Exception as error:  # whatever the way does, it is gone again
            return f"{type(error).__name__}: {error}"
        if answer.kind != "ok":
            return answer.kind
        gained = self._writer.district.view(Neighbours).channels[batch.to].acknowledged >= batch.messages[0].number
        return "" if gained else receipt.trouble or "the neighbour took none of it"

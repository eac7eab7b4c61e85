"""The way between districts as it is in bad weather: messages and receipts are lost, doubled, late, out of order.

Now and then a district hears nothing and is not heard for a while.
"""

from collections.abc import Mapping
from functools import partial
from random import Random

import msgspec

from hanse.district import messages
from hanse.district.jobs import Answer, Job
from hanse.district.neighbours import Batch, Neighbours, Receipt
from hanse.kernel.errors import HanseError
from hanse.world.simulation.life import Life
from hanse.world.simulation.report import Broken

__all__ = ["Mail"]

COPIES = (0, 1, 1, 1, 1, 2)
DELAYS = (1, 1, 2, 3, 8, 60)
OUTAGE_SHARE = 0.006
OUTAGE_STEPS = 250


class Mail:
    """Carries batches to the districts' inboxes, and receipts back. `fair`: from now on everything arrives at once."""

    def __init__(self, rng: Random, lives: Mapping[str, Life]) -> None:
        self._rng = rng
        self._lives = lives
        self._way: list[tuple[int, Batch | Receipt]] = []
        self._step = 0
        self._cut: dict[str, int] = {}
        self.fair = False
        self.lost = self.doubled = self.carried = 0

    def pass_on(self) -> None:
        """Take up what waits in the outboxes, and put what has come into the queues of the writers."""
        self._step += 1
        if self._rng.random() < OUTAGE_SHARE:
            self._cut[self._rng.choice(list(self._lives))] = self._step + self._rng.randrange(OUTAGE_STEPS)
        for tag, life in self._lives.items():
            for to, channel in life.writer.district.view(Neighbours).channels.items():
                if channel.waiting and (self.fair or self._rng.random() < 0.4):
                    batch = messages.next_batch(life.writer.district, to)
                    assert batch is not None
                    assert batch.sender == tag
                    self._post(batch)
        due = [what for at, what in self._way if at <= self._step]
        self._way = [(at, what) for at, what in self._way if at > self._step]
        if not self.fair:
            self._rng.shuffle(due)
        for what in due:
            if self.fair or max(self._cut.get(what.sender, 0), self._cut.get(what.to, 0)) < self._step:
                self._deliver(what)

    def _post(self, what: Batch | Receipt) -> None:
        copies = 1 if self.fair else self._rng.choice(COPIES)
        self.lost += copies == 0
        self.doubled += copies == 2
        for _ in range(copies):
            self._way.append((self._step + (1 if self.fair else self._rng.choice(DELAYS)), what))

    def _deliver(self, what: Batch | Receipt) -> None:
        self.carried += 1
        life = self._lives[what.to]
        if isinstance(what, Receipt):
            life.writer.submit(Job(messages.acknowledge, (what,), "league"), self._acknowledged)
            return
        for message in what.messages:
            last = message is what.messages[-1]
            job = Job(
                messages.receive, (what.sender, message), "league", "", f"{what.sender}-{message.number}".encode()
            )
            try:
                life.writer.submit(job, partial(self._received, last))
            except HanseError as error:
                raise Broken(f"message {message.number} of {what.sender} was turned away: {error.code}") from error

    def _received(self, last: bool, answer: Answer) -> None:
        if answer.kind == "ok" and last:
            self._post(msgspec.json.decode(answer.body, type=Receipt))
        elif answer.kind not in ("ok", "Unavailable", "JournalUnavailable"):
            raise Broken(f"a message was answered by {answer.kind}: {answer.body!r}")

    def _acknowledged(self, answer: Answer) -> None:
        if answer.kind not in ("ok", "Unavailable", "JournalUnavailable"):
            raise Broken(f"a receipt was answered by {answer.kind}: {answer.body!r}")

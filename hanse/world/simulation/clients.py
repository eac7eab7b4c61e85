"""The clients: each asks again under the same key until it has an answer, and never forgets what it was told."""

from collections import deque
from functools import partial
from random import Random

import msgspec

from hanse.district.jobs import Answer, Job, origin_of
from hanse.district.writer import Writer
from hanse.flows.order import place
from hanse.journal.faulty import Crash
from hanse.kernel.errors import HanseError
from hanse.world.simulation.books import DAY_US, Books
from hanse.world.simulation.report import Broken, Report
from hanse.world.simulation.town import Act, stumble_before

__all__ = ["Clients", "Request"]

REMEMBERED = 400
NO_ANSWER = {"JournalUnavailable", "Unavailable"}
PATIENCE_US = DAY_US // 2


class Request:
    """One thing that a client wants, under one key, as long as it takes."""

    __slots__ = ("act", "answer", "first_us", "job", "waiting")

    def __init__(self, act: Act, job: Job, first_us: int) -> None:
        self.act = act
        self.job = job
        self.first_us = first_us
        self.waiting = False
        self.answer: Answer | None = None


class Clients:
    """All clients. `now_us` is the latest clock that anybody has seen: keys live a day of it."""

    def __init__(self, rng: Random, books: Books, report: Report) -> None:
        self._rng = rng
        self._books = books
        self._report = report
        self._number = 0
        self.now_us = 0
        self.unanswered: dict[str, Request] = {}
        self.answered: deque[Request] = deque(maxlen=REMEMBERED)
        self.recent: deque[str] = deque(maxlen=8)
        self.crash_after: int | None = None
        """Give so many answers, then the process is gone."""

    def ask(self, writer: Writer, act: Act) -> None:
        """Somebody wants something new."""
        self._number += 1
        caller = f"client_{self._number % 17}"
        key = f"key-{self._number}" if act.keyed else ""
        request = Request(act, Job(act.command, act.arguments, caller, key, _fingerprint(act)), self.now_us)
        if key:
            self.unanswered[key] = request
        self._submit(writer, request, request.job)

    def insist(self, writer: Writer) -> None:
        """Somebody who has no answer asks again."""
        for key in list(self.unanswered)[: self._rng.choice((1, 3, 20))]:
            request = self.unanswered[key]
            if self.now_us - request.first_us > PATIENCE_US:
                del self.unanswered[key]
            elif not request.waiting or self._rng.random() < 0.1:
                self._report.duplicates += 1
                self._submit(writer, request, request.job)

    def repeat(self, writer: Writer) -> None:
        """Somebody sends again what was answered, or uses its key for something else."""
        if not self.answered:
            return
        request = self._rng.choice(self.answered)
        stored = self._books.answers[request.job.caller, request.job.key]
        if self.now_us - stored.time_us > DAY_US - 1_000_000:
            return
        self._report.duplicates += 1
        if self._rng.random() < 0.8:
            self._submit(writer, request, request.job)
        else:
            self._submit_other(writer, request)

    def crashed(self) -> None:
        """The process is gone, and with it every answer on its way."""
        for request in self.unanswered.values():
            request.waiting = False

    def _submit(self, writer: Writer, request: Request, job: Job) -> None:
        self._report.commands += 1
        self.recent.append(f"{origin_of(job.command)} {job.arguments!r}"[:300])
        was_waiting = request.waiting
        request.waiting = True
        try:
            writer.submit(job, partial(self._reply, request))
        except HanseError as error:
            if error.code == "district.key_in_flight" and was_waiting:
                return
            stops = self._books.stops.get((origin_of(job.command), job.caller, job.key or job.fingerprint.hex()), 0)
            if error.code == "district.command_parked" and stops >= 2:
                self.unanswered.pop(job.key, None)
                return
            raise Broken(f"{origin_of(job.command)} was turned away: {error.code}") from error

    def _submit_other(self, writer: Writer, request: Request) -> None:
        self._report.commands += 1
        other = Job(stumble_before, (0,), request.job.caller, request.job.key, b"another body")
        try:
            writer.submit(other, partial(self._reply, request))
        except HanseError as error:
            stopped = error.code == "district.command_parked"
            if error.code == "district.key_reused" or stopped:
                return
            raise
        raise Broken(f"another body was taken under the key {request.job.key}, which was answered")

    def _reply(self, request: Request, answer: Answer) -> None:
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                self.crash_after = None
                raise Crash
        request.waiting = False
        if answer.kind in NO_ANSWER:
            return
        if answer.kind == "Bug" and request.act.command is not stumble_before:
            raise Broken(f"{origin_of(request.act.command)}{request.act.arguments!r} met a bug: {answer.body!r}")
        self._report.refused += answer.kind != "ok"
        if answer.position > self._books.position:
            raise Broken(f"an answer speaks of position {answer.position}, durable is {self._books.position}")
        if answer.kind == "Bug":
            # Not kept: the next time the same key is asked, it is worked on anew.
            self.unanswered.pop(request.job.key, None)
        elif request.job.key:
            self._keyed(request, answer)

    def _keyed(self, request: Request, answer: Answer) -> None:
        job = request.job
        stored = self._books.answers.get((job.caller, job.key))
        if stored is None or stored.fingerprint != job.fingerprint:
            raise Broken(f"{origin_of(job.command)} was answered, but the answer is not in the journal")
        if (stored.kind, stored.body, stored.position) != (answer.kind, answer.body, answer.position):
            raise Broken(f"{origin_of(job.command)} was answered {answer}, the journal says {stored}")
        if request.answer is not None and not answer.replayed:
            raise Broken(f"the key {job.key} was worked on twice")
        if request.answer is None:
            request.answer = answer
            self.answered.append(request)
            if job.command is place and answer.kind == "ok":
                self._placed(request, answer)
        self.unanswered.pop(job.key, None)

    def _placed(self, request: Request, answer: Answer) -> None:
        said = msgspec.json.decode(answer.body)
        if said["result"] not in ("accepted", "awaiting_payment"):
            return
        tale = self._books.stories.all.get(said["order_id"])
        if tale is None or (tale.shopper, tale.total) != (request.act.arguments[0], said["total_minor"]):
            raise Broken("an order was acknowledged that the journal does not hold", said["order_id"])


def _fingerprint(act: Act) -> bytes:
    return repr((act.command, act.arguments) if not isinstance(act.command, partial) else act.arguments).encode()[-64:]

"""The writer: queue, keys, clock and journal around one district.

What was answered is durable: answers are given after the commit, and a turn that could not be committed
is answered to nobody and leaves no trace in memory. The writer runs where it is called, in one thread;
so readers in its process only ever see committed state.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from time import perf_counter

import msgspec

from hanse.district import collector
from hanse.district.answers import Answers, pair_of
from hanse.district.core import STOPS_BEFORE_PARKED, District
from hanse.district.jobs import Answer, Job, Stopped, origin_of, problem
from hanse.district.observing import Observer, Turned
from hanse.district.own import Troubles
from hanse.events.district import CommandStopped
from hanse.journal.protocol import Answered, Commit, Entry, Journal, JournalFenced, JournalUnavailable, Mark, seal
from hanse.kernel.errors import Conflict, HanseError, LimitExceeded, Unavailable

__all__ = ["JOBS_PER_TURN", "QUEUE_MAX", "Reply", "Writer"]

JOBS_PER_TURN = 1_024
"""Bounds how long a turn takes (about 50 ms), and so how long anybody waits for the commit of others."""

QUEUE_MAX = 8_192
BULK_MAX = 64
"""So many commands of many rows wait at most; a turn takes one of them."""

Reply = Callable[[Answer], None]
_Waiting = tuple[Job, Reply, int]
"""A command, who waits for its answer, and what stands for its caller and key."""

_encode = msgspec.json.encode


class Writer:
    """Runs one district over one journal.

    Parameters
    ----------
    journal
        To append to; nobody else may.
    build
        Makes the district as the journal says it is: from a snapshot or from the first entry. Called at
        the start, and again whenever memory can't be trusted any more.
    clock
        Microseconds since 1970, UTC.
    on_commit
        Told of the entries of each commit, after the answers were given.
    observer
        Watches the writer at work.
    is_watched
        Whether somebody calls `come_back` from time to time. Then the second commit in a row that fails is the last
        one that is tried: the writer is down until the journal takes writes again, and what is committed is read
        meanwhile. Otherwise each command tries it anew.
    """

    def __init__(
        self,
        journal: Journal,
        build: Callable[[Journal], District],
        *,
        clock: Callable[[], int],
        on_commit: Callable[[list[Entry]], None] | None = None,
        observer: Observer | None = None,
        is_watched: bool = False,
    ) -> None:
        self._is_watched = is_watched
        self._journal = journal
        self._build = build
        self._clock = clock
        self._on_commit = on_commit
        self._observer = observer
        self._queue: deque[_Waiting] = deque()
        self._bulk: deque[_Waiting] = deque()
        self._in_flight: set[int] = set()
        self._stalled = False
        self._sure = False
        self._failing = False
        self.is_down = False
        """Whether the journal is out of reach, so that nothing is taken in; `come_back` ends it."""
        self.restarts = 0
        self._start()
        # What is known of keys outlives a fault: a million of them take seconds to read again.
        self._answers = Answers(self._journal, clock=self._clock)
        self._told, self._untold = self._head.position, False

    def _start(self) -> None:
        self._sure = False
        self._district = self._build(self._journal)
        self._district.observer = self._observer
        self._head = self._journal.head()
        self._troubles = self._district.view(Troubles)
        self._note(District.deploy)
        self._sure = True

    @property
    def district(self) -> District:
        """The district as it is committed now.

        Raises
        ------
        Unavailable
            Memory is ahead of a journal that is out of reach.
        """
        if not self._sure:
            raise _out_of_reach()
        return self._district

    @property
    def position(self) -> int:
        """Where the journal ended when it was last written or read."""
        return self._head.position

    # Taking in

    def submit(self, job: Job, reply: Reply) -> None:
        """Queue a command; `reply` is called once it is durable, or at once if the key was answered before.

        Raises
        ------
        LimitExceeded
            The queue is full.
        Conflict
            The same key is being worked on, or its command was parked.
        InvalidInput
            The key was used with another body.
        Unavailable
            The journal is out of reach.
        """
        if self.is_down:
            raise _out_of_reach()
        if len(self._queue) >= QUEUE_MAX or (job.bulk and len(self._bulk) >= BULK_MAX):
            raise LimitExceeded(
                "district.queue_full", "The district has too much to do; try again in a second.", retry_after_s=1
            )
        if self._troubles.stopped:
            self._refuse_parked(job)
        pair = pair_of(job)
        if pair:
            if pair in self._in_flight:
                raise Conflict("district.key_in_flight", "This very request is being worked on; wait for its answer.")
            known = self._answers.find(job, pair)
            if known is not None:
                reply(known)
                return
            self._in_flight.add(pair)
        (self._bulk if job.bulk else self._queue).append((job, reply, pair))

    def _refuse_parked(self, job: Job) -> None:
        what = origin_of(job.command)
        if self._troubles.stops(what, job.caller, _name(job)) >= STOPS_BEFORE_PARKED:
            raise Conflict(
                "district.command_parked", "This request stopped the district twice and is parked; report it."
            )

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return len(self._queue) + len(self._bulk)

    @property
    def busy(self) -> bool:
        """Whether a turn has anything to do beside deadlines."""
        # While the journal cannot be written, what is owed waits for the next turn that somebody asks for.
        return bool(self._queue) or bool(self._bulk) or (not self._stalled and self._district.steps_owed > 0)

    # Turning

    def turn(self) -> int:
        """Run one turn and commit it; returns how many commands were answered.

        A turn whose commit fails, or in which something raised after a record, is undone by replay.
        """
        if self.is_down:
            return 0
        if self._untold:
            self._tell_what_was_missed()
        taken = [self._queue.popleft() for _ in range(min(JOBS_PER_TURN, len(self._queue)))]
        if self._bulk:
            taken.append(self._bulk.popleft())
        jobs = [job for job, _, _ in taken]
        pairs = [pair for _, _, pair in taken]
        began = perf_counter()
        try:
            turn = self._district.turn(jobs, self._clock())
            folded = perf_counter()
            rows, answered = self._answers.rows(jobs, pairs, turn.answers, now_us=self._district.now_us)
            self._commit(turn.entries, rows, turn.steps_through)
        except Stopped as stopped:
            self._recover(stopped, taken)
            return 0
        except JournalFenced:
            raise
        except JournalUnavailable as error:
            self._undo(taken, error)
            return 0
        committed = perf_counter()
        self._stalled = False
        self._answers.remember(answered, now_us=self.district.now_us)
        self._in_flight.difference_update(pairs)
        for (_, reply, _), answer in zip(taken, turn.answers, strict=True):
            reply(answer)
        if turn.entries and self._on_commit is not None:
            self._on_commit(turn.entries)
            self._told = turn.entries[-1][0]
        if self._observer is not None:
            self._observer.turned(Turned(jobs, turn.answers, turn.entries, folded - began, committed - folded))
        if self._answers.many:
            self._forget()
        collector.look()
        return len(taken)

    def run(self) -> None:
        """Turn until nothing waits and nothing is owed, or the journal cannot be written."""
        self._stalled = self.is_down
        while self.busy:
            self.turn()

    def tidy(self) -> None:
        """What can wait for a quiet moment: forget old answers, look for garbage."""
        self._forget()
        collector.look(new_max=1)

    def _forget(self) -> None:
        if not self.is_down:
            with suppress(JournalUnavailable):
                self._answers.forget()

    def renew(self) -> None:
        """Show the journal that somebody writes it; to be called many times a second, whether there is work or not.

        Raises `JournalFenced` if another writer has taken over: then this one must stop.
        """
        if not self.is_down:
            try:
                self._journal.renew()
            except JournalUnavailable:
                # Nothing is under way, so what is in memory is what is committed: it can still be read.
                self._go_down()

    def come_back(self) -> bool:
        """Try to go on after the journal was out of reach; whether that worked. Takes as long as a start.

        May run in another thread: nothing else touches the writer meanwhile.
        """
        try:
            if not self._sure or self._journal.head()[:4] != self._head[:4]:
                self.restarts += 1
                self._start()
                self._untold = True
            self._answers.catch_up()
            if self._failing:
                # It can be read, and was not written: reads are answered by now, commands have to wait.
                self._journal.probe()
                self._failing = False
        except JournalUnavailable:
            return False
        self._stalled = self.is_down = False
        return True

    def _note(self, note: Callable[[District], None]) -> None:
        turn = self._district.note(note, self._clock())
        self._commit(turn.entries, [], turn.steps_through)

    def _commit(self, entries: list[Entry], rows: list[Answered], steps_through: int) -> None:
        # Steps that recorded nothing need no commit: after a crash they run again, and again record nothing.
        if not entries and not rows:
            return
        mark = None
        if entries:
            mark = Mark(
                entries[-1][0],
                self._district.now_us,
                steps_through,
                len(entries),
                seal(self._head.hash, entries, steps_through),
            )
        self._journal.append(Commit(entries, rows, mark))
        self._failing = False
        if mark is not None:
            self._head = self._head._replace(
                position=mark.position, time_us=mark.time_us, steps_through=steps_through, hash=mark.hash
            )
            self._district.chain = mark.hash

    # Trouble

    def _tell_what_was_missed(self) -> None:
        """Tell listeners of what became durable without their hearing of it: the answer to the commit was lost."""
        with suppress(JournalUnavailable):
            missed = list(self._journal.read(self._told, limit=self._head.position - self._told))
            self._told, self._untold = self._head.position, False
            if missed and self._on_commit is not None:
                self._on_commit(missed)

    def _recover(self, stopped: Stopped, taken: list[_Waiting]) -> None:
        """Throw memory away, replay, write down what stopped us, and take the others in again."""
        self.restarts += 1
        job = stopped.job
        note = CommandStopped(stopped.what, job.caller, _name(job), str(stopped))
        try:
            self._start()
            self._note(partial(_record, event=note))
            self._untold = True
        except JournalUnavailable:
            self._sure = False
            self._queue.extendleft(reversed(taken))
            self._go_down()
            return
        if self._observer is not None:
            parked = self._troubles.stops(stopped.what, job.caller, _name(job)) >= STOPS_BEFORE_PARKED
            error = stopped.__cause__ or stopped
            self._observer.restarted(reason="stopped", what=stopped.what, error=error, parked=parked)
        self._queue.extendleft(one for one in reversed(taken) if one[0] is not job)
        for one, reply, pair in taken:
            if one is job:
                self._in_flight.discard(pair)
                reply(
                    _refusal(
                        Unavailable(
                            "district.command_stopped",
                            "This request met a bug and changed nothing; repeat it once, then report it.",
                        )
                    )
                )

    def _undo(self, taken: list[_Waiting], error: JournalUnavailable) -> None:
        """The commit failed: nobody is told of anything but that, and memory follows the journal again."""
        self.restarts += 1
        self._stalled = True
        self._in_flight.difference_update(pair for _, _, pair in taken)
        if self._observer is not None:
            self._observer.restarted(reason="unavailable", what="journal", error=error, parked=False)
        try:
            if self._failing and self._is_watched:
                # Not once more for each command: a start takes seconds, in which nobody can read either.
                self._sure = False
                self._go_down()
                return
            self._failing = True
            self._start()
            # The commit may have become durable after all.
            self._answers.catch_up()
            self._untold = True
        except JournalUnavailable:
            self._go_down()
        finally:
            _refuse(taken, error)

    def _go_down(self) -> None:
        """Take nothing in until the journal is there again; who waits is told."""
        self.is_down = self._stalled = True
        waiting = [*self._queue, *self._bulk]
        self._queue.clear()
        self._bulk.clear()
        self._in_flight.clear()
        _refuse(waiting, _out_of_reach())


def _record(district: District, *, event: CommandStopped) -> None:
    district.record(event)


def _name(job: Job) -> str:
    """What tells a command from others of its kind: its key, or else its body, or else its arguments."""
    if job.key or job.fingerprint:
        return job.key or job.fingerprint.hex()
    named = getattr(job.command, "keywords", None)
    return blake2b(repr((job.arguments, named)).encode(), digest_size=16).hexdigest()


def _refuse(waiting: list[_Waiting], error: HanseError) -> None:
    refusal = _refusal(error)
    for _, reply, _ in waiting:
        reply(refusal)


def _out_of_reach() -> Unavailable:
    return Unavailable(
        "district.journal_away", "The journal is out of reach, nothing was changed; try again soon.", retry_after_s=1
    )


def _refusal(error: HanseError) -> Answer:
    return Answer(error.kind, _encode(problem(error)), 0)

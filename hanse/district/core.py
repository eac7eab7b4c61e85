"""The district itself: runs commands, deadlines and steps in turns, folds what they record.

No thread, file or clock inside; all variation (jobs, time) enters through `turn`. How long something took is measured
for an observer, and decides nothing. The writer around it makes each turn durable before anybody hears of it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import perf_counter
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hanse.district.jobs import Answer, Job, Stopped, bug, origin_of, problem
from hanse.district.observing import Observer
from hanse.district.own import OWN_VIEWS, Consents, Deployment, Owed, Troubles
from hanse.district.reactions import Deadline, Flow, Reaction, Step, hearers, reactions, renamed, table
from hanse.district.views import View
from hanse.events.dictionary import Event, decode, kinds
from hanse.events.district import DistrictDeployed, StepFailed
from hanse.events.learning import DecisionMade, OutcomeObserved
from hanse.journal.protocol import GENESIS, Entry
from hanse.kernel.errors import HanseError
from hanse.kernel.ids import IdMaker
from hanse.kernel.money import check_currency
from hanse.kernel.time import from_micros, zone

__all__ = ["STOPS_BEFORE_PARKED", "Charter", "District", "Turn"]

STEPS_PER_TURN = 512
STOPS_BEFORE_PARKED = 2

V = TypeVar("V", bound=View)
T = TypeVar("T")
R = TypeVar("R")

_encoder = msgspec.json.Encoder()
_encode, _encode_into = _encoder.encode, _encoder.encode_into


class Charter(msgspec.Struct, frozen=True):
    """What a district declares of itself; zone, currency and country never change while it lives."""

    name: str = "district"
    tag: str = "0"
    zone: str = "Europe/Helsinki"
    currency: str = "EUR"
    country: str = "FI"
    delivery_vat_bp: int = 2_550


class Turn(NamedTuple):
    """What a turn leaves: entries to be committed, and answers to be given once they are."""

    entries: list[Entry]
    answers: list[Answer]
    steps_through: int


class _Due(NamedTuple):
    position: int
    event: Event
    steps: tuple[Step, ...]


class District:
    """One town's worth of order and consistency.

    Parameters
    ----------
    charter
        Zone, currency, country: declared once.
    views
        The classes of views to keep, beside the district's own.
    flows
        Modules with STEPS, DEADLINES and EFFECTS.
    """

    def __init__(self, charter: Charter, *, views: Iterable[type[View]], flows: Iterable[Flow]) -> None:
        self.charter = charter
        self.zone: ZoneInfo = zone(charter.zone)
        self.currency = check_currency(charter.currency)
        self.now_us = 0
        self.position = 0
        self.chain = GENESIS
        """The hash of the commit that ended at `position`; whoever commits or replays sets it."""
        self._ids = IdMaker(charter.tag)
        self.next_id = self._ids.next
        """A new id of a kind, such as ``ord_…`` for ``ord``."""
        self._views: dict[type[View], View] = {cls: cls() for cls in (*OWN_VIEWS, *views)}
        self._flows = tuple(flows)
        self._deadlines = [deadline for flow in self._flows for deadline in flow.DEADLINES]
        self._table = table(self._flows)
        self.hearers = hearers(self._flows)
        """Who hears a neighbour's message, by its kind."""
        self._reactions: dict[type[Event], Reaction] = {}
        self._bind()
        self._entries: list[Entry] = []
        self._buffer = bytearray()
        self._due: deque[_Due] = deque()
        self._once: dict[tuple[Callable[..., Any], int], tuple[Any, Any]] = {}
        self._origin = ""
        self._cause = 0
        self.observer: Observer | None = None
        """Told of what is slow and what fails, if somebody wants to know."""

    # Asking

    @property
    def now(self) -> datetime:
        """The moment of this turn; fixed for the turn, never going back."""
        return from_micros(self.now_us)

    @property
    def steps_owed(self) -> int:
        """How many recorded events still wait for their steps."""
        return len(self._due)

    @property
    def steps_through(self) -> int:
        """Up to which position all steps are done."""
        return self._due[0].position - 1 if self._due else self.position

    def view(self, cls: type[V]) -> V:
        """The view of a class: typed, current."""
        return self._views[cls]  # type: ignore[return-value]

    def allowed(self, person_id: str, purpose: str, topic: str = "") -> bool:
        """Whether a person's data may be used for a purpose, on a topic. Default: no."""
        return self.view(Consents).allowed(person_id, purpose, topic)

    def once(self, subject: T, compute: Callable[["District", T], R]) -> R:
        """What `compute` says of a subject at this turn's `now`, computed once a turn. For dear pure questions."""
        known = self._once.get((compute, id(subject)))
        if known is None:
            # The subject is kept beside the result, so that nothing else can take its id meanwhile.
            known = self._once[compute, id(subject)] = (subject, compute(self, subject))
        return known[1]

    # Recording

    def record(self, event: Event) -> int:
        """Record an event: fold it into the views at once, queue its steps; returns its position."""
        name, version, story, folds, steps, effects = self._reactions[type(event)]
        now_us = self.now_us
        position = self.position + 1
        # Into a buffer that is there: one that grows from a few bytes for each event takes twice as long.
        _encode_into(event, self._buffer)
        self._entries.append(
            # A plain tuple in the order of Entry: making the named one costs 0.3 µs.
            (  # type: ignore[arg-type]
                position,
                now_us,
                name,
                version,
                story(event) if story else "",
                self._origin,
                self._cause,
                self._buffer.decode(),
            )
        )
        # From here on it has happened: what can't be written as JSON was refused before, and is harmless.
        self.position = position
        for fold in folds:
            fold(event, now_us)
        if steps:
            self._due.append(_Due(position, event, steps))
        if effects:
            self._ask(effects, position, now_us)
        return position

    def act_as(self, act: Callable[..., Any]) -> None:
        """Enter what is recorded next under another function's name: that of what a command runs for somebody."""
        self._origin = origin_of(act)

    def decided(
        self,
        capability: str,
        subject_id: str,
        *,
        policy: str,
        version: str,
        features: dict[str, float | str],
        action: str,
        probability: float,
        reasons: tuple[str, ...],
    ) -> str:
        """Write a brain's choice into the decision log; returns the decision's id."""
        decision_id = self.next_id("dec")
        self.record(
            DecisionMade(decision_id, capability, policy, version, subject_id, features, action, probability, reasons)
        )
        return decision_id

    def outcome(self, decision_id: str, subject_id: str, *, outcome: str, value: float) -> None:
        """Write what came of a decision into the decision log."""
        self.record(OutcomeObserved(decision_id, subject_id, outcome, float(value)))

    # Turning

    def turn(self, jobs: Sequence[Job], now_us: int) -> Turn:
        """Run what is due: deadlines, owed steps, then the jobs in order.

        Raises
        ------
        Stopped
            Something raised after it had recorded: throw this district away and replay.
        """
        self._begin(now_us)
        for deadline in tuple(self._deadlines):
            self._run_deadline(deadline)
        for _ in range(min(STEPS_PER_TURN, len(self._due))):
            self._run_steps(self._due.popleft())
        observer = self.observer
        answers = [self._answer(job) for job in jobs] if observer is None else self._timed(jobs, observer)
        return Turn(self._entries, answers, self.steps_through)

    def note(self, note: Callable[["District"], None], now_us: int) -> Turn:
        """A turn that only writes something down: no deadlines, no steps."""
        self._begin(now_us)
        self._origin, self._cause = "district.note", 0
        note(self)
        return Turn(self._entries, [], self.steps_through)

    def replay(self, entries: Iterable[Entry], *, steps_through: int) -> None:
        """Fold stored entries; events behind `steps_through` owe their steps again.

        Entries up to the present position are not folded again: they are looked at for owed steps only.
        """
        folded = self.position
        reactions = {
            kind.name: self._reactions[kind.cls]
            for kind in kinds()
            if self._reactions[kind.cls].folds or self._reactions[kind.cls].steps or self._reactions[kind.cls].effects
        }
        for position, time_us, name, version, _, _, _, body in entries:
            reaction = reactions.get(name)
            if reaction is not None:
                event = decode(name, version, body)
                assert event is not None
                if reaction.steps and position > steps_through:
                    self._due.append(_Due(position, event, reaction.steps))
                if position > folded:
                    self._fold(reaction, event, position, time_us)
            self.position, self.now_us = max(position, folded), max(time_us, self.now_us)

    def deploy(self) -> None:
        """Record the table of steps and effects if it is not the one in force, so that new ones start here.

        One that was renamed goes on where it was. One that is gone is a trouble: what it owed, nobody does.
        """
        deployment = self.view(Deployment)
        if deployment.steps_after.keys() == self._table and deployment.zone:
            return
        now_called = renamed(self._flows)
        before = {now_called.get(name, name): after for name, after in deployment.steps_after.items()}
        after = self.position + 1 if deployment.zone else 0
        self.record(
            DistrictDeployed(
                zone=self.charter.zone,
                currency=self.charter.currency,
                country=self.charter.country,
                steps_after={name: before.get(name, after) for name in sorted(self._table)},
            )
        )
        for gone in sorted(before.keys() - self._table - {""}):
            self.record(StepFailed(gone, self.position, "The program does not have it any more; see RENAMED of flows."))

    def has_step(self, name: str) -> bool:
        """Whether a step of this name is there, by its name of today or an earlier one."""
        return self._step(name) is not None

    def run_step(self, name: str, position: int, event: Event) -> None:
        """Run one step once more, for an event that was recorded at a position; raises what it raises."""
        step = self._step(name)
        assert step is not None
        origin, cause = self._origin, self._cause
        self._origin, self._cause = origin_of(step), position
        try:
            step(self, event)
        finally:
            self._origin, self._cause = origin, cause

    def _step(self, name: str) -> Step | None:
        called = renamed(self._flows).get(name, name)
        return next((step for flow in self._flows for _, step in flow.STEPS if origin_of(step) == called), None)

    # Snapshots

    def views(self) -> dict[str, View]:
        """All views by name: the whole state."""
        return {origin_of(cls): view for cls, view in self._views.items()}

    def restore(self, views: dict[str, View], *, position: int, now_us: int) -> None:
        """Take over the state of a snapshot."""
        self._views = {cls: views[origin_of(cls)] for cls in self._views}
        self.position, self.now_us = position, now_us
        self._bind()

    # Inside

    def _begin(self, now_us: int) -> None:
        self.now_us = max(now_us, self.now_us + 1)
        self._ids.begin(self.now_us)
        self._entries = []
        self._once.clear()

    def _fold(self, reaction: Reaction, event: Event, position: int, time_us: int) -> None:
        for fold in reaction.folds:
            fold(event, time_us)
        self._ask(reaction.effects, position, time_us)

    def _ask(self, effects: tuple[str, ...], position: int, now_us: int) -> None:
        after = self.view(Deployment).steps_after
        for effect in effects:
            # An effect that joined the table later is not asked for what happened before, on replay neither.
            if after.get(effect, position) < position:
                self.view(Owed).ask(effect, position, now_us)

    def _bind(self) -> None:
        self._reactions = reactions(self._views.values(), self._flows)

    def _timed(self, jobs: Sequence[Job], observer: Observer) -> list[Answer]:
        answers, slow_s = [], observer.slow_s
        began = perf_counter()
        for job in jobs:
            answers.append(self._answer(job))
            ended = perf_counter()
            if ended - began > slow_s:
                observer.slow("command", self._origin, seconds=ended - began, position=self.position, caller=job.caller)
            began = ended
        return answers

    def _answer(self, job: Job) -> Answer:
        before = self.position
        self._origin, self._cause = origin_of(job.command), 0
        try:
            body = _encode(job.command(self, *job.arguments))
        except HanseError as error:
            if self.position != before:
                raise Stopped(origin_of(job.command), job, error) from error
            return Answer(error.kind, _encode(problem(error)), self.position)
        except Exception as error:  # any bug: harmless before the first record, fatal after it
            if self.position != before:
                raise Stopped(origin_of(job.command), job, error) from error
            if self.observer is not None:
                self.observer.stumbled("command", self._origin, position=self.position, error=error)
            return Answer("Bug", _encode(bug(error)), self.position)
        return Answer("ok", body, self.position)

    def _run_steps(self, due: _Due) -> None:
        after = self.view(Deployment).steps_after
        for step in due.steps:
            name = origin_of(step)
            if after.get(name, 0) < due.position:
                self._guarded(name, due.position, step, due.event)

    def _run_deadline(self, deadline: Deadline) -> None:
        if not self._guarded(origin_of(deadline), 0, deadline):
            # It would fail again each turn: it rests until the next start, and the trouble is shown.
            self._deadlines.remove(deadline)

    def _guarded(self, name: str, position: int, act: Callable[..., None], *arguments: Event) -> bool:
        """Run a step or deadline; what raises before it records is noted and blocks nobody."""
        before = self.position
        self._origin, self._cause = name, position
        troubles = self.view(Troubles)
        if troubles.stopped and troubles.stops(name, "", str(position)) >= STOPS_BEFORE_PARKED:
            self.record(StepFailed(name, position, "It stopped the writer twice and is passed over."))
            if self.observer is not None:
                self.observer.stumbled("step", name, position=position, error=None)
            return False
        began = perf_counter()
        try:
            act(self, *arguments)
        except Exception as error:  # any bug: harmless before the first record, fatal after it
            if self.position != before:
                raise Stopped(name, Job(act, (), key=str(position)), error) from error
            self.record(StepFailed(name, position, f"{type(error).__name__}: {error}"))
            if self.observer is not None:
                self.observer.stumbled("step", name, position=position, error=error)
            return False
        if self.observer is not None and (seconds := perf_counter() - began) > self.observer.slow_s:
            kind = "step" if position else "deadline"
            self.observer.slow(kind, name, seconds=seconds, position=position, caller="")
        return True

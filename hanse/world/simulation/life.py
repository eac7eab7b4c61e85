"""The life of one seed: turns, crashes, failed commits, restarts, and the checks between them."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import Charter, District
from hanse.district.jobs import origin_of
from hanse.district.opening import follow, opener
from hanse.district.snapshots import take
from hanse.district.writer import Writer
from hanse.events.dictionary import Event
from hanse.journal.faulty import Crash, Fault, FaultyJournal
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Journal, JournalUnavailable
from hanse.kernel.chance import stream
from hanse.kernel.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from hanse.world.simulation.books import Books
from hanse.world.simulation.checks import check_all, check_journal, check_overdue, check_same, check_touched
from hanse.world.simulation.clients import Clients
from hanse.world.simulation.provider import Provider
from hanse.world.simulation.report import Broken, Failure, Report
from hanse.world.simulation.town import BUG, Town

__all__ = ["Life"]

START_US = 1_790_000_000 * SECOND_US
CHECK_ALL_EVERY = 500
SNAPSHOT_EVERY = 700
REPLAY_EVERY = 4_000
END_TURNS_MAX = 4_000

Trouble = Fault | Literal["crash_within", "crash_telling", "bug_within", "crash_between"]

FAULTS: dict[Trouble | Literal["none"], int] = {
    "none": 1_000,
    "full_before": 5,
    "full_after": 4,
    "crash_before": 3,
    "crash_after": 4,
    "crash_within": 4,
    "crash_telling": 4,
    "bug_within": 4,
    "crash_between": 3,
}


class Life:
    """One district from its founding to its last check; over a journal in memory unless another is given."""

    def __init__(self, seed: int, folder: Path, journal: Journal | None = None) -> None:
        self.report = Report(seed)
        self._rng = stream(seed, "life")
        self._folder = folder
        self.books = Books()
        self.books.expected_stop = BUG
        self.journal = FaultyJournal(journal or MemoryJournal(), on_durable=self.books.read)
        self._clock_us = START_US
        self._town = Town(stream(seed, "town"), self.books)
        self._clients = Clients(stream(seed, "clients"), self.books, self.report)
        self._provider = Provider(stream(seed, "provider"), self.books)
        self._from_zero = opener(Charter(), views=VIEWS, flows=FLOWS)
        self._from_snapshot = opener(Charter(), views=VIEWS, flows=FLOWS, snapshots=folder)
        self._deadlines = {origin_of(deadline) for flow in FLOWS for deadline in flow.DEADLINES}
        self._stumbled: set[tuple[str, int, str]] = set()
        self._full_for = 0
        self.writer = self._new_writer()

    def run(self, commands: int) -> Report:
        """Live through so many commands; raises `Failure` at the first rule that does not hold."""
        try:
            self._found()
            self._live(commands)
            self._end()
        except Broken as broken:
            raise self._failure(broken) from broken
        except Exception as error:  # whatever reaches us stopped the process for no planned reason
            raise self._failure(Broken(f"the process ended by {type(error).__name__}: {error}")) from error
        return self.report

    def _found(self) -> None:
        for act in self._town.founding():
            self._clients.ask(self.writer, act)
        while self.writer.busy:
            self._turn("none")
        for act in self._town.paying_in():
            self._clients.ask(self.writer, act)

    def _live(self, commands: int) -> None:
        every = {CHECK_ALL_EVERY: self._check_all, SNAPSHOT_EVERY: self._snapshot, REPLAY_EVERY: self._replay}
        due = dict.fromkeys(every, 0)
        faults, weights = list(FAULTS), list(FAULTS.values())
        while self.report.commands < commands:
            self._pass_time()
            self._submit()
            fault = self._rng.choices(faults, weights)[0]
            self._turn(fault)
            for interval, act in every.items():
                if self.report.commands >= due[interval]:
                    due[interval] += interval
                    act()

    def _end(self) -> None:
        """No more trouble: everybody gets an answer, everything owed is done, then all is checked once more."""
        self.journal.full, self._full_for = False, 0
        for leap_us in (SECOND_US, 40 * MINUTE_US, 3 * HOUR_US, 3 * DAY_US):
            self._clock_us = max(self._clock_us, self.books.time_us) + leap_us
            self._quieten()
        check_overdue(self.writer.district, self.books)
        if self.books.asked:
            raise Broken(f"the world outside was asked {len(self.books.asked)} times and never answered")
        self._replay()
        self.report.journal_hash = check_journal(self.journal)
        self.report.entries = self.books.position
        self.report.orders = {**self.books.stories.ends, "open": len(self.books.stories.open)}
        self.report.stops = sum(self.books.stops.values())

    def _quieten(self) -> None:
        for _ in range(END_TURNS_MAX):
            self._clock_us += 2 * SECOND_US
            self._listen()
            self._clients.insist(self.writer)
            self._turn("none")
            if not (self.writer.busy or self._clients.unanswered or self.books.asked):
                break
        self._check_all()

    # One turn

    def _pass_time(self) -> None:
        rng = self._rng
        draw = rng.random()
        if draw < 0.003:
            self.report.clock_jumps += 1
            forward = rng.choice((5 * MINUTE_US, HOUR_US, 5 * HOUR_US, 26 * HOUR_US))
            self._clock_us += forward if rng.random() < 0.6 else -rng.choice((SECOND_US, 10 * MINUTE_US, 3 * HOUR_US))
        elif draw < 0.0031:
            self._clock_us += 31 * DAY_US
        else:
            self._clock_us += int(rng.expovariate(1) * SECOND_US)
        self._clients.now_us = max(self._clients.now_us, self._clock_us)

    def _submit(self) -> None:
        self._listen()
        rng, clients = self._rng, self._clients
        for _ in range(rng.choices((0, 1, 4, 12, 60), (1, 3, 3, 2, 1))[0]):
            draw = rng.random()
            if draw < 0.9:
                clients.ask(self.writer, self._town.next())
            elif draw < 0.95:
                clients.insist(self.writer)
            else:
                clients.repeat(self.writer)

    def _listen(self) -> None:
        self._provider.listen(self._clock_us)
        self._provider.answer(self.writer, self._clock_us)

    def _turn(self, fault: Trouble | Literal["none"]) -> None:
        self.report.turns += 1
        restarts = self.writer.restarts
        self._arm(fault)
        try:
            self.writer.turn()
            if fault == "crash_between":
                raise Crash
        except (Crash, JournalUnavailable):
            # A writer that cannot go on ends its process; whoever watches it starts another.
            self._crash()
        else:
            self._disarm()
            if self.writer.restarts != restarts:
                self.report.commit_failures += fault in ("full_before", "full_after")
                self._check_all()
        check_touched(self.writer.district, self.books)

    def _arm(self, fault: Trouble | Literal["none"]) -> None:
        self._full_for -= 1
        self.journal.full = self._full_for > 0
        if fault in ("full_before", "full_after", "crash_before", "crash_after"):
            self.journal.next_fault = fault
            if fault == "full_before" and self._rng.random() < 0.3:
                self._full_for = 4
        elif fault == "crash_telling":
            self._clients.crash_after = self._rng.randrange(4)
        elif fault in ("crash_within", "bug_within"):
            district, left = self.writer.district, self._rng.randrange(12)
            record: Callable[[Event], int] = district.record
            # The instance's own attribute goes before the method, for this turn only.
            district.record = self._tripping(district, record, left, fault == "bug_within")  # type: ignore[method-assign, assignment]

    def _disarm(self) -> None:
        self.journal.next_fault = None
        self._clients.crash_after = None
        vars(self.writer.district).pop("record", None)

    def _tripping(
        self, district: District, record: Callable[[Event], int], left: int, bug: bool
    ) -> Callable[[Event], int]:
        """A `record` that, so many records later, is the end of the process or of the command."""

        def tripping(event: Event) -> int:
            nonlocal left
            left -= 1
            if left == 0 and not bug:
                raise Crash
            position = record(event)
            if left <= 0 and bug and self._may_stumble(district, event):
                left = 1_000_000
                raise RuntimeError(BUG)
            return position

        return tripping

    def _may_stumble(self, district: District, event: Event) -> bool:
        # A deadline or step that stops the writer twice is passed over for good, so none does so here.
        where = (district._origin, district._cause, getattr(event, "order_id", ""))
        if district._origin in self._deadlines or where in self._stumbled:
            return False
        self._stumbled.add(where)
        return True

    # Restarts and checks

    def _crash(self) -> None:
        self.report.crashes += 1
        self.journal.next_fault = self._clients.crash_after = None
        self._clients.crashed()
        self.writer = self._new_writer()
        self._check_all()

    def _new_writer(self) -> Writer:
        return Writer(self.journal, self._build, clock=lambda: self._clock_us)

    def _build(self, journal: Journal) -> District:
        if self._rng.random() < 0.15:
            self.report.restarts_from_zero += 1
            return self._from_zero(journal)
        self.report.restarts_from_snapshot += 1
        return self._from_snapshot(journal)

    def _check_all(self) -> None:
        check_all(self.writer.district, self.books)

    def _snapshot(self) -> None:
        take(self.writer.district, self._folder)
        live = self.writer.district
        check_same(
            live, follow(self.journal, Charter(), views=VIEWS, flows=FLOWS, snapshots=self._folder), "a snapshot"
        )

    def _replay(self) -> None:
        live = self.writer.district
        check_same(live, follow(self.journal, Charter(), views=VIEWS, flows=FLOWS), "a replay")

    def _failure(self, broken: Broken) -> Failure:
        story = self.journal.story(broken.story) if broken.story else []
        return Failure(
            broken.rule,
            seed=self.report.seed,
            turn=self.report.turns,
            commands=self._clients.recent,
            story=story,
        )

"""The life of one seed: turns, crashes, failed commits, restarts, and the checks between them."""

from collections.abc import Callable, Iterable
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
from hanse.journal.protocol import Commit, Entry, Journal, JournalUnavailable
from hanse.kernel.chance import stream
from hanse.kernel.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from hanse.world.simulation.books import Books
from hanse.world.simulation.checks import check_all, check_journal, check_overdue, check_same, check_touched
from hanse.world.simulation.clients import Clients
from hanse.world.simulation.provider import Provider
from hanse.world.simulation.report import Broken, Failure, Report
from hanse.world.simulation.town import BUG, Act, Town

__all__ = ["END_TURNS_MAX", "LEAPS_US", "Life"]

START_US = 1_790_000_000 * SECOND_US
CHECK_ALL_EVERY = 500
SNAPSHOT_EVERY = 700
REPLAY_EVERY = 4_000
END_TURNS_MAX = 4_000
LEAPS_US = (SECOND_US, 40 * MINUTE_US, 3 * HOUR_US, 3 * DAY_US)
"""What the clock leaps at the end, so that whatever is due comes due."""

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
    """One district from its founding to its last check; over a journal in memory unless another is given.

    Parameters
    ----------
    tag
        Which of a league's districts it is.
    more
        Draws what people do beside what the town itself has them do; None: nothing, this time.
    heard
        Told of each durable commit, beside the books.
    """

    def __init__(
        self,
        seed: int,
        folder: Path,
        journal: Journal | None = None,
        *,
        tag: str = "0",
        more: Callable[[], Act | None] = lambda: None,
        heard: Callable[[Commit], None] = lambda commit: None,
    ) -> None:
        self.report = Report(seed)
        self.charter = Charter(tag=tag)
        of = "" if tag == "0" else f" of {tag}"
        self._rng = stream(seed, f"life{of}")
        self._folder = folder
        self._more = more
        self.books = Books()
        self.books.expected_stop = BUG
        self._heard = heard
        self.journal = FaultyJournal(journal or MemoryJournal(), on_durable=self._read)
        self.clock_us = START_US
        self._town = Town(stream(seed, f"town{of}"), self.books, self.journal.story)
        self._clients = Clients(stream(seed, f"clients{of}"), self.books, self.report)
        self._provider = Provider(stream(seed, f"provider{of}"), self.books)
        self._from_zero = opener(self.charter, views=VIEWS, flows=FLOWS)
        self._from_snapshot = opener(self.charter, views=VIEWS, flows=FLOWS, snapshots=folder)
        self._deadlines = {origin_of(deadline) for flow in FLOWS for deadline in flow.DEADLINES}
        self._stumbled: set[tuple[str, int, str]] = set()
        self._full_for = 0
        self._due_checks = {
            CHECK_ALL_EVERY: self.check_all,
            SNAPSHOT_EVERY: self._snapshot,
            REPLAY_EVERY: self._replay,
        }
        self._checked: dict[int, int] = {}
        self.writer = self._new_writer()

    def run(self, commands: int) -> Report:
        """Live through so many commands; raises `Failure` at the first rule that does not hold."""
        try:
            self.found()
            while self.report.commands < commands:
                self.step()
            self._end()
        except Broken as broken:
            raise self.failure(broken) from broken
        except Exception as error:  # whatever reaches us stopped the process for no planned reason
            raise self.failure(Broken(f"the process ended by {type(error).__name__}: {error}")) from error
        return self.report

    def _read(self, commit: Commit) -> None:
        self.books.read(commit)
        self._heard(commit)

    def ask(self, act: Act) -> None:
        """Somebody wants something, and asks again until there is an answer."""
        self._clients.ask(self.writer, act)

    def found(self) -> None:
        """Shops, people, money: what is there before anything goes wrong."""
        for act in self._town.founding():
            self.ask(act)
        while self.writer.busy:
            self.turn("none")
        for act in self._town.paying_in():
            self.ask(act)

    def step(self) -> None:
        """Time passes, people act, one turn is run or goes wrong; now and then all is checked."""
        self._pass_time()
        self._submit()
        self.turn(self._rng.choices(list(FAULTS), list(FAULTS.values()))[0])
        for interval, act in self._due_checks.items():
            if self.report.commands >= self._checked.get(interval, 0):
                self._checked[interval] = self._checked.get(interval, 0) + interval
                act()

    def _end(self) -> None:
        """No more trouble: everybody gets an answer, everything owed is done, then all is checked once more."""
        self.heal()
        for leap_us in LEAPS_US:
            self.leap(leap_us)
            for _ in range(END_TURNS_MAX):
                self.calm()
                if self.quiet:
                    break
            self.check_all()
        self.finish()

    def heal(self) -> None:
        """The disk has space again, and keeps it."""
        self.journal.full, self._full_for = False, 0

    def leap(self, micros: int) -> None:
        """The clock goes forward, from wherever it stood."""
        self.clock_us = max(self.clock_us, self.books.time_us) + micros

    def calm(self) -> None:
        """A turn without trouble, in which everybody asks again."""
        self.clock_us += 2 * SECOND_US
        self._listen()
        self._clients.insist(self.writer)
        self.turn("none")

    @property
    def quiet(self) -> bool:
        """Whether everybody has an answer and nothing is owed."""
        return not (self.writer.busy or self._clients.unanswered or self.books.asked)

    def finish(self) -> None:
        """The last checks, and what the report says at the end."""
        check_overdue(self.writer.district, self.books)
        if self.books.asked:
            raise Broken(f"the world outside was asked {len(self.books.asked)} times and never answered")
        self._replay()
        self.report.journal_hash = check_journal(self.journal)
        self.report.entries = self.books.position
        self.report.orders = {**self.books.stories.ends, "open": len(self.books.stories.open)}
        self.report.stops = sum(self.books.stops.values())

    # One turn

    def _pass_time(self) -> None:
        rng = self._rng
        draw = rng.random()
        if draw < 0.003:
            self.report.clock_jumps += 1
            forward = rng.choice((5 * MINUTE_US, HOUR_US, 5 * HOUR_US, 26 * HOUR_US))
            self.clock_us += forward if rng.random() < 0.6 else -rng.choice((SECOND_US, 10 * MINUTE_US, 3 * HOUR_US))
        elif draw < 0.0031:
            self.clock_us += 31 * DAY_US
        else:
            self.clock_us += int(rng.expovariate(1) * SECOND_US)
        self._clients.now_us = max(self._clients.now_us, self.clock_us)

    def _submit(self) -> None:
        self._listen()
        rng, clients = self._rng, self._clients
        for _ in range(rng.choices((0, 1, 4, 12, 60), (1, 3, 3, 2, 1))[0]):
            draw = rng.random()
            if draw < 0.9:
                clients.ask(self.writer, self._more() or self._town.next())
            elif draw < 0.95:
                clients.insist(self.writer)
            else:
                clients.repeat(self.writer)

    def _listen(self) -> None:
        self._provider.listen(self.clock_us)
        self._provider.answer(self.writer, self.clock_us)

    def turn(self, fault: Trouble | Literal["none"]) -> None:
        """One turn of the writer, and what is to go wrong in it."""
        self.report.turns += 1
        restarts = self.writer.restarts
        self._arm(fault)
        try:
            self.writer.turn()
            # A writer that lost its journal is brought back by whoever watches it, or else started anew.
            if fault == "crash_between" or (self.writer.is_down and not self.writer.come_back()):
                raise Crash
        except (Crash, JournalUnavailable):
            # A writer that cannot go on ends its process; whoever watches it starts another.
            self._crash()
        else:
            self._disarm()
            if self.writer.restarts != restarts:
                self.report.commit_failures += fault in ("full_before", "full_after")
                self.check_all()
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
        self.check_all()

    def _new_writer(self) -> Writer:
        return Writer(self.journal, self._build, clock=lambda: self.clock_us)

    def _build(self, journal: Journal) -> District:
        if self._rng.random() < 0.15:
            self.report.restarts_from_zero += 1
            return self._from_zero(journal)
        self.report.restarts_from_snapshot += 1
        return self._from_snapshot(journal)

    def check_all(self) -> None:
        """Everything that the views say, against the books."""
        check_all(self.writer.district, self.books)

    def _snapshot(self) -> None:
        take(self.writer.district, self._folder)
        live = self.writer.district
        check_same(
            live,
            follow(self.journal, self.charter, views=VIEWS, flows=FLOWS, snapshots=self._folder, owing=True),
            "a snapshot",
        )

    def _replay(self) -> None:
        live = self.writer.district
        check_same(live, follow(self.journal, self.charter, views=VIEWS, flows=FLOWS, owing=True), "a replay")

    def failure(self, broken: Broken, elsewhere: Iterable[Entry] = ()) -> Failure:
        """A broken rule with everything that helps to understand it, the story in other districts too."""
        story = [*self.journal.story(broken.story), *elsewhere]
        return Failure(
            broken.rule,
            seed=self.report.seed,
            turn=self.report.turns,
            commands=self._clients.recent,
            story=story,
        )

"""A whole district in memory: all views and flows of the app, a clock to move, a journal that can fail."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from hanse.app.house import FLOWS, VIEWS
from hanse.district.asking import error_of
from hanse.district.core import Charter, District
from hanse.district.jobs import Answer, Job
from hanse.district.opening import opener
from hanse.district.reactions import Flow
from hanse.district.views import View
from hanse.district.writer import Writer
from hanse.events.dictionary import Event, decode
from hanse.journal.faulty import FaultyJournal
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Entry, Journal
from hanse.testing.clock import Clock

__all__ = ["Stage", "district"]

V = TypeVar("V", bound=View)


class Stage:
    """A writer over a journal that can be made to fail, and short ways to use it.

    Attributes
    ----------
    clock, journal, writer
        The parts, to move, to break and to look into.
    """

    def __init__(
        self,
        charter: Charter,
        clock: Clock,
        journal: Journal,
        *,
        views: Iterable[type[View]] = VIEWS,
        flows: Sequence[Flow] = FLOWS,
    ) -> None:
        self.clock = clock
        self.journal = FaultyJournal(journal)
        self._build = opener(charter, views=views, flows=flows)
        self.writer = Writer(self.journal, self._build, clock=clock)

    @property
    def district(self) -> District:
        """The district as it is committed now."""
        return self.writer.district

    def view(self, cls: type[V]) -> V:
        """One of its views."""
        return self.district.view(cls)

    def ask(self, command: Callable[..., object], *arguments: Any, key: str = "", **options: Any) -> Answer:
        """Run a command and all steps that it owes; returns the answer as it was stored."""
        answers: list[Answer] = []
        self.submit(answers, command, *arguments, key=key, **options)
        self.writer.run()
        return answers[0]

    def do(self, command: Callable[..., object], *arguments: Any, key: str = "", **options: Any) -> Any:
        """Run a command and all steps that it owes; returns its result as plain data, raises its error."""
        answer = self.ask(command, *arguments, key=key, **options)
        if answer.kind != "ok":
            raise error_of(answer)
        return msgspec.json.decode(answer.body)

    def submit(
        self, answers: list[Answer], command: Callable[..., object], *arguments: Any, key: str = "", **options: Any
    ) -> None:
        """Queue a command; its answer is put into `answers` when it is given."""
        act = partial(command, **options) if options else command
        self.writer.submit(Job(act, arguments, "tester", key, repr((arguments, options)).encode()), answers.append)

    def turn(self) -> int:
        """One turn: deadlines, owed steps, queued commands, one commit."""
        return self.writer.turn()

    def settle(self) -> None:
        """Turn until nothing is queued or owed; deadlines run at least once."""
        self.writer.turn()
        self.writer.run()

    def crash(self) -> None:
        """End the process without warning and start another over the same journal."""
        self.writer = Writer(self.journal, self._build, clock=self.clock)

    def entries(self, *names: str) -> list[Entry]:
        """The entries of the journal, of all names or of some."""
        return [entry for entry in self.journal.read() if not names or entry.name in names]

    def events(self, *names: str) -> list[Event]:
        """The events of the journal, of all names or of some."""
        return [e for e in (decode(x.name, x.version, x.body) for x in self.entries(*names)) if e is not None]


def district(clock: Clock | None = None, charter: Charter | None = None, journal: Journal | None = None) -> Stage:
    """A district with all the app's views and flows, in memory unless a journal is given.

    Examples
    --------
    >>> from hanse.people.members import service as members
    >>> town = district()
    >>> town.do(members.join, "per_ada", locale="en")
    >>> [entry.name for entry in town.entries("people.member_joined", "finance.account_opened")]
    ['people.member_joined', 'finance.account_opened']
    """
    return Stage(charter or Charter(), clock or Clock(), journal or MemoryJournal())

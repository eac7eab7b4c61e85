"""A district small enough to see through: members are its state, consents what its steps record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from hanse.district.core import Charter, District
from hanse.district.jobs import Answer, Job
from hanse.district.opening import opener
from hanse.district.own import Troubles
from hanse.district.views import View
from hanse.district.writer import Writer
from hanse.events.people import ConsentGiven, MemberJoined
from hanse.journal.faulty import FaultyJournal
from hanse.journal.memory import MemoryJournal
from hanse.people.members.views import Members

START_US = 1_780_000_000_000_000


@dataclass
class Story:
    """A flow made for one test."""

    STEPS: Sequence[tuple[type[Any], Callable[[District, Any], None]]] = ()
    DEADLINES: Sequence[Callable[[District], None]] = ()
    EFFECTS: Sequence[tuple[type[Any], str]] = ()
    MESSAGES: Sequence[tuple[type[Any], Callable[[District, str, Any], None]]] = ()


@dataclass
class Bench:
    """A journal, a clock that stands until it is moved, and the writer over them."""

    story: Story = field(default_factory=Story)
    views: tuple[type[View], ...] = (Members,)
    journal: FaultyJournal = field(default_factory=lambda: FaultyJournal(MemoryJournal()))
    now_us: int = START_US
    charter: Charter = field(default_factory=Charter)
    writer: Writer = field(init=False)
    told: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self, story: Story | None = None, **opening: Any) -> "Bench":
        """Begin anew from the journal, as after a crash; perhaps with another program."""
        self.story = story or self.story
        self.writer = Writer(
            self.journal,
            opener(self.charter, views=self.views, flows=[self.story], **opening),
            clock=lambda: self.now_us,
            on_commit=lambda entries: self.told.append([entry[0] for entry in entries]),
        )
        return self

    @property
    def district(self) -> District:
        return self.writer.district

    @property
    def troubles(self) -> Troubles:
        return self.district.view(Troubles)

    def submit(
        self, command: Callable[..., object], *arguments: object, key: str = "", fingerprint: bytes = b""
    ) -> list[Answer]:
        """Queue a command; the list holds its answer once it is given."""
        given: list[Answer] = []
        self.writer.submit(Job(command, arguments, "per_0", key, fingerprint), given.append)
        return given

    def do(self, command: Callable[..., object], *arguments: object, key: str = "", fingerprint: bytes = b"") -> Answer:
        given = self.submit(command, *arguments, key=key, fingerprint=fingerprint)
        self.writer.run()
        return given[0]

    def names(self) -> list[str]:
        """The stored names of all entries behind the first deployment."""
        return [entry.name for entry in self.journal.read(1)]

    def members(self) -> list[str]:
        return list(self.district.view(Members).by_id)

    def state(self) -> dict[str, bytes]:
        """All views as they would be written to a snapshot."""
        return {name: msgspec.msgpack.encode(view) for name, view in self.district.views().items()}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def join(district: District, person_id: str) -> str:
    district.record(MemberJoined(person_id, "en"))
    return person_id


def fail_before(district: District, person_id: str) -> None:
    raise RuntimeError("the secret of " + person_id)


def fail_after(district: District, person_id: str) -> None:
    join(district, person_id)
    raise RuntimeError("too late")


def greet(district: District, joined: MemberJoined) -> None:
    """A step."""
    district.record(ConsentGiven(joined.person_id, "statistics", ""))


def error_code(answer: Answer) -> str:
    code: str = msgspec.json.decode(answer.body)["code"]
    return code

"""A flow of your own: a step that runs when something has happened, and a decision that can be explained."""

from collections.abc import Sequence

from hanse.district.core import Charter, District
from hanse.district.reactions import Deadline, Step
from hanse.events.dictionary import Event
from hanse.events.people import MemberJoined
from hanse.journal.memory import MemoryJournal
from hanse.learning.decisions.views import decisions
from hanse.people.members import service as members
from hanse.people.members.views import Members
from hanse.testing import Clock, Stage


def greet(district: District, joined: MemberJoined) -> None:
    """Choose a greeting. It runs after the joining, in the writer, at least once, and is caused by it."""
    district.decided(
        "example.greeting",
        joined.person_id,
        policy="by language",
        version="1",
        features={"locale": joined.locale},
        action="Moin!" if joined.locale == "de" else "Hello!",
        probability=1.0,
        reasons=("greet people in their own language",),
    )


class Welcome:
    """A flow is anything with these three tables; in the package it is a module."""

    STEPS: Sequence[tuple[type[Event], Step]] = [(MemberJoined, greet)]
    DEADLINES: Sequence[Deadline] = ()
    EFFECTS: Sequence[tuple[type[Event], str]] = ()


def main() -> None:
    stage = Stage(Charter(), Clock(), MemoryJournal(), views=[Members], flows=[Welcome()])

    stage.do(members.join, "per_hinnerk", locale="de")
    stage.do(members.join, "per_aino", locale="en")

    for entry in stage.entries():
        print(entry.position, entry.name, f"because of {entry.cause}" if entry.cause else "")
    for logged in decisions(stage.district):
        print(logged.decision.subject_id, logged.decision.action, logged.decision.reasons[0])


if __name__ == "__main__":
    main()

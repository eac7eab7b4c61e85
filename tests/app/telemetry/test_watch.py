"""What the observer of a writer tells and counts."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from hanse.app.telemetry.meters import Meters
from hanse.app.telemetry.watch import Watch
from hanse.district.core import Charter, District
from hanse.district.jobs import Answer, Job
from hanse.district.opening import opener
from hanse.district.writer import Writer
from hanse.events.people import ConsentGiven, MemberJoined
from hanse.journal.faulty import FaultyJournal
from hanse.journal.memory import MemoryJournal
from hanse.kernel.errors import NotFound
from hanse.people.members.views import Members

NOW_US = 1_780_000_000_000_000
SECRET = "Xanthippe"


class Story:
    DEADLINES = ()
    EFFECTS = ()
    MESSAGES = ()

    def __init__(self, *steps: Any) -> None:
        self.STEPS = tuple((MemberJoined, step) for step in steps)


def join(district: District, person_id: str) -> str:
    district.record(MemberJoined(person_id, "en"))
    return person_id


def refuse(district: District) -> None:
    raise NotFound("people.nobody", f"There is no {SECRET}.")


def stumble(district: District) -> None:
    raise RuntimeError(SECRET)


def stop(district: District) -> None:
    district.record(MemberJoined("per_x", "en"))
    raise RuntimeError(SECRET)


def sell_out(district: District) -> dict[str, str]:
    return {"result": "sold_out", "order_id": ""}


def fail(district: District, joined: MemberJoined) -> None:
    raise ValueError(SECRET)


def greet(district: District, joined: MemberJoined) -> None:
    district.record(ConsentGiven(joined.person_id, "statistics", ""))


class Bench:
    """A writer that is watched."""

    def __init__(self, *steps: Any, slow_s: float = 3_600.0) -> None:
        self.meters = Meters()
        self.watch = Watch(slow_s=slow_s, meters=self.meters)
        self.journal = FaultyJournal(MemoryJournal())
        build = opener(Charter(), views=[Members], flows=[Story(*steps)])
        self.writer = Writer(self.journal, build, clock=lambda: NOW_US, observer=self.watch)

    def do(self, command: Any, *arguments: Any, caller: str = "per_secret") -> str:
        given: list[Answer] = []
        self.writer.submit(Job(command, arguments, caller), given.append)
        self.writer.run()
        return given[0].kind

    def count(self, sample: str, **labels: str) -> float | None:
        return self.meters.registry.get_sample_value(sample, labels)


@pytest.fixture
def said() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Event and fields of each line."""
    found: list[tuple[str, dict[str, Any]]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append((record.msg, record.fields))  # type: ignore[attr-defined]

    keep, log = Keep(), logging.getLogger("hanse")
    log.addHandler(keep)
    yield found
    log.removeHandler(keep)


def test_commands_are_counted_by_outcome_and_events_by_name(said: list[Any]) -> None:
    bench = Bench(greet)
    assert [bench.do(join, "per_1"), bench.do(join, "per_2"), bench.do(refuse), bench.do(sell_out)] == [
        "ok",
        "ok",
        "NotFound",
        "ok",
    ]
    assert bench.count("hanse_commands_total", outcome="ok") == 3
    assert bench.count("hanse_commands_total", outcome="NotFound") == 1
    assert bench.count("hanse_events_total", name="people.member_joined") == 2
    assert bench.count("hanse_events_total", name="people.consent_given") == 2
    assert bench.count("hanse_orders_refused_total", reason="sold_out") == 1
    assert bench.count("hanse_turn_commit_seconds_count") == bench.count("hanse_turn_folding_seconds_count") == 6
    assert said == []


def test_turns_without_work_count_nothing() -> None:
    bench = Bench()
    for _ in range(3):
        bench.writer.turn()
    assert bench.count("hanse_turn_commit_seconds_count") == 0


def test_a_bug_and_a_failed_step_are_told_with_their_origin(said: list[Any]) -> None:
    bench = Bench(fail)
    assert [bench.do(stumble), bench.do(join, "per_1")] == ["Bug", "ok"]
    assert [(event, fields["position"]) for event, fields in said] == [("command_failed", 1), ("step_failed", 2)]
    assert [fields["origin"].rpartition(".")[2] for _, fields in said] == ["stumble", "fail"]
    assert SECRET not in str(said)


def test_a_restart_is_told_with_its_reason_and_whether_the_command_is_parked(said: list[Any]) -> None:
    bench = Bench()
    for _ in range(2):
        assert bench.do(stop) == "Unavailable"
    assert [(event, fields["parked"]) for event, fields in said] == [
        ("writer_restarted", False),
        ("writer_restarted", True),
    ]
    assert bench.count("hanse_writer_restarts_total", reason="stopped") == 2


def test_a_failed_commit_is_told_until_one_succeeds(said: list[Any]) -> None:
    bench = Bench()
    bench.journal.next_fault = "full_before"
    assert bench.do(join, "per_1") == "Unavailable"
    assert bench.watch.unavailable_s is not None
    bench.writer.turn()  # nothing to write says nothing about the journal
    assert bench.watch.unavailable_s is not None
    assert bench.do(join, "per_1") == "ok"
    assert bench.watch.unavailable_s is None
    assert [event for event, _ in said] == ["commit_failed"]
    assert bench.count("hanse_writer_restarts_total", reason="unavailable") == 1


def test_what_is_slow_is_told_by_origin_and_kind_of_caller(said: list[Any]) -> None:
    bench = Bench(greet, slow_s=0.0)
    bench.do(join, "per_1")
    told = dict(said)
    assert told.keys() == {"slow_command", "slow_step", "slow_commit"}
    assert told["slow_command"]["origin"].endswith(".join")
    assert told["slow_command"]["caller"] == "per"
    assert told["slow_step"]["origin"].endswith(".greet")
    assert told["slow_step"]["position"] == 2
    assert bench.count("hanse_slow_total", kind="command") == 1


def test_a_slow_turn_without_a_slow_command_is_told_as_such(said: list[Any]) -> None:
    bench = Bench()
    bench.watch.slow_s = 0.0
    bench.writer.district.observer = None  # each by itself is quick
    bench.do(join, "per_1")
    assert [(event, fields["origin"]) for event, fields in said] == [
        ("slow_turn", "folding"),
        ("slow_commit", "journal"),
    ]

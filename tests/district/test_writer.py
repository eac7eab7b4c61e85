"""What the writer adds: durability before answers, keys, restarts, parking."""

from typing import Any

import msgspec
import pytest

from hanse.district import answers as answers_module
from hanse.district import writer as writer_module
from hanse.district.answers import ANSWER_LIFE_US, KEY_LENGTH_MAX
from hanse.district.core import Charter, District
from hanse.district.jobs import Job
from hanse.district.opening import opener
from hanse.district.writer import Reply, Writer
from hanse.events.people import MemberJoined
from hanse.journal.check import verify
from hanse.journal.faulty import Crash
from hanse.journal.protocol import Head, JournalFenced, JournalUnavailable
from hanse.kernel.errors import Conflict, InvalidInput, LimitExceeded, Unavailable
from hanse.kernel.time import SECOND_US
from tests.district.conftest import Bench, Story, error_code, fail_after, fail_before, greet, join


@pytest.fixture(params=["keys in memory", "keys on disk"], autouse=True)
def keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this holds wherever keys are kept."""
    if request.param == "keys on disk":
        monkeypatch.setattr(answers_module, "IN_MEMORY", 2)


def test_a_turn_is_one_commit_and_its_answers_come_after_it(bench: Bench) -> None:
    marks_at_answer: list[int] = []
    given = [bench.submit(join, f"per_{n}") for n in range(3)]
    bench.writer.submit(
        Job(join, ("per_3",)),
        lambda answer: marks_at_answer.append(list(bench.journal.marks())[-1].position),
    )
    assert bench.writer.turn() == 4
    assert [(a[0].kind, a[0].body, a[0].position) for a in given] == [
        ("ok", b'"per_0"', 2),
        ("ok", b'"per_1"', 3),
        ("ok", b'"per_2"', 4),
    ]
    assert marks_at_answer == [5]
    assert [m.entries for m in bench.journal.marks()] == [1, 4]
    assert bench.told == [[2, 3, 4, 5]]
    assert verify(bench.journal).fault == ""


def test_a_turn_takes_a_bounded_number_of_commands(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "JOBS_PER_TURN", 2)
    for n in range(5):
        bench.submit(join, f"per_{n}")
    assert [bench.writer.turn() for _ in range(3)] == [2, 2, 1]
    assert not bench.writer.busy


def test_a_full_queue_asks_to_come_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_MAX", 2)
    given = [bench.submit(join, f"per_{n}") for n in range(2)]
    with pytest.raises(LimitExceeded) as refused:
        bench.submit(join, "per_2")
    assert (refused.value.code, refused.value.details) == ("district.queue_full", {"retry_after_s": 1})
    bench.writer.run()
    assert [a[0].kind for a in given] == ["ok", "ok"]
    assert bench.members() == ["per_0", "per_1"]


def test_a_turn_takes_one_command_of_many_rows_and_orders_pass_the_others(bench: Bench) -> None:
    answered: list[str] = []

    def note(name: str) -> Reply:
        return lambda answer: answered.append(name)

    for n in range(3):
        bench.writer.submit(Job(join, (f"per_bulk{n}",), bulk=True), note(f"bulk {n}"))
    for n in range(2):
        bench.writer.submit(Job(join, (f"per_{n}",)), note(f"order {n}"))
    assert [bench.writer.turn() for _ in range(3)] == [3, 1, 1]
    assert answered == ["order 0", "order 1", "bulk 0", "bulk 1", "bulk 2"]
    assert not bench.writer.busy


def test_a_full_queue_of_commands_of_many_rows_refuses_those_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BULK_MAX", 1)
    bench.writer.submit(Job(join, ("per_0",), bulk=True), lambda answer: None)
    with pytest.raises(LimitExceeded):
        bench.writer.submit(Job(join, ("per_1",), bulk=True), lambda answer: None)
    bench.submit(join, "per_2")
    bench.writer.run()
    assert bench.members() == ["per_2", "per_0"]


def test_nothing_to_do_commits_nothing(bench: Bench) -> None:
    before = bench.journal.head()
    bench.writer.turn()
    assert bench.journal.head() == before


# Keys


def test_a_repeated_key_gets_the_answer_it_got_and_does_nothing_twice(bench: Bench) -> None:
    first = bench.do(join, "per_1", key="k", fingerprint=b"f")
    again = bench.submit(join, "per_1", key="k", fingerprint=b"f")
    assert again == [msgspec.structs.replace(first, replayed=True)]
    assert bench.names() == ["people.member_joined"]


def test_refusals_are_repeated_too_and_even_after_a_restart(bench: Bench) -> None:
    def refuse(district: District) -> None:
        raise Conflict("test.no", "Not now.")

    first = bench.do(refuse, key="k")
    assert (first.kind, error_code(first)) == ("Conflict", "test.no")
    bench.start()
    assert bench.submit(refuse, key="k") == [msgspec.structs.replace(first, replayed=True)]
    assert bench.names() == []


def test_a_key_with_another_body_is_refused(bench: Bench) -> None:
    bench.do(join, "per_1", key="k", fingerprint=b"f")
    with pytest.raises(InvalidInput) as refused:
        bench.submit(join, "per_2", key="k", fingerprint=b"g")
    assert refused.value.code == "district.key_reused"
    assert bench.members() == ["per_1"]
    assert not bench.writer.busy


def test_a_key_that_is_being_worked_on_is_refused(bench: Bench) -> None:
    first = bench.submit(join, "per_1", key="k")
    with pytest.raises(Conflict) as refused:
        bench.submit(join, "per_1", key="k")
    assert refused.value.code == "district.key_in_flight"
    bench.writer.run()
    assert [a.kind for a in first] == ["ok"]
    assert bench.names() == ["people.member_joined"]


def test_keys_belong_to_their_caller(bench: Bench) -> None:
    bench.do(join, "per_1", key="k")
    given: list[Any] = []
    bench.writer.submit(Job(join, ("per_2",), "somebody else", "k"), given.append)
    bench.writer.run()
    assert given[0].body == b'"per_2"'


@pytest.mark.parametrize("key", ["k" * (KEY_LENGTH_MAX + 1), "line\nbreak", "\ud800"])
def test_a_key_that_is_too_long_or_not_printable_is_refused(bench: Bench, key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        bench.submit(join, "per_1", key=key)
    assert refused.value.code == "district.bad_key"
    assert not bench.writer.busy


def test_after_a_day_a_key_is_new_again(bench: Bench) -> None:
    bench.do(join, "per_1", key="k", fingerprint=b"f")
    bench.now_us += ANSWER_LIFE_US
    assert bench.submit(join, "per_1", key="k", fingerprint=b"f")[0].replayed
    bench.now_us += SECOND_US
    assert bench.do(join, "per_2", key="k", fingerprint=b"g").body == b'"per_2"'
    assert bench.submit(join, "per_2", key="k", fingerprint=b"g")[0].body == b'"per_2"'


def test_old_answers_leave_memory_and_journal_when_it_is_quiet(bench: Bench) -> None:
    bench.do(join, "per_1", key="old")
    bench.do(join, "per_2", key="reused")
    bench.now_us += ANSWER_LIFE_US + SECOND_US
    bench.do(join, "per_3", key="reused")
    bench.do(join, "per_4", key="new")
    bench.writer.tidy()
    assert [key for _, _, key in bench.journal.answers_since(0)] == ["reused", "new"]
    assert len(bench.writer._answers._keys) <= 2
    bench.now_us += ANSWER_LIFE_US + SECOND_US
    bench.writer.tidy()
    assert list(bench.journal.answers_since(0)) == []
    assert len(bench.writer._answers._keys) == 0
    bench.do(join, "per_5", key="after")
    assert bench.submit(join, "per_5", key="after")[0].replayed


def test_keys_beyond_the_bound_are_as_good_as_those_within(bench: Bench) -> None:
    first = [bench.do(join, f"per_{n}", key=f"k{n}", fingerprint=b"f") for n in range(50)]
    for _ in range(2):
        for n, answer in enumerate(first):
            again = bench.submit(join, f"per_{n}", key=f"k{n}", fingerprint=b"f")
            assert again == [msgspec.structs.replace(answer, replayed=True)]
            with pytest.raises(InvalidInput):
                bench.submit(join, f"per_{n}", key=f"k{n}", fingerprint=b"g")
        bench.start()


def test_another_key_that_looks_the_same_gets_no_answer_of_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_module, "_pair", lambda caller, key: 7)
    for n in range(9):
        assert bench.do(join, f"per_{n}", key=f"k{n}").body == b'"per_%d"' % n
        assert bench.submit(join, f"per_{n}", key=f"k{n}")[0].replayed


def test_old_answers_go_as_fast_as_new_ones_come_however_busy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_module, "FORGET_AFTER", 4)
    for n in range(40):
        bench.do(join, f"per_{n}", key=f"old{n}")
    bench.now_us += ANSWER_LIFE_US + SECOND_US
    for n in range(28):
        bench.do(join, f"per_x{n}", key=f"new{n}")
    assert [key for _, _, key in bench.journal.answers_since(0)] == [f"new{n}" for n in range(28)]


# Trouble with a command


def test_a_command_that_fails_before_its_record_stops_nobody(bench: Bench) -> None:
    given = [bench.submit(join, "per_1"), bench.submit(fail_before, "per_2"), bench.submit(join, "per_3")]
    bench.writer.run()
    assert [a[0].kind for a in given] == ["ok", "Bug", "ok"]
    assert bench.writer.restarts == 0
    assert bench.members() == ["per_1", "per_3"]


def test_a_command_that_fails_after_its_record_is_undone_and_the_others_are_answered(bench: Bench) -> None:
    given = [bench.submit(join, "per_1", key="a"), bench.submit(fail_after, "per_2"), bench.submit(join, "per_3")]
    bench.writer.run()
    assert [a[0].kind for a in given] == ["ok", "Unavailable", "ok"]
    assert error_code(given[1][0]) == "district.command_stopped"
    assert [a[0].body for a in (given[0], given[2])] == [b'"per_1"', b'"per_3"']
    assert bench.members() == ["per_1", "per_3"]
    assert bench.names() == ["district.command_stopped", "people.member_joined", "people.member_joined"]
    assert bench.writer.restarts == 1
    assert verify(bench.journal).fault == ""


@pytest.mark.parametrize("options", [{"key": "k"}, {"fingerprint": b"f"}, {}])
def test_a_command_that_stopped_the_writer_twice_is_parked_and_shown(bench: Bench, options: Any) -> None:
    for _ in range(2):
        assert bench.do(fail_after, "per_2", **options).kind == "Unavailable"
    with pytest.raises(Conflict) as refused:
        bench.submit(fail_after, "per_2", **options)
    assert refused.value.code == "district.command_parked"
    assert [stop.times for stop in bench.troubles.stopped.values()] == [2]
    assert bench.members() == []
    bench.start()
    with pytest.raises(Conflict):
        bench.submit(fail_after, "per_2", **options)


def test_parking_one_command_leaves_others_of_its_kind_alone(bench: Bench) -> None:
    for _ in range(2):
        bench.do(fail_after, "per_2")
    assert bench.do(fail_after, "per_3").kind == "Unavailable"
    assert bench.do(join, "per_2").kind == "ok"


def test_a_step_that_stops_the_writer_twice_is_passed_over(bench: Bench) -> None:
    def broken(district: District, joined: MemberJoined) -> None:
        greet(district, joined)
        raise RuntimeError("too late")

    bench.start(Story(STEPS=[(MemberJoined, broken), (MemberJoined, greet)]))
    assert bench.do(join, "per_1").kind == "ok"
    assert bench.names()[1:] == [
        "people.member_joined",
        "district.command_stopped",
        "district.command_stopped",
        "district.step_failed",
        "people.consent_given",
    ]
    assert bench.writer.restarts == 2
    assert not bench.writer.busy


def test_a_deadline_that_stops_the_writer_twice_is_passed_over(bench: Bench) -> None:
    def broken(district: District) -> None:
        fail_after(district, "per_9")

    bench.start(Story(DEADLINES=[broken]))
    for _ in range(4):
        bench.writer.turn()
    assert bench.do(join, "per_1").kind == "ok"
    assert bench.names() == ["district.command_stopped"] * 2 + ["district.step_failed", "people.member_joined"]


# Trouble with the journal


@pytest.mark.parametrize("fault", ["full_before", "full_after"])
def test_after_a_commit_that_failed_everybody_is_told_and_memory_follows_the_journal(bench: Bench, fault: Any) -> None:
    bench.do(join, "per_0")
    bench.journal.next_fault = fault
    given = [bench.submit(join, "per_1", key="a"), bench.submit(join, "per_2")]
    bench.writer.turn()
    assert [(a[0].kind, error_code(a[0])) for a in given] == [("Unavailable", "journal.unavailable")] * 2
    kept = [] if fault == "full_before" else ["per_1", "per_2"]
    assert bench.members() == ["per_0", *kept]
    assert bench.told == [[2]]
    again = bench.do(join, "per_1", key="a")
    assert (again.kind, again.replayed) == ("ok", fault == "full_after")
    bench.writer.turn()
    assert bench.told == [[2], [3, 4] if fault == "full_after" else [3]]
    assert verify(bench.journal).fault == ""


def test_while_the_disk_is_full_nothing_changes_and_afterwards_all_goes_on(bench: Bench) -> None:
    bench.journal.full = True
    before = bench.state()
    for _ in range(3):
        assert bench.do(join, "per_1", key="k").kind == "Unavailable"
    assert bench.state() == before
    bench.journal.full = False
    assert bench.do(join, "per_1", key="k").kind == "ok"


def test_a_watched_writer_does_not_begin_anew_for_each_command_while_the_disk_is_full(bench: Bench) -> None:
    bench.do(join, "per_0")
    writer = bench.writer = Writer(
        bench.journal,
        opener(Charter(), views=bench.views, flows=[bench.story]),
        clock=lambda: bench.now_us,
        is_watched=True,
    )
    bench.journal.next_fault = "full_before"
    assert bench.do(join, "per_1", key="k").kind == "Unavailable"
    assert not writer.is_down
    assert bench.do(join, "per_1", key="k").kind == "ok"
    bench.journal.full = True
    assert [bench.do(join, f"per_{n}").kind for n in (2, 3)] == ["Unavailable"] * 2
    assert writer.is_down
    assert [writer.come_back(), writer.come_back()] == [False, False]
    assert (writer.restarts, bench.members()) == (4, ["per_0", "per_1"])
    with pytest.raises(Unavailable):
        bench.submit(join, "per_2")
    bench.journal.full = False
    assert writer.come_back()
    assert bench.do(join, "per_2").kind == "ok"
    assert (writer.restarts, verify(bench.journal).fault) == (4, "")


def test_while_the_journal_is_away_commands_are_refused_and_what_is_committed_is_read(bench: Bench) -> None:
    bench.do(join, "per_0")
    bench.journal.away = True
    bench.writer.renew()
    assert bench.writer.is_down
    with pytest.raises(Unavailable) as refused:
        bench.submit(join, "per_1", key="k")
    assert (refused.value.code, refused.value.details) == ("district.journal_away", {"retry_after_s": 1})
    assert (bench.writer.turn(), bench.writer.busy, bench.writer.come_back()) == (0, False, False)
    assert bench.members() == ["per_0"]
    bench.journal.away = False
    assert bench.writer.come_back()
    assert (bench.writer.restarts, bench.writer.is_down) == (0, False)
    assert bench.do(join, "per_1", key="k").kind == "ok"
    assert bench.members() == ["per_0", "per_1"]


@pytest.mark.parametrize("durable", [True, False])
def test_nobody_reads_what_may_not_be_committed_while_the_journal_is_away(bench: Bench, durable: bool) -> None:
    bench.do(join, "per_0")
    bench.journal.away = not durable
    bench.journal.next_fault = "away_after" if durable else None
    given = [bench.submit(join, "per_1", key="a"), bench.submit(join, "per_2")]
    bench.writer.turn()
    assert [a[0].kind for a in given] == ["Unavailable"] * 2
    with pytest.raises(Unavailable, match="out of reach"):
        bench.members()
    with pytest.raises(Unavailable):
        bench.submit(join, "per_1", key="a")
    bench.journal.away = False
    assert bench.writer.come_back()
    assert bench.members() == (["per_0", "per_1", "per_2"] if durable else ["per_0"])
    again = bench.do(join, "per_1", key="a")
    assert (again.kind, again.replayed) == ("ok", durable)
    bench.writer.turn()
    assert bench.told == [[2], [3, 4] if durable else [3]]
    assert verify(bench.journal).fault == ""


def test_who_waits_while_the_journal_goes_away_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanse.district.writer.JOBS_PER_TURN", 1)
    given = [bench.submit(join, "per_1", key="a"), bench.submit(join, "per_2", key="b")]
    bench.journal.away = True
    bench.writer.turn()
    assert [(a[0].kind, error_code(a[0])) for a in given] == [
        ("Unavailable", "journal.unavailable"),
        ("Unavailable", "district.journal_away"),
    ]
    bench.journal.away = False
    assert bench.writer.come_back()
    assert [bench.do(join, p, key=k).replayed for p, k in (("per_1", "a"), ("per_2", "b"))] == [False, False]


def test_a_bug_while_the_journal_goes_away_harms_nothing(bench: Bench) -> None:
    def stumble(district: District) -> None:
        join(district, "per_1")
        bench.journal.away = True
        raise ValueError

    given = [bench.submit(stumble), bench.submit(join, "per_2")]
    bench.writer.turn()
    assert [a[0].kind for a in given] == ["Unavailable"] * 2
    bench.journal.away = False
    assert bench.writer.come_back()
    assert bench.members() == []
    assert bench.do(join, "per_2").kind == "ok"


def test_one_who_was_overtaken_while_the_journal_was_away_stops(bench: Bench) -> None:
    bench.journal.away = True
    bench.writer.renew()
    bench.journal.away = False
    bench.journal.head = _fenced  # type: ignore[method-assign]
    with pytest.raises(JournalFenced):
        bench.writer.come_back()


def _fenced() -> Head:
    raise JournalFenced("journal.fenced", "Another writer has taken over this district; stop this one.")


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_after_a_crash_a_repeated_key_is_done_once(bench: Bench, fault: Any) -> None:
    bench.journal.next_fault = fault
    given = bench.submit(join, "per_1", key="k")
    with pytest.raises(Crash):
        bench.writer.turn()
    assert given == []
    bench.start()
    assert bench.do(join, "per_1", key="k").body == b'"per_1"'
    assert bench.names() == ["people.member_joined"]


def test_a_writer_that_was_overtaken_stops(bench: Bench) -> None:
    other = Bench(journal=bench.journal)
    other.do(join, "per_1")
    given = bench.submit(join, "per_2")
    with pytest.raises(JournalFenced):
        bench.writer.turn()
    assert given == []
    assert [e.story for e in bench.journal.read(1)] == ["per_1"]


def test_a_start_on_a_full_disk_says_so(bench: Bench) -> None:
    bench.journal.full = True
    with pytest.raises(JournalUnavailable):
        bench.start(Story(STEPS=[(MemberJoined, greet)]))

"""What the district does within turns, without a writer around it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hanse.district.core import STEPS_PER_TURN, Charter, District
from hanse.district.jobs import Job, Stopped
from hanse.district.own import Troubles
from hanse.events.people import ConsentGiven, MemberErased, MemberJoined
from hanse.kernel.errors import Conflict, InvalidInput
from hanse.people.members.views import Members
from tests.district.conftest import START_US, Story, fail_before, greet, join


def district_of(**story: Any) -> District:
    return District(Charter(tag="t"), views=[Members], flows=[Story(**story)])


def joining(*people: str) -> list[Job]:
    return [Job(join, (person_id,)) for person_id in people]


def test_a_turn_runs_deadlines_then_owed_steps_then_commands_in_order() -> None:
    def tick(district: District) -> None:
        district.record(MemberErased("per_0")) if "per_0" in district.view(Members).by_id else None

    district = district_of(STEPS=[(MemberJoined, greet)], DEADLINES=[tick])
    district.turn(joining("per_0", "per_1"), START_US)
    turn = district.turn(joining("per_2"), START_US + 1)
    assert [(e[0], e[2], e[5].rpartition(".")[2], e[6]) for e in turn.entries] == [
        (3, "people.member_erased", "tick", 0),
        (4, "people.consent_given", "greet", 1),
        (5, "people.consent_given", "greet", 2),
        (6, "people.member_joined", "join", 0),
    ]
    assert turn.steps_through == 5


def test_steps_of_one_event_run_in_the_order_of_the_table() -> None:
    ran: list[str] = []
    district = district_of(
        STEPS=[(MemberJoined, lambda d, e: ran.append("first")), (MemberJoined, lambda d, e: ran.append("second"))]
    )
    district.turn(joining("per_0", "per_1"), START_US)
    district.turn([], START_US + 1)
    assert ran == ["first", "second", "first", "second"]


def test_a_turn_runs_a_bounded_number_of_owed_steps() -> None:
    district = district_of(STEPS=[(MemberJoined, greet)])
    district.turn(joining(*[f"per_{n}" for n in range(STEPS_PER_TURN + 1)]), START_US)
    turn = district.turn([], START_US + 1)
    assert (len(turn.entries), turn.steps_through, district.steps_owed) == (STEPS_PER_TURN, STEPS_PER_TURN, 1)


def test_now_is_fixed_for_a_turn_and_never_goes_back() -> None:
    moments: list[datetime] = []

    def look(district: District) -> None:
        moments.append(district.now)

    district = district_of()
    for now_us in (START_US, START_US - 1_000, START_US):
        district.turn([Job(look, ()), Job(look, ())], now_us)
    start = datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
    assert moments == [start.replace(microsecond=n) for n in (0, 0, 1, 1, 2, 2)]


def test_ids_are_new_in_each_turn_and_end_with_the_tag() -> None:
    ids: list[str] = []
    district = district_of()
    for _ in range(2):
        district.turn([Job(lambda d: ids.append(d.next_id("ord")), ())] * 2, START_US)
    assert len(set(ids)) == 4
    assert ids == sorted(ids)
    assert all(one.startswith("ord_") and one.endswith("t") for one in ids)


def test_what_is_recorded_is_folded_at_once() -> None:
    def look(district: District, person_id: str) -> bool:
        before = person_id in district.view(Members).by_id
        join(district, person_id)
        return not before and person_id in district.view(Members).by_id

    turn = district_of().turn([Job(look, ("per_0",))], START_US)
    assert [(a.kind, a.body, a.position) for a in turn.answers] == [("ok", b"true", 1)]


def test_an_entry_carries_time_story_origin_and_body() -> None:
    turn = district_of().turn(joining("per_0"), START_US)
    assert turn.entries == [
        (
            1,
            START_US,
            "people.member_joined",
            1,
            "per_0",
            "tests.district.conftest.join",
            0,
            '{"person_id":"per_0","locale":"en"}',
        )
    ]


def test_a_refusal_is_an_answer_and_changes_nothing() -> None:
    def refuse(district: District) -> None:
        raise Conflict("test.no", "Not now.", stage="picked")

    district = district_of()
    turn = district.turn([Job(refuse, ()), *joining("per_0")], START_US)
    assert [(a.kind, a.position) for a in turn.answers] == [("Conflict", 0), ("ok", 1)]
    assert msgspec.json.decode(turn.answers[0].body) == {
        "code": "test.no",
        "message": "Not now.",
        "details": {"stage": "picked"},
    }
    assert [e[2] for e in turn.entries] == ["people.member_joined"]


@pytest.mark.parametrize(
    "command",
    [
        fail_before,
        lambda district, person_id: object(),
        lambda district, person_id: district.record(MemberJoined("\ud800", "en")),
    ],
    ids=["raises", "gives what is no JSON", "records what is no JSON"],
)
def test_a_bug_before_the_first_record_is_told_without_its_text(command: Any) -> None:
    district = district_of()
    turn = district.turn([Job(command, ("per_0",)), *joining("per_1")], START_US)
    assert [a.kind for a in turn.answers] == ["Bug", "ok"]
    assert b"secret" not in turn.answers[0].body
    assert list(district.view(Members).by_id) == ["per_1"]
    assert [e[0] for e in turn.entries] == [1]


@pytest.mark.parametrize("error", [RuntimeError("bug"), InvalidInput("test.no", "Too late to refuse.")])
def test_what_raises_after_a_record_stops_the_district(error: Exception) -> None:
    def late(district: District) -> None:
        join(district, "per_0")
        raise error

    job = Job(late, ())
    with pytest.raises(Stopped) as stopped:
        district_of().turn([job], START_US)
    assert stopped.value.job is job
    assert stopped.value.what.endswith("late")


def test_a_failing_step_is_recorded_and_passed_over() -> None:
    def broken(district: District, joined: MemberJoined) -> None:
        raise RuntimeError("broken")

    district = district_of(STEPS=[(MemberJoined, broken), (MemberJoined, greet)])
    district.turn(joining("per_0"), START_US)
    turn = district.turn([], START_US + 1)
    assert [e[2] for e in turn.entries] == ["district.step_failed", "people.consent_given"]
    failed = district.view(Troubles).failed_steps[0]
    assert (failed.step.rpartition(".")[2], failed.position, failed.error) == ("broken", 1, "RuntimeError: broken")
    assert district.steps_owed == 0


def test_a_failing_deadline_is_shown_once_and_rests_while_others_go_on() -> None:
    ran: list[int] = []

    def broken(district: District) -> None:
        raise RuntimeError("broken")

    district = district_of(DEADLINES=[broken, lambda d: ran.append(d.now_us)])
    names = [[e[2] for e in district.turn([], START_US + n).entries] for n in range(3)]
    assert names == [["district.step_failed"], [], []]
    assert len(ran) == 3


def test_a_dear_question_is_computed_once_a_turn() -> None:
    asked: list[int] = []

    def dear(district: District, subject: Charter) -> int:
        asked.append(district.now_us)
        return district.now_us

    district = district_of()
    look = Job(lambda d: d.once(d.charter, dear), ())
    turns = [district.turn([look, look], START_US + n) for n in range(2)]
    assert [[a.body for a in t.answers] for t in turns] == [[str(START_US + n).encode()] * 2 for n in range(2)]
    assert asked == [START_US, START_US + 1]


def test_an_impossible_charter_is_refused() -> None:
    for charter in (Charter(zone="Atlantis"), Charter(currency="euro"), Charter(tag="")):
        with pytest.raises(InvalidInput):
            District(charter, views=[], flows=[])


def test_consent_is_denied_until_it_is_given() -> None:
    district = district_of()
    assert not district.allowed("per_0", "personalisation")
    assert not district.allowed("per_0", "personalisation", "wine")
    district.turn([Job(lambda d: d.record(ConsentGiven("per_0", "personalisation", "wine")), ())], START_US)
    assert district.allowed("per_0", "personalisation", "wine")
    assert not district.allowed("per_0", "personalisation")
    assert not district.allowed("per_0", "statistics", "wine")
    assert not district.allowed("per_1", "personalisation", "wine")

"""What waits for a person can be acted on; what was done is recorded, and replay comes to the same."""

import pytest

from hanse.district.core import District
from hanse.district.own import Deployment, Owed
from hanse.district.troubles import Way, settle, troubles
from hanse.events.dictionary import Event, decode
from hanse.events.district import CommandStopped, EffectFailed
from hanse.events.people import ConsentGiven, MemberJoined
from tests.district.conftest import Bench, Story, error_code, fail_after, greet, join

healed = False


@pytest.fixture(autouse=True)
def _ill() -> None:
    global healed
    healed = False


def frail(district: District, joined: MemberJoined) -> None:
    """A step that fails until it is healed."""
    if not healed:
        raise ValueError("too early")
    district.record(ConsentGiven(joined.person_id, "statistics", ""))


def event_at(bench: Bench, position: int) -> Event | None:
    entry = next(bench.journal.read(position - 1, limit=1))
    return decode(entry.name, entry.version, entry.body)


def act(bench: Bench, way: Way, event: Event | None = None) -> str:
    """Act on the first trouble; `ok`, or the code of the refusal."""
    answer = bench.do(settle, troubles(bench.district)[0].id, way, event)
    return answer.kind if answer.kind == "ok" else error_code(answer)


def replays(bench: Bench) -> None:
    before = bench.state()
    bench.start()
    assert bench.state() == before


def test_a_failed_step_is_run_again_with_its_own_origin_and_cause() -> None:
    global healed
    bench = Bench(Story(STEPS=[(MemberJoined, frail)]))
    bench.do(join, "per_1")
    (found,) = troubles(bench.district)
    assert (found.kind, found.position, found.error, found.ways) == (
        "step",
        2,
        "ValueError: too early",
        ("retry", "dismiss"),
    )
    assert act(bench, "retry", event_at(bench, 2)) == "district.step_failed_again"
    assert bench.names() == ["people.member_joined", "district.step_failed"]
    healed = True
    assert act(bench, "retry", event_at(bench, 2)) == "ok"
    consent, settled = bench.journal.read(3)
    assert (consent.name, consent.origin.rpartition(".")[2], consent.cause) == ("people.consent_given", "frail", 2)
    assert (settled.name, settled.origin, settled.cause) == ("district.trouble_settled", "district.troubles.settle", 0)
    assert troubles(bench.district) == []
    replays(bench)


def test_what_was_put_right_by_hand_is_dismissed_and_changes_nothing_else() -> None:
    bench = Bench(Story(STEPS=[(MemberJoined, frail)]))
    bench.do(join, "per_1")
    assert act(bench, "unpark") == "district.no_way"
    gone = troubles(bench.district)[0].id
    assert act(bench, "dismiss") == "ok"
    assert bench.names() == ["people.member_joined", "district.step_failed", "district.trouble_settled"]
    assert error_code(bench.do(settle, gone, "dismiss")) == "district.no_trouble"
    replays(bench)


def test_a_failed_effect_is_owed_again_from_now_on() -> None:
    bench = Bench(Story(EFFECTS=[(MemberJoined, "mail.welcome")]))
    bench.do(join, "per_1")
    bench.do(lambda d: d.record(EffectFailed("mail.welcome", 2, "TimeoutError")))
    assert bench.district.view(Owed).since_us == {"mail.welcome": {}}
    bench.now_us += 1_000_000
    assert act(bench, "retry") == "ok"
    assert bench.district.view(Owed).since_us == {"mail.welcome": {2: bench.district.now_us}}
    assert troubles(bench.district) == []
    replays(bench)


def test_a_parked_command_may_be_repeated_once_it_is_unparked(bench: Bench) -> None:
    for _ in range(2):
        bench.do(fail_after, "per_1", key="k")
    (found,) = troubles(bench.district)
    assert (found.kind, found.times, found.caller, found.key, found.ways) == ("command", 2, "per_0", "k", ("unpark",))
    assert act(bench, "unpark") == "ok"
    assert bench.do(join, "per_1", key="k").kind == "ok"
    replays(bench)


def test_a_step_that_stopped_the_writer_twice_is_run_again_as_if_it_never_had() -> None:
    bench = Bench(Story(STEPS=[(MemberJoined, greet)]))
    name = f"{greet.__module__}.{greet.__qualname__}"
    for _ in range(2):
        bench.do(lambda d: d.record(CommandStopped(name, "", "4", "bug")))
    bench.do(join, "per_1")
    assert [(one.kind, one.position) for one in troubles(bench.district)] == [("command", 0), ("step", 4)]
    failed = troubles(bench.district)[1]
    assert bench.do(settle, failed.id, "retry", event_at(bench, 4)).kind == "ok"
    assert troubles(bench.district) == []
    assert bench.names()[-2:] == ["people.consent_given", "district.trouble_settled"]


def moved(district: District, joined: MemberJoined) -> None:
    """What `greet` is called after it was moved."""
    greet(district, joined)


def origin(function: object) -> str:
    return f"{function.__module__}.{function.__qualname__}"  # type: ignore[attr-defined]


class Renamed(Story):
    RENAMED: dict[str, str]


def test_a_renamed_step_does_what_the_old_one_owed() -> None:
    bench = Bench(Story(STEPS=[(MemberJoined, greet)]))
    bench.submit(join, "per_1")
    bench.writer.turn()
    assert bench.district.steps_owed == 1
    story = Renamed(STEPS=[(MemberJoined, moved)])
    story.RENAMED = {origin(greet): origin(moved)}
    bench.start(story).writer.run()
    assert bench.names() == ["people.member_joined", "district.deployed", "people.consent_given"]
    assert bench.district.view(Deployment).steps_after == {origin(moved): 0}
    assert troubles(bench.district) == []


def test_a_failed_step_is_run_again_under_its_new_name() -> None:
    global healed
    bench = Bench(Story(STEPS=[(MemberJoined, frail)]))
    bench.do(join, "per_1")
    story = Renamed(STEPS=[(MemberJoined, moved)])
    story.RENAMED = {origin(frail): origin(moved)}
    bench.start(story).writer.run()
    assert act(bench, "retry", event_at(bench, 2)) == "ok"
    assert bench.names()[-2:] == ["people.consent_given", "district.trouble_settled"]


def test_a_step_that_is_gone_is_a_trouble_once_unless_it_is_not_wanted() -> None:
    bench = Bench(Story(STEPS=[(MemberJoined, greet)]))
    bench.start(Story())
    (found,) = troubles(bench.district)
    assert (found.what, found.position) == (origin(greet), 2)
    assert act(bench, "retry", event_at(bench, 2)) == "district.step_gone"
    bench.start()
    assert len(troubles(bench.district)) == 1
    assert act(bench, "dismiss") == "ok"

    wanted = Bench(Story(STEPS=[(MemberJoined, greet)]))
    story = Renamed()
    story.RENAMED = {origin(greet): ""}
    wanted.start(story)
    assert troubles(wanted.district) == []

"""The world outside: called at least once, answered once, called again, given up."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hanse.district import effects
from hanse.district.core import District
from hanse.district.effects import GIVE_UP_US, EffectWorker
from hanse.district.jobs import Job
from hanse.district.own import Owed
from hanse.events.dictionary import Event
from hanse.events.people import ConsentGiven, MemberJoined
from hanse.kernel.errors import Conflict
from hanse.kernel.time import SECOND_US
from tests.district.conftest import Bench, Story, join

MAIL = Story(EFFECTS=[(MemberJoined, "mail.welcome")])


def welcomed(district: District, person_id: str) -> None:
    district.record(ConsentGiven(person_id, "statistics", ""))


class Outside:
    """A mail provider that does, call by call, what a test says; after that it answers."""

    def __init__(self, *acts: Exception | Callable[..., None]) -> None:
        self.acts = list(acts)
        self.keys: list[str] = []

    async def __call__(self, event: Event, key: str) -> Job:
        assert isinstance(event, MemberJoined)
        self.keys.append(key)
        act = self.acts.pop(0) if self.acts else welcomed
        if isinstance(act, Exception):
            raise act
        return Job(act, (event.person_id,))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "PAUSE_S", (0.0,))


@pytest.fixture
def mail() -> Bench:
    bench = Bench(story=MAIL)
    bench.do(join, "per_1")
    return bench


def owed(bench: Bench) -> dict[str, dict[int, int]]:
    return {effect: asked for effect, asked in bench.district.view(Owed).since_us.items() if asked}


def settle(bench: Bench, calls: dict[str, Any], *, rounds: int = 200, until: Callable[[], bool] | None = None) -> None:
    """Let the worker and the writer work in turns, as the house does, until nothing is owed."""

    async def work() -> None:
        worker = EffectWorker(bench.writer, bench.journal, calls, clock=lambda: bench.now_us)
        for _ in range(rounds):
            worker.look()
            await _passes()
            bench.writer.turn()
            if until() if until else not owed(bench):
                break
        await worker.stop()

    asyncio.run(work())


async def _passes() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.create_task(_nothing())


async def _nothing() -> None:
    return


def test_an_effect_is_owed_until_it_is_answered(mail: Bench) -> None:
    outside = Outside()
    assert owed(mail) == {"mail.welcome": {2: mail.district.now_us}}
    settle(mail, {"mail.welcome": outside})
    assert owed(mail) == {}
    assert outside.keys == ["mail.welcome-2"]
    assert mail.names() == ["people.member_joined", "people.consent_given", "district.effect_answered"]


def test_an_effect_that_fails_is_called_again_under_the_same_key(mail: Bench) -> None:
    outside = Outside(RuntimeError(), TimeoutError())
    settle(mail, {"mail.welcome": outside})
    assert outside.keys == ["mail.welcome-2"] * 3
    assert mail.names().count("people.consent_given") == 1


def test_an_effect_that_fails_for_too_long_is_given_up_and_shown(mail: Bench) -> None:
    mail.now_us += GIVE_UP_US + SECOND_US
    outside = Outside(RuntimeError("no line"))
    settle(mail, {"mail.welcome": outside})
    assert len(outside.keys) == 1
    assert [(f.effect, f.position, f.error) for f in mail.troubles.failed_effects] == [
        ("mail.welcome", 2, "RuntimeError")
    ]


def test_an_effect_that_nobody_serves_is_given_up_at_once(mail: Bench) -> None:
    settle(mail, {})
    assert [f.error for f in mail.troubles.failed_effects] == ["there is nobody to call for this effect"]


def test_an_answer_that_the_district_refuses_is_shown_and_changes_nothing(mail: Bench) -> None:
    def refuse(district: District, person_id: str) -> None:
        raise Conflict("test.no", "Not any more.")

    settle(mail, {"mail.welcome": Outside(refuse)})
    assert mail.names() == ["people.member_joined", "district.effect_failed"]
    assert mail.troubles.failed_effects[0].error == "Not any more."


def test_an_answer_that_meets_a_bug_is_brought_again_later(mail: Bench) -> None:
    def broken(district: District, person_id: str) -> None:
        raise RuntimeError

    outside = Outside(broken, broken)
    settle(mail, {"mail.welcome": outside})
    assert len(outside.keys) == 3
    assert mail.names()[1:] == ["people.consent_given", "district.effect_answered"]


def test_an_answer_that_stops_the_writer_is_given_up_and_others_go_on(mail: Bench) -> None:
    def broken(district: District, person_id: str) -> None:
        welcomed(district, person_id)
        if person_id == "per_1":
            raise RuntimeError

    settle(mail, {"mail.welcome": Outside(broken, broken)}, until=lambda: mail.writer.restarts == 2)
    mail.now_us += GIVE_UP_US + SECOND_US
    mail.do(join, "per_2")
    settle(mail, {"mail.welcome": Outside()})
    assert [f.position for f in mail.troubles.failed_effects] == [2]
    assert mail.names().count("district.effect_answered") == 1


def test_an_answer_that_comes_twice_counts_once(mail: Bench) -> None:
    answer = Job(welcomed, ("per_1",))
    for _ in range(2):
        assert mail.do(effects.bring_back, "mail.welcome", 2, answer).kind == "ok"
    mail.do(effects.give_up, "mail.welcome", 2, "too late")
    assert mail.names() == ["people.member_joined", "people.consent_given", "district.effect_answered"]


def test_while_an_answer_waits_for_its_commit_nobody_is_called_again(mail: Bench) -> None:
    outside = Outside()

    async def work() -> None:
        worker = EffectWorker(mail.writer, mail.journal, {"mail.welcome": outside}, clock=lambda: mail.now_us)
        for _ in range(3):
            worker.look()
            await _passes()
        mail.writer.run()
        await worker.stop()

    asyncio.run(work())
    assert len(outside.keys) == 1
    assert owed(mail) == {}


def test_what_is_owed_is_owed_again_after_a_restart(mail: Bench) -> None:
    before = owed(mail)
    mail.start()
    assert owed(mail) == before
    settle(mail, {"mail.welcome": Outside()})
    mail.start()
    assert owed(mail) == {}


def test_a_new_effect_is_not_asked_for_history_however_the_district_starts() -> None:
    bench = Bench()
    bench.do(join, "per_1")
    for _ in range(2):
        bench.start(MAIL)
        assert owed(bench) == {}
    bench.do(join, "per_2")
    assert list(owed(bench)["mail.welcome"]) == [4]

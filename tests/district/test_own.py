"""The district's own views: consents with topics, decisions with outcomes."""

import pytest

from hanse.district import own
from hanse.district.core import District
from hanse.district.own import Consents, Decisions
from hanse.district.views import folds_of
from hanse.events.dictionary import Event
from hanse.events.people import ConsentGiven, ConsentWithdrawn, MemberErased
from tests.district.conftest import Bench

PURPOSE = "personalisation"


def give(topic: str) -> ConsentGiven:
    return ConsentGiven("per_1", PURPOSE, topic)


def withdraw(topic: str) -> ConsentWithdrawn:
    return ConsentWithdrawn("per_1", PURPOSE, topic)


@pytest.mark.parametrize(
    ("events", "everything", "wine", "shoes"),
    [
        ([], False, False, False),
        ([give("")], True, True, True),
        ([give("wine")], False, True, False),
        ([give(""), withdraw("wine")], True, False, True),
        ([withdraw("wine"), give("")], True, False, True),
        ([give(""), withdraw("wine"), give("wine")], True, True, True),
        ([give("wine"), withdraw("wine")], False, False, False),
        ([give(""), give("wine"), withdraw("")], False, False, False),
        ([give(""), withdraw("wine"), withdraw(""), give("")], True, True, True),
        ([give(""), MemberErased("per_1")], False, False, False),
    ],
)
def test_consent_is_what_was_given_less_what_was_muted(
    events: list[Event], everything: bool, wine: bool, shoes: bool
) -> None:
    consents = Consents()
    folds = dict(folds_of(consents))
    for event in events:
        folds[type(event)](event, 0)
    assert [consents.allowed("per_1", PURPOSE, topic) for topic in ("", "wine", "shoes")] == [everything, wine, shoes]
    assert not consents.allowed("per_1", "statistics", "")
    assert not consents.allowed("per_2", PURPOSE, "")


def decide(district: District, subject_id: str) -> str:
    return district.decided(
        "logistics.dispatch",
        subject_id,
        policy="nearest",
        version="1",
        features={"distance_m": 120.0, "weather": "rain"},
        action="cou_7",
        probability=0.9,
        reasons=("nearest of three",),
    )


def observe(district: District, decision_id: str, value: float) -> None:
    district.outcome(decision_id, "ord_1", outcome="delivered", value=value)


def test_a_decision_and_what_came_of_it_stand_in_the_log_and_in_the_story(bench: Bench) -> None:
    decision_id = bench.do(decide, "ord_1").body.decode().strip('"')
    bench.do(observe, decision_id, 0.5)
    bench.do(observe, "dec_unknown", 0.1)
    log = bench.district.view(Decisions)
    assert decision_id.startswith("dec_")
    assert (log.latest[decision_id].action, log.latest[decision_id].features["weather"]) == ("cou_7", "rain")
    assert {one: [o.value for o in seen] for one, seen in log.outcomes.items()} == {decision_id: [0.5]}
    assert [e.name for e in bench.journal.story("ord_1")] == [
        "learning.decision_made",
        "learning.outcome_observed",
        "learning.outcome_observed",
    ]


def test_only_the_latest_decisions_stay_in_memory(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "DECISIONS_MAX", 2)
    made = [bench.do(decide, f"ord_{n}").body.decode().strip('"') for n in range(3)]
    log = bench.district.view(Decisions)
    assert list(log.latest) == made[1:]
    bench.do(observe, made[0], 1.0)
    assert log.outcomes == {}

from typing import Any

from hanse.district.core import District
from hanse.learning.decisions.views import DECISIONS_PER_ANSWER, Result, decisions, results
from tests.conftest import Town


def decide(district: District, subject_id: str, *, policy: str = "nearest", capability: str = "dispatch") -> str:
    return district.decided(
        capability,
        subject_id,
        policy=policy,
        version="1",
        features={"distance_m": 120.0},
        action="cou_7",
        probability=1.0,
        reasons=("nearest of three",),
    )


def observe(district: District, decision_id: str, outcome: str, value: float) -> None:
    district.outcome(decision_id, "ord_1", outcome=outcome, value=value)


def test_the_latest_decisions_come_first_with_what_came_of_them(town: Town) -> None:
    first, second = town.do(decide, "ord_1"), town.do(decide, "ord_2", capability="pricing")
    town.do(observe, first, "minutes_late", 3)
    logged = decisions(town.district)
    assert [one.decision.decision_id for one in logged] == [second, first]
    assert [[(o.outcome, o.value) for o in one.outcomes] for one in logged] == [[], [("minutes_late", 3.0)]]


def test_decisions_are_found_by_capability_and_by_subject(town: Town) -> None:
    first, second = town.do(decide, "ord_1"), town.do(decide, "ord_2", capability="pricing")
    third = town.do(decide, "ord_2")
    asked: list[dict[str, Any]] = [
        {"capability": "dispatch"},
        {"subject_id": "ord_2"},
        {"capability": "pricing", "subject_id": "ord_1"},
    ]
    found = [[one.decision.decision_id for one in decisions(town.district, **by)] for by in asked]
    assert found == [[third, first], [third, second], []]


def test_an_answer_is_bounded(town: Town) -> None:
    for n in range(DECISIONS_PER_ANSWER + 1):
        town.do(decide, f"ord_{n}")
    assert len(decisions(town.district)) == len(decisions(town.district, limit=10**6)) == DECISIONS_PER_ANSWER
    assert [one.decision.subject_id for one in decisions(town.district, limit=1)] == [f"ord_{DECISIONS_PER_ANSWER}"]


def test_each_policy_has_the_mean_of_its_outcomes(town: Town) -> None:
    near = [town.do(decide, "ord_1") for _ in range(3)]
    fast = [town.do(decide, "ord_1", policy="fastest") for _ in range(2)]
    town.do(decide, "ord_1", policy="never seen again")
    for decision_id, outcome, value in (
        (near[0], "minutes_late", 4.0),
        (near[1], "minutes_late", 0.0),
        (near[1], "minutes_late", 2.0),  # seen twice: the decision still counts once
        (near[0], "tip", 1.5),
        (fast[0], "minutes_late", -1.0),
    ):
        town.do(observe, decision_id, outcome, value)
    assert results(town.district, "dispatch") == [
        Result("fastest", "1", "minutes_late", 2, 1, -1.0),
        Result("nearest", "1", "minutes_late", 3, 2, 2.5),
        Result("nearest", "1", "tip", 3, 1, 1.5),
    ]
    assert results(town.district, "pricing") == []

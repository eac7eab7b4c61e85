"""Questions about the decision log. Its view stands in the district, because every context writes it."""

from statistics import fmean

import msgspec

from hanse.district.core import District
from hanse.district.own import Decisions
from hanse.events.learning import DecisionMade, OutcomeObserved

__all__ = ["DECISIONS_PER_ANSWER", "Logged", "Result", "decisions", "results"]

DECISIONS_PER_ANSWER = 100


class Logged(msgspec.Struct, frozen=True):
    """A decision and what came of it so far, in the order it was seen."""

    decision: DecisionMade
    outcomes: tuple[OutcomeObserved, ...]


class Result(msgspec.Struct, frozen=True):
    """What came of a policy: how often it chose, how often an outcome was seen, and its mean value."""

    policy: str
    version: str
    outcome: str
    decisions: int
    observed: int
    mean_value: float


def decisions(
    district: District, *, capability: str = "", subject_id: str = "", limit: int = DECISIONS_PER_ANSWER
) -> list[Logged]:
    """The latest decisions, newest first: of all or of one capability, about all or about one subject."""
    log = district.view(Decisions)
    found: list[Logged] = []
    for decision in reversed(log.latest.values()):
        if len(found) >= min(limit, DECISIONS_PER_ANSWER):
            break
        if capability in ("", decision.capability) and subject_id in ("", decision.subject_id):
            found.append(Logged(decision, tuple(log.outcomes.get(decision.decision_id, ()))))
    return found


def results(district: District, capability: str) -> list[Result]:
    """What came of each policy of a capability, by kind of outcome; a policy without outcomes is not here."""
    log = district.view(Decisions)
    chosen: dict[tuple[str, str], int] = {}
    values: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    for decision in log.latest.values():
        if decision.capability != capability:
            continue
        policy = (decision.policy, decision.version)
        chosen[policy] = chosen.get(policy, 0) + 1
        for seen in log.outcomes.get(decision.decision_id, ()):
            values.setdefault((*policy, seen.outcome), {}).setdefault(decision.decision_id, []).append(seen.value)
    return [
        Result(policy, version, outcome, chosen[policy, version], len(of), fmean(map(fmean, of.values())))
        for (policy, version, outcome), of in sorted(values.items())
    ]

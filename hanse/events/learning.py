"""The decision log: what a brain chose and why, and what came of it."""

from hanse.events.dictionary import Event, stored

__all__ = ["DecisionMade", "OutcomeObserved"]


@stored("learning.decision_made", story="subject_id")
class DecisionMade(Event, frozen=True):
    """A brain chose under uncertainty. `features` are sealed where they are personal."""

    decision_id: str
    capability: str
    policy: str
    version: str
    subject_id: str
    features: dict[str, float | str]
    action: str
    probability: float
    reasons: tuple[str, ...]


@stored("learning.outcome_observed", story="subject_id")
class OutcomeObserved(Event, frozen=True):
    """What came of a decision."""

    decision_id: str
    subject_id: str
    outcome: str
    value: float

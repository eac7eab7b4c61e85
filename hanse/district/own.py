"""The district's own views: consents, decisions, what is owed to the world outside, what went wrong."""

import msgspec

from hanse.district.neighbours import Neighbours
from hanse.district.views import View, folds
from hanse.events.district import (
    CommandStopped,
    DistrictDeployed,
    EffectAnswered,
    EffectFailed,
    StepFailed,
    TroubleSettled,
)
from hanse.events.learning import DecisionMade, OutcomeObserved
from hanse.events.people import ConsentGiven, ConsentWithdrawn, MemberErased

__all__ = ["OWN_VIEWS", "Consents", "Decisions", "Deployment", "Owed", "Stop", "Troubles"]

TROUBLES_MAX = 1_000
DECISIONS_MAX = 10_000
OUTCOMES_MAX = 100


class Consents(View):
    """Which person allows which purpose on which topics. What nobody allowed is not allowed."""

    given: dict[str, dict[str, set[str]]] = {}
    muted: dict[str, dict[str, set[str]]] = {}

    def allowed(self, person_id: str, purpose: str, topic: str) -> bool:
        """Whether the person's data may be used for this purpose, on this topic."""
        topics = self.given.get(person_id, {}).get(purpose)
        if not topics or topic in self.muted.get(person_id, {}).get(purpose, ()):
            return False
        return "" in topics or topic in topics

    @folds(ConsentGiven)
    def _give(self, event: ConsentGiven, now_us: int) -> None:
        self.given.setdefault(event.person_id, {}).setdefault(event.purpose, set()).add(event.topic)
        self.muted.get(event.person_id, {}).get(event.purpose, set()).discard(event.topic)

    @folds(ConsentWithdrawn)
    def _withdraw(self, event: ConsentWithdrawn, now_us: int) -> None:
        if event.topic == "":
            self.given.get(event.person_id, {}).pop(event.purpose, None)
            self.muted.get(event.person_id, {}).pop(event.purpose, None)
        else:
            self.given.get(event.person_id, {}).get(event.purpose, set()).discard(event.topic)
            self.muted.setdefault(event.person_id, {}).setdefault(event.purpose, set()).add(event.topic)

    @folds(MemberErased)
    def _erase(self, event: MemberErased, now_us: int) -> None:
        self.given.pop(event.person_id, None)
        self.muted.pop(event.person_id, None)


class Decisions(View):
    """The latest decisions of all brains with what came of them; the journal has them all."""

    latest: dict[str, DecisionMade] = {}
    outcomes: dict[str, list[OutcomeObserved]] = {}

    @folds(DecisionMade)
    def _made(self, event: DecisionMade, now_us: int) -> None:
        self.latest[event.decision_id] = event
        if len(self.latest) > DECISIONS_MAX:
            oldest = next(iter(self.latest))
            del self.latest[oldest]
            self.outcomes.pop(oldest, None)

    @folds(OutcomeObserved)
    def _observed(self, event: OutcomeObserved, now_us: int) -> None:
        if event.decision_id in self.latest:
            seen = self.outcomes.setdefault(event.decision_id, [])
            seen.append(event)
            del seen[:-OUTCOMES_MAX]


class Deployment(View):
    """What the district declares of itself, and behind which position each of its steps and effects counts."""

    zone: str = ""
    currency: str = ""
    country: str = ""
    steps_after: dict[str, int] = {}

    @folds(DistrictDeployed)
    def _deploy(self, event: DistrictDeployed, now_us: int) -> None:
        self.zone, self.currency, self.country = event.zone, event.currency, event.country
        self.steps_after = event.steps_after


class Stop(msgspec.Struct):
    """How often a command or step stopped the writer, and its last error."""

    what: str
    caller: str
    key: str
    times: int
    error: str


class Troubles(View):
    """What waits for a person: failed steps, failed effects, commands that stopped the writer."""

    failed_steps: list[StepFailed] = []
    failed_effects: list[EffectFailed] = []
    stopped: dict[str, Stop] = {}

    def stops(self, what: str, caller: str, key: str) -> int:
        """How often this very command or step has stopped the writer."""
        stop = self.stopped.get(_stop_id(what, caller, key))
        return stop.times if stop else 0

    @folds(StepFailed)
    def _step_failed(self, event: StepFailed, now_us: int) -> None:
        self.failed_steps.append(event)
        del self.failed_steps[:-TROUBLES_MAX]

    @folds(EffectFailed)
    def _effect_failed(self, event: EffectFailed, now_us: int) -> None:
        self.failed_effects.append(event)
        del self.failed_effects[:-TROUBLES_MAX]

    @folds(CommandStopped)
    def _command_stopped(self, event: CommandStopped, now_us: int) -> None:
        stop = self.stopped.setdefault(
            _stop_id(event.what, event.caller, event.key), Stop(event.what, event.caller, event.key, 0, "")
        )
        stop.times += 1
        stop.error = event.error
        if len(self.stopped) > TROUBLES_MAX:
            del self.stopped[next(iter(self.stopped))]

    @folds(TroubleSettled)
    def _settled(self, event: TroubleSettled, now_us: int) -> None:
        which = (event.what, event.position)
        if event.kind == "step":
            self.failed_steps = [f for f in self.failed_steps if (f.step, f.position) != which]
            self.stopped.pop(_stop_id(event.what, "", str(event.position)), None)
        elif event.kind == "effect":
            self.failed_effects = [f for f in self.failed_effects if (f.effect, f.position) != which]
        else:
            self.stopped.pop(_stop_id(event.what, event.caller, event.key), None)


def _stop_id(what: str, caller: str, key: str) -> str:
    return f"{what} {caller} {key}"


class Owed(View):
    """Effects that the world outside has not answered yet: (effect, position) → when it was asked."""

    since_us: dict[str, dict[int, int]] = {}

    def ask(self, effect: str, position: int, now_us: int) -> None:
        """Note that the event at a position asks an effect; called as the event is folded."""
        self.since_us.setdefault(effect, {})[position] = now_us

    @folds(EffectAnswered, EffectFailed)
    def _done(self, event: EffectAnswered | EffectFailed, now_us: int) -> None:
        self.since_us.get(event.effect, {}).pop(event.position, None)

    @folds(TroubleSettled)
    def _asked_again(self, event: TroubleSettled, now_us: int) -> None:
        if event.kind == "effect" and event.way == "retry":
            self.ask(event.what, event.position, now_us)


OWN_VIEWS: tuple[type[View], ...] = (Consents, Decisions, Deployment, Troubles, Owed, Neighbours)

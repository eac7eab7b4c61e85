"""The card provider: charges, declines, answers late, never, or twice, in any order."""

import heapq
from random import Random
from typing import Literal, NamedTuple

from hanse.district.core import District
from hanse.district.effects import GIVE_UP_US, bring_back, give_up
from hanse.district.jobs import Answer, Job
from hanse.district.writer import Writer
from hanse.flows.order import card_declined, card_paid
from hanse.kernel.errors import Conflict
from hanse.kernel.time import MINUTE_US, SECOND_US
from hanse.world.simulation.books import Books
from hanse.world.simulation.report import Broken

__all__ = ["Provider", "refunded"]

Outcome = Literal["paid", "declined", "never"]


class Plan(NamedTuple):
    """What the provider will say about one request: the same whenever it is asked, as its key is the same."""

    effect: str
    outcome: Outcome
    order_id: str
    amount_minor: int
    twice: bool


class Provider:
    """Answers what the journal asks of the world outside."""

    def __init__(self, rng: Random, books: Books) -> None:
        self._rng = rng
        self._books = books
        self._plans: dict[int, Plan] = {}
        self._due: list[tuple[int, int]] = []

    def listen(self, now_us: int) -> None:
        """Hear what was asked since the last time."""
        for position in self._books.newly_asked:
            effect, body = self._books.asked[position]
            plan, after_us = self._plan(effect, body["order_id"], body["amount_minor"])
            self._plans[position] = plan
            if effect == "card.charge" and plan.outcome == "paid":
                self._books.charges[position] = plan.amount_minor
            heapq.heappush(self._due, (now_us + after_us, position))
        self._books.newly_asked.clear()

    def answer(self, writer: Writer, now_us: int) -> None:
        """Bring back what is due; what is not in the journal some time later is brought again."""
        while self._due and self._due[0][0] <= now_us:
            _, position = heapq.heappop(self._due)
            plan = self._plans[position]
            if position not in self._books.asked:
                continue
            heapq.heappush(self._due, (now_us + 20 * SECOND_US, position))
            for _ in range(1 + plan.twice):
                try:
                    writer.submit(_told(plan, position), _expect_ok)
                except Conflict as error:
                    raise Broken(f"an answer of the provider was turned away: {error.code}", plan.order_id) from error

    def _plan(self, effect: str, order_id: str, amount_minor: int) -> tuple[Plan, int]:
        rng = self._rng
        twice = rng.random() < 0.15
        if effect == "card.refund":
            return Plan(effect, "paid", order_id, amount_minor, twice), rng.randrange(60 * SECOND_US)
        outcome: Outcome = rng.choices(("paid", "declined", "never"), (75, 15, 5))[0]
        soon, late = rng.randrange(20 * SECOND_US), rng.randrange(5 * MINUTE_US, 30 * MINUTE_US)
        after_us = GIVE_UP_US + soon if outcome == "never" else late if rng.random() < 0.15 else soon
        return Plan(effect, outcome, order_id, amount_minor, twice), after_us


def refunded(district: District, order_id: str) -> None:
    """The provider gave the money back: nothing is left to record but that it answered."""


def _told(plan: Plan, position: int) -> Job:
    """The command by which an effect worker tells the district, in the form that it has there."""
    mark = f"{plan.effect}-{position}".encode()
    if plan.outcome == "never":
        return Job(give_up, (plan.effect, position, "TimeoutError"), "district", fingerprint=mark)
    return Job(bring_back, (plan.effect, position, _answer(plan)), "district", fingerprint=mark)


def _answer(plan: Plan) -> Job:
    if plan.effect == "card.refund":
        return Job(refunded, (plan.order_id,))
    if plan.outcome == "paid":
        return Job(card_paid, (plan.order_id, plan.amount_minor))
    return Job(card_declined, (plan.order_id, "no cover"))


def _expect_ok(answer: Answer) -> None:
    if answer.kind not in ("ok", "JournalUnavailable", "Unavailable"):
        raise Broken(f"an answer of the provider came to nothing: {answer}")

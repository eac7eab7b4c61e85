import asyncio
from typing import Any

import pytest

from hanse.district.jobs import Job
from hanse.events.finance import CardPaymentAsked, CardRefundAsked
from hanse.flows import order
from hanse.kernel.errors import Unavailable
from hanse.market.orders.service import PAY_WITHIN_US
from hanse.world.provider import SimulatedCards, refunded


def asked(token: str) -> CardPaymentAsked:
    return CardPaymentAsked("ord_1", "per_1", 1_250, "EUR", token)


def charge(cards: SimulatedCards, token: str, key: str = "card.charge-7") -> Job:
    return asyncio.run(cards.charge(asked(token), key))


def told(job: Job) -> tuple[object, tuple[object, ...]]:
    return job.command, job.arguments


@pytest.fixture
def cards(wall: Any) -> SimulatedCards:
    return SimulatedCards(clock=wall, delay_s=0.0)


def test_a_good_card_is_charged(cards: SimulatedCards) -> None:
    assert told(charge(cards, "tok_ok")) == (order.card_paid, ("ord_1", 1_250))


@pytest.mark.parametrize(
    ("token", "reason"),
    [("tok_decline", "declined by the simulated provider"), ("tok_of_another_bank", "unknown card")],
)
def test_a_bad_card_is_declined_with_a_reason(cards: SimulatedCards, token: str, reason: str) -> None:
    assert told(charge(cards, token)) == (order.card_declined, ("ord_1", reason))


def test_asked_again_under_a_key_it_answers_the_same_and_charges_once(cards: SimulatedCards) -> None:
    assert charge(cards, "tok_ok") == charge(cards, "tok_ok")
    assert [(entry.calls, entry.answer) for entry in cards.charges.values()] == [(2, "charged")]


def test_a_bad_line_breaks_once(cards: SimulatedCards) -> None:
    with pytest.raises(Unavailable, match="call again"):
        charge(cards, "tok_flaky")
    assert charge(cards, "tok_flaky").command is order.card_paid
    with pytest.raises(Unavailable):
        charge(cards, "tok_flaky", "card.charge-8")


def test_a_late_answer_comes_when_the_order_has_expired(cards: SimulatedCards, wall: Any) -> None:
    with pytest.raises(Unavailable):
        charge(cards, "tok_late")
    wall.pass_us(PAY_WITHIN_US - 1)
    with pytest.raises(Unavailable):
        charge(cards, "tok_late")
    wall.pass_us(1)
    assert charge(cards, "tok_late").command is order.card_paid


def test_money_is_given_back_once(cards: SimulatedCards) -> None:
    back = CardRefundAsked("ord_1", 300, "EUR", "less was picked")
    jobs = [asyncio.run(cards.refund(back, "card.refund-9")) for _ in range(2)]
    assert jobs[0] == jobs[1]
    assert told(jobs[0]) == (refunded, ("ord_1",))
    assert [(entry.amount_minor, entry.answer) for entry in cards.refunds.values()] == [(300, "refunded")]

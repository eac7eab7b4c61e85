"""A simulated card provider. No bank, no card, no money: it says yes and no, so that the flow can be seen.

========================  ==================================================================
token                     what happens
========================  ==================================================================
``tok_ok``                charged, after a moment
``tok_decline``           declined
``tok_late``              no answer until the order has expired, then charged: it has to be given back
``tok_flaky``             the first call fails, the second is charged
anything else             declined as unknown
========================  ==================================================================

Like a real provider it is idempotent: asked again under the same key, it answers the same and charges once.
"""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from hanse.district.core import District
from hanse.district.effects import Call
from hanse.district.jobs import Job
from hanse.events.dictionary import Event
from hanse.events.finance import CardPaymentAsked, CardRefundAsked
from hanse.flows import order
from hanse.kernel.errors import Unavailable
from hanse.market.orders.service import PAY_WITHIN_US

__all__ = ["TOKENS", "SimulatedCards", "refunded"]

TOKENS = ("tok_ok", "tok_decline", "tok_late", "tok_flaky")
CALLER = "simulated-cards"
KEYS_MAX = 100_000


class Charge(msgspec.Struct):
    """What was asked under one key: when first, how often, and what was answered ("" : nothing yet)."""

    asked_us: int
    amount_minor: int
    calls: int = 0
    answer: str = ""


class SimulatedCards:
    """The provider's side: what it was asked and what it answered, by idempotency key.

    Parameters
    ----------
    clock
        Microseconds since 1970.
    delay_s
        How long an answer takes.
    """

    def __init__(self, *, clock: Callable[[], int], delay_s: float = 0.3) -> None:
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, Charge] = {}
        self._clock = clock
        self._delay_s = delay_s

    @property
    def calls(self) -> Mapping[str, Call]:
        """How the effects of the flows reach it."""
        return {"card.charge": self.charge, "card.refund": self.refund}

    async def charge(self, asked: Event, key: str) -> Job:
        """Charge a card; raises `Unavailable` while it has no answer."""
        assert isinstance(asked, CardPaymentAsked)
        await asyncio.sleep(self._delay_s)
        charge = _entered(self.charges, key, asked.amount_minor, self._clock())
        if not charge.answer:
            charge.answer = _decide(asked.card_token, charge, self._clock())
        if charge.answer == "charged":
            return Job(order.card_paid, (asked.order_id, asked.amount_minor), CALLER)
        return Job(order.card_declined, (asked.order_id, charge.answer), CALLER)

    async def refund(self, asked: Event, key: str) -> Job:
        """Give a charge back; always done."""
        assert isinstance(asked, CardRefundAsked)
        await asyncio.sleep(self._delay_s)
        _entered(self.refunds, key, asked.amount_minor, self._clock()).answer = "refunded"
        return Job(refunded, (asked.order_id,), CALLER)


def refunded(district: District, order_id: str) -> None:
    """The provider gave the money back: nothing is left to record but that it answered."""


def _entered(book: dict[str, Charge], key: str, amount_minor: int, now_us: int) -> Charge:
    charge = book.setdefault(key, Charge(now_us, amount_minor))
    charge.calls += 1
    while len(book) > KEYS_MAX:
        del book[next(iter(book))]
    return charge


def _decide(token: str, charge: Charge, now_us: int) -> str:
    if token == "tok_flaky" and charge.calls == 1:
        raise Unavailable("world.card_line_broke", "The simulated provider lost the line; call again.")
    if token == "tok_late" and now_us < charge.asked_us + PAY_WITHIN_US:
        raise Unavailable("world.card_busy", "The simulated provider has no answer yet; call again.")
    if token in ("tok_ok", "tok_flaky", "tok_late"):
        return "charged"
    return "declined by the simulated provider" if token == "tok_decline" else "unknown card"

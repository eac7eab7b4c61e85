"""What one district owes another, paid outside: whoever was paid books it and tells, so both sides book it once.

Who is paid knows that the money came, and is the one to lose if it did not; who pays is told, and books the same.

======================================  =================  ==================================
when                                    do                 records
======================================  =================  ==================================
(`book` is a command of who was paid)   book               finance.transfers_posted
                                        book               district.message_sent
debt.paid                               note_paid          finance.transfers_posted
======================================  =================  ==================================
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from hanse.district.core import District
from hanse.district.messages import send
from hanse.district.neighbours import Message, Neighbours
from hanse.district.reactions import Deadline, Hearer, Step
from hanse.events.dictionary import Event
from hanse.finance.clearing import service as clearing
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.views import account
from hanse.kernel.errors import Conflict, NotFound, must
from hanse.kernel.money import AMOUNT_MAX_MINOR

__all__ = [
    "DEADLINES",
    "EFFECTS",
    "MESSAGES",
    "REFERENCE_MAX",
    "STEPS",
    "DebtPaid",
    "Standing",
    "book",
    "standings",
]

REFERENCE_MAX = 140
"""As long as what a bank transfer says (SEPA, unstructured)."""


class Standing(msgspec.Struct, frozen=True):
    """Where a district stands with a neighbour; of the two debts one is 0. All amounts in minor units.

    What is `set_aside` becomes debt when its goods are collected. `unsent` counts messages the neighbour does not have
    yet; `trouble` says why a channel stands still, if one does; `ended`: nothing new is ordered over the border.
    """

    neighbour: str
    we_owe_minor: int
    set_aside_here_minor: int
    they_owe_minor: int
    set_aside_there_minor: int
    limit_minor: int
    currency: str
    unsent: int
    trouble: str
    ended: bool


class DebtPaid(Message, frozen=True, tag="debt.paid"):
    """We were paid this much of what you owe us. `reference`: what the bank transfer said."""

    payment_id: str
    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_MINOR)]
    reference: str


def standings(district: District) -> tuple[Standing, ...]:
    """Where the district stands with each neighbour."""
    found = []
    for tag, channel in district.view(Neighbours).channels.items():
        of = account(district, clearing_of(tag))
        found.append(
            Standing(
                tag,
                max(of.balance_minor, 0),
                of.incoming_minor,
                max(-of.balance_minor, 0),
                of.held_minor,
                channel.limit_minor,
                district.currency,
                len(channel.waiting),
                channel.parked_in or channel.parked_out,
                not channel.limit_minor,
            )
        )
    return tuple(found)


def book(district: District, neighbour: str, amount_minor: int, *, reference: str) -> str:
    """Book that a neighbour paid some of what it owes us, and tell it; returns the payment's id.

    Raises
    ------
    NotFound
        There never was such a neighbour.
    Conflict
        It owes less than that.
    """
    if neighbour not in district.view(Neighbours).channels:
        raise NotFound("district.unknown_neighbour", "There is no neighbour with this tag.", neighbour=neighbour)
    must(
        len(reference) <= REFERENCE_MAX and (not reference or reference.isprintable()),
        "finance.bad_reference",
        f"Give at most {REFERENCE_MAX} printable characters.",
        field="reference",
    )
    must(
        0 < amount_minor <= AMOUNT_MAX_MINOR,
        "finance.bad_amount",
        "Give an amount above zero and at most 10^15 minor units.",
        field="amount_minor",
        value=amount_minor,
    )
    owed_minor = -account(district, clearing_of(neighbour)).balance_minor
    if amount_minor > owed_minor:
        raise Conflict(
            "finance.not_owed", "This neighbour owes less than that; look again.", owed_minor=max(owed_minor, 0)
        )
    payment_id = district.next_id("pay")
    clearing.receive(district, payment_id, neighbour, amount_minor)
    send(district, neighbour, DebtPaid(payment_id, amount_minor, reference), story=payment_id)
    return payment_id


def note_paid(district: District, sender: str, paid: DebtPaid) -> None:
    """We owe that much less."""
    clearing.pay(district, paid.payment_id, sender, paid.amount_minor)


STEPS: Sequence[tuple[type[Event], Step]] = []
MESSAGES: Sequence[tuple[type[Message], Hearer]] = [(DebtPaid, note_paid)]
DEADLINES: Sequence[Deadline] = []
EFFECTS: Sequence[tuple[type[Event], str]] = []

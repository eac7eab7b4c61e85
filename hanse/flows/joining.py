"""Somebody joins the league.

=====================  ============================  ======================
when                   do                            records
=====================  ============================  ======================
people.member_joined   open_wallet                   finance.account_opened
market.shop_joined     open_sales                    finance.account_opened
=====================  ============================  ======================

Held money whose time is over is freed by the deadline of the ledger, `expire`.
"""

from collections.abc import Sequence

from hanse.district.core import District
from hanse.district.reactions import Deadline, Step
from hanse.events.dictionary import Event
from hanse.events.market import ShopJoined
from hanse.events.people import MemberJoined
from hanse.finance.ledger import service as ledger
from hanse.finance.payments import service as payments

__all__ = ["DEADLINES", "EFFECTS", "STEPS"]


def open_wallet(district: District, joined: MemberJoined) -> None:
    """A member can be paid and can pay."""
    payments.open_wallet(district, joined.person_id)


def open_sales(district: District, joined: ShopJoined) -> None:
    """A shop can be paid; the league's own accounts are there before its first sale."""
    payments.open_league_accounts(district)
    payments.open_sales(district, joined.shop_id)


STEPS: Sequence[tuple[type[Event], Step]] = [(MemberJoined, open_wallet), (ShopJoined, open_sales)]
DEADLINES: Sequence[Deadline] = [ledger.expire]
EFFECTS: Sequence[tuple[type[Event], str]] = []

"""The shop's money: what is on its account, what it sold, what the league took, hour by hour."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import get
from litestar.di import NamedDependency

from hanse.app.i18n import N_
from hanse.app.pages.counter import my_shop, number_of
from hanse.app.pages.visit import Reply, Visit
from hanse.finance.ledger.views import Account, Movement, account
from hanse.finance.payments.views import COMMISSION, sales_of
from hanse.kernel.time import HOUR_US, MINUTE_US, from_micros

__all__ = ["ROUTES", "Moved", "moved"]

SHOP = ("shop",)
SHOWN_MAX = 40


class Moved(msgspec.Struct, frozen=True):
    """One movement of an account in words."""

    at: datetime
    what: str
    order: str
    amount_minor: int


@get("/shop/money", roles=SHOP, sync_to_thread=False)
def money_page(visit: NamedDependency[Visit]) -> Reply:
    """The shop's account and its latest movements."""
    mine = account(visit.district, sales_of(visit.me))
    came = [m for m in mine.recent if m.amount_minor > 0 and m.other != COMMISSION]
    commission = [m for m in mine.recent if m.other == COMMISSION]
    return visit.page(
        "shop/money.html",
        section="money",
        shop=my_shop(visit),
        account=mine,
        sold_minor=sum(m.amount_minor for m in came),
        commission_minor=-sum(m.amount_minor for m in commission),
        sales=len(came),
        since=from_micros(mine.recent[0].time_us) if mine.recent else None,
        movements=[moved(visit, m) for m in reversed(mine.recent[-SHOWN_MAX:])],
        series=_series(visit, mine),
    )


ROUTES = (money_page,)


def moved(visit: Visit, movement: Movement) -> Moved:
    """A movement in words: what it was, and for which order."""
    name = movement.transfer_id
    order_id = name.partition("-")[0] if name.startswith("ord_") else ""
    number = number_of(name.partition("/")[0]) if order_id else ""
    return Moved(
        from_micros(movement.time_us),
        visit.say(_WORDS[_kind(name, movement)]) + (f" {number}" if number else ""),
        order_id,
        movement.amount_minor,
    )


_WORDS = {
    "sale": N_("Sale"),
    "purchase": N_("Purchase"),
    "fee": N_("Delivery"),
    "commission": N_("Commission"),
    "commission_back": N_("Commission given back"),
    "refund_in": N_("Refund"),
    "refund_out": N_("Refund"),
    "top_up": N_("Top-up"),
    "other": N_("Transfer"),
}


def _kind(name: str, movement: Movement) -> str:
    came = movement.amount_minor > 0
    if "/refund/" in name:
        if movement.other == COMMISSION:
            return "commission_back"
        return "refund_in" if came else "refund_out"
    if movement.other == COMMISSION:
        return "commission"
    if name.startswith("top_") or movement.other == "league/top-ups":
        return "top_up"
    if "/fee" in name:
        return "fee"
    if "/goods" in name:
        return "sale" if came else "purchase"
    return "other"


def _series(visit: Visit, of: Account) -> list[list[float]]:
    """What was sold, summed up in equal steps since the first movement that is kept: for the chart."""
    came = [m for m in of.recent if m.amount_minor > 0 and m.other != COMMISSION]
    if not came:
        return [[], []]
    now_us, begin_us = visit.now_us, came[0].time_us
    step_us = MINUTE_US if now_us - begin_us < 2 * HOUR_US else HOUR_US
    begin_us -= begin_us % step_us
    sums = [0] * int((now_us - begin_us) // step_us + 1)
    for movement in came:
        sums[(movement.time_us - begin_us) // step_us] += movement.amount_minor
    times = [(begin_us + i * step_us) / 1_000_000 for i in range(len(sums))]
    return [times, [minor / 100 for minor in sums]]

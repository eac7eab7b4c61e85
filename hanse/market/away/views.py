"""What was asked of neighbours, and what they told of it."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.market import (
    AwayCancelAsked,
    AwayCancelRefused,
    AwayOrderAsked,
    AwayOrderClosed,
    AwayOrderRefused,
    AwayOrderTaken,
    AwayPartMoved,
)
from hanse.kernel.errors import NotFound
from hanse.kernel.time import DAY_US
from hanse.kernel.values import AwayPart

__all__ = ["Away", "AwayOrder", "AwayPartState", "away_order", "away_orders_of", "own_away_order"]

KEPT_US = 120 * DAY_US
RECENT_MAX = 50

Outcome = Literal["", "refused", "fulfilled", "partly", "unfulfilled"]


class AwayPartState(msgspec.Struct, gc=False):
    """Where one part stands at the neighbour, as far as it was told."""

    part: AwayPart
    stage: str = "placed"
    goods_minor: int = 0
    refunded_minor: int = 0
    reason: str = ""


class AwayOrder(msgspec.Struct, gc=False):
    """An order at a neighbour's. No parts: it has not been answered; `outcome` is empty while it is open."""

    asked: AwayOrderAsked
    since_us: int
    parts: dict[str, AwayPartState] = {}
    cancelling: Literal["", "asked", "refused"] = ""
    outcome: Outcome = ""
    refusal: AwayOrderRefused | None = None


class Away(View):
    """Open orders and those closed of late, by id; each shopper's latest."""

    open: dict[str, AwayOrder] = {}
    closed: dict[str, AwayOrder] = {}
    by_shopper: dict[str, list[str]] = {}

    def find(self, order_id: str) -> AwayOrder | None:
        """An order, open or not; None for one that never was or is long over."""
        return self.open.get(order_id) or self.closed.get(order_id)

    @folds(AwayOrderAsked)
    def _ask(self, event: AwayOrderAsked, now_us: int) -> None:
        self.open[event.order_id] = AwayOrder(event, now_us)
        latest = self.by_shopper.setdefault(event.shopper_id, [])
        latest.append(event.order_id)
        if len(latest) > 2 * RECENT_MAX:
            del latest[:-RECENT_MAX]

    @folds(AwayOrderTaken)
    def _take(self, event: AwayOrderTaken, now_us: int) -> None:
        self.open[event.order_id].parts = {
            part.part_id: AwayPartState(part, goods_minor=part.goods_minor) for part in event.parts
        }

    @folds(AwayOrderRefused)
    def _refuse(self, event: AwayOrderRefused, now_us: int) -> None:
        self.open[event.order_id].refusal = event
        self._end(event.order_id, "refused", now_us)

    @folds(AwayPartMoved)
    def _move(self, event: AwayPartMoved, now_us: int) -> None:
        found = self.find(event.order_id)
        # A refund may be told of an order that was let go of.
        if found is not None:
            state = found.parts[event.part_id]
            state.stage, state.reason = event.stage, event.reason
            state.goods_minor, state.refunded_minor = event.goods_minor, event.refunded_minor

    @folds(AwayCancelAsked)
    def _cancel(self, event: AwayCancelAsked, now_us: int) -> None:
        self.open[event.order_id].cancelling = "asked"

    @folds(AwayCancelRefused)
    def _keep(self, event: AwayCancelRefused, now_us: int) -> None:
        self.open[event.order_id].cancelling = "refused"

    @folds(AwayOrderClosed)
    def _close(self, event: AwayOrderClosed, now_us: int) -> None:
        self._end(event.order_id, event.outcome, now_us)

    def _end(self, order_id: str, outcome: Outcome, now_us: int) -> None:
        ended = self.closed[order_id] = self.open.pop(order_id)
        ended.outcome, ended.since_us = outcome, now_us
        while (oldest := next(iter(self.closed.values()))).since_us < now_us - KEPT_US:
            del self.closed[oldest.asked.order_id]


def away_order(district: District, order_id: str) -> AwayOrder:
    """An order at a neighbour's, open or closed of late; raises `NotFound`."""
    found = district.view(Away).find(order_id)
    if found is None:
        raise _unknown(order_id)
    return found


def own_away_order(district: District, shopper_id: str, order_id: str) -> AwayOrder:
    """The same, if it is this shopper's: of another's they do not get to know that it exists."""
    found = away_order(district, order_id)
    if found.asked.shopper_id != shopper_id:
        raise _unknown(order_id)
    return found


def away_orders_of(district: District, shopper_id: str) -> Iterator[AwayOrder]:
    """A shopper's latest orders at neighbours, newest first."""
    away = district.view(Away)
    found = (away.find(order_id) for order_id in away.by_shopper.get(shopper_id, [])[: -RECENT_MAX - 1 : -1])
    return (order for order in found if order is not None)


def _unknown(order_id: str) -> NotFound:
    return NotFound("market.no_away_order", "There is no order at a neighbour's with this id.", order_id=order_id)

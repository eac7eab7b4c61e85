"""Where each open order stands."""

import heapq
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.dictionary import decode
from hanse.events.market import (
    OrderAccepted,
    OrderClosed,
    OrderExpired,
    OrderPlaced,
    PartAccepted,
    PartCollected,
    PartDelivered,
    PartEnded,
    PartHandedOver,
    PartPicked,
    PartSettled,
)
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound
from hanse.kernel.time import OpeningHours, from_micros, next_open, to_micros
from hanse.kernel.values import Part

__all__ = [
    "ENDED",
    "Order",
    "Orders",
    "PartState",
    "due",
    "from_story",
    "opens_us",
    "order",
    "orders_of_shop",
    "orders_of_shopper",
    "part_of",
]

Stage = Literal[
    "placed",
    "accepted",
    "picked",
    "handed_over",
    "delivered",
    "collected",
    "settled",
    "refused",
    "cancelled",
    "expired",
]

ENDED = frozenset(("settled", "refused", "cancelled", "expired"))
"""Stages from which nothing moves any more."""

RECENT_MAX = 50
_END_STAGES: dict[str, Stage] = {
    "refused": "refused",
    "cancelled": "cancelled",
    "unanswered": "expired",
    "unpaid": "expired",
}


Moving = PartAccepted | PartPicked | PartHandedOver | PartDelivered | PartCollected | PartSettled | PartEnded

_STAGE_OF: dict[type, Stage] = {
    PartAccepted: "accepted",
    PartPicked: "picked",
    PartHandedOver: "handed_over",
    PartDelivered: "delivered",
    PartCollected: "collected",
    PartSettled: "settled",
}


class PartState(msgspec.Struct):
    """Where one part stands, and what it comes to by now (less than ordered if less was picked)."""

    part: Part
    stage: Stage
    goods_minor: int
    fee_minor: int
    commission_minor: int
    quantities: tuple[int, ...]
    reason: str = ""


class Order(msgspec.Struct):
    """An order with its parts. `accepted`: the money is held."""

    placed: OrderPlaced
    placed_us: int
    parts: dict[str, PartState]
    accepted: bool = False
    closed: str = ""


class Orders(View):
    """Open orders by id; the parts that each shop works on; each shopper's latest; what falls due."""

    open: dict[str, Order] = {}
    by_shop: dict[str, dict[str, str]] = {}
    by_shopper: dict[str, list[str]] = {}
    closed_of_shop: dict[str, list[str]] = {}
    timers: list[tuple[int, str, Literal["pay", "answer"]]] = []
    placed: int = 0
    accepted: int = 0
    closed: int = 0

    @folds(OrderPlaced)
    def _place(self, event: OrderPlaced, now_us: int) -> None:
        order_id = event.order_id
        self.placed += 1
        self.open[order_id] = _opened(event, now_us)
        latest = self.by_shopper.get(event.shopper_id)
        if latest is None:
            self.by_shopper[event.shopper_id] = [order_id]
        else:
            latest.append(order_id)
            if len(latest) > 2 * RECENT_MAX:
                del latest[:-RECENT_MAX]
        for part in event.parts:
            of_shop = self.by_shop.get(part.shop_id)
            if of_shop is None:
                of_shop = self.by_shop[part.shop_id] = {}
            of_shop[part.part_id] = order_id
        # A wallet pays in the same commit; only who pays by card can be too late.
        if event.payment != "wallet":
            heapq.heappush(self.timers, (event.expires_us, order_id, "pay"))

    @folds(OrderAccepted)
    def _accept(self, event: OrderAccepted, now_us: int) -> None:
        self.accepted += 1
        found = self.open[event.order_id]
        found.accepted = True
        heapq.heappush(self.timers, (event.answer_by_us, event.order_id, "answer"))
        if found.placed.payment != "wallet":
            self._drop_stale_timers()

    @folds(PartAccepted, PartPicked, PartHandedOver, PartDelivered, PartCollected, PartSettled, PartEnded)
    def _move(self, event: Moving, now_us: int) -> None:
        state = self.open[event.order_id].parts[event.part_id]
        _moved(state, event)
        if state.stage in ENDED:
            shop_id = state.part.shop_id
            self.by_shop[shop_id].pop(event.part_id, None)
            done = self.closed_of_shop.setdefault(shop_id, [])
            done.append(event.order_id)
            if len(done) > 2 * RECENT_MAX:
                del done[:-RECENT_MAX]
        self._drop_stale_timers()

    @folds(OrderClosed)
    def _close(self, event: OrderClosed, now_us: int) -> None:
        self.closed += 1
        del self.open[event.order_id]
        self._drop_stale_timers()

    def _drop_stale_timers(self) -> None:
        # So the first timer always counts, and asking what is due looks at one entry.
        while self.timers and not self._counts(self.timers[0][1], self.timers[0][2]):
            heapq.heappop(self.timers)

    def _counts(self, order_id: str, waits_for: Literal["pay", "answer"]) -> bool:
        found = self.open.get(order_id)
        if found is None or found.accepted != (waits_for == "answer"):
            return False
        return any(state.stage == "placed" for state in found.parts.values())


def _opened(event: OrderPlaced, now_us: int) -> Order:
    parts = {
        part.part_id: PartState(
            part,
            "placed",
            part.goods_minor,
            part.fee_minor,
            part.commission_minor,
            tuple([line.quantity for line in part.lines]),
        )
        for part in event.parts
    }
    return Order(event, now_us, parts)


def _moved(state: PartState, event: Moving) -> None:
    if isinstance(event, PartEnded):
        state.stage, state.reason = _END_STAGES[event.why], event.reason
        return
    state.stage = _STAGE_OF[type(event)]
    if isinstance(event, PartPicked):
        state.quantities = event.quantities
        state.goods_minor = event.goods_minor
        state.fee_minor = event.fee_minor
        state.commission_minor = event.commission_minor


def order(district: District, order_id: str) -> Order:
    """An open order; raises `NotFound` for one that is closed or never was."""
    found = district.view(Orders).open.get(order_id)
    if found is None:
        raise NotFound("market.no_open_order", "There is no open order with this id.", order_id=order_id)
    return found


def part_of(district: District, order_id: str, part_id: str) -> PartState:
    """A part of an open order; raises `NotFound`."""
    found = order(district, order_id).parts.get(part_id)
    if found is None:
        raise NotFound("market.unknown_part", "The order has no such part.", part_id=part_id)
    return found


def orders_of_shop(district: District, shop_id: str) -> list[tuple[Order, PartState]]:
    """The parts that a shop still has to do with, oldest first."""
    orders = district.view(Orders)
    mine = orders.by_shop.get(shop_id, {})
    return [(orders.open[o], orders.open[o].parts[p]) for p, o in mine.items() if orders.open[o].accepted]


def orders_of_shopper(district: District, shopper_id: str) -> list[str]:
    """The ids of a shopper's latest orders, newest first, open or closed."""
    return district.view(Orders).by_shopper.get(shopper_id, [])[: -RECENT_MAX - 1 : -1]


def due(district: District) -> str | None:
    """The order whose time has come first, if any has."""
    timers = district.view(Orders).timers
    return timers[0][1] if timers and timers[0][0] <= district.now_us else None


def from_story(entries: Iterable[Entry]) -> Order | None:
    """An order, open or closed, folded from the entries of its story; None if it is none."""
    found: Order | None = None
    for entry in entries:
        event = decode(entry.name, entry.version, entry.body)
        if isinstance(event, OrderPlaced):
            found = _opened(event, entry.time_us)
        elif found is None:
            continue
        elif isinstance(event, OrderAccepted):
            found.accepted = True
        elif isinstance(event, Moving):
            _moved(found.parts[event.part_id], event)
        elif isinstance(event, OrderClosed):
            found.closed = event.outcome
        elif isinstance(event, OrderExpired):
            found.closed = "unfulfilled"
    return found


@lru_cache(maxsize=65_536)
def opens_us(hours: OpeningHours, minute_us: int, local: ZoneInfo) -> int:
    """When a shop can begin: microseconds of the first open moment from a minute on (that minute if never)."""
    opening: datetime | None = next_open(hours, from_micros(minute_us), local)
    return to_micros(opening) if opening else minute_us

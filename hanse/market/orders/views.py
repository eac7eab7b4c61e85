"""Where each open order stands."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.dictionary import decode
from hanse.events.finance import PaymentHeld
from hanse.events.market import (
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
from hanse.events.people import MemberErased
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound
from hanse.kernel.time import MINUTE_US
from hanse.kernel.values import Part, VatAmount

__all__ = [
    "ANSWER_WITHIN_US",
    "ENDED",
    "END_STAGES",
    "Order",
    "Orders",
    "PartState",
    "due",
    "from_story",
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

ANSWER_WITHIN_US = 30 * MINUTE_US
"""A shop that stays silent longer after its promised time loses the order."""

RECENT_MAX = 50
END_STAGES: dict[str, Stage] = {
    "refused": "refused",
    "cancelled": "cancelled",
    "unanswered": "expired",
    "unpaid": "expired",
}
"""The stage of a part that ended, by why it did."""


Moving = PartAccepted | PartPicked | PartHandedOver | PartDelivered | PartCollected | PartSettled | PartEnded

_STAGE_OF: dict[type, Stage] = {
    PartAccepted: "accepted",
    PartPicked: "picked",
    PartHandedOver: "handed_over",
    PartDelivered: "delivered",
    PartCollected: "collected",
    PartSettled: "settled",
}


class PartState(msgspec.Struct, gc=False):
    """Where one part stands, and what was picked of it once it was."""

    part: Part
    stage: Stage = "placed"
    picked: PartPicked | None = None
    reason: str = ""

    @property
    def quantities(self) -> tuple[int, ...]:
        """Pieces of each line: as picked, before that as ordered."""
        return self.picked.quantities if self.picked else tuple([line.quantity for line in self.part.lines])

    @property
    def goods_minor(self) -> int:
        """What the goods come to by now, gross."""
        return (self.picked or self.part).goods_minor

    @property
    def fee_minor(self) -> int:
        """The delivery fee, gross."""
        return (self.picked or self.part).fee_minor

    @property
    def commission_minor(self) -> int:
        """The league's share, frozen at the sale; less if less was picked."""
        return (self.picked or self.part).commission_minor

    @property
    def vat(self) -> tuple[VatAmount, ...]:
        """The tax contained, by rate."""
        return (self.picked or self.part).vat


class Order(msgspec.Struct, gc=False):
    """An order with its parts. `accepted`: the money is held; `moved`: its parts, once one of them has moved."""

    placed: OrderPlaced
    placed_us: int
    accepted: bool = False
    closed: str = ""
    moved: dict[str, PartState] | None = None

    @property
    def parts(self) -> dict[str, PartState]:
        """Where each part stands, by id."""
        return self.moved or {part.part_id: PartState(part) for part in self.placed.parts}

    def move(self, event: Moving) -> PartState:
        """Take in what happened to a part; how it stands now."""
        if self.moved is None:
            # Most open orders wait for their shop: until then they are kept without a state for each part.
            self.moved = self.parts
        state = self.moved[event.part_id]
        if isinstance(event, PartEnded):
            state.stage, state.reason = END_STAGES[event.why], event.reason
            return state
        state.stage = _STAGE_OF[type(event)]
        if isinstance(event, PartPicked):
            state.picked = event
        return state


class Orders(View):
    """Open orders by id; the orders that each shop works on; each shopper's latest; what falls due.

    `by_shop` keeps an order in which the shop's part has ended until half of them are such, counted by `ended_at`:
    appending to a list is much less work than a place in a dictionary.
    `unpaid` is a heap of when orders end unpaid; `unanswered` has the orders that shops have to answer by a minute,
    `minutes` is the heap of its keys.
    """

    open: dict[str, Order] = {}
    by_shop: dict[str, list[str]] = {}
    ended_at: dict[str, int] = {}
    by_shopper: dict[str, list[str]] = {}
    closed_of_shop: dict[str, list[str]] = {}
    unpaid: list[tuple[int, str]] = []
    unanswered: dict[int, list[str]] = {}
    minutes: list[int] = []
    placed: int = 0
    accepted: int = 0
    closed: int = 0

    @folds(OrderPlaced)
    def _place(self, event: OrderPlaced, now_us: int) -> None:
        order_id = event.order_id
        self.placed += 1
        for part in event.parts:
            of_shop = self.by_shop.get(part.shop_id)
            if of_shop is None:
                of_shop = self.by_shop[part.shop_id] = []
            of_shop.append(order_id)
        accepted = bool(event.transfers)
        self.open[order_id] = Order(event, now_us, accepted)
        latest = self.by_shopper.get(event.shopper_id)
        if latest is None:
            self.by_shopper[event.shopper_id] = [order_id]
        else:
            latest.append(order_id)
            if len(latest) > 2 * RECENT_MAX:
                del latest[:-RECENT_MAX]
        if accepted:
            self._accept(event, now_us)
        else:
            heapq.heappush(self.unpaid, (event.expires_us, order_id))

    @folds(PaymentHeld)
    def _pay(self, event: PaymentHeld, now_us: int) -> None:
        paid = self.open[event.order_id]
        paid.accepted = True
        self._accept(paid.placed, now_us)
        self._drop_stale()

    def _accept(self, paid: OrderPlaced, now_us: int) -> None:
        self.accepted += 1
        # A shop that is closed answers once it has opened: the promise knows when.
        due_us = now_us
        for part in paid.parts:
            if part.promised_us > due_us:
                due_us = part.promised_us
        minute = -(-(due_us + ANSWER_WITHIN_US) // MINUTE_US)
        due = self.unanswered.get(minute)
        if due is None:
            due = self.unanswered[minute] = []
            heapq.heappush(self.minutes, minute)
        due.append(paid.order_id)

    @folds(PartAccepted, PartPicked, PartHandedOver, PartDelivered, PartCollected, PartSettled, PartEnded)
    def _move(self, event: Moving, now_us: int) -> None:
        state = self.open[event.order_id].move(event)
        if state.stage in ENDED:
            shop_id = state.part.shop_id
            self._end(shop_id)
            done = self.closed_of_shop.setdefault(shop_id, [])
            done.append(event.order_id)
            if len(done) > 2 * RECENT_MAX:
                del done[:-RECENT_MAX]
        self._drop_stale()

    def _end(self, shop_id: str) -> None:
        ended, of_shop = self.ended_at.get(shop_id, 0) + 1, self.by_shop[shop_id]
        if ended > RECENT_MAX and 2 * ended > len(of_shop):
            self.by_shop[shop_id] = [found.placed.order_id for found, _ in self.parts_at(shop_id)]
            ended = 0
        self.ended_at[shop_id] = ended

    def parts_at(self, shop_id: str) -> Iterator[tuple[Order, PartState]]:
        """The parts that a shop still has to do with, paid for or not, oldest first."""
        for order_id in self.by_shop.get(shop_id, ()):
            found = self.open.get(order_id)
            if found is None:
                continue
            for state in found.parts.values():
                if state.part.shop_id == shop_id and state.stage not in ENDED:
                    yield found, state

    def open_at(self, shop_id: str) -> int:
        """How many parts these are."""
        return len(self.by_shop.get(shop_id, ())) - self.ended_at.get(shop_id, 0)

    @folds(MemberErased)
    def _erase(self, event: MemberErased, now_us: int) -> None:
        self.by_shopper.pop(event.person_id, None)

    @folds(OrderClosed)
    def _close(self, event: OrderClosed, now_us: int) -> None:
        # None of its parts waits any more by then, so that there is nothing stale to drop.
        self.closed += 1
        del self.open[event.order_id]

    def _drop_stale(self) -> None:
        # So what stands in front always counts, and asking what is due looks at one entry.
        while self.unpaid and not self._waits(self.unpaid[0][1], accepted=False):
            heapq.heappop(self.unpaid)
        while self.minutes:
            due = self.unanswered[self.minutes[0]]
            while due and not self._waits(due[-1], accepted=True):
                due.pop()
            if due:
                return
            del self.unanswered[heapq.heappop(self.minutes)]

    def _waits(self, order_id: str, *, accepted: bool) -> bool:
        found = self.open.get(order_id)
        if found is None or found.accepted != accepted:
            return False
        return found.moved is None or any(state.stage == "placed" for state in found.moved.values())


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
    return [(found, state) for found, state in district.view(Orders).parts_at(shop_id) if found.accepted]


def orders_of_shopper(district: District, shopper_id: str) -> list[str]:
    """The ids of a shopper's latest orders, newest first, open or closed."""
    return district.view(Orders).by_shopper.get(shopper_id, [])[: -RECENT_MAX - 1 : -1]


def due(district: District) -> str | None:
    """An order whose time has come: not paid for in time, or not answered in time (to the minute)."""
    orders = district.view(Orders)
    if orders.unpaid and orders.unpaid[0][0] <= district.now_us:
        return orders.unpaid[0][1]
    if orders.minutes and orders.minutes[0] * MINUTE_US <= district.now_us:
        return orders.unanswered[orders.minutes[0]][-1]
    return None


def from_story(entries: Iterable[Entry]) -> Order | None:
    """An order, open or closed, folded from the entries of its story; None if it is none."""
    found: Order | None = None
    for entry in entries:
        event = decode(entry.name, entry.version, entry.body)
        if isinstance(event, OrderPlaced):
            found = Order(event, entry.time_us, bool(event.transfers))
        elif found is None:
            continue
        elif isinstance(event, PaymentHeld):
            found.accepted = True
        elif isinstance(event, Moving):
            found.move(event)
        elif isinstance(event, OrderClosed):
            found.closed = event.outcome
        elif isinstance(event, OrderExpired):
            found.closed = "unfulfilled"
    return found

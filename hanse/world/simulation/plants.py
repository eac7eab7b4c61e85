"""Bugs to put into the core, by name, so that a test can see the simulation find each of them.

Each is a mistake that somebody could make in an afternoon; the name says which. A plant changes attributes of
modules and classes for the time of a `with` block and puts everything back behind it.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from hanse.district import snapshots
from hanse.district.answers import Answers
from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.district.writer import Reply, Writer
from hanse.events.finance import PaymentCaptured, PaymentRefunded
from hanse.events.market import OrderPlaced, PartEnded
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import COMMISSION, Captured, Payments
from hanse.flows import order
from hanse.journal.protocol import JournalUnavailable
from hanse.kernel.errors import Conflict, InvalidInput
from hanse.kernel.values import RefundReason, Transfer
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders import service as orders
from hanse.market.orders.engine import commission
from hanse.market.orders.views import Orders, part_of
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import available
from hanse.world.simulation import clients, life, town

__all__ = ["PLANTS", "Plants", "Put", "plant"]

Put = Callable[[Any, str, Any], None]

Plants = dict[str, Callable[[Put], None]]

PLANTS: Plants = {}


@contextmanager
def plant(name: str, plants: Plants = PLANTS) -> Iterator[None]:
    """Put a bug in for the time of a `with` block.

    Raises
    ------
    InvalidInput
        There is no plant of that name.
    """
    if name not in plants:
        raise InvalidInput("world.unknown_plant", f"Name one of: {', '.join(plants)}.", field="plant")
    before: list[tuple[Any, str, Any]] = []

    def put(owner: Any, attribute: str, value: Any) -> None:
        before.append((owner, attribute, vars(owner)[attribute]))
        setattr(owner, attribute, value)

    try:
        plants[name](put)
        yield
    finally:
        for owner, attribute, value in reversed(before):
            setattr(owner, attribute, value)


def _named(name: str) -> Callable[[Callable[[Put], None]], Callable[[Put], None]]:
    def enter(bug: Callable[[Put], None]) -> Callable[[Put], None]:
        PLANTS[name] = bug
        return bug

    return enter


def _steps(old: Callable[..., None], new: Callable[..., None]) -> list[tuple[Any, Callable[..., None]]]:
    """The table of the order's steps with one of them exchanged, under the old one's name."""
    new.__module__, new.__qualname__ = old.__module__, old.__qualname__
    return [(event, new if step is old else step) for event, step in order.STEPS]


# Stock


@_named("stock is not released when a part is cancelled")
def _skip_release(put: Put) -> None:
    real = order.free_stock

    def forgetful(district: District, ended: PartEnded) -> None:
        if ended.why != "cancelled":
            real(district, ended)

    put(order, "STEPS", _steps(real, forgetful))


@_named("stock is checked line by line, not by the item that lines share")
def _oversell(put: Put) -> None:
    def by_line(district: District, parts: Any) -> dict[str, int]:
        lines = [line for part in parts for line in part.lines]
        over = {line.item_id: line.quantity * line.units - available(district, line.item_id) for line in lines}
        return {item_id: units for item_id, units in over.items() if units > 0}

    put(order, "missing", by_line)


# Money


@_named("a part is captured twice")
def _capture_twice(put: Put) -> None:
    real = payments.capture

    def twice(district: District, order_id: str, part_id: str, *, goods_minor: int, fee_minor: int) -> None:
        real(district, order_id, part_id, goods_minor=goods_minor, fee_minor=fee_minor)
        part = district.view(Payments).captured[part_id]
        again = Transfer(f"{part_id}/again", part.payer, part.shop, part.goods_minor)
        district.record(PaymentCaptured(order_id, part_id, (again,)))

    put(payments, "capture", twice)


@_named("more is refunded than was captured")
def _refund_more(put: Put) -> None:
    def generous(district: District, part: Captured, *, goods_minor: int, fee_minor: int, reason: RefundReason) -> None:
        if part.settled_us and 0 < goods_minor <= part.goods_minor:
            back = Transfer(f"{part.part_id}/refund", part.shop, part.payer, goods_minor)
            district.record(PaymentRefunded(part.order_id, part.part_id, goods_minor, 0, 0, reason, (back,)))

    put(payments, "refund", generous)


@_named("the rest of a hold stays held when less was picked")
def _partial_hold(put: Put) -> None:
    real = Ledger.__dict__["_move"]

    def greedy(self: Ledger, event: Any, now_us: int) -> None:
        held = {t.hold_id: self.holds[t.hold_id].amount_minor for t in event.transfers if t.hold_id in self.holds}
        real(self, event, now_us)
        for transfer in event.transfers:
            if transfer.action == "capture":
                self.accounts[transfer.debit].held_minor += held[transfer.hold_id] - transfer.amount_minor

    greedy.__folds__ = real.__folds__  # type: ignore[attr-defined]
    put(Ledger, "_move", greedy)


@_named("the commission is computed at the settlement, not frozen at the sale")
def _late_commission(put: Put) -> None:
    def settle_now(district: District, arrived: Any) -> None:
        state = part_of(district, arrived.order_id, arrived.part_id)
        shop = district.view(Catalogue).shops[state.part.shop_id]
        due = commission(state.goods_minor, shop.commission_bp)
        payments.settle(district, arrived.order_id, arrived.part_id, commission_minor=due)

    put(order, "STEPS", _steps(order.settle, settle_now))


@_named("commission is not given back with the last refund")
def _commission_kept(put: Put) -> None:
    real = payments.refund

    def keeping(district: District, part: Captured, *, goods_minor: int, fee_minor: int, reason: RefundReason) -> None:
        without = structs.replace(part, commission_minor=0)
        real(district, without, goods_minor=goods_minor, fee_minor=fee_minor, reason=reason)

    put(payments, "refund", keeping)


@_named("a refund believes what was read before another refund")
def _refund_twice(put: Put) -> None:
    real = payments.refund

    def believing(district: District, part: Captured, **named: Any) -> None:
        last_us = district.view(Payments).refunded.get(part.part_id, part.refunded_us)
        real(district, structs.replace(part, refunded_us=last_us), **named)

    put(payments, "refund", believing)


# Commands and answers


@_named("answers are not remembered by their keys")
def _forget_key(put: Put) -> None:
    put(Answers, "find", lambda self, job, pair: None)


@_named("an order is refused after it was recorded")
def _refuse_late(put: Put) -> None:
    real = order.place

    def late(district: District, shopper_id: str, request: Any) -> Any:
        answer = real(district, shopper_id, request)
        if answer.total_minor > 20_000:
            raise Conflict("market.too_much", "That is too much for one order.")
        return answer

    late.__module__, late.__qualname__ = real.__module__, real.__qualname__
    # The simulated people hold the command by a name of their own.
    put(town, "place", late)
    put(clients, "place", late)


@_named("answers are given before the commit")
def _answer_early(put: Put) -> None:
    def turn(self: Writer) -> int:
        taken = [self._queue.popleft() for _ in range(len(self._queue))]
        jobs = [job for job, _, _ in taken]
        pairs = [pair for _, _, pair in taken]
        done = self.district.turn(jobs, self._clock())
        self._in_flight.difference_update(pairs)
        for (_, reply, _), answer in zip(taken, done.answers, strict=True):
            reply(answer)
        rows, answered = self._answers.rows(jobs, pairs, done.answers, now_us=self.district.now_us)
        self._commit(done.entries, rows, done.steps_through)
        self._answers.remember(answered, now_us=self.district.now_us)
        return len(taken)

    put(Writer, "turn", turn)


@_named("a failed commit leaves memory as it is")
def _dirty_memory(put: Put) -> None:
    def careless(self: Writer, taken: list[tuple[Job, Reply, int]], error: JournalUnavailable) -> None:
        self.restarts += 1
        for _, reply, pair in taken:
            self._in_flight.discard(pair)
            reply(Answer(error.kind, b"{}", 0))

    put(Writer, "_undo", careless)


# Steps, deadlines, time


@_named("steps that were owed are lost by a restart")
def _lose_steps(put: Put) -> None:
    real = District.replay

    def short(self: District, entries: Any, *, steps_through: int) -> None:
        real(self, entries, steps_through=10**15)

    put(District, "replay", short)


@_named("a step needs what a later step takes away")
def _late_state(put: Put) -> None:
    def needy(district: District, ended: PartEnded) -> None:
        part_of(district, ended.order_id, ended.part_id)
        stock.release(district, ended.order_id, ended.part_id)

    put(order, "STEPS", _steps(order.free_stock, needy))


@_named("a deadline fires twice")
def _fire_twice(put: Put) -> None:
    real = orders.expire

    def twice(district: District, order_id: str) -> None:
        real(district, order_id)
        district.record(PartEnded(order_id, f"{order_id}-1", "unpaid"))

    put(orders, "expire", twice)


@_named("a deadline never fires")
def _never_fire(put: Put) -> None:
    put(Orders, "_waits", lambda self, order_id, *, accepted: False)


@_named("the clock goes back")
def _clock_back(put: Put) -> None:
    real = District.__dict__["_begin"]

    def begin(self: District, now_us: int) -> None:
        real(self, now_us)
        self.now_us = now_us

    put(District, "_begin", begin)


# Views and snapshots


@_named("a fold reads the clock")
def _impure_fold(put: Put) -> None:
    real = Orders.__dict__["_place"]
    clock = itertools.count()

    def impure(self: Orders, event: OrderPlaced, now_us: int) -> None:
        real(self, event, now_us)
        self.open[event.order_id].placed_us = next(clock)

    impure.__folds__ = real.__folds__  # type: ignore[attr-defined]
    put(Orders, "_place", impure)


@_named("a snapshot lacks a field of a view")
def _poor_snapshot(put: Put) -> None:
    real = snapshots.take

    def poor(district: District, folder: Any) -> Any:
        ledger = district.view(Ledger)
        ends, ledger.ends = ledger.ends, []
        try:
            return real(district, folder)
        finally:
            ledger.ends = ends

    put(life, "take", poor)


@_named("a failed step is passed over in silence")
def _silent_step(put: Put) -> None:
    def silent(district: District, settled: Any) -> None:
        if settled.part_id.endswith("-2"):
            return
        orders.settle_part(district, settled.order_id, settled.part_id)

    put(order, "STEPS", _steps(order.end_part, silent))


@_named("the league keeps money that nobody paid")
def _money_from_nothing(put: Put) -> None:
    real = payments.settle

    def minting(district: District, order_id: str, part_id: str, *, commission_minor: int) -> None:
        real(district, order_id, part_id, commission_minor=commission_minor)
        district.view(Ledger).accounts[COMMISSION].balance_minor += 1

    put(payments, "settle", minting)

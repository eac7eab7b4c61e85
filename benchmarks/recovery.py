"""From start to serving with a million events behind it: from a snapshot, and from the first entry."""

import time

import msgspec

from benchmarks.machine import measure_machine
from benchmarks.report import Anchor, Figure, Report, Size
from benchmarks.town import Town, requests, size_mb
from hanse.app.http.orders import order_job
from hanse.district.jobs import Answer, Job
from hanse.district.snapshots import take
from hanse.district.writer import QUEUE_MAX
from hanse.flows.order import OrderAnswer
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders

__all__ = ["run"]

EVENTS = {Size.QUICK: 100_000, Size.DEFAULT: 1_000_000, Size.FULL: 3_000_000}
OPEN_EVERY = 10
"""One order in ten stays open, the others go all the way: 12 entries each."""


def run(size: Size) -> Report:
    """Both figures; named for a million events, `--quick` scales a tenth of it up."""
    machine = measure_machine()
    town = Town("recovery", snapshots=True)
    town.furnish()
    _live(town, EVENTS[size])
    events, open_orders = town.writer.district.position, len(town.writer.district.view(Orders).open)
    assert town.snapshots is not None
    town.close()
    replay_s = _start_s(town)
    path = take(town.writer.district, town.snapshots)
    town.close()
    snapshot_s = _start_s(town)
    town.close()
    scale = 1_000_000 / events
    figures = (
        Figure("start_s_1m_events_snapshot", snapshot_s * scale, "s", smaller=True, anchors=(Anchor(5, "goal"),)),
        Figure("start_s_1m_events_replay", replay_s * scale, "s", smaller=True, anchors=(Anchor(20, "goal"),)),
        Figure("snapshot_mb", path.stat().st_size / 1e6, "MB", smaller=True),
        Figure("journal_mb", size_mb(town.path), "MB", smaller=True),
    )
    notes = (f"{events:,} events, {open_orders:,} orders open, {events / replay_s:,.0f} events replayed a second",)
    return Report("recovery", figures, machine, notes)


def _start_s(town: Town) -> float:
    start = time.perf_counter()
    town.open()
    return time.perf_counter() - start


def _live(town: Town, events: int) -> None:
    """Order, accept, pick, hand over, settle, until there are so many entries."""
    number = 0
    while town.writer.district.position < events:
        number += 1
        answers: list[Answer] = []
        for body, person_id, key in requests(town.writer.district, 2_000, 3, seed=number):
            town.writer.submit(order_job(body, person_id, key), answers.append)
        town.writer.run()
        for count, order_id in enumerate(map(_order_id, answers)):
            if count % OPEN_EVERY:
                _finish(town, order_id)
        town.writer.run()


def _order_id(answer: Answer) -> str:
    return msgspec.json.decode(answer.body, type=OrderAnswer).order_id


def _finish(town: Town, order_id: str) -> None:
    """The shop takes the order on, picks it and hands it over; the steps do the rest."""
    for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        if town.writer.waiting >= QUEUE_MAX:
            town.writer.run()
        town.writer.submit(Job(command, (order_id, f"{order_id}-1")), lambda answer: None)

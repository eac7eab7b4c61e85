"""Orders a second through the very function that HTTP calls, down to the commit on a real disk.

One process: decode, idempotency key, prices with VAT and commission, stock, ledger, events, hash chain,
SQLite commit with `synchronous=FULL`, stored answer; and the same over PostgreSQL, a real server with the settings
that it comes with (`fsync` and `synchronous_commit` on). Afterwards SQL over the journal recomputes stock
and money without any code of ours. Anchors: 1.5 billion orders in a day (17,361 a second) is what the
largest shopping day is reported to have reached, with a data centre.
"""

import gc
import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.audit import audit, audit_postgres
from benchmarks.machine import measure_machine
from benchmarks.report import Anchor, Figure, Report, Size
from benchmarks.town import Request, Town, requests, size_mb
from hanse.app.http.orders import order_job
from hanse.district.jobs import Answer
from hanse.testing.postgres import PostgresServer, why_no_postgres

__all__ = ["run"]

ORDERS = {Size.QUICK: 50_000, Size.DEFAULT: 1_000_000, Size.FULL: 1_000_000}
NINE_LINES = {Size.QUICK: 20_000, Size.DEFAULT: 200_000, Size.FULL: 1_000_000}
OVER_POSTGRES = {Size.QUICK: 30_000, Size.DEFAULT: 400_000, Size.FULL: 1_000_000}
EACH_OF_TWO = {Size.QUICK: 30_000, Size.DEFAULT: 200_000, Size.FULL: 1_000_000}
HALF_LOAD_S = {Size.QUICK: 5, Size.DEFAULT: 20, Size.FULL: 60}
BURST = 1_024
WINDOW = 20 * BURST
"""The rate of so many orders at a time is noted beside the whole: on a shared machine it tells how quiet it was."""

DAY = "1.5 billion orders in a day"


class Count:
    """Counts accepted orders; anything else stops the benchmark."""

    def __init__(self) -> None:
        self.accepted = 0

    def __call__(self, answer: Answer) -> None:
        assert answer.body.startswith(b'{"result":"accepted"'), answer.body
        self.accepted += 1


class Wait:
    """Notes how long an order waited for its answer, from the moment it was due to arrive."""

    def __init__(self, due: float, waited: list[float]) -> None:
        self.due = due
        self.waited = waited

    def __call__(self, answer: Answer) -> None:
        self.waited.append(time.perf_counter() - self.due)


def run(size: Size) -> Report:
    """All figures."""
    machine = measure_machine()
    notes = []
    town, three = _town("orders"), ORDERS[size]
    made = requests(town.writer.district, three, 3)
    wall_s, cpu_s, count, windows = _place_all(town, made)
    notes.append(audit(town.path, acknowledged=count.accepted))
    notes.append(f"{min(windows):,.0f} to {max(windows):,.0f} orders/s in the windows of {WINDOW:,} orders of 3 lines.")
    notes.append(f"{size_mb(town.path) * 1e6 / three:,.0f} bytes of journal an order of 3 lines")
    rate = three / wall_s
    p99_ms = _half_load(town, rate / 2, HALF_LOAD_S[size])
    town.close()
    nine_rate = _nine_lines(NINE_LINES[size], notes)
    figures = (
        Figure(
            "orders_per_s_sqlite_3_lines",
            rate,
            "orders/s",
            anchors=(Anchor(17_361, DAY, required=True), Anchor(25_000, "goal")),
        ),
        Figure("orders_per_s_sqlite_9_lines", nine_rate, "orders/s", anchors=(Anchor(15_000, "goal"),)),
        *_over_postgres(OVER_POSTGRES[size], notes),
        Figure(
            "orders_per_s_two_districts",
            _two_districts(EACH_OF_TWO[size]),
            "orders/s",
            anchors=(Anchor(40_000, "goal: the record day in ten hours"),),
        ),
        Figure("cpu_us_per_order", cpu_s / three * 1e6, "µs"),
        Figure("p99_ms_half_load", p99_ms, "ms", smaller=True, anchors=(Anchor(20, "goal"),)),
    )
    return Report("orders", figures, machine, tuple(notes))


def _town(name: str, *, database: str = "") -> Town:
    town = Town(name, database=database)
    town.furnish()
    # As in the server: what is there for good is no garbage, and collections run between turns.
    gc.collect()
    gc.freeze()
    gc.disable()
    return town


def _place_all(town: Town, made: list[Request]) -> tuple[float, float, Count, list[float]]:
    """Place all orders, as fast as they are taken; wall and CPU seconds, and the rate of each window."""
    count, submit, writer = Count(), town.writer.submit, town.writer
    wall, cpu = time.perf_counter(), time.process_time()
    windows, since = [], wall
    for start in range(0, len(made), BURST):
        if start and start % WINDOW == 0:
            now = time.perf_counter()
            windows.append(WINDOW / (now - since))
            since = now
        for body, person_id, key in made[start : start + BURST]:
            submit(order_job(body, person_id, key), count)
        while writer.waiting:
            writer.turn()
    return time.perf_counter() - wall, time.process_time() - cpu, count, windows


def _nine_lines(orders: int, notes: list[str]) -> float:
    town = _town("orders-nine")
    made = requests(town.writer.district, orders, 9)
    wall_s, _, count, _ = _place_all(town, made)
    notes.append(audit(town.path, acknowledged=count.accepted))
    town.close()
    return orders / wall_s


def _over_postgres(orders: int, notes: list[str]) -> tuple[Figure, ...]:
    """The same orders with the journal in PostgreSQL; nothing where no server can be started."""
    if why_no_postgres():
        notes.append(f"No figure for PostgreSQL: it {why_no_postgres()}.")
        return ()
    server = PostgresServer()
    try:
        server.start()
        database = server.new_database()
        town = _town("orders-postgres", database=database)
        made = requests(town.writer.district, orders, 3)
        wall_s, cpu_s, count, windows = _place_all(town, made)
        notes.append(f"{server.version}, settings as it comes: {audit_postgres(database, acknowledged=count.accepted)}")
        notes.append(
            f"Over PostgreSQL {cpu_s / orders * 1e6:.1f} µs of this process's time an order, the server's not counted;"
            f" {min(windows):,.0f} to {max(windows):,.0f} orders/s in the windows."
        )
        town.close()
    finally:
        server.remove()
    rate = orders / wall_s
    return (Figure("orders_per_s_postgres_3_lines", rate, "orders/s", anchors=(Anchor(15_000, "goal"),)),)


def _half_load(town: Town, rate: float, seconds: int) -> float:
    """The 99th percentile of the time from an order's arrival to its answer, at half of the full rate, in ms.

    Open loop: orders arrive by the clock, whether the ones before were answered or not.
    """
    made = requests(town.writer.district, int(rate * seconds), 3, seed=2)
    waited: list[float] = []
    writer, start = town.writer, time.perf_counter()
    arrived = 0
    while len(waited) < len(made):
        now = time.perf_counter() - start
        while arrived < len(made) and arrived / rate <= now:
            body, person_id, key = made[arrived]
            writer.submit(order_job(body, person_id, key), Wait(start + arrived / rate, waited))
            arrived += 1
        if writer.busy:
            writer.turn()
    return sorted(waited)[int(len(waited) * 0.99)] * 1e3


def _two_districts(each: int) -> float:
    """Two districts in two processes at once: orders of both over the time of the slower one."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    workers = [context.Process(target=_one_of_two, args=(n, each, barrier, results)) for n in (1, 2)]
    for worker in workers:
        worker.start()
    times: list[float] = [results.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    return 2 * each / max(times)


def _one_of_two(number: int, orders: int, barrier: Barrier, results: Any) -> None:
    town = _town(f"orders-{number}-of-2")
    made = requests(town.writer.district, orders, 3, seed=number)
    barrier.wait()
    wall_s, *_ = _place_all(town, made)
    results.put(wall_s)
    town.close()

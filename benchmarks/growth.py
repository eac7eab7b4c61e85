"""What an order costs, and what memory holds, in districts of very different sizes: it has to stay the same.

Each size is a process of its own with a journal on a real disk; all of them take turns of 1,024 orders, so that
a host that is slow for a while is slow for all. An order goes all the way (placed, accepted, picked, handed
over, settled, closed), so the number of open ones stays. What is compared is the processor's time an order.
Then offers are imported while orders arrive by the clock.
"""

import gc
import multiprocessing
import resource
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import accumulate
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Semaphore
from random import Random
from typing import Any

import msgspec

from benchmarks.machine import measure_machine
from benchmarks.report import Anchor, Figure, Report, Size
from benchmarks.town import PLENTY, Request, Town, fill_wallets
from hanse.app.http.orders import order_job
from hanse.district.jobs import Answer, Job
from hanse.flows.order import OrderAnswer
from hanse.kernel.quantity import Quantity
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.market.orders import service as orders
from hanse.supply.stock import service as stock
from hanse.testing.town import shop
from hanse.world import acts

__all__ = ["run"]

WINDOW = 1_024
LINES = 3
ROWS = 500
MEMBERS = 2_000
WARM_WINDOWS = 2

_SMALL, _MANY, _MOST = 10_000, 1_000_000, 5_000_000


class Grown(msgspec.Struct, frozen=True):
    """The size of a district."""

    name: str
    offers: int = _SMALL
    shops: int = 20
    open_orders: int = 1_000


class Effort(msgspec.Struct, frozen=True):
    """How much is run: the sizes, windows of orders for each, and the import."""

    sizes: tuple[Grown, ...]
    windows: int
    imported: int
    half_load_s: float


_BASE = Grown("base")
_EFFORTS = {
    Size.QUICK: Effort(
        (
            _BASE,
            Grown("offers", offers=100_000),
            Grown("shops", shops=2_000, offers=4 * _SMALL),
            Grown("open", open_orders=20_000),
        ),
        4,
        50_000,
        3,
    ),
    Size.DEFAULT: Effort(
        (
            _BASE,
            Grown("offers_1m", offers=_MANY),
            Grown("shops_2000", shops=2_000, offers=4 * _SMALL),
            Grown("open_1m", open_orders=_MANY),
        ),
        12,
        _MANY // 2,
        10,
    ),
    Size.FULL: Effort(
        (
            _BASE,
            Grown("offers_1m", offers=_MANY),
            Grown("offers_5m", offers=_MOST),
            Grown("shops_2000", shops=2_000, offers=4 * _SMALL),
            Grown("open_1m", open_orders=_MANY),
            Grown("all", offers=_MOST, shops=2_000, open_orders=_MANY),
        ),
        30,
        _MOST,
        30,
    ),
}


def run(size: Size) -> Report:
    """All figures; the ratio is of the median processor's time an order, of the dearest size to the smallest."""
    machine, effort = measure_machine(), _EFFORTS[size]
    context = multiprocessing.get_context("spawn")
    building = context.Semaphore(2)
    parties = []
    for grown in effort.sizes:
        here, there = context.Pipe()
        context.Process(target=_serve, args=(grown, there, building), daemon=True).start()
        parties.append(here)
    built: list[dict[str, float]] = [party.recv() for party in parties]
    times: list[list[float]] = [[] for _ in parties]
    for window in range(WARM_WINDOWS + effort.windows):
        for party, of_size in zip(parties, times, strict=True):
            party.send("window")
            us = party.recv()
            if window >= WARM_WINDOWS:
                of_size.append(us)
    pauses = [_ask(party, "pause") for party in parties]
    costs = [statistics.median(of_size) for of_size in times]
    # Each round is compared within itself: the host is another one a second later.
    ratios = [statistics.median(a / b for a, b in zip(of, times[0], strict=True)) for of in times]
    for party in parties[1:]:
        party.send("stop")
    parties[0].send(("import", effort.imported, effort.half_load_s))
    imported: dict[str, float] = parties[0].recv()
    parties[0].send("stop")
    return Report("growth", _figures(effort, built, costs, ratios, pauses, imported), machine, _notes(effort))


def _ask(party: Connection, what: Any) -> Any:
    party.send(what)
    return party.recv()


def _figures(
    effort: Effort,
    built: list[dict[str, float]],
    costs: list[float],
    ratios: list[float],
    pauses: list[float],
    imported: dict[str, float],
) -> tuple[Figure, ...]:
    most = {key: max(of[key] for of in built) for key in built[0]}
    each = [
        figure
        for grown, cost, ratio, of in zip(effort.sizes, costs, ratios, built, strict=True)
        for figure in (
            Figure(f"us_per_order_{grown.name}", cost, "µs", smaller=True),
            Figure(f"ratio_{grown.name}", ratio, "times", smaller=True),
            Figure(f"memory_mb_{grown.name}", of["memory_mb"], "MB", smaller=True),
        )
    ]
    return (
        Figure("worst_growth_ratio", max(ratios), "times", smaller=True, anchors=(Anchor(1.4, "goal: flat"),)),
        *each,
        Figure("bytes_per_offer", most["bytes_per_offer"], "bytes", smaller=True),
        Figure("bytes_per_account", most["bytes_per_account"], "bytes", smaller=True),
        Figure("bytes_per_open_order", most["bytes_per_open_order"], "bytes", smaller=True),
        Figure("journal_bytes_per_order", most["journal_bytes_per_order"], "bytes", smaller=True),
        Figure("journal_bytes_per_offer", most["journal_bytes_per_offer"], "bytes", smaller=True),
        Figure("gc_worst_pause_ms", max(pauses), "ms", smaller=True, anchors=(Anchor(20, "goal"),)),
        Figure("p99_ms_before_import", imported["p99_ms_before"], "ms", smaller=True),
        Figure("p99_ms_during_import", imported["p99_ms_during"], "ms", smaller=True),
        Figure("imported_offers_per_s", imported["offers_per_s"], "offers/s"),
    )


def _notes(effort: Effort) -> tuple[str, ...]:
    sizes = ", ".join(f"{g.name}: {g.offers:,} offers, {g.shops:,} shops, {g.open_orders:,} open" for g in effort.sizes)
    return (
        sizes,
        f"Import: {ROWS} new offers a command, one after the other for {effort.half_load_s} s, orders at half load.",
        "The smallest sizes of a quick run say little of bytes: what the interpreter takes anyway weighs more.",
    )


# One size


def _serve(grown: Grown, parent: Connection, building: Semaphore) -> None:
    with building:
        party = _Party(grown)
        sizes = party.build()
    parent.send(sizes)
    for asked in iter(parent.recv, "stop"):
        if asked == "window":
            parent.send(party.window())
        elif asked == "pause":
            parent.send(party.worst_pause_ms)
        else:
            parent.send(party.import_beside(*asked[1:]))
    party.town.close()


class _Party:
    """One district of a size, in a process of its own."""

    def __init__(self, grown: Grown) -> None:
        self.grown = grown
        self.town = Town(f"growth-{grown.name}")
        self.each = grown.offers // grown.shops
        self.made = 0
        self._chance = Random(1)
        self._weights = list(accumulate(1 / rank for rank in range(1, self.each + 1)))
        self.worst_pause_ms = 0.0
        self._began = 0.0
        self._imported = True

    def build(self) -> dict[str, float]:
        """Fill the district; what each thing takes in memory and on disk."""
        town = self.town
        # Between turns, as in the server; and each pause is noted.
        gc.disable()
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self._note_pause)
        shops = [f"shp_{number:04d}" for number in range(self.grown.shops)]
        for shop_id in shops:
            town.run(Job(catalogue.join_shop, (shop(shop_id),)))
        for rows in _batches(self.each):
            town.run(Job(catalogue.list_products, ([_product("", number) for number in rows],)))
        before, journal = _memory(), self._journal_bytes()
        for shop_id in shops:
            for rows in _batches(self.each):
                town.run(Job(catalogue.set_offers, (shop_id, [_offer(shop_id, "", number) for number in rows])))
        offer_journal = (self._journal_bytes() - journal) / self.grown.offers
        for shop_id in shops:
            for rows in _batches(self.each):
                town.run(Job(stock.count, (shop_id, [(_item(shop_id, "", number), PLENTY) for number in rows])))
        per_offer = (_memory() - before) / self.grown.offers
        before = _memory()
        for number in range(MEMBERS):
            town.run(Job(acts.settle_in, (f"per_{number:05d}", f"adr_{number:05d}", "en", False)))
        per_account = (_memory() - before) / MEMBERS
        town.run(Job(fill_wallets, ()))
        before, journal = _memory(), self._journal_bytes()
        while self.made < self.grown.open_orders:
            self._place()
        return {
            "bytes_per_offer": per_offer,
            "bytes_per_account": per_account,
            "bytes_per_open_order": (_memory() - before) / self.made if self.made >= 10 * WINDOW else 0.0,
            "journal_bytes_per_order": (self._journal_bytes() - journal) / self.made,
            "journal_bytes_per_offer": offer_journal,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        }

    def _journal_bytes(self) -> int:
        """The size of the journal, with what stands in its log only."""
        with closing(sqlite3.connect(self.town.path)) as database:
            pages, size = (database.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size"))
            return int(pages * size)

    def window(self) -> float:
        """Orders that go all the way: microseconds of the processor for each."""
        made = self._requests()
        began = time.process_time()
        for order_id in map(_order_id, self._run(made)):
            part_id = f"{order_id}-1"
            for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
                self.town.writer.submit(Job(command, (order_id, part_id)), _check)
        self.town.writer.run()
        return (time.process_time() - began) / len(made) * 1e6

    def _requests(self) -> list[Request]:
        """Orders of three lines from one shop each, Zipf-distributed over its offers."""
        made = []
        for _ in range(WINDOW):
            self.made += 1
            shop_id = f"{self._chance.randrange(self.grown.shops):04d}"
            chosen: dict[int, None] = {}
            while len(chosen) < LINES:
                chosen[self._chance.choices(range(self.each), cum_weights=self._weights)[0]] = None
            lines = [{"offer_id": f"off_{shop_id}_{number:06d}", "quantity": 1} for number in chosen]
            person_id = f"per_{self._chance.randrange(MEMBERS):05d}"
            made.append((msgspec.json.encode({"lines": lines}), person_id, f"key-{self.made:032x}"))
        return made

    def _place(self) -> None:
        self._run(self._requests())

    def _run(self, made: list[Request]) -> list[Answer]:
        answers: list[Answer] = []
        for body, person_id, key in made:
            self.town.writer.submit(order_job(body, person_id, key), answers.append)
        self.town.writer.run()
        return answers

    def import_beside(self, offers: int, seconds: float) -> dict[str, float]:
        """Orders at half load, alone and beside an import: how long the slowest hundredth waits."""
        made = [request for _ in range(20) for request in self._requests()]
        began = time.perf_counter()
        for start in range(0, len(made), WINDOW):
            self._run(made[start : start + WINDOW])
        rate = len(made) / (time.perf_counter() - began) / 2
        products = offers // self.grown.shops
        for rows in _batches(products):
            self.town.run(Job(catalogue.list_products, ([_product("n", number) for number in rows],)))
        alone, _ = self._half_load(rate, iter(()), seconds)
        jobs = (
            Job(catalogue.set_offers, (shop_id, [_offer(shop_id, "n", number) for number in rows]), bulk=True)
            for shop_id in (f"shp_{number:04d}" for number in range(self.grown.shops))
            for rows in _batches(products)
        )
        beside, commands = self._half_load(rate, jobs, seconds)
        return {"p99_ms_before": alone, "p99_ms_during": beside, "offers_per_s": commands * ROWS / seconds}

    def _half_load(self, rate: float, jobs: Iterator[Job], seconds: float) -> tuple[float, int]:
        """The 99th percentile of the wait in ms, and how many of the jobs were run meanwhile."""
        writer, waited, commands = self.town.writer, list[float](), 0
        made = [request for _ in range(int(rate * seconds) // WINDOW + 1) for request in self._requests()]
        start, arrived = time.perf_counter(), 0
        while (now := time.perf_counter() - start) < seconds:
            while arrived / rate <= now:
                body, person_id, key = made[arrived]
                writer.submit(order_job(body, person_id, key), _Waited(start + arrived / rate, waited))
                arrived += 1
            if self._imported and (job := next(jobs, None)) is not None:
                self._imported, commands = False, commands + 1
                writer.submit(job, self._bring_in)
            if writer.busy:
                writer.turn()
        writer.run()
        return sorted(waited)[int(len(waited) * 0.99)] * 1e3, commands

    def _bring_in(self, answer: Answer) -> None:
        _check(answer)
        self._imported = True

    def _note_pause(self, phase: str, info: dict[str, int]) -> None:
        # The processor's time: on a shared host others may take the processor away in the middle of a pause.
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.worst_pause_ms = max(self.worst_pause_ms, (time.thread_time() - self._began) * 1e3)


class _Waited:
    """Notes how long an order waited, from the moment it was due to arrive."""

    def __init__(self, due: float, waited: list[float]) -> None:
        self.due = due
        self.waited = waited

    def __call__(self, answer: Answer) -> None:
        self.waited.append(time.perf_counter() - self.due)


def _check(answer: Answer) -> None:
    assert answer.kind == "ok", answer.body


def _order_id(answer: Answer) -> str:
    return msgspec.json.decode(answer.body, type=OrderAnswer).order_id


def _batches(count: int) -> Iterator[range]:
    for start in range(0, count, ROWS):
        yield range(start, min(start + ROWS, count))


def _product(kind: str, number: int) -> Product:
    title = f"Product number {number}"
    return Product(
        f"prd_{kind}{number:06d}", f"{number:013d}", title, title, "Kogge", Quantity(100, "g"), "tea", "tea", 1_350, ()
    )


def _offer(shop_id: str, kind: str, number: int) -> Offer:
    name = f"{shop_id[4:]}_{kind}{number:06d}"
    return Offer(
        f"off_{name}", shop_id, f"prd_{kind}{number:06d}", _item(shop_id, kind, number), 1, 100 + number % 900, 1_350
    )


def _item(shop_id: str, kind: str, number: int) -> str:
    return f"itm_{shop_id[4:]}_{kind}{number:06d}"


def _memory() -> int:
    """Bytes that this process has in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

"""Followers: reads a second with none and with one, and how far behind a follower is at 10,000 orders a second.

Reads: the server as `hanse up` starts it, on both cores of the machine together with the client that asks.
Lag: a writer that takes 10,000 orders a second by the clock, down to the commit, and a follower in a process of
its own, as `hanse up --followers 1` runs it; for every entry, from the beginning of the turn that recorded it to
the moment at which the follower's reads show it.
"""

import asyncio
import gc
import multiprocessing
import socket
import time
from collections import Counter
from itertools import groupby
from multiprocessing.connection import Connection
from random import Random
from typing import NamedTuple

from benchmarks.client import Load, Rounds, load, request
from benchmarks.machine import measure_machine
from benchmarks.report import Anchor, Figure, Report, Size
from benchmarks.serving import cpu_s, family, serving
from benchmarks.town import Town, requests
from hanse.app.house import now_us
from hanse.app.http.orders import order_job
from hanse.app.outpost import Outpost
from hanse.app.relay import Line, News, Welcome, said
from hanse.app.settings import Settings
from hanse.district.jobs import Answer
from hanse.district.writer import QUEUE_MAX
from hanse.journal.protocol import Entry
from hanse.market.catalogue.views import Catalogue

__all__ = ["run"]

READ_S = {Size.QUICK: 3.0, Size.DEFAULT: 10.0, Size.FULL: 30.0}
LAG_S = {Size.QUICK: 5, Size.DEFAULT: 30, Size.FULL: 120}
ORDERS_PER_S = 10_000
CONNECTIONS = 32


def run(size: Size) -> Report:
    """All figures."""
    machine = measure_machine()
    town = Town("followers-reads")
    town.furnish()
    products = list(town.writer.district.view(Catalogue).products)
    town.close()
    alone, _ = _reads(town, products, 0, READ_S[size])
    beside, spread = _reads(town, products, 1, READ_S[size])
    lag = _lag(LAG_S[size])
    figures = (
        Figure("reads_per_s_0_followers", alone.per_s, "reads/s"),
        Figure("reads_per_s_1_follower", beside.per_s, "reads/s", anchors=(Anchor(alone.per_s, "without"),)),
        Figure("read_p99_ms_0_followers", alone.percentile_ms(0.99), "ms", smaller=True),
        Figure("read_p99_ms_1_follower", beside.percentile_ms(0.99), "ms", smaller=True),
        Figure("lag_p50_ms", lag.percentile_ms(0.5), "ms", smaller=True),
        Figure("lag_p99_ms", lag.percentile_ms(0.99), "ms", smaller=True, anchors=(Anchor(100, "goal"),)),
        Figure("orders_per_s_meanwhile", lag.orders_per_s, "orders/s", anchors=(Anchor(ORDERS_PER_S * 0.99, "asked"),)),
        Figure("follower_cpu_us_per_order", lag.cpu_us_per_order, "µs", smaller=True),
    )
    notes = (
        "The client of the reads takes a core of its own while it asks: on two cores a follower can't double them.",
        f"CPU of writer and follower while reading: {', '.join(f'{share:.0%}' for share in spread)} of a core.",
    )
    return Report("followers", figures, machine, notes)


def _reads(town: Town, products: list[str], followers: int, seconds: float) -> tuple[Load, list[float]]:
    """Products read by many at once; and the CPU that each process took."""
    chance = Random(5)

    def script() -> Rounds:
        yield request("GET", f"/api/products/{chance.choice(products)}")

    with serving(town.folder, "--followers", str(followers)) as server:
        while len(family(server.pid)) < 1 + followers or not _listening(server.port, 1 + followers):
            time.sleep(0.1)
        processes = family(server.pid)
        before, start = [cpu_s(pid) for pid in processes], time.perf_counter()
        done = asyncio.run(load(server.port, CONNECTIONS, script, seconds=seconds))
        wall_s = time.perf_counter() - start
        spent = [(cpu_s(pid) - was) / wall_s for pid, was in zip(processes, before, strict=True)]
    assert not done.refused, f"{done.refused} requests were refused"
    return done, spent


def _listening(port: int, processes: int) -> bool:
    """Whether so many processes take connections on the port."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows[1:]) == processes


class _Lag(NamedTuple):
    """How late entries were seen: how many of them by how many microseconds; and what that took."""

    late: Counter[int]
    orders_per_s: float
    cpu_us_per_order: float

    def percentile_ms(self, share: float) -> float:
        """How late that share of the entries was at most."""
        left = self.late.total() * share
        for late_us in sorted(self.late):
            left -= self.late[late_us]
            if left <= 0:
                return late_us / 1e3
        raise AssertionError("no entry was seen")


def _lag(seconds: int) -> _Lag:
    ours, theirs = socket.socketpair()
    listening = False

    def tell(entries: list[Entry]) -> None:
        if listening:
            ours.sendall(said(News(entries[-1][0], 0, 0)))

    town = Town("followers-lag", on_commit=tell)
    town.furnish()
    (town.folder / "session.key").write_bytes(bytes(32))
    made = requests(town.writer.district, ORDERS_PER_S * seconds, 3, seed=2)
    gc.collect()
    gc.freeze()
    gc.disable()
    context = multiprocessing.get_context("spawn")
    hears, tells = context.Pipe(duplex=False)
    ours.sendall(said(Welcome(0, writes_snapshots=False)))
    follower = context.Process(target=_follow, args=(theirs, tells, Settings(folder=town.folder)))
    follower.start()
    tells.close()
    listening = hears.recv() == "ready"
    spent = cpu_s(follower.pid or 0)
    took_s = _place_by_the_clock(town, made)
    spent = cpu_s(follower.pid or 0) - spent
    ours.shutdown(socket.SHUT_RDWR)
    late: Counter[int] = hears.recv()
    follower.join()
    town.close()
    return _Lag(late, len(made) / took_s, spent / len(made) * 1e6)


def _place_by_the_clock(town: Town, made: list[tuple[bytes, str, str]]) -> float:
    """Place orders at the rate asked for, whether the ones before were answered or not; how long it took."""
    answered = 0

    def accepted(answer: Answer) -> None:
        nonlocal answered
        assert answer.body.startswith(b'{"result":"accepted"'), answer.body
        answered += 1

    writer, arrived, start = town.writer, 0, time.perf_counter()
    while answered < len(made):
        now = time.perf_counter() - start
        while arrived < len(made) and arrived / ORDERS_PER_S <= now and writer.waiting < QUEUE_MAX:
            body, person_id, key = made[arrived]
            writer.submit(order_job(body, person_id, key), accepted)
            arrived += 1
        if writer.busy:
            writer.turn()
    return time.perf_counter() - start


def _follow(socket_: socket.socket, tells: Connection, settings: Settings) -> None:
    """A follower's process; ends with the socket, and then tells how late each entry was seen."""
    asyncio.run(_following(socket_, tells, settings))


async def _following(socket_: socket.socket, tells: Connection, settings: Settings) -> None:
    line = Line(*await asyncio.open_connection(sock=socket_))
    await line.welcome()
    outpost = Outpost(settings)
    late: Counter[int] = Counter()

    def note(entries: list[Entry]) -> None:
        seen_us = now_us()
        for time_us, of_turn in groupby(entries, key=lambda entry: entry.time_us):
            late[seen_us - time_us] += sum(1 for _ in of_turn)

    await outpost.start()
    outpost.listen(note)
    tells.send("ready")
    await line.listen(outpost.hear)
    tells.send(late)
    await outpost.stop()

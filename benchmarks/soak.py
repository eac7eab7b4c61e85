"""Half of what it can do, for an hour, with a fault every minute; then what was lost, done twice, or grew.

`hanse up --followers 1` on a real disk, and shoppers and shops over HTTP: each order is placed, accepted, picked and
handed over, one order in fifty is sent again under its key, and whatever gets no answer is repeated until it has one.
Faults: the writer's process killed, a follower killed, either frozen for some seconds, the disk full for some seconds,
all connections cut. Afterwards the journal is read: the orders in it are those that were acknowledged, each once, each
closed; the chain closes, nothing is held any more, the ledger is zero. `--full` is the hour; the default is five
minutes with a fault every fifteen seconds.
"""

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from random import Random
from statistics import linear_regression
from typing import NamedTuple

import msgspec

from benchmarks.client import request
from benchmarks.machine import measure_machine
from benchmarks.report import Anchor, Figure, Report, Size
from benchmarks.serving import family, free_port, token_of
from benchmarks.town import Town, requests
from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import Charter
from hanse.district.opening import follow
from hanse.district.own import Troubles
from hanse.events.dictionary import kind_of
from hanse.events.market import OrderClosed, OrderPlaced
from hanse.finance.ledger.views import Ledger
from hanse.journal.check import verify
from hanse.journal.sqlite import SqliteJournal
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders

__all__ = ["run"]

SECONDS = {Size.QUICK: 40, Size.DEFAULT: 270, Size.FULL: 3_600}
FAULT_EVERY_S = {Size.QUICK: 8, Size.DEFAULT: 15, Size.FULL: 60}
TRIAL_S = {Size.QUICK: 4, Size.DEFAULT: 15, Size.FULL: 30}
WORKERS = 48
AGAIN_SHARE = 0.02
ANSWER_S = 10.0
PAUSE_S = 0.1
FROZEN_S = 3.0
FULL_S = 4.0
SAMPLE_S = 2.0
QUIET_SHARE = (0.15, 0.85)
"""Between these shares of the time the writer is not killed, so that growth of its memory can be seen."""

STEPS = ("accept", "pick", "hand-over")
DONE = frozenset((204, 404, 409))
"""Of a step that is repeated because its answer was lost: done now, or done before."""

IN_FLIGHT = b"district.key_in_flight"
DEFINITE = frozenset((200, 201, 202, 204, 402, 404, 409, 422))


class Server:
    """The processes under test, started again whenever the writer's is gone."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.starts = 0
        self.worst_outage_s = 0.0
        self._folder = folder
        self._log = (folder / "soak.log").open("w")
        self._start()

    def _start(self) -> None:
        start = "from hanse.app.cli import main; main()"
        options = ["up", "--port", str(self.port), "--data", str(self._folder), "--followers", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", start, *options], stdout=subprocess.DEVNULL, stderr=self._log
        )
        self.starts += 1

    async def watch(self) -> None:
        """Start the writer again when it has died; what a supervisor does."""
        while True:
            await asyncio.sleep(0.05)
            if self.process.poll() is not None:
                died = time.monotonic()
                self._start()
                while not await is_ready(self.port):
                    await asyncio.sleep(0.05)
                self.worst_outage_s = max(self.worst_outage_s, time.monotonic() - died)

    @property
    def writer(self) -> int:
        """The writer's process."""
        return self.process.pid

    @property
    def followers(self) -> list[int]:
        """Those of the followers."""
        return family(self.writer)[1:]

    def stop(self) -> None:
        """End it as an operator does."""
        self.process.terminate()
        self.process.wait(60)
        self._log.close()


class Tally:
    """What the clients know: which orders were acknowledged, by key, and how long each request took."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}
        self.repeated = self.retries = 0
        self.refused: Counter[str] = Counter()
        self.waits_ms: list[float] = []

    def took(self, key: str, order_id: str) -> None:
        """Note an acknowledged order; under one key it has to be the same one always."""
        known = self.acknowledged.setdefault(key, order_id)
        assert known == order_id, f"key {key} was answered with {known} and with {order_id}"


class Client:
    """One keep-alive connection that is made anew whenever it breaks."""

    def __init__(self, port: int, tally: Tally) -> None:
        self._port = port
        self._tally = tally
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Ask until there is an answer that says what became of the request."""
        began = time.perf_counter()
        while True:
            try:
                status, body = await asyncio.wait_for(self._once(sent), ANSWER_S)
            except (OSError, EOFError, TimeoutError, ValueError):
                self.cut()
            else:
                # What is still being worked on is no answer: the request before this one may yet succeed.
                if status in DEFINITE and IN_FLIGHT not in body:
                    self._tally.waits_ms.append((time.perf_counter() - began) * 1e3)
                    return status, body
            self._tally.retries += 1
            await asyncio.sleep(PAUSE_S)

    def cut(self) -> None:
        """Hang up at once."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _once(self, sent: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.index(b"\r\n", at)]) if at >= 0 else 0
        return int(head[9:12]), await reader.readexactly(length)


async def is_ready(port: int) -> bool:
    """Whether the server takes orders."""
    try:
        status, _ = await asyncio.wait_for(Client(port, Tally())._once(request("GET", "/health/ready")), ANSWER_S)
    except (OSError, EOFError, TimeoutError, ValueError):
        return False
    return status == 200


class Shopping:
    """What the clients do: whole orders, from the basket to the counter."""

    def __init__(self, town: Town) -> None:
        district = town.writer.district
        secret = bytes(32)
        (town.folder / "session.key").write_bytes(secret)
        self._made = requests(district, 50_000, 3, seed=7)
        self._shopper = {person: token_of(secret, "shopper", person) for _, person, _ in self._made}
        self._shop = {shop: token_of(secret, "shop", shop) for shop in district.view(Catalogue).by_shop}
        self._shop_of = {offer.offer_id: offer.shop_id for offer in district.view(Catalogue).offers.values()}
        self._number, self._chance = count(), Random(8)

    async def one(self, client: Client, tally: Tally) -> None:
        """One order, to its end."""
        number = next(self._number)
        body, person, _ = self._made[number % len(self._made)]
        key = f"soak-{number}"
        placed = request("POST", "/api/orders", token=self._shopper[person], key=key, body=body)
        status, answer = await client.ask(placed)
        if status != 201:
            tally.refused[msgspec.json.decode(answer)["code"]] += 1
            return
        order_id = msgspec.json.decode(answer)["order_id"]
        tally.took(key, order_id)
        if self._chance.random() < AGAIN_SHARE:
            status, answer = await client.ask(placed)
            tally.took(key, msgspec.json.decode(answer)["order_id"])
            tally.repeated += 1
        shop = self._shop_of[msgspec.json.decode(body)["lines"][0]["offer_id"]]
        for step in STEPS:
            path = f"/api/shop/parts/{order_id}-1/{step}"
            status, said = await client.ask(request("POST", path, token=self._shop[shop]))
            assert status in DONE, f"{step}: {status} {said!r}"


class Sample(NamedTuple):
    """The memory of both processes at a moment, in megabytes; nan where one is not there."""

    at_s: float
    writer_pid: int
    writer_mb: float
    follower_mb: float


def run(size: Size) -> Report:
    """All figures."""
    machine = measure_machine()
    town = Town("soak")
    town.furnish()
    shopping = Shopping(town)
    town.close()
    server = Server(town.folder)
    try:
        soaked = asyncio.run(_soak(server, shopping, size))
    finally:
        server.stop()
    lost, doubled, sentence = _audit(town.path, soaked.tally)
    growth = [_growth_mb_per_h(soaked.samples, which) for which in ("writer_mb", "follower_mb")]
    orders = len(soaked.tally.acknowledged)
    waits = sorted(soaked.tally.waits_ms)
    figures = (
        Figure("lost_orders", lost, "orders", smaller=True, anchors=(Anchor(0, "must hold", required=True),)),
        Figure("doubled_orders", doubled, "orders", smaller=True, anchors=(Anchor(0, "must hold", required=True),)),
        Figure("orders", orders, "orders"),
        Figure("orders_per_s", orders / SECONDS[size], "orders/s", anchors=(Anchor(soaked.rate, "half load"),)),
        Figure("faults", sum(soaked.faults.values()), "faults"),
        Figure("worst_outage_s", server.worst_outage_s, "s", smaller=True),
        Figure("p99_ms", waits[int(len(waits) * 0.99)], "ms", smaller=True),
        Figure("writer_growth_mb_per_h", growth[0], "MB/h", smaller=True),
        Figure("follower_growth_mb_per_h", growth[1], "MB/h", smaller=True),
    )
    notes = (
        sentence,
        f"Faults: {_counted(soaked.faults)}.",
        f"{soaked.tally.retries:,} requests repeated for want of an answer, {soaked.tally.repeated:,} on purpose,"
        f" {soaked.tally.refused.total():,} orders refused ({_counted(soaked.tally.refused)}); each is four requests.",
        "Growth is the slope of the resident memory while the writer was not killed, its first quarter left out.",
    )
    return Report("soak", figures, machine, notes)


def _counted(times: Counter[str]) -> str:
    return ", ".join(f"{name} {of_it:,}" for name, of_it in sorted(times.items())) or "none"


class Soaked(NamedTuple):
    """What a soak came to."""

    tally: Tally
    faults: Counter[str]
    samples: list[Sample]
    rate: float


async def _soak(server: Server, shopping: Shopping, size: Size) -> Soaked:
    while not await is_ready(server.port):
        await asyncio.sleep(0.1)
    tally, faults, samples = Tally(), Counter[str](), list[Sample]()
    clients = [Client(server.port, tally) for _ in range(WORKERS)]
    # How much it can do, and then half of that.
    began = time.monotonic()
    await _work(clients, shopping, tally, rate=float("inf"), seconds=TRIAL_S[size])
    rate = len(tally.acknowledged) / (time.monotonic() - began) / 2
    seconds = SECONDS[size] - TRIAL_S[size]
    beside = [
        asyncio.create_task(server.watch()),
        asyncio.create_task(_faults(server, clients, faults, seconds, FAULT_EVERY_S[size])),
        asyncio.create_task(_sample(server, samples)),
    ]
    await _work(clients, shopping, tally, rate=rate, seconds=seconds)
    for task in beside:
        task.cancel()
    for result in await asyncio.gather(*beside, return_exceptions=True):
        assert isinstance(result, asyncio.CancelledError | None), result
    for client in clients:
        client.cut()
    return Soaked(tally, faults, samples, rate)


async def _work(clients: list[Client], shopping: Shopping, tally: Tally, *, rate: float, seconds: float) -> None:
    """Have all clients order at a rate by the clock; what was begun is brought to its end."""
    began = time.monotonic()
    slots = count()

    async def worker(client: Client) -> None:
        while True:
            due = next(slots) / rate
            if due >= seconds or time.monotonic() - began >= seconds:
                return
            await asyncio.sleep(max(due - (time.monotonic() - began), 0))
            await shopping.one(client, tally)

    await asyncio.gather(*map(worker, clients))


# Faults


async def _faults(server: Server, clients: list[Client], faults: Counter[str], seconds: float, every_s: float) -> None:
    """One fault after the other, each kind as often as the others."""
    chance, began = Random(9), time.monotonic()
    kinds: dict[str, Callable[[], Awaitable[None]]] = {
        "writer killed": lambda: _kill([server.writer]),
        "follower killed": lambda: _kill(server.followers),
        "writer frozen": lambda: _freeze([server.writer]),
        "follower frozen": lambda: _freeze(server.followers),
        "disk full": lambda: _fill_disk(server.writer),
        "connections cut": lambda: _cut(clients),
    }
    for bag in _bags(list(kinds), chance):
        await asyncio.sleep(every_s)
        share = (time.monotonic() - began) / seconds
        if bag == "writer killed" and QUIET_SHARE[0] < share < QUIET_SHARE[1]:
            bag = "connections cut"
        faults[bag] += 1
        await kinds[bag]()


def _bags(kinds: list[str], chance: Random) -> Iterator[str]:
    """All kinds in random order, again and again."""
    while True:
        yield from chance.sample(kinds, len(kinds))


async def _kill(processes: list[int]) -> None:
    for pid in processes:
        os.kill(pid, signal.SIGKILL)


async def _freeze(processes: list[int]) -> None:
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(FROZEN_S)
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def _fill_disk(pid: int) -> None:
    """Let no file of a process grow: what it writes meanwhile fails as on a full disk."""
    with contextlib.suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4_096, hard))
        await asyncio.sleep(FULL_S)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


async def _cut(clients: list[Client]) -> None:
    for client in clients:
        client.cut()


# Looking


async def _sample(server: Server, samples: list[Sample]) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(SAMPLE_S)
        with contextlib.suppress(OSError, IndexError):
            writer, follower = server.writer, server.followers[0]
            samples.append(Sample(time.monotonic() - began, writer, _resident_mb(writer), _resident_mb(follower)))


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _growth_mb_per_h(samples: list[Sample], which: str) -> float:
    """The slope of a memory over the longest life of a writer."""
    lives = Counter(sample.writer_pid for sample in samples)
    longest = [sample for sample in samples if sample.writer_pid == lives.most_common(1)[0][0]]
    steady = longest[len(longest) // 4 :]
    slope = linear_regression([s.at_s for s in steady], [getattr(s, which) for s in steady]).slope
    return slope * 3_600


def _audit(path: Path, tally: Tally) -> tuple[int, int, str]:
    """Orders lost and doubled, and a sentence if all else is right too."""
    journal = SqliteJournal(path, read_only=True)
    verdict = verify(journal)
    assert verdict.fault == "", verdict.fault
    names = {kind_of(OrderPlaced).name: Counter[str](), kind_of(OrderClosed).name: Counter[str]()}
    for entry in journal.read():
        if entry.name in names:
            names[entry.name][entry.story] += 1
    placed, closed = names.values()
    acknowledged = set(tally.acknowledged.values())
    lost = len(acknowledged - placed.keys())
    doubled = len(placed.keys() - acknowledged) + sum(times - 1 for times in placed.values())
    district = follow(journal, Charter(), views=VIEWS, flows=FLOWS)
    journal.close()
    ledger, open_orders = district.view(Ledger), district.view(Orders).open
    assert closed == placed, "an order that was handed over is not closed"
    assert not open_orders, f"{len(open_orders)} orders are open"
    assert not ledger.holds, "money is held for no order"
    assert sum(account.balance_minor for account in ledger.accounts.values()) == 0, "the ledger is not zero"
    troubles = district.view(Troubles)
    assert not troubles.failed_steps, troubles.failed_steps[0]
    assert not troubles.stopped, troubles.stopped
    return (
        lost,
        doubled,
        f"The journal has {verdict.entries:,} entries in a chain that closes; {placed.total():,} orders, all closed,"
        " no money held, ledger zero.",
    )

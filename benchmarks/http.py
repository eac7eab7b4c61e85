"""The district over HTTP on loopback: single orders, batches, reads, and the peers' whole journey.

A client process keeps connections busy, the server is the one that `hanse up` starts; CPU is the
server's own, from /proc. Only the journey (basket, address, delivery, payment, order as separate
requests) does what the measured peers did, so only its figures are set beside theirs: django-oscar 4.2
17 orders/s at 87 CPU ms, Vendure 3.7 6.4 orders/s, Medusa 2.21 under one (2 cores, PostgreSQL, 2026-11).
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import count
from random import Random

import msgspec

from benchmarks.client import Load, Rounds, load, request
from benchmarks.machine import measure_machine
from benchmarks.report import Anchor, Figure, Report, Size
from benchmarks.serving import cpu_s, serving, token_of
from benchmarks.town import Town, requests
from hanse.market.catalogue.views import Catalogue
from hanse.people.members.views import Members

__all__ = ["run"]

SECONDS = {Size.QUICK: 2.0, Size.DEFAULT: 10.0, Size.FULL: 30.0}
BATCH = 100
MARK = "@@@@@@@@"
"""Stands in a batch made ready for the number that makes its keys new."""
PEER_ORDERS_PER_S = 17.3
PEER_CPU_MS = 87.0


class Shoppers:
    """Requests of many shoppers, made ready before the window so that the client costs little."""

    def __init__(self, town: Town, secret: bytes) -> None:
        district = town.writer.district
        self._people = list(district.view(Members).by_id)
        self._tokens = {person: token_of(secret, "shopper", person) for person in self._people}
        self._league = token_of(secret, "league", "league")
        self._made = requests(district, 50_000, 3, seed=3)
        self._batches = [
            msgspec.json.encode(
                [
                    {**msgspec.json.decode(body), "shopper_id": person, "key": f"{MARK}-{n}"}
                    for n, (body, person, _) in enumerate(self._made[start : start + BATCH])
                ]
            )
            for start in range(0, len(self._made), BATCH)
        ]
        self._products = list(district.view(Catalogue).products)
        self._number, self._chance = count(), Random(4)

    def single(self) -> Rounds:
        """One order."""
        number = next(self._number)
        body, person, _ = self._made[number % len(self._made)]
        yield request("POST", "/api/orders", token=self._tokens[person], key=f"single-{number}", body=body)

    def batch(self) -> Rounds:
        """A hundred orders in one request, sent by the league for its shoppers."""
        number = next(self._number)
        body = self._batches[number % len(self._batches)].replace(MARK.encode(), b"%08d" % number)
        yield request("POST", "/api/orders:batch", token=self._league, body=body)

    def product(self) -> Rounds:
        """One product."""
        yield request("GET", f"/api/products/{self._chance.choice(self._products)}")

    def availability(self) -> Rounds:
        """Who has a product near here."""
        product = self._chance.choice(self._products)
        yield request("GET", f"/api/products/{product}/availability?lat=60.169&lon=24.94")

    def journey(self) -> Rounds:
        """Basket, address, delivery, payment, order."""
        number = next(self._number)
        body, _, _ = self._made[number % len(self._made)]
        token = self._tokens[self._people[number % len(self._people)]]

        def step(name: str, method: str, path: str, body: bytes = b"") -> bytes:
            return request(method, path, token=token, key=f"journey-{number}-{name}", body=body)

        yield step("basket", "PUT", "/api/basket/lines", body)
        kept = yield step("address", "POST", "/api/addresses", ADDRESS)
        address_id = msgspec.json.decode(kept)["address_id"]
        chosen = msgspec.json.encode({"fulfilment": "delivery", "address_id": address_id})
        yield step("delivery", "PATCH", "/api/basket", chosen)
        yield step("payment", "PATCH", "/api/basket", b'{"payment":"wallet"}')
        yield step("order", "POST", "/api/basket/order", b"{}")


ADDRESS = msgspec.json.encode(
    {
        "name": "Aino Korhonen",
        "street": "Kalevankatu 3",
        "postcode": "00100",
        "city": "Helsinki",
        "lat": 60.1677,
        "lon": 24.9395,
    }
)


def run(size: Size) -> Report:
    """All figures."""
    machine = measure_machine()
    town = Town("http")
    town.furnish()
    town.close()
    with serving(town.folder) as server:
        shoppers = Shoppers(town, (town.folder / "session.key").read_bytes())
        figures = tuple(_measure(shoppers, server.port, server.pid, SECONDS[size]))
    return Report("http", figures, machine, ("Client and server share the machine; CPU is the server's alone.",))


def _measure(shoppers: Shoppers, port: int, pid: int, seconds: float) -> Iterator[Figure]:
    for connections in (1, 8, 32, 256):
        done, spent_s = _window(port, pid, connections, shoppers.single, seconds)
        goal = (Anchor(5_000, "goal"),) if connections == 32 else ()
        yield Figure(f"orders_per_s_c{connections}", done.per_s, "orders/s", anchors=goal)
        if connections == 32:
            yield Figure("cpu_ms_per_order", spent_s / done.rounds * 1e3, "ms", smaller=True)
        yield Figure(f"p50_ms_c{connections}", done.percentile_ms(0.5), "ms", smaller=True)
        yield Figure(f"p99_ms_c{connections}", done.percentile_ms(0.99), "ms", smaller=True)
    done, _ = _window(port, pid, 4, shoppers.batch, seconds)
    yield Figure("batch_orders_per_s", done.per_s * BATCH, "orders/s", anchors=(Anchor(15_000, "goal"),))
    for name, script in (("product", shoppers.product), ("availability", shoppers.availability)):
        done, _ = _window(port, pid, 32, script, seconds)
        yield Figure(f"{name}_per_s", done.per_s, "requests/s")
    done, spent_s = _window(port, pid, 32, shoppers.journey, seconds)
    cpu_ms = spent_s / done.rounds * 1e3
    peer = (Anchor(PEER_ORDERS_PER_S, "best peer measured: django-oscar 4.2, 32 at once"),)
    yield Figure("journey_orders_per_s_c32", done.per_s, "orders/s", anchors=peer)
    yield Figure(
        "journey_cpu_ms_per_order", cpu_ms, "ms", smaller=True, anchors=(Anchor(PEER_CPU_MS, "best peer: 87–113"),)
    )
    yield Figure("journey_times_best_peer_cpu", PEER_CPU_MS / cpu_ms, "×", anchors=(Anchor(100, "goal"),))


def _window(port: int, pid: int, connections: int, script: Callable[[], Rounds], seconds: float) -> tuple[Load, float]:
    """A window of load, and the server's CPU seconds in it (scaled to the rounds that were counted)."""
    before, start = cpu_s(pid), time.perf_counter()
    done = asyncio.run(load(port, connections, script, seconds=seconds))
    spent, wall = cpu_s(pid) - before, time.perf_counter() - start
    assert not done.refused, f"{done.refused} requests were refused"
    return done, spent * done.seconds / wall

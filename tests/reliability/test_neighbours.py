"""Two real servers that are neighbours: one order after the other goes over, whichever of them is killed meanwhile."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hanse.app.house import now_us
from hanse.app.neighbours import own_key, public_text
from hanse.district.neighbours import Neighbours
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.views import Ledger
from hanse.journal.protocol import Commit
from hanse.kernel.principal import Principal
from hanse.world.simulation.between import Between
from tests.reliability.conftest import audit, found_town, open_writer
from tests.reliability.serving import Server, serving

ADA, MILL = Principal("shopper", "per_ada"), Principal("shop", "shp_mill")
TEA = {"lines": [{"offer_id": "off_mill_tea", "quantity": 2, "shop_id": "shp_mill", "price_minor": 250}]}
TRIES = 600
MAIN = "from hanse.app.cli import main; main()"


class District:
    """One of the two: its folder, its port, and its server while it runs."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.folder, self.tag, self.port = folder / tag, tag, free_port()
        self.folder.mkdir()
        found_town(self.folder, now_us, tag=tag)
        self.neighbours = ""
        self._stack = ExitStack()
        self.server: Server

    @property
    def known_as(self) -> str:
        return f"{self.tag}=http://127.0.0.1:{self.port}#{public_text(own_key(self.folder))}"

    def start(self) -> None:
        at = serving(self.folder, port=self.port, tag=self.tag, neighbours=self.neighbours)
        self.server = self._stack.enter_context(at)

    def kill(self) -> None:
        self.server.kill()

    def close(self) -> None:
        self._stack.close()

    def post(self, who: Principal, path: str, body: Any = None, key: str = "") -> dict[str, Any]:
        headers = {**self.server.bearer(who), **({"Idempotency-Key": key} if key else {})}
        answer = self.server.client.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    def get(self, who: Principal, path: str) -> Any:
        return self.server.client.get(path, headers=self.server.bearer(who)).json()


@contextmanager
def two_districts(folder: Path) -> Iterator[tuple[District, District]]:
    a, b = District(folder, "a"), District(folder, "b")
    a.neighbours, b.neighbours = b.known_as, a.known_as
    try:
        a.start()
        b.start()
        yield a, b
    finally:
        a.close()
        b.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], Any]) -> Any:
    """Ask until it holds; the two servers have clocks of their own that no test can move."""
    pause = threading.Event()
    for _ in range(TRIES):
        found = holds()
        if found:
            return found
        pause.wait(0.05)
    raise AssertionError("it never came true")


def fulfil(b: District, order_id: str) -> None:
    for act in ("accept", "pick", "hand-over"):
        b.post(MILL, f"/api/shop/parts/{order_id}-1/{act}")


@pytest.mark.slow
def test_orders_go_over_whichever_side_is_killed(tmp_path: Path) -> None:
    with two_districts(tmp_path) as (a, b):

        def asked(key: str) -> str:
            return str(a.post(ADA, "/api/neighbours/b/orders", TEA, key)["order_id"])

        def shown(order_id: str) -> Any:
            return a.get(ADA, f"/api/neighbours/orders/{order_id}")

        first = asked("k1")
        until(lambda: shown(first)["parts"])
        b.kill()
        second = asked("k2")
        assert shown(second)["parts"] == []
        b.start()
        until(lambda: shown(second)["parts"])
        fulfil(b, first)
        fulfil(b, second)
        a.kill()
        a.start()
        assert asked("k1") == first
        for order_id in (first, second):
            assert until(lambda told=order_id: shown(told)["outcome"]) == "fulfilled"
        said = subprocess.run(
            [sys.executable, "-c", MAIN, "league", "clearing", "--data", str(a.folder)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        stands = "b 10.00 EUR 0.00 EUR 0.00 EUR 0.00 EUR 1,000.00 EUR 0 open"
        assert " ".join(said.split()).endswith(stands)
        assert httpx.post(f"http://127.0.0.1:{a.port}/api/league/inbox", json={}).status_code == 403
    _agree(tmp_path)


def _agree(folder: Path) -> None:
    """Both journals, read by the auditors: each for itself, and against each other."""
    journals, books = {}, {}
    for tag in ("a", "b"):
        journals[tag], writer = open_writer(folder / tag, now_us, tag=tag)
        writer.run()
        books[tag] = audit(journals[tag], writer)
        other = "b" if tag == "a" else "a"
        channel = writer.district.view(Neighbours).channels[other]
        assert (channel.waiting, channel.parked_in, channel.parked_out) == ({}, "", "")
        balance = writer.district.view(Ledger).accounts[clearing_of(other)].balance_minor
        assert balance == (1_000 if tag == "a" else -1_000)
    between = Between(("a", "b"), books)
    for tag, journal in journals.items():
        # Which message was taken when is seen above; here it is what both say of each order.
        between.read(tag, Commit([entry for entry in journal.read() if "message" not in entry.name], [], None))
    assert len(between.trips) == 2
    assert all(trip.outcome == "fulfilled" for trip in between.trips.values())
    for order_id, trip in between.trips.items():
        between.check_trip(order_id, trip)
    for journal in journals.values():
        journal.close()

"""`hanse up --followers`: reads go on when a follower dies, and no follower outlives its writer."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from select import select

import httpx
import pytest

from hanse.app.house import House
from hanse.app.settings import Settings
from hanse.kernel.principal import Principal
from tests.app.http.town import furnish, key, lines
from tests.reliability.serving import Server, serving

pytestmark = pytest.mark.slow


def children(server: Server) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True)
    return [int(pid) for pid in listed.stdout.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def listeners(url: httpx.URL) -> int:
    """How many processes take connections on the port."""
    port = f"{url.port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(bool(re.search(rf"0100007F:{port} 00000000:0000 0A", row)) for row in rows)


def until(what: str, holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        # The kernel tells nobody of a new listener: look again a little later.
        select([], [], [], 0.1)
    raise AssertionError(what)


def test_followers_die_and_come_back_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    house = House(Settings(folder=data))
    furnish(house)
    house.journal.close()
    house.vault.close()
    with serving(data, "--followers", "2") as server:
        url = server.client.base_url
        until("three listen", lambda: listeners(url) == 3)
        ada = server.bearer(Principal("shopper", "per_ada"))
        placed = []

        def order_and_look() -> None:
            # Each request on a connection of its own, so that the kernel chooses who takes it.
            wanted = lines(("shp_1:prd_2", 1))
            answer = httpx.post(url.join("/api/orders"), json=wanted, headers=ada | key(), timeout=10)
            assert answer.status_code == 201, answer.text
            placed.append(answer.json()["order_id"])
            seen = {"Hanse-Position": answer.headers["hanse-position"]}
            mine = httpx.get(url.join("/api/orders"), headers=ada | seen, timeout=10).json()["orders"]
            assert mine[0]["order_id"] == placed[-1], mine

        for _ in range(6):
            order_and_look()
        first = children(server)[0]
        os.kill(first, signal.SIGKILL)
        until("it is gone", lambda: listeners(url) == 2)
        order_and_look()
        until("it is back", lambda: listeners(url) == 3)
        order_and_look()
        followers = children(server)
        server.kill()
        until("no follower outlives its writer", lambda: not any(map(alive, followers)))
    again = House(Settings(folder=data))
    stories = [again.journal.story(order_id)[0].name for order_id in placed]
    assert stories == ["market.order_placed"] * len(placed)
    again.journal.close()
    again.vault.close()

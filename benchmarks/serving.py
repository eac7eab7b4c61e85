"""The server as `hanse up` starts it, in processes of its own, for benchmarks that ask it over HTTP."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from hanse.app.auth import issue_token
from hanse.app.house import now_us
from hanse.kernel.principal import Principal

__all__ = ["Server", "cpu_s", "family", "free_port", "serving", "token_of"]

READY_S = 60


class Server(NamedTuple):
    """Where it listens, and the process of its writer."""

    port: int
    pid: int


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Server]:
    """Serve the district of a folder until the block ends."""
    port = free_port()
    start = "from hanse.app.cli import main; main()"
    command = [sys.executable, "-c", start, "up", "--port", str(port), "--data", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_ready(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(READY_S)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and its children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *map(int, listed.split())]


def token_of(secret: bytes, role: Literal["shopper", "shop", "league"], who: str) -> str:
    """What shows who asks."""
    return issue_token(secret, Principal(role, who), now_us=now_us())


def free_port() -> int:
    """A TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_ready(port: int) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"the server did not become ready within {READY_S} seconds")

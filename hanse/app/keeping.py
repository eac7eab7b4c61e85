"""The process that fills the archive: started some seconds after the house, again when it dies, ended with it."""

import asyncio
import os
import sys
import time

from hanse.app.settings import Settings

__all__ = ["ARCHIVE", "Keeping"]

ARCHIVE = "archive.sqlite"
START_AFTER_S = 5.0
"""The house comes first; and one that dies at once is not started again at once."""


class Keeping:
    """Sees to it that one keeper runs beside a house.

    Parameters
    ----------
    settings
        Those of the house.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._looked = time.monotonic()

    async def look(self) -> None:
        """Start the keeper if it is time and none runs."""
        if self._process is not None and self._process.returncode is None:
            return
        if time.monotonic() - self._looked < START_AFTER_S:
            return
        self._looked = time.monotonic()
        # It ends when its standard input is closed: also if this process is killed.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hanse.app.keeper",
            stdin=asyncio.subprocess.PIPE,
            env={**os.environ, **self._settings.environment()},
        )

    async def stop(self) -> None:
        """End the keeper; what it was entering is entered again after the next start."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

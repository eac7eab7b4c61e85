"""The followers of a running district: started beside the writer, told of each commit, started again if they die."""

import asyncio
import logging
import os
import socket
import sys

from hanse.app.house import House
from hanse.app.relay import App, Counter, News, Standing, Welcome
from hanse.app.telemetry.logs import say
from hanse.journal.protocol import Entry

__all__ = ["Followers"]

PAUSE_S = (0.5, 1.0, 5.0, 15.0)
"""Before a follower that died is started again: growing, until one has lived for a while."""

LIVED_S = 60.0
STOP_S = 5.0


class Followers:
    """Keeps a number of follower processes alive, each with a socket of its own.

    Parameters
    ----------
    house
        The writer's.
    app
        Answers what they hand on.
    port
        Where they listen, with the writer: the kernel spreads connections over all of them.
    """

    def __init__(self, house: House, app: App, port: int) -> None:
        self._house = house
        self._app = app
        self._port = port
        self._counters: dict[int, Counter] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._deaf = house.listen(self._hear)

    def start(self) -> None:
        """Start them all."""
        self._house.standings = self.standings
        self._keepers = [asyncio.create_task(self._keep(n)) for n in range(self._house.settings.followers)]

    def standings(self) -> dict[int, Standing]:
        """Where each follower stands that is there now."""
        return {number: counter.standing for number, counter in self._counters.items()}

    async def stop(self) -> None:
        """Hang up: they end by themselves."""
        self._deaf()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    def _hear(self, entries: list[Entry]) -> None:
        # In the same turn as the commit, so before any answer is sent: who reads elsewhere next is expected there.
        news = self._news()
        for counter in self._counters.values():
            counter.tell(news)

    def _news(self) -> News:
        return News(self._house.writer.position, self._house.waiting, self._house.restarts)

    async def _keep(self, number: int) -> None:
        """Run one follower, again and again."""
        loop, deaths = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            code = await self._run(number)
            deaths = 0 if loop.time() - began > LIVED_S else deaths + 1
            pause_s = PAUSE_S[min(deaths, len(PAUSE_S)) - 1]
            say(logging.WARNING, "follower_ended", follower=number, exit_code=code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)

    async def _run(self, number: int) -> int | None:
        ours, theirs = socket.socketpair()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            f"from hanse.app.server import serve_outpost; serve_outpost({theirs.fileno()})",
            pass_fds=(theirs.fileno(),),
            env={**os.environ, **self._house.settings.environment()},
        )
        theirs.close()
        counter = Counter(self._app, *await asyncio.open_connection(sock=ours), news=self._news)
        try:
            counter.tell(Welcome(self._port, writes_snapshots=number == 0))
            self._counters[number] = counter
            await counter.serve()
            return await process.wait()
        finally:
            self._counters.pop(number, None)
            counter.close()
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait until a follower has ended, which it does when its socket closes; kill one that does not."""
    if process.returncode is not None:
        return
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()

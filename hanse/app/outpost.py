"""What routes ask of a house, in a follower's process: views of its own over the same journal, kept up with it."""

import asyncio
import gc
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from hanse.app.home import Home
from hanse.app.house import FLOWS, VIEWS, now_us, open_journal
from hanse.app.keeping import ARCHIVE
from hanse.app.relay import News, Standing
from hanse.app.settings import Settings
from hanse.app.telemetry.logs import say
from hanse.district import collector
from hanse.district.archive import ArchiveReader
from hanse.district.core import District
from hanse.district.following import Follower
from hanse.district.jobs import Answer, Job
from hanse.district.opening import follow
from hanse.district.snapshots import newest_position, take
from hanse.journal.protocol import Entry, JournalUnavailable
from hanse.people.vault import Vault

__all__ = ["Outpost"]

BEHIND_S = 1.0
"""Who is further behind answers no reads: they are handed on until it has caught up."""

CAUGHT_UP_S = 0.2
WAIT_S = 1.0
"""How long a read waits for what its asker has seen elsewhere, before it is handed on."""

TICK_S = 0.25
TOLD_MAX = 10_000


class Outpost(Home):
    """What routes ask of a house, over a follower.

    Parameters
    ----------
    settings
        Those of the writer's house.
    secret
        The key that sessions are signed with.
    writes_snapshots
        Whether this one writes the snapshots.
    """

    def __init__(self, settings: Settings, *, writes_snapshots: bool = False) -> None:
        self.settings = settings
        self.world = None
        self.journal = open_journal(settings, read_only=True)
        self.vault = Vault(settings.folder / "vault.sqlite")
        self.secret = (settings.folder / "session.key").read_bytes()
        self.snapshots = settings.folder / "snapshots"
        self.archive = ArchiveReader(settings.folder / ARCHIVE)
        self.started_us = now_us()
        self.standings = dict
        self.news = News(0, 0, 0)
        self.fit = True
        build = partial(follow, charter=settings.charter(), views=VIEWS, flows=FLOWS, snapshots=self.snapshots)
        self._follower = Follower(self.journal, build, clock=now_us)
        self._told: deque[tuple[int, float]] = deque()
        self._listeners: set[Callable[[list[Entry]], None]] = set()
        self._moved = asyncio.Event()
        self._tailing = False
        self._ticker: asyncio.Task[None] | None = None
        self._writes_snapshots = writes_snapshots
        self._snapshot_at = newest_position(self.snapshots)
        self._writing: asyncio.Future[tuple[int, int]] | None = None

    @property
    def district(self) -> District:
        """The district as it was committed, at the latest commit that is folded here."""
        return self._follower.district

    @property
    def position(self) -> int:
        """The end of the latest commit that is folded here."""
        return self._follower.position

    @property
    def waiting(self) -> int:
        """How many commands wait at the writer."""
        return self.news.waiting

    @property
    def restarts(self) -> int:
        """How often the writer had to begin anew."""
        return self.news.restarts

    @property
    def lag_us(self) -> int:
        """How old the oldest commit is that is not folded yet; else how old the latest was when it had been."""
        return int((time.monotonic() - self._told[0][1]) * 1e6) if self._told else self._follower.lag_us

    def standing(self) -> Standing:
        """Where we stand."""
        return Standing(self._follower.position, self.lag_us, self.fit)

    def submit(self, job: Job) -> asyncio.Future[Answer]:
        """Commands never come here: a request that may change something is handed on whole."""
        raise NotImplementedError("a follower runs no commands")

    def listen(self, listener: Callable[[list[Entry]], None]) -> Callable[[], None]:
        """Hear of the entries of each commit once they are folded; returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def start(self) -> None:
        """Begin to follow."""
        gc.disable()
        self._ticker = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """Let go of everything."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._writing is not None:
            await self._writing
        self.journal.close()
        self.vault.close()

    # Following

    def hear(self, news: News) -> None:
        """Take in what the writer says, and catch up."""
        known = max(self.news.position, self._follower.position)
        if news.position > known and len(self._told) < TOLD_MAX:
            self._told.append((news.position, time.monotonic()))
        self.news = news
        self._catch_up()

    def _catch_up(self) -> None:
        if not self._tailing and self._follower.position < self.news.position:
            self._tailing = True
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        self._tailing = False
        try:
            entries = self._follower.advance()
        except JournalUnavailable as error:
            # The next tick tries again; meanwhile we fall behind, and say so.
            say(logging.WARNING, "follower_cannot_read", error=error)
            return
        for listener in tuple(self._listeners):
            listener(entries)
        while self._told and self._told[0][0] <= self._follower.position:
            self._told.popleft()
        self._moved.set()
        self._moved = asyncio.Event()
        self._write_snapshot()
        self._judge()
        self._catch_up()

    def _judge(self) -> None:
        """Leave the rotation when we are too far behind; come back when we are not."""
        behind_s = time.monotonic() - self._told[0][1] if self._told else 0.0
        if self.fit and behind_s > BEHIND_S:
            self.fit = False
            say(logging.WARNING, "follower_behind", seconds=round(behind_s, 1))
        elif not self.fit and behind_s < CAUGHT_UP_S:
            self.fit = True
            say(logging.WARNING, "follower_caught_up")

    async def has_seen(self, position: int) -> bool:
        """Whether reads may be answered here by one who has seen this position; waits a moment for it."""
        self._judge()
        until = time.monotonic() + WAIT_S
        while self.fit and self._follower.position < position:
            left = until - time.monotonic()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(self._moved.wait(), left)
            except TimeoutError:
                return False
        return self.fit

    @property
    def is_behind(self) -> bool:
        """Whether there is a commit that we know of and have not folded."""
        return self._follower.position < self.news.position

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._catch_up()
            self._judge()
            collector.look()

    def _write_snapshot(self) -> None:
        """Write the state down, when it is time, in a copy of this process: it stands still there, and goes on here."""
        if not self._writes_snapshots or self._writing is not None:
            return
        if self.district.position - self._snapshot_at < self.settings.snapshot_every:
            return
        self._snapshot_at = self.district.position
        child = os.fork()
        if child == 0:
            code = 1
            try:
                take(self.district, self.snapshots)
                code = 0
            finally:
                os._exit(code)
        self._writing = asyncio.get_running_loop().run_in_executor(None, os.waitpid, child, 0)
        self._writing.add_done_callback(self._written)

    def _written(self, writing: "asyncio.Future[tuple[int, int]]") -> None:
        self._writing = None
        if writing.result()[1]:
            say(logging.ERROR, "snapshot_failed")

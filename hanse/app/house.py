"""A running district with all its parts: journal, writer, vault, effects, listeners.

The writer runs inside the event loop, turn by turn: what arrives while a turn commits is taken by the
next. So nothing is handed between threads, and every read on the loop sees committed state only.
"""

import asyncio
import gc
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from hanse.app.home import Home
from hanse.app.keeping import ARCHIVE, Keeping
from hanse.app.neighbours import Carrier, neighbours_of, own_key
from hanse.app.settings import Settings
from hanse.app.telemetry.logs import say
from hanse.app.telemetry.watch import watch_by
from hanse.app.worlds import World
from hanse.district.archive import ArchiveReader, Chapter
from hanse.district.core import District
from hanse.district.effects import Call, EffectWorker
from hanse.district.jobs import Answer, Job
from hanse.district.neighbours import Neighbours
from hanse.district.opening import opener
from hanse.district.post import Post
from hanse.district.reactions import Flow
from hanse.district.snapshots import newest_position, take
from hanse.district.views import View
from hanse.district.writer import Writer
from hanse.finance.ledger import archive as ledger_archive
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.views import Payments
from hanse.flows import joining, neighbours, order, settlement
from hanse.journal.durable import make_folder, write_file
from hanse.journal.move import Movable
from hanse.journal.protocol import Entry
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import Unavailable
from hanse.learning.decisions import archive as decisions_archive
from hanse.market.away.views import Away
from hanse.market.baskets.views import Baskets
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders import archive as orders_archive
from hanse.market.orders.views import Orders
from hanse.people.members.views import Members
from hanse.people.vault import Vault
from hanse.supply.stock.views import Stock

__all__ = ["ARCHIVED", "FLOWS", "VIEWS", "House", "now_us", "open_journal"]

VIEWS: tuple[type[View], ...] = (Catalogue, Baskets, Orders, Stock, Ledger, Payments, Members, Away)
FLOWS: tuple[Flow, ...] = (joining, order, neighbours, settlement)

ARCHIVED: tuple[Chapter, ...] = (orders_archive.CHAPTER, ledger_archive.CHAPTER, decisions_archive.CHAPTER)

GATHER_S = 0.001
"""How long a turn waits for company while several people order at once: fewer commits, each of more orders."""

GATHERED = 64
"""So many commands are company enough."""

TICK_S = 0.1
COME_BACK_EVERY_S = 1.0
SECRET_BYTES = 32
TIDY_EVERY_S = 5.0
WORTH_A_SNAPSHOT = 1_000
"""Entries since the newest snapshot from which a clean stop writes one; the next start is spared the folding."""


def now_us() -> int:
    """The wall clock: microseconds since 1970, UTC."""
    return time.time_ns() // 1_000


def open_journal(settings: Settings, *, read_only: bool = False, though_closed: bool = False) -> Movable:
    """The journal of a district; `read_only` opens it beside a running writer.

    Raises
    ------
    Unavailable
        It cannot be reached, or what reaches PostgreSQL is not installed.
    JournalClosed
        The district was moved elsewhere; `though_closed` opens it all the same, for moving it.
    """
    make_folder(settings.folder)
    if settings.journal:
        try:
            from hanse.journal.postgres import PostgresJournal
        except ImportError as error:
            raise Unavailable(
                "app.no_psycopg", "PostgreSQL is reached by an extra; install it: pip install 'hanse[postgres]'."
            ) from error
        return PostgresJournal(
            settings.journal, district=settings.tag, read_only=read_only, though_closed=though_closed
        )
    return SqliteJournal(settings.folder / "journal.sqlite", read_only=read_only, though_closed=though_closed)


class House(Home):
    """Everything of one district in one process. Make it, `start` it on a loop, `submit` to it, `stop` it.

    Parameters
    ----------
    settings
        What the operator set.
    calls
        How to reach the world outside, by effect (``card.charge``).
    world
        The simulated town that lives in this district, if there is one; it brings its own `calls`.
    """

    def __init__(
        self, settings: Settings, calls: Mapping[str, Call] | None = None, *, world: World | None = None
    ) -> None:
        self.settings = settings
        self.world = world
        if world is not None:
            calls = {**world.calls, **(calls or {})}
        self.journal = open_journal(settings)
        self.vault = Vault(settings.folder / "vault.sqlite")
        self.secret = _secret(settings.folder / "session.key")
        self.snapshots = settings.folder / "snapshots"
        self.archive = ArchiveReader(settings.folder / ARCHIVE)
        self._keeping = Keeping(settings)
        self.started_us = now_us()
        self.watch = watch_by(
            os.environ,
            slow_s=settings.slow_ms / 1_000,
            is_counted=settings.metrics != "off",
            district=settings.name,
        )
        self.standings = dict
        self._listeners: set[Callable[[list[Entry]], None]] = set()
        self.writer = Writer(
            self.journal,
            opener(settings.charter(), views=VIEWS, flows=FLOWS, snapshots=self.snapshots),
            clock=now_us,
            on_commit=self._tell,
            observer=self.watch,
            is_watched=True,
        )
        self.effects = EffectWorker(self.writer, self.journal, calls or {}, clock=now_us)
        self._carrier, self.post = self._neighbourhood()
        self._turning = False
        self._crowd = False
        self._ticker: asyncio.Task[None] | None = None
        self._life: asyncio.Task[None] | None = None
        self._snapshotter: asyncio.subprocess.Process | None = None
        self._snapshot_at = newest_position(self.snapshots)

    @property
    def district(self) -> District:
        """The district as it is committed now; ask for it anew each time, a restart replaces it."""
        return self.writer.district

    @property
    def position(self) -> int:
        """Where the journal ended when it was last written or read."""
        return self.writer.position

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return self.writer.waiting

    @property
    def restarts(self) -> int:
        """How often the writer had to begin anew."""
        return self.writer.restarts

    @property
    def is_down(self) -> bool:  # type: ignore[override]
        """Whether commands are refused because the journal is out of reach."""
        return self.writer.is_down

    def submit(self, job: Job) -> asyncio.Future[Answer]:
        """Queue a command; the future is done when its answer is durable.

        Raises what `Writer.submit` raises: a full queue, a key in use, a key with another body.
        """
        future = asyncio.get_running_loop().create_future()
        if self.watch.spans is not None:
            self.watch.spans.follow(job)
        self.writer.submit(job, lambda answer: None if future.done() else future.set_result(answer))
        self._wake()
        return future

    def listen(self, listener: Callable[[list[Entry]], None]) -> Callable[[], None]:
        """Hear of the entries of each commit; returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _neighbourhood(self) -> tuple[Carrier | None, Post | None]:
        """Say in the journal who the neighbours are; the way to them and the post, if there are any."""
        found = neighbours_of(self.settings.neighbours)
        if found or self.district.view(Neighbours).channels:
            limits = dict.fromkeys(found, self.settings.neighbour_limit_minor)
            self.writer.submit(Job(neighbours.declare, (limits,), "operator"), lambda answer: None)
        if not found:
            return None, None
        carrier = Carrier(found, own_key(self.settings.folder), self.settings.tag, clock=now_us)
        return carrier, Post(self.writer, carrier.deliver, found)

    async def start(self) -> None:
        """Begin to turn."""
        # The writer looks for garbage between turns, see `hanse.district.collector`.
        gc.disable()
        self._ticker = asyncio.create_task(self._tick())
        if self.world is not None:
            self._life = asyncio.create_task(self.world.live(self))
            self._life.add_done_callback(_report)

    async def stop(self) -> None:
        """Finish what waits, write a snapshot if it is worth it, then let go of everything."""
        for task in (self._life, self._ticker):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self.effects.stop()
        if self.post is not None and self._carrier is not None:
            await self.post.stop()
            await self._carrier.close()
        await self._keeping.stop()
        self.writer.run()
        if self._snapshotter is not None and self._snapshotter.returncode is None:
            await self._snapshotter.wait()
        if not self.is_down and self.district.position - newest_position(self.snapshots) >= WORTH_A_SNAPSHOT:
            # A full disk keeps nobody from stopping: the next start folds the journal instead.
            with suppress(OSError):
                take(self.district, self.snapshots)
        self.journal.close()
        self.vault.close()
        await asyncio.to_thread(self.watch.close)

    def _wake(self) -> None:
        if not self._turning:
            self._turning = True
            loop = asyncio.get_running_loop()
            if self._crowd and self.writer.waiting < GATHERED:
                loop.call_later(GATHER_S, self._turn)
            else:
                loop.call_soon(self._turn)

    def _turn(self) -> None:
        try:
            # One alone never waits; two in one turn are a sign of more to come.
            self._crowd = self.writer.turn() > 1
        except Exception:  # fenced, or not to be brought up again
            _end()
        self._turning = False
        self.effects.look()
        if self.post is not None:
            self.post.look()
        if self.writer.busy:
            self._wake()

    async def _tick(self) -> None:
        tidied = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.writer.renew()
                if self.is_down:
                    await self._come_back()
                    continue
            except Exception:  # fenced, or not to be brought up again
                _end()
            self._wake()
            if time.monotonic() - tidied > TIDY_EVERY_S and self.writer.waiting == 0:
                self.writer.tidy()
                tidied = time.monotonic()
            await self._keeping.look()
            # With followers the first of them writes the snapshots.
            if (
                not self.settings.followers
                and self.district.position - self._snapshot_at >= self.settings.snapshot_every
            ):
                await self._snapshot()

    async def _come_back(self) -> None:
        """Try once more whether the journal is there again; beside the loop, which goes on telling those who ask."""
        say(logging.WARNING, "journal_away", position=self.position)
        while not await asyncio.to_thread(self.writer.come_back):
            await asyncio.sleep(COME_BACK_EVERY_S)
        say(logging.WARNING, "journal_back", position=self.position)

    async def _snapshot(self) -> None:
        """Have another process write a snapshot: it folds the journal itself, nobody here waits."""
        if self._snapshotter is None or self._snapshotter.returncode is not None:
            self._snapshot_at = self.district.position
            self._snapshotter = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hanse.app.snapshot", env={**os.environ, **self.settings.environment()}
            )

    def _tell(self, entries: list[Entry]) -> None:
        for listener in tuple(self._listeners):
            listener(entries)


def _end() -> NoReturn:
    """The process ends on what just went wrong; a restart replays."""
    sys.excepthook(*sys.exc_info())
    os._exit(70)


def _report(life: "asyncio.Task[None]") -> None:
    """A world that stumbles is heard of, and stops nobody."""
    error = None if life.cancelled() else life.exception()
    if error is not None:
        sys.excepthook(type(error), error, error.__traceback__)


def _secret(path: Path) -> bytes:
    """The key that sessions are signed with; made once, readable by its owner only."""
    # Never an empty one, as a copy that was cut short leaves it: with that anybody could sign.
    if not path.exists() or path.stat().st_size != SECRET_BYTES:
        write_file(path, secrets.token_bytes(SECRET_BYTES), mode=0o600)
    return path.read_bytes()

"""Which answer belongs to which key: the newest in memory, older ones on disk, none forgotten before its time."""

import os
from collections import deque
from collections.abc import Sequence
from mmap import mmap
from pathlib import Path
from tempfile import TemporaryFile

from hanse.kernel.time import HOUR_US

__all__ = ["IN_MEMORY", "Keys"]

IN_MEMORY = 262_144
"""So many keys are kept in memory, about 110 bytes each. More would miss the processor's caches more often."""

ERA_US = 6 * HOUR_US
SLOTS_MIN = 1 << 21
"""Slots of 16 bytes in the first table on disk; one that is half full is followed by one of twice the size."""


class Keys:
    """Numbers of answers by what stands for caller and key (a hash; who asks compares what the answer says).

    Memory holds two dictionaries. When the younger one has half of the bound, it becomes the older one, which is
    moved to disk piece by piece: two keys for each one that comes in, so that nobody waits for it. What is on disk
    lies in tables of six hours each, files without a name that vanish with the process.

    Parameters
    ----------
    in_memory
        About how many keys memory may hold.
    life_us
        How long a key is kept.
    """

    def __init__(self, *, in_memory: int = IN_MEMORY, life_us: int) -> None:
        self._half = max(1, in_memory // 2)
        self._life_us = life_us
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}
        self._tables: deque[_Table] = deque()

    def __len__(self) -> int:
        """How many keys memory holds."""
        return len(self._young) + len(self._old)

    @property
    def on_disk(self) -> int:
        """How many keys lie on disk."""
        return sum(table.keys for table in self._tables)

    def get(self, pair: int) -> int | None:
        """The number of the latest answer to a pair, if it is known."""
        number = self._young.get(pair)
        if number is None and self._old:
            number = self._old.get(pair)
        if number is None and self._tables:
            for table in self._tables:
                if found := table.get(pair):
                    return found
        return number

    def add(self, pairs: Sequence[int], numbers: Sequence[int], now_us: int) -> None:
        """Know pairs by the numbers of their answers, which rise from call to call."""
        self._young.update(zip(pairs, numbers, strict=True))
        if self._old:
            self._move(2 * len(pairs), now_us)
        elif len(self._young) >= self._half:
            self._old, self._young = self._young, {}

    def drop(self, pair: int) -> None:
        """Let go of a pair whose answer does not count; whoever adds it again adds it at the end."""
        self._young.pop(pair, None)
        self._old.pop(pair, None)

    def forget(self, oldest: int, *, now_us: int) -> None:
        """Let go of numbers below the oldest one that still counts, and of tables that are over."""
        for keys in (self._old, self._young):
            gone = []
            for pair, number in keys.items():
                if number >= oldest:
                    break
                gone.append(pair)
            for pair in gone:
                del keys[pair]
        while self._tables and self._tables[-1].until_us < now_us - self._life_us:
            self._tables.pop().close()

    def _move(self, count: int, now_us: int) -> None:
        table = self._table(now_us)
        if table is None:
            return
        table.take(self._old, min(count, len(self._old), table.room))
        table.until_us = now_us

    def _table(self, now_us: int) -> "_Table | None":
        """The table to move to; none while there is no space for one: then memory keeps what it has."""
        newest = self._tables[0] if self._tables else None
        if newest is None or newest.room == 0 or newest.since_us < now_us - ERA_US:
            slots = SLOTS_MIN
            while newest is not None and slots <= 2 * newest.keys:
                slots *= 2
            try:
                newest = _Table(slots, now_us)
            except OSError:
                return None
            self._tables.appendleft(newest)
        return newest


class _Table:
    """A hash table in a file: pairs and numbers, each at the place that its hash says or at the next free one."""

    def __init__(self, slots: int, now_us: int) -> None:
        self.since_us = self.until_us = now_us
        self.slots = slots
        self.keys = 0
        with TemporaryFile(dir=_folder()) as file:
            # All of its space at once: a write to a mapped file that finds none would end the process.
            os.posix_fallocate(file.fileno(), 0, 16 * slots)
            self._map = mmap(file.fileno(), 16 * slots)
        self._cells = memoryview(self._map).cast("q")
        self._last = slots - 1

    @property
    def room(self) -> int:
        """How many more keys it takes; half full, because looking through a fuller one takes long."""
        return self.slots // 2 - self.keys

    def take(self, keys: dict[int, int], count: int) -> None:
        """Move so many of the keys here, the last ones: before the first stand the holes of those that were taken."""
        cells, last, new = self._cells, self._last, 0
        for _ in range(count):
            pair, number = keys.popitem()
            slot = pair & last
            while (found := cells[2 * slot]) and found != pair:
                slot = slot + 1 & last
            if not found:
                new += 1
            cells[2 * slot] = pair
            cells[2 * slot + 1] = number
        self.keys += new

    def get(self, pair: int) -> int:
        cells, last = self._cells, self._last
        slot = pair & last
        while found := cells[2 * slot]:
            if found == pair:
                return cells[2 * slot + 1]
            slot = slot + 1 & last
        return 0

    def close(self) -> None:
        self._cells.release()
        self._map.close()


def _folder() -> Path | None:
    """Where temporary files lie on a disk; `/tmp` is often memory."""
    named = os.environ.get("TMPDIR")
    folder = Path(named or "/var/tmp")
    return folder if folder.is_dir() else None

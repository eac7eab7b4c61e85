"""A disk that remembers what was synced: every image that a power cut could have left behind.

While `recording` runs, SQLite writes through a layer of ours (its default file system, with a few methods
replaced), and `os.fsync`, `os.replace`, `os.unlink` are listened to. What happened stands in `Disk.log`.
The rules are those of POSIX at its worst: what was written behind a file's last sync may be there or not, piece by
piece, in any order, the last piece torn at a sector; a name that was made, changed or removed behind its folder's
last sync may be as it was before. One thing is taken for granted, as SQLite does: a write touches no other sectors.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from tests.reliability import sqlite_files

__all__ = ["SECTOR", "Cut", "Disk", "Note", "recording"]

SECTOR = 512
PASSING = ("-shm", ".lock")
"""Files that no start trusts: SQLite's shared memory, the writer's lock."""


class Write(NamedTuple):
    file: int
    offset: int
    data: bytes

    def on(self, content: bytearray) -> None:
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : self.offset + len(self.data)] = self.data

    def torn(self, chance: random.Random) -> list["Write"]:
        """Some of its sectors."""
        end = self.offset + len(self.data)
        borders = [self.offset, *range((self.offset // SECTOR + 1) * SECTOR, end, SECTOR), end]
        sectors = list(pairwise(borders))
        kept = sectors[: chance.randrange(len(sectors))] if chance.random() < 0.5 else _some(sectors, chance)
        return [Write(self.file, a, self.data[a - self.offset : b - self.offset]) for a, b in kept]


class Truncate(NamedTuple):
    file: int
    size: int

    def on(self, content: bytearray) -> None:
        content.extend(bytes(max(0, self.size - len(content))))
        del content[self.size :]


class Sync(NamedTuple):
    file: int


class Named(NamedTuple):
    """Names of one folder that changed at once: which file each stands for now, None: nothing."""

    folder: str
    changes: tuple[tuple[str, int | None], ...]


class SyncFolder(NamedTuple):
    folder: str


class Note(NamedTuple):
    """What the test did at this moment: said to somebody that something is durable."""

    what: object


Change = Write | Truncate
Step = Change | Sync | Named | SyncFolder | Note


class Cut:
    """What is durable at a moment, and what is under way."""

    def __init__(self) -> None:
        self.notes: list[object] = []
        self.settled: dict[int, bytearray] = {}
        self.pending: dict[int, list[Change]] = {}
        self.names: dict[str, int | None] = {}
        self.renamed: dict[str, list[Named]] = {}

    def step(self, step: Step) -> None:
        match step:
            case Write() | Truncate():
                self.pending.setdefault(step.file, []).append(step)
            case Sync():
                for change in self.pending.pop(step.file, ()):
                    change.on(self.settled.setdefault(step.file, bytearray()))
            case Named():
                self.renamed.setdefault(step.folder, []).append(step)
            case SyncFolder():
                for named in self.renamed.pop(step.folder, ()):
                    self.names.update(named.changes)
            case Note():
                self.notes.append(step.what)

    def image(self, fate: str, chance: random.Random) -> dict[str, bytes]:
        """Files as they may be found. `fate`: ``none`` or ``all`` of what is under way; ``some``; ``torn``: some, and
        the last of each file torn."""
        names = dict(self.names)
        for waiting in self.renamed.values():
            kept = {"none": 0, "all": len(waiting)}.get(fate, chance.randint(0, len(waiting)))
            for named in waiting[:kept]:
                names.update(named.changes)
        return {name: self._content(file, fate, chance) for name, file in names.items() if file is not None}

    def _content(self, file: int, fate: str, chance: random.Random) -> bytes:
        content = bytearray(self.settled.get(file, b""))
        waiting = self.pending.get(file, [])
        kept: list[Change] = {"none": [], "all": waiting}.get(fate) or (
            [] if fate == "none" else _some(waiting, chance)
        )
        if fate == "torn" and kept and isinstance(kept[-1], Write):
            kept[-1:] = kept[-1].torn(chance)
        for change in kept:
            change.on(content)
        return bytes(content)


def _some(things: list[Any], chance: random.Random) -> list[Any]:
    share = chance.choice((0.2, 0.5, 0.8))
    return [thing for thing in things if chance.random() < share]


class Disk:
    """What happened to the files below a folder, in order.

    Attributes
    ----------
    log
        Every write, sync and change of a name.
    fails
        Asked before each step of SQLite (``open``, ``write``, ``truncate``, ``sync``; the path): a result code of
        SQLite that it is to fail with, or 0. A disk is slow where this takes its time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[Step] = []
        self.fails: Callable[[str, str], int] = lambda what, path: 0
        self._files: dict[str, int] = {}
        self._made = 0
        self._lock = RLock()

    def take_as_it_is(self, path: Path, content: bytes) -> None:
        """A file that was there before, durable with its name."""
        file = self.file(str(path.resolve()))
        self.log += [Write(file, 0, content), Sync(file), SyncFolder(str(path.resolve().parent))]

    def note(self, what: object) -> None:
        self.log.append(Note(what))

    def cuts(self) -> Iterator[tuple[int, Cut]]:
        """What a power cut would meet behind each step; the same object each time, one step further."""
        cut = Cut()
        for number, step in enumerate(list(self.log)):
            cut.step(step)
            yield number, cut

    def images(
        self, *, seed: int, fates: tuple[str, ...] = ("none", "all", "some", "torn"), every: int = 1
    ) -> Iterator[tuple[list[object], dict[str, bytes]]]:
        """For each moment and fate what was noted, and the files as they may be found; no image twice."""
        chance = random.Random(seed)
        seen: set[int] = set()
        for number, cut in self.cuts():
            if number % every:
                continue
            for fate in fates:
                image = cut.image(fate, chance)
                print_ = hash((len(cut.notes), tuple(sorted(image.items()))))
                if print_ not in seen:
                    seen.add(print_)
                    yield list(cut.notes), image

    def restore(self, image: dict[str, bytes], folder: Path) -> None:
        """Lay an image out in an empty folder, as the disk is found after the power has come back."""
        folder.mkdir(parents=True)
        for name, content in image.items():
            path = folder / os.path.relpath(name, self.folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    # What SQLite does, and what Python does

    def holds(self, path: str) -> bool:
        return path.startswith(f"{self.folder}{os.sep}") and not path.endswith(PASSING)

    def file(self, path: str) -> int:
        """The file that a name stands for; a new one if there is none."""
        with self._lock:
            if path not in self._files:
                self._made += 1
                self._files[path] = self._made
                self.log.append(Named(os.path.dirname(path), ((path, self._made),)))
            return self._files[path]

    def wrote(self, file: int, offset: int, data: bytes) -> None:
        self.log.append(Write(file, offset, data))

    def truncated(self, file: int, size: int) -> None:
        self.log.append(Truncate(file, size))

    def synced(self, file: int) -> None:
        self.log.append(Sync(file))

    def synced_folder(self, folder: str) -> None:
        self.log.append(SyncFolder(folder))

    def removed(self, path: str) -> None:
        with self._lock:
            if self._files.pop(path, None) is not None:
                self.log.append(Named(os.path.dirname(path), ((path, None),)))

    def replaced(self, old: str, new: str) -> None:
        with self._lock:
            file = self._files[old] if old in self._files else self.whole(old)
            del self._files[old]
            self._files[new] = file
            assert os.path.dirname(old) == os.path.dirname(new)
            self.log.append(Named(os.path.dirname(old), ((old, None), (new, file))))

    def whole(self, path: str) -> int:
        """Note what a file of Python's holds now; nothing of it is durable yet."""
        file, content = self.file(path), Path(path).read_bytes()
        self.log.append(Truncate(file, 0))
        self.log.append(Write(file, 0, content))
        return file

    def python_synced(self, descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isdir(path):
            self.synced_folder(path)
        elif self.holds(path):
            ours = any(path.endswith(end) for end in (".sqlite", ".sqlite-wal", ".sqlite-journal"))
            self.synced(self.file(path) if ours else self.whole(path))


@contextmanager
def recording(folder: Path) -> Iterator[Disk]:
    """Everything that is written below a folder inside the block goes into the disk's log."""
    disk = Disk(folder.resolve())
    fsync, replace, unlink = os.fsync, os.replace, os.unlink

    def note_fsync(descriptor: int) -> None:
        fsync(descriptor)
        disk.python_synced(descriptor)

    def note_replace(old: Any, new: Any, **options: Any) -> None:
        if disk.holds(os.path.realpath(new)):
            disk.replaced(os.path.realpath(old), os.path.realpath(new))
        replace(old, new, **options)

    def note_unlink(path: Any, **options: Any) -> None:
        disk.removed(os.path.realpath(path))
        unlink(path, **options)

    os.fsync, os.replace, os.unlink = note_fsync, note_replace, note_unlink  # type: ignore[assignment]
    try:
        with sqlite_files.layer(disk):
            yield disk
    finally:
        os.fsync, os.replace, os.unlink = fsync, replace, unlink

"""Snapshots: all views at one position, so that a start need not fold from the first entry.

Deleting snapshots loses nothing. A snapshot carries a digest of the code that folded it; if any of that
code changed, it is not used.
"""

import os
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

import hanse
from hanse.district.core import District
from hanse.district.views import View

__all__ = ["Snapshot", "folds_version", "latest", "newest_position", "take"]

KEEP = 2


class Snapshot(msgspec.Struct):
    """The head of a snapshot file and its views, each as MessagePack."""

    folds: str
    position: int
    now_us: int
    views: dict[str, msgspec.Raw]


@cache
def folds_version() -> str:
    """A digest of all code that takes part in folding: kernel, events, district, and every `views.py`."""
    root = Path(hanse.__file__).parent
    sources = [p for folder in ("kernel", "events", "district") for p in (root / folder).glob("*.py")]
    sources += root.rglob("views.py")
    digest = blake2b(digest_size=16)
    for source in sorted(set(sources)):
        digest.update(source.relative_to(root).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def take(district: District, folder: Path) -> Path:
    """Write the state of a district down; whole or not at all. Keeps the newest two."""
    snapshot = Snapshot(
        folds_version(),
        district.position,
        district.now_us,
        {name: msgspec.Raw(msgspec.msgpack.encode(view)) for name, view in district.views().items()},
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{district.position:015d}.snapshot"
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(msgspec.msgpack.encode(snapshot))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    for old in sorted(folder.glob("*.snapshot"))[:-KEEP]:
        old.unlink()
    return path


def latest(folder: Path, *, views: dict[str, View], up_to: int) -> tuple[Snapshot, dict[str, View]] | None:
    """The newest usable snapshot at or before a position, with its views; None if there is none.

    A file that cannot be read, or was folded by other code, is passed over.
    """
    for path in sorted(folder.glob("*.snapshot"), reverse=True):
        try:
            snapshot = msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
            if snapshot.folds != folds_version() or snapshot.position > up_to or snapshot.views.keys() != views.keys():
                continue
            return snapshot, {
                name: msgspec.msgpack.decode(raw, type=type(views[name])) for name, raw in snapshot.views.items()
            }
        except (msgspec.DecodeError, OSError):
            continue
    return None


def newest_position(folder: Path) -> int:
    """The position of the newest snapshot; 0 if there is none."""
    return max((int(path.stem) for path in folder.glob("*.snapshot")), default=0)

"""Snapshots: all views at one position, so that a start need not fold from the first entry.

Deleting snapshots loses nothing. A snapshot is used only if the code that folded it has not changed, its
journal holds the very commit that it was taken at, and its own bytes are whole.
"""

from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

import hanse
from hanse.district.core import District
from hanse.district.views import View
from hanse.journal.durable import make_folder, write_file
from hanse.journal.protocol import Journal

__all__ = ["Snapshot", "folds_version", "latest", "newest_position", "take"]

KEEP = 2
_DIGEST = 16


class Snapshot(msgspec.Struct):
    """The head of a snapshot file and its views, each as MessagePack."""

    folds: str
    position: int
    chain: bytes
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
        district.chain,
        district.now_us,
        {name: msgspec.Raw(msgspec.msgpack.encode(view)) for name, view in district.views().items()},
    )
    make_folder(folder)
    path = folder / f"{district.position:015d}.snapshot"
    body = msgspec.msgpack.encode(snapshot)
    write_file(path, _digest(body) + body)
    for old in sorted(folder.glob("*.snapshot"))[:-KEEP]:
        old.unlink()
    return path


def latest(
    folder: Path, journal: Journal, *, views: dict[str, View], up_to: int
) -> tuple[Snapshot, dict[str, View]] | None:
    """The newest usable snapshot of a journal at or before a position, with its views; None if there is none.

    A file that cannot be read, was folded by other code or belongs to another history is passed over.
    """
    for path in sorted(folder.glob("*.snapshot"), reverse=True):
        try:
            content = path.read_bytes()
            if content[:_DIGEST] != _digest(content[_DIGEST:]):
                continue
            snapshot = msgspec.msgpack.decode(content[_DIGEST:], type=Snapshot)
            if snapshot.position > up_to or not _fits(snapshot, journal, views):
                continue
            return snapshot, {
                name: msgspec.msgpack.decode(raw, type=type(views[name])) for name, raw in snapshot.views.items()
            }
        except (msgspec.DecodeError, OSError):
            continue
    return None


def _fits(snapshot: Snapshot, journal: Journal, views: dict[str, View]) -> bool:
    if snapshot.folds != folds_version() or snapshot.views.keys() != views.keys():
        return False
    mark = next(iter(journal.marks(snapshot.position - 1)), None)
    return mark is not None and (mark.position, mark.hash) == (snapshot.position, snapshot.chain)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST).digest()


def newest_position(folder: Path) -> int:
    """The position of the newest snapshot; 0 if there is none."""
    return max((int(path.stem) for path in folder.glob("*.snapshot")), default=0)

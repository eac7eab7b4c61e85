"""Files that survive a power cut: whole or not there, and their names with them.

A new name lasts only once its folder was synced, also where the file itself was.
"""

import os
from pathlib import Path

__all__ = ["make_folder", "sync", "write_file"]


def write_file(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file whole beside its place, then put it there. `mode` is narrowed by the umask, as usual."""
    draft = path.with_name(f"{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, that are still there after a power cut."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the disk has what was written to a file, or which names a folder holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

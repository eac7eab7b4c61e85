"""What every SQLite file of a district needs: its form brought up to date, its log looked at, its faults in words.

The journal is such a file, the vault another.
"""

import errno
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from hanse.journal.check import RESTORE
from hanse.journal.durable import sync
from hanse.kernel.errors import Unavailable

__all__ = ["bring_up", "check_log", "copy_file", "log_of", "why"]

_FULL = "free disk space, then try again; nothing is lost"
_WAYS = {
    "SQLITE_FULL": _FULL,
    "SQLITE_CORRUPT": f"it is damaged: {RESTORE}",
    "SQLITE_NOTADB": f"it is damaged: {RESTORE}",
    "SQLITE_READONLY": "let this process write the file and its folder, then try again",
    "SQLITE_CANTOPEN": "let this process read and write the file and its folder, then try again",
    "SQLITE_PERM": "let this process read and write the file and its folder, then try again",
    "SQLITE_IOERR": f"the disk fails: look after it; if the file has suffered, {RESTORE}",
    "SQLITE_BUSY": "another program holds it: stop that, then try again",
    "SQLITE_LOCKED": "another program holds it: stop that, then try again",
}
_OTHERWISE = f"free disk space or {RESTORE}, then try again"


def why(path: Path, error: Exception) -> str:
    """A sentence on what went wrong with a file, and what to do."""
    if isinstance(error, OSError):
        name = "SQLITE_FULL" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "SQLITE_CANTOPEN"
    elif isinstance(error, msgspec.MsgspecError) or "decode to UTF-8" in str(error):
        name = "SQLITE_CORRUPT"
    else:
        name = getattr(error, "sqlite_errorname", "")
    # SQLITE_IOERR_FSYNC is a kind of SQLITE_IOERR.
    way = next((way for kind, way in _WAYS.items() if name == kind or name.startswith(f"{kind}_")), _OTHERWISE)
    return f"{path.name} cannot be used ({error}); {way}."


PAGES_PER_STEP = 512
"""How much is copied at a time: 4 MiB of a journal."""

PAUSE_S = 0.002


# Its form


def bring_up(db: sqlite3.Connection, path: Path, *, form: int, schema: str, upgrades: dict[str, str]) -> None:
    """Make the tables of a file, or bring an older file up in place: all of it or nothing, power cuts included.

    Parameters
    ----------
    form
        The number of the form that `schema` makes; kept in the file as ``user_version``.
    schema
        Statements that make what is missing.
    upgrades
        What brings older forms up, by a table that only the older form has; run after `schema`.

    Raises
    ------
    Unavailable
        The file is of a newer form.
    """
    found = form_of(db, path, newest=form)
    if found == form:
        return
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    steps = "".join(step for table, step in upgrades.items() if table in tables)
    try:
        db.executescript(f"BEGIN IMMEDIATE;{schema}{steps}PRAGMA user_version = {form}; COMMIT;")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def form_of(db: sqlite3.Connection, path: Path, *, newest: int) -> int:
    """The number of a file's form; raises `Unavailable` if it is newer than we know."""
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    if found > newest:
        raise Unavailable(
            "journal.newer_form",
            f"{path.name} was written by a newer Hanse (form {found}, known here up to {newest});"
            " install that version, or restore a backup from before the upgrade.",
        )
    return found


# A copy


def copy_file(source: Path, target: Path) -> None:
    """Copy a file as it is at this moment, beside a process that goes on writing it, by SQLite's online backup.

    In steps with a pause in between, so that the disk has time for the writer. The copy is one file without a log.
    """
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as reading,
            closing(sqlite3.connect(target, isolation_level=None)) as writing,
        ):
            # One view of it for all steps: without that, each commit of the writer would make the copy begin anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reading.backup(writing, pages=PAGES_PER_STEP, progress=lambda *_: time.sleep(PAUSE_S))
            writing.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise Unavailable("journal.not_copied", f"No copy of {source.name} was made: {why(target, error)}") from error
    sync(target)


# Its log

_HEADER = 32
_FRAME = 24
_MAGIC = 0x377F0682
_SHM_FRAMES_AT = 16
LOOKS = 8


def log_of(path: Path) -> Path:
    """The write-ahead log of a file."""
    return path.with_name(f"{path.name}-wal")


def check_log(path: Path) -> None:
    """Raise `Unavailable` if the log has lost commits that had been synced; call before a file is opened for writing.

    SQLite takes the first damaged frame of a log for its end, and is right after a power cut: what follows was never
    acknowledged. But each commit waits for the disk before the next begins; so where two more commits stand behind,
    the damage came later, and opening the file would forget what was promised. Damage to the very last commit cannot
    be told from a power cut.

    Costs a look at the headers of frames behind the log's end, which after a clean stop there are none of. Works
    beside a process that writes, too.
    """
    log = log_of(path)
    for _ in range(LOOKS):
        if not log.exists() or log.stat().st_size <= _HEADER:
            return
        valid = _valid_frames(path)
        if _commits_behind(path, log, valid) <= 1:
            return
        # A writer beside us has written what we saw, unless the log still ends where it did.
        if _valid_frames(path) == valid:
            raise Unavailable(
                "journal.damaged_log",
                f"{log.name} is damaged in the middle, and commits that were acknowledged stand behind the damage;"
                f" keep a copy of both files, then {RESTORE}.",
            )


def _commits_behind(path: Path, log: Path, valid: int) -> int:
    """The most commits in a row behind the valid frames of a log."""
    with log.open("rb") as file:
        header = file.read(_HEADER)
        magic, _, page_size, _, salt, *_ = struct.unpack(">4I8s2I", header)
        page_size = page_size if 512 <= page_size <= 65_536 else _page_size(path)
        file.seek(_HEADER + valid * (_FRAME + page_size))
        whole = _header_is_whole(header)
        order = ">" if magic & 1 and whole else "<"
        frames = iter(lambda: file.read(_FRAME + page_size), b"")
        return _commits_in_a_row(frames, page_size, order=order, salt=salt if whole else b"")


def _valid_frames(path: Path) -> int:
    """How many frames of the log SQLite goes by, as it writes into the log's index in shared memory."""
    # Read-only: such a connection neither copies the log into the file nor removes it when it closes.
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        index = path.with_name(f"{path.name}-shm").read_bytes()
        frames: int = struct.unpack_from("=I", index, _SHM_FRAMES_AT)[0]
    return frames


def _page_size(path: Path) -> int:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(18)[16:], "big")
    return 65_536 if size == 1 else max(size, 512)


def _header_is_whole(header: bytes) -> bool:
    magic, *_ = struct.unpack_from(">I", header)
    if magic & ~1 != _MAGIC & ~1:
        return False
    order = ">" if magic & 1 else "<"
    return _checksum(header[:24], (0, 0), order) == struct.unpack_from(">2I", header, 24)


def _commits_in_a_row(frames: Iterator[bytes], page_size: int, *, order: str, salt: bytes) -> int:
    """The most commits that stand in one unbroken run of frames, each continuing the checksum of the one before.

    Frames of a commit that failed, or of an earlier round of the log, may stand there too: they continue nothing.
    """
    most = run = 0
    before: tuple[int, ...] = ()
    for frame in frames:
        if len(frame) < _FRAME + page_size or (salt and frame[8:16] != salt):
            run, before = 0, ()
            continue
        if before and _checksum(frame[:8] + frame[_FRAME:], before, order) != struct.unpack_from(">2I", frame, 16):
            run = 0
        before = struct.unpack_from(">2I", frame, 16)
        run += frame[4:8] != bytes(4)  # the size of the file after a commit; 0 in its other frames
        most = max(most, run)
        if most > 1:
            break
    return most


def _checksum(data: bytes, start: tuple[int, ...], order: str) -> tuple[int, int]:
    """SQLite's checksum of a log, in the byte order that its header names."""
    a, b = start
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for first, second in zip(words, words, strict=True):
        a = (a + first + b) & 0xFFFFFFFF
        b = (b + second + a) & 0xFFFFFFFF
    return a, b

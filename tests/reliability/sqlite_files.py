"""A layer under SQLite's files, in Python: sees each write, sync and removal, and may let them fail.

It is a VFS (https://www.sqlite.org/vfs.html) beside the default one, made the default while a `layer` is on: it
opens files through the original, then puts a table of methods in the place of the original's, in which a few are
ours. So all that `sqlite3` opens meanwhile passes it, and the program under test needs no door for it.
"""

import _sqlite3
import ctypes
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, string_at
from functools import cache
from typing import Any, Protocol

import pytest

__all__ = ["FULL", "IOERR", "READONLY", "Watcher", "layer"]

FULL, IOERR, READONLY = sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY
OK = sqlite3.SQLITE_OK
OPEN_READONLY, OPEN_READWRITE, OPEN_CREATE = 1, 2, 4
OPEN_MAIN_JOURNAL, OPEN_WAL = 0x800, 0x80000


class Watcher(Protocol):
    """Who is told. `fails` says by a result code how a step is to fail, or 0; asked before each."""

    def holds(self, path: str) -> bool: ...
    def fails(self, what: str, path: str) -> int: ...
    def file(self, path: str) -> int: ...
    def wrote(self, file: int, offset: int, data: bytes) -> None: ...
    def truncated(self, file: int, size: int) -> None: ...
    def synced(self, file: int) -> None: ...
    def synced_folder(self, folder: str) -> None: ...
    def removed(self, path: str) -> None: ...


class _Vfs(Structure):
    pass


# Names are addresses here, not c_char_p, which would be copies: SQLite keeps the address that it opened a file by.
_Open = CFUNCTYPE(c_int, POINTER(_Vfs), c_void_p, c_void_p, c_int, POINTER(c_int))
_Delete = CFUNCTYPE(c_int, POINTER(_Vfs), c_void_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)

_Vfs._fields_ = [
    ("iVersion", c_int),
    ("szOsFile", c_int),
    ("mxPathname", c_int),
    ("pNext", c_void_p),
    ("zName", c_char_p),
    ("pAppData", c_void_p),
    ("xOpen", _Open),
    ("xDelete", _Delete),
    ("others", c_void_p * 14),
]


class _Methods(Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("xClose", _Close),
        ("xRead", c_void_p),
        ("xWrite", _Write),
        ("xTruncate", _Truncate),
        ("xSync", _Sync),
        ("others", c_void_p * 13),
    ]


class _Opened:
    """One open file that somebody watches."""

    def __init__(self, path: str, methods: _Methods, watcher: Watcher, *, folder_owed: bool) -> None:
        self.path = path
        self.methods = methods
        self.watcher = watcher
        self.file = watcher.file(path)
        self.folder_owed = folder_owed


@cache
def _library() -> ctypes.CDLL:
    """The very library that `sqlite3` uses; the test is skipped where it is a part of Python itself."""
    with open("/proc/self/maps") as maps:
        found = re.search(r"\S*/libsqlite3\S*", maps.read())
    if found is None:
        pytest.skip(f"SQLite is linked into {_sqlite3.__name__} itself: there is no door for a layer under it")
    library = ctypes.CDLL(found[0])
    library.sqlite3_vfs_find.restype = POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = [c_char_p]
    library.sqlite3_vfs_register.argtypes = [POINTER(_Vfs), c_int]
    return library


class _Layer:
    """The VFS. There is one a process, for ever: SQLite keeps its address in every open file."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self._opened: dict[int, _Opened] = {}
        self._tables: dict[int, _Methods] = {}
        self.original = _library().sqlite3_vfs_find(None)
        self.vfs = _Vfs.from_buffer_copy(self.original.contents)
        self.vfs.zName = b"watched"
        # Callables of ctypes live as long as somebody holds them; a structure does not.
        self._held: list[Any] = [_Open(self._open), _Delete(self._delete)]
        self.vfs.xOpen, self.vfs.xDelete = self._held
        self._ours = (_Close(self._close), _Write(self._write), _Truncate(self._truncate), _Sync(self._sync))

    def _open(self, _vfs: Any, name: int | None, at: int, flags: int, out: Any) -> int:
        path = string_at(name).decode() if name else ""
        watcher = self.watcher
        if watcher is None or not path or not watcher.holds(path):
            return int(self.original.contents.xOpen(self.original, name, at, flags, out))
        if watcher.fails("open", path) == READONLY:
            flags = flags & ~(OPEN_READWRITE | OPEN_CREATE) | OPEN_READONLY
        result = int(self.original.contents.xOpen(self.original, name, at, flags, out))
        if result == OK and flags & OPEN_READWRITE:
            self._opened[at] = _Opened(
                path,
                self._replace_methods(at),
                watcher,
                # What the default file system does at the first sync of a log that it may have made.
                folder_owed=bool(flags & OPEN_CREATE and flags & (OPEN_MAIN_JOURNAL | OPEN_WAL)),
            )
        return result

    def _replace_methods(self, at: int) -> _Methods:
        """Put our table into an open file; gives the original one."""
        slot = c_void_p.from_address(at)
        address = slot.value
        assert address is not None
        if address not in self._tables:
            table = _Methods.from_buffer_copy(string_at(address, ctypes.sizeof(_Methods)))
            table.xClose, table.xWrite, table.xTruncate, table.xSync = self._ours
            self._tables[address] = table
        slot.value = ctypes.addressof(self._tables[address])
        return _Methods.from_address(address)

    def _close(self, at: int) -> int:
        return int(self._opened.pop(at).methods.xClose(at))

    def _write(self, at: int, data: int, size: int, offset: int) -> int:
        opened = self._opened[at]
        failure = opened.watcher.fails("write", opened.path)
        if failure:
            return failure
        opened.watcher.wrote(opened.file, offset, string_at(data, size))
        return int(opened.methods.xWrite(at, data, size, offset))

    def _truncate(self, at: int, size: int) -> int:
        opened = self._opened[at]
        failure = opened.watcher.fails("truncate", opened.path)
        if failure:
            return failure
        opened.watcher.truncated(opened.file, size)
        return int(opened.methods.xTruncate(at, size))

    def _sync(self, at: int, flags: int) -> int:
        opened = self._opened[at]
        failure = opened.watcher.fails("sync", opened.path)
        if failure:
            return failure
        # Noted before it is done: what another thread writes meanwhile is not covered.
        opened.watcher.synced(opened.file)
        if opened.folder_owed:
            opened.folder_owed = False
            opened.watcher.synced_folder(os.path.dirname(opened.path))
        return int(opened.methods.xSync(at, flags))

    def _delete(self, _vfs: Any, name: int, sync_folder: int) -> int:
        path, watcher = string_at(name).decode(), self.watcher
        result = int(self.original.contents.xDelete(self.original, name, sync_folder))
        if watcher is not None and watcher.holds(path) and result == OK:
            watcher.removed(path)
            if sync_folder:
                watcher.synced_folder(os.path.dirname(path))
        return result


_the_layer = cache(_Layer)


@contextmanager
def layer(watcher: Watcher) -> Iterator[None]:
    """All files that `sqlite3` opens inside the block pass the watcher, for as long as they are open."""
    one = _the_layer()
    one.watcher = watcher
    _library().sqlite3_vfs_register(ctypes.byref(one.vfs), 1)
    try:
        yield
    finally:
        one.watcher = None
        _library().sqlite3_vfs_register(one.original, 1)

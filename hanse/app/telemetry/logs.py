"""Structured logs: one line a record, of named fields that the code wrote down beforehand.

A line never holds what came from outside: no body, query, header, name, key or token. So an error is told by its
type, its code and its place in the code, never by its text, which may quote what it could not read; and of what other
packages log only where and what kind it was. A test sends recognisable words through everything and searches for them.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any, Literal, TextIO

import msgspec

from hanse.kernel.errors import HanseError

__all__ = ["TRACE", "LogForm", "begin", "on_loop", "say"]

LogForm = Literal["auto", "json", "text"]
"""``auto`` is text on a terminal, JSON elsewhere."""

TRACE: ContextVar[str] = ContextVar("TRACE", default="")
"""The trace that a request belongs to, if somebody traces."""

EACH_MAX = 20
EACH_S = 10.0
"""So many lines of one kind in so many seconds; what is left out is counted in the next."""

_FRAMES_MAX = 12
_log = logging.getLogger("hanse")


def say(level: int, event: str, *, error: BaseException | None = None, **fields: str | float | bool | None) -> None:
    """Write a line: what happened, in two words with an underscore, and fields that say nothing of anybody."""
    _log.log(level, event, exc_info=error, extra={"fields": fields})


def begin(form: LogForm = "auto", stream: TextIO | None = None) -> None:
    """Write what happens from now on to standard error, uncaught exceptions as well."""
    stream = stream or sys.stderr
    is_text = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Form(_text if is_text else _json))
    handler.addFilter(_Enough())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # Its own handler would write to standard output, in a form of its own.
    logging.getLogger("_granian").handlers, logging.getLogger("_granian").propagate = [], True
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: say(logging.CRITICAL, "thread_failed", error=failed.exc_value)


def on_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Write what a task raised that nobody waited for."""

    def failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # The message of the context is fixed; task and future would be shown with their arguments.
        say(
            logging.ERROR, "task_failed", error=context.get("exception"), says=str(context["message"]).partition(":")[0]
        )

    loop.set_exception_handler(failed)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, KeyboardInterrupt):
        say(logging.CRITICAL, "crashed", error=error.with_traceback(trace))


class _Form(logging.Formatter):
    """Writes a record as one line."""

    def __init__(self, write: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {"time": moment.replace("+00:00", "Z"), "level": record.levelname.lower()}
        fields = getattr(record, "fields", None)
        if fields is None:
            said |= {"event": "other", "logger": record.name, "where": f"{Path(record.pathname).name}:{record.lineno}"}
        else:
            said |= {"event": record.msg, **fields}
        if TRACE.get():
            said["trace"] = TRACE.get()
        if record.exc_info and record.exc_info[1] is not None:
            said |= _told(record.exc_info[1])
        return self._write(said)


def _json(said: dict[str, Any]) -> str:
    return msgspec.json.encode(said).decode()


def _text(said: dict[str, Any]) -> str:
    head = f"{said.pop('time')} {said.pop('level').upper():<8} {said.pop('event')}"
    frames = said.pop("at", [])
    return "\n    ".join([" ".join([head, *(f"{name}={value}" for name, value in said.items())]), *frames])


def _told(error: BaseException) -> dict[str, Any]:
    """An error without its text: type, code, and where it came from, innermost last."""
    said: dict[str, Any] = {"error": type(error).__qualname__}
    if isinstance(error, HanseError):
        said["code"] = error.code
    elif isinstance(error, OSError) and error.errno is not None:
        said["errno"] = error.errno
    if error.__cause__ is not None:
        said["cause"] = type(error.__cause__).__qualname__
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)][-_FRAMES_MAX:]
    said["at"] = [f"{_short(code.co_filename)}:{line} {code.co_qualname}" for code, line in frames]
    return said


def _short(path: str) -> str:
    return "/".join(Path(path).parts[-3:])


class _Enough(logging.Filter):
    """Lets only some lines of one kind through in a time: a full disk fails every request alike."""

    def __init__(self) -> None:
        super().__init__()
        self._since: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it; the first one after a silence says how many were left out."""
        kind, now = f"{record.name} {record.msg if hasattr(record, 'fields') else ''}", time.monotonic()
        since, count = self._since.get(kind, (now, 0))
        if now - since > EACH_S:
            if count > EACH_MAX and hasattr(record, "fields"):
                record.fields = {**record.fields, "left_out": count - EACH_MAX}
            since, count = now, 0
        self._since[kind] = (since, count + 1)
        return count < EACH_MAX

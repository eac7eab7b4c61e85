"""Logs are lines of fields that say nothing of anybody, whatever went wrong."""

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hanse.app.telemetry import logs
from hanse.app.telemetry.logs import TRACE, say
from hanse.kernel.errors import Unavailable

SECRET = "Xanthippe Quackenbush"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What was logged; everything is as before afterwards."""
    root, hook, thread_hook = logging.getLogger(), sys.excepthook, threading.excepthook
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.begin("json", stream)
    yield stream
    root.handlers, sys.excepthook, threading.excepthook = before[0], hook, thread_hook
    root.setLevel(before[1])


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def raised(error: Exception) -> Exception:
    hidden = SECRET  # noqa: F841 - what a dump of locals would show
    try:
        raise error
    except Exception as caught:  # whatever a test gives
        return caught


def test_a_line_is_json_with_the_fields_that_were_said(stream: io.StringIO) -> None:
    say(logging.WARNING, "slow_command", origin="flows.order.place", seconds=0.07)
    say(logging.DEBUG, "not_wanted")
    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warning", "event": "slow_command", "origin": "flows.order.place", "seconds": 0.07}


def test_an_error_is_told_by_type_code_and_place_never_by_its_text(stream: io.StringIO) -> None:
    say(logging.ERROR, "a", error=raised(ValueError(SECRET)))
    say(logging.ERROR, "b", error=raised(Unavailable("journal.unavailable", SECRET)))
    say(logging.ERROR, "c", error=raised(OSError(28, SECRET)))
    value, ours, system = lines(stream)
    assert (value["error"], ours["code"], system["errno"]) == ("ValueError", "journal.unavailable", 28)
    assert [at.partition(" ")[2] for at in value["at"]] == ["raised"]
    assert SECRET not in stream.getvalue()


def test_of_other_packages_only_where_and_what_kind(stream: io.StringIO) -> None:
    logging.getLogger("granian").error("could not serve %s", SECRET, exc_info=raised(ValueError(SECRET)))
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["error"]) == ("other", "granian", "ValueError")
    assert line["where"].startswith("test_logs.py:")
    assert SECRET not in stream.getvalue()


def test_what_nobody_caught_is_told_without_its_text(stream: io.StringIO) -> None:
    error = raised(RuntimeError(SECRET))
    sys.excepthook(type(error), error, error.__traceback__)

    def fail() -> None:
        raise RuntimeError(SECRET)

    thread = threading.Thread(target=fail, name=SECRET)
    thread.start()
    thread.join()

    async def forget() -> None:
        loop = asyncio.get_running_loop()
        logs.on_loop(loop)
        loop.call_exception_handler({"message": "Task exception was never retrieved: x", "exception": error})

    asyncio.run(forget())
    assert [line["event"] for line in lines(stream)] == ["crashed", "thread_failed", "task_failed"]
    assert {line["error"] for line in lines(stream)} == {"RuntimeError"}
    assert SECRET not in stream.getvalue()


def test_a_line_of_a_traced_request_names_its_trace(stream: io.StringIO) -> None:
    token = TRACE.set("4bf92f3577b34da6a3ce929d0e0e4736")
    say(logging.INFO, "traced")
    TRACE.reset(token)
    say(logging.INFO, "untraced")
    assert [line.get("trace") for line in lines(stream)] == ["4bf92f3577b34da6a3ce929d0e0e4736", None]


def test_of_many_alike_some_are_written_and_the_rest_is_counted(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    for _ in range(50):
        say(logging.ERROR, "commit_failed")
        say(logging.ERROR, "request_unavailable")
    now += logs.EACH_S + 1
    say(logging.ERROR, "commit_failed")
    events = lines(stream)
    assert len(events) == 2 * logs.EACH_MAX + 1
    assert events[-1]["left_out"] == 50 - logs.EACH_MAX


def test_a_terminal_gets_text_for_people() -> None:
    root, hook, thread_hook = logging.getLogger(), sys.excepthook, threading.excepthook
    before, stream = root.handlers[:], io.StringIO()
    logs.begin("text", stream)
    say(logging.WARNING, "slow_step", origin="flows.order.close", seconds=0.1)
    say(logging.ERROR, "failed", error=raised(ValueError(SECRET)))
    root.handlers, sys.excepthook, threading.excepthook = before, hook, thread_hook
    first, second, place = stream.getvalue().splitlines()
    assert first.endswith(" WARNING  slow_step origin=flows.order.close seconds=0.1")
    assert second.endswith(" ERROR    failed error=ValueError")
    assert place.endswith(" raised")

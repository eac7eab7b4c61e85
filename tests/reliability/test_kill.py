"""kill -9 under load, again and again: what was acknowledged is there, nothing is there twice, all adds up."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

import msgspec
import pytest

import tests.reliability.zygote as zygote
from hanse.app.house import now_us
from hanse.district.jobs import Answer
from hanse.district.writer import Writer
from hanse.testing.postgres import PostgresServer
from tests.reliability.conftest import audit, found_town, open_writer

KILLS_PER_JOURNAL = 10
ACKED_MIN = 1


@contextmanager
def warm_process() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, zygote.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert _out(process).readline() == "warm\n"
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["file", "postgres"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a place for a new journal: a folder, or an empty database."""
    if request.param == "file":
        return lambda: mkdtemp(dir=tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database


@pytest.mark.slow
def test_a_hundred_kills_in_a_row_lose_nothing_and_double_nothing(new_place: Callable[[], str]) -> None:
    chance = random.Random(4_711)
    with warm_process() as process:
        for _ in range(10):
            _survive(process, new_place(), kills=KILLS_PER_JOURNAL, chance=chance)


def test_three_kills_in_a_row_lose_nothing_and_double_nothing(new_place: Callable[[], str]) -> None:
    with warm_process() as process:
        _survive(process, new_place(), kills=3, chance=random.Random(1))


def _survive(process: "subprocess.Popen[str]", where: str, *, kills: int, chance: random.Random) -> None:
    found_town(where, now_us)
    acknowledged: dict[str, str] = {}
    for number in range(kills):
        new = _load_and_kill(process, where, number, after_s=chance.uniform(0.0, 0.08))
        assert len(new) >= ACKED_MIN
        acknowledged |= new
        _check(where, number, acknowledged)


def _load_and_kill(process: "subprocess.Popen[str]", where: str, number: int, *, after_s: float) -> dict[str, str]:
    stdin, stdout = process.stdin, _out(process)
    assert stdin is not None
    stdin.write(f"{where} {number}\n")
    stdin.flush()
    acknowledged: dict[str, str] = {}
    kill_at = 0.0
    child = 0
    for line in stdout:
        word, *rest = line.split()
        if word == "pid":
            child = int(rest[0])
        elif word == "ack":
            acknowledged[rest[0]] = rest[1]
            kill_at = kill_at or time.monotonic() + after_s
        elif word == "gone":
            break
        if child and kill_at and time.monotonic() >= kill_at:
            os.kill(child, signal.SIGKILL)
            child = 0
    return acknowledged


def _check(where: str, number: int, acknowledged: dict[str, str]) -> None:
    """Bring the district up, ask every acknowledged order again under its key, and audit everything."""
    journal, writer = open_writer(where, now_us)
    try:
        writer.run()
        # The last turn may be durable without anybody having been told: its clients ask again too.
        last = max(int(key.split("-")[1]) for key in acknowledged if key.startswith(f"{number}-"))
        unsure = [f"{number}-{count}" for count in range(last + 1, last + 1 + zygote.ORDERS_PER_TURN)]
        told = {key: _ask_again(writer, key) for key in [*acknowledged, *unsure]}
        for key, order_id in acknowledged.items():
            assert told[key] == order_id
        assert len(set(told.values())) == len(told)
        books = audit(journal, writer)
        assert set(told.values()) <= books.stories.all.keys()
        assert len(books.stories.all) == _answers(journal.answers_since(0))
    finally:
        journal.close()


def _ask_again(writer: Writer, key: str) -> str:
    answers: list[Answer] = []
    writer.submit(zygote.order_job(key), answers.append)
    writer.run()
    return str(msgspec.json.decode(answers[0].body)["order_id"])


def _answers(rows: Iterator[tuple[int, str, str]]) -> int:
    pairs = [(caller, key) for _, caller, key in rows]
    assert len(set(pairs)) == len(pairs)
    return len(pairs)


def _out(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout

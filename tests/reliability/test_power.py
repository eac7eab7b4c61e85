"""The power goes at any moment: whatever the disk kept of what was not synced, what was acknowledged is there."""

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from hanse.journal import sqlite
from hanse.journal.check import verify
from hanse.journal.protocol import Answered, Commit, Head
from hanse.journal.sqlite import SqliteJournal
from tests.journal.conftest import answered, commit, entry
from tests.reliability.power import Disk, recording


class Load(NamedTuple):
    """Commits of a journal in order, and the disk that they were written to."""

    commits: list[Commit]
    disk: Disk


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the log into the file, and begin it anew, every few commits."""
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(sqlite, "COMMITS_PER_LOOK", 4)


def written(folder: Path, *, commits: int, seed: int, synchronous: str = "FULL", reopen: int = 0) -> Load:
    """A journal of commits of all sizes; noted is how many were acknowledged."""
    folder.mkdir()
    chance = random.Random(seed)
    done: list[Commit] = []
    with recording(folder) as disk:
        journal = _open(folder, synchronous)
        for number in range(1, commits + 1):
            made = _commit(journal.head(), number, chance)
            journal.append(made)
            done.append(made)
            disk.note(number)
            if number % 6 == 0 and journal._checkpointing is not None:
                # The log begins anew behind a copy that has ended; on a busy machine none would end in time.
                journal._checkpointing.join()
            if reopen and number % reopen == 0:
                journal.close()
                journal = _open(folder, synchronous)
            elif number % 7 == 0:
                journal.forget_answers(made.answers[-1].time_us - 300, limit=5)
        journal.close()
    return Load(done, disk)


def _open(folder: Path, synchronous: str) -> SqliteJournal:
    journal = SqliteJournal(folder / "journal.sqlite")
    journal._db.execute(f"PRAGMA synchronous = {synchronous}")
    return journal


def _commit(head: Head, number: int, chance: random.Random) -> Commit:
    bodies = [f'"{"x" * chance.choice((5, 300, 900, 9_000))}"' for _ in range(chance.choice((1, 2, 40)))]
    entries = [
        entry(head.position + n, time_us=number * 100, story=f"ord_{chance.randrange(9)}", body=body)
        for n, body in enumerate(bodies, 1)
    ]
    given = answered(number, time_us=number * 100)._replace(body=f'"{number}"'.encode())
    return commit(head, *entries, answers=(given,), steps_through=head.position)


def check(load: Load, acknowledged: int, folder: Path) -> None:
    """A journal that was found after a power cut: all that was acknowledged, and of the rest whole commits in order."""
    with closing(SqliteJournal(folder / "journal.sqlite")) as journal:
        verdict = verify(journal)
        assert verdict.fault == ""
        assert acknowledged <= verdict.commits <= acknowledged + 1
        whole = load.commits[: verdict.commits]
        assert list(journal.read()) == [one for made in whole for one in made.entries]
        kept = list(journal.answers_since(0))
        assert kept == [_pair(made.answers[0]) for made in whole[len(whole) - len(kept) :]]
        assert len(kept) >= min(len(whole), 3)
        for number, _, _ in kept:
            assert journal.answer(number) == load.commits[number - 1].answers[0]
        # It goes on where it was.
        more = commit(journal.head(), entry(verdict.entries + 1, time_us=10**9))
        journal.append(more)
        assert verify(journal).commits == verdict.commits + 1


def _pair(given: Answered) -> tuple[int, str, str]:
    return given.number, given.caller, given.key


def check_all(load: Load, folder: Path, *, seed: int, every: int = 1) -> int:
    """Every image that the power cuts may leave; says how many there were."""
    numbers = count()
    for notes, image in load.disk.images(seed=seed, every=every):
        laid_out = folder / str(next(numbers))
        load.disk.restore(image, laid_out)
        check(load, int(str(notes[-1])) if notes else 0, laid_out)
        shutil.rmtree(laid_out)
    return next(numbers)


def test_every_acknowledged_commit_survives_a_power_cut(tmp_path: Path, found: Path) -> None:
    load = written(tmp_path / "journal", commits=24, seed=1)
    assert check_all(load, found, seed=2, every=3) > 100
    assert _log_restarts(load.disk) >= 1


@pytest.mark.slow
def test_every_acknowledged_commit_survives_a_power_cut_at_every_moment(tmp_path: Path, found: Path) -> None:
    load = written(tmp_path / "journal", commits=40, seed=3)
    assert check_all(load, found, seed=4) > 1_000
    assert _log_restarts(load.disk) >= 2


def test_a_journal_that_was_closed_and_opened_survives_too(tmp_path: Path, found: Path) -> None:
    load = written(tmp_path / "journal", commits=9, seed=5, reopen=3)
    assert check_all(load, found, seed=6) > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
def test_other_journals_survive_too(tmp_path: Path, found: Path, seed: int) -> None:
    load = written(tmp_path / "journal", commits=40, seed=seed, reopen=random.Random(seed).choice((0, 6, 13)))
    assert check_all(load, found, seed=seed, every=5) > 100


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_journal_that_does_not_wait_for_the_disk_is_found_out(tmp_path: Path, found: Path, synchronous: str) -> None:
    load = written(tmp_path / "journal", commits=12, seed=7, synchronous=synchronous)
    with pytest.raises(AssertionError):
        check_all(load, found, seed=8)


def _log_restarts(disk: Disk) -> int:
    """How often the log began anew over its own beginning."""
    (log,) = {step.file for step in _writes(disk) if step.offset == 32 and len(step.data) == 24}
    return sum(step.file == log and step.offset == 0 for step in _writes(disk)) - 1


def _writes(disk: Disk) -> Iterator[object]:
    return (step for step in disk.log if type(step).__name__ == "Write")

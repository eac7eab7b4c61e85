"""Trying mutants: whether a test fails once a line is changed.

Every mutant gets a process of its own, forked from one in which the tests are collected already, so that it costs
some hundredths of a second. There the code of the live function is replaced by that of the changed source. What runs
as a module is imported (constants, classes, decorators) can't be replaced so: then the process is forked from one
that has not imported the module yet.
"""

import gc
import os
import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

import pytest

from tools.mutation.changes import Mutant
from tools.mutation.planting import import_changed, replace_code
from tools.mutation.touching import Test, Touched, run_tests, with_tests

__all__ = ["Outcome", "Proving", "try_all"]

Outcome = Literal["killed", "survived", "timeout"]

SLOWNESS = 5
GRACE_S = 2.0
"""A mutant may take five times as long as its tests take without it, and two seconds of processor time more."""

IMPORT_S = 10.0
MEMORY_MAX = 3 << 30


class Proving(NamedTuple):
    """What mutants are tried with: the sources by module, where tests lie, and what they touch."""

    sources: Mapping[str, bytes]
    paths: Sequence[str]
    touched: Touched
    processes: int


def try_all(mutants: Sequence[Mutant], proving: Proving, told: Callable[[int], None]) -> dict[Mutant, Outcome]:
    """What becomes of each mutant; `told` hears how many are done."""
    touched = proving.touched
    found: dict[Mutant, Outcome] = {mutant: "survived" for mutant in mutants if not touched.by(mutant)}
    early = [mutant for mutant in mutants if mutant not in found and touched.is_early(mutant)]
    late = [mutant for mutant in mutants if mutant not in found and not touched.is_early(mutant)]
    # What changes nothing has to survive, planted in either way; or else nothing that was killed counts.
    controls = [_unchanged(some[0], proving.sources) for some in (early, late) if some]
    early += [control for control in controls if touched.is_early(control)]
    late += [control for control in controls if not touched.is_early(control)]
    for mutant, outcome in _in_collected(late, proving):
        if outcome is None:
            early.append(mutant)
        else:
            found[mutant] = outcome
            told(len(found))
    trials = ((_limit_s(touched.by(mutant)) + IMPORT_S, _imported(mutant, proving)) for mutant in early)
    for number, outcome in _forked(trials, proving.processes):
        found[early[number]] = outcome or "killed"
        told(len(found))
    if [found.pop(control, "killed") for control in controls] != ["survived"] * len(controls):
        raise RuntimeError("The tests fail without any change too; run them by themselves first.")
    return found


def _unchanged(mutant: Mutant, sources: Mapping[str, bytes]) -> Mutant:
    return mutant._replace(text=sources[mutant.module][mutant.start : mutant.end].decode())


def _limit_s(tests: Sequence[Test]) -> float:
    return SLOWNESS * sum(test.seconds for test in tests) + GRACE_S


def _in_collected(mutants: Sequence[Mutant], proving: Proving) -> Iterator[tuple[Mutant, Outcome | None]]:
    """Try mutants in forks of one process that has collected the tests; None for one that can't be planted so."""

    def loop(items: list[pytest.Item]) -> None:
        named = {item.nodeid: item for item in items}
        by = [proving.touched.by(mutant) for mutant in mutants]
        trials = (
            (_limit_s(tests), _planted(mutant, proving, [named[test.name] for test in tests]))
            for mutant, tests in zip(mutants, by, strict=True)
        )
        for number, outcome in _forked(trials, proving.processes):
            os.write(writing, f"{number} {outcome or ''}\n".encode())

    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        with suppress(BaseException):
            with_tests(proving.paths, loop)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        for line in lines:
            number, outcome = line.rstrip("\n").split(" ")
            yield mutants[int(number)], outcome or None  # type: ignore[misc]
    os.waitpid(pid, 0)


def _planted(mutant: Mutant, proving: Proving, items: Sequence[pytest.Item]) -> Callable[[], None]:
    def run() -> None:
        if not replace_code(mutant, proving.sources[mutant.module]):
            raise SystemExit(_UNFIT)
        run_tests(items)

    return run


def _imported(mutant: Mutant, proving: Proving) -> Callable[[], None]:
    # By their names without parameters: these may be made of what was changed.
    order = {test.name.partition("[")[0]: place for place, test in enumerate(proving.touched.by(mutant))}

    def loop(items: list[pytest.Item]) -> None:
        named = [(item.nodeid.partition("[")[0], item) for item in items]
        chosen = sorted((order[name], place) for place, (name, _) in enumerate(named) if name in order)
        run_tests([items[place] for _, place in chosen])

    def run() -> None:
        import_changed(mutant, proving.sources[mutant.module])
        with_tests(proving.paths, loop)

    return run


# In a process of its own

_UNFIT = 77
_Trial = tuple[float, Callable[[], None]]
"""How many seconds of processor time it may take, and what is run."""


def _forked(trials: Iterator[_Trial], processes: int) -> Iterator[tuple[int, Outcome | None]]:
    """Run each trial in a fork of this process, and tell which has ended; None for one that can't be done here."""
    gc.freeze()
    running: dict[int, int] = {}
    for number, trial in enumerate(trials):
        running[_fork(trial)] = number
        if len(running) == processes:
            yield _next_of(running)
    while running:
        yield _next_of(running)


def _next_of(running: dict[int, int]) -> tuple[int, Outcome | None]:
    pid, status = os.wait()
    return running.pop(pid), _outcome(status)


def _fork(trial: _Trial) -> int:
    pid = os.fork()
    if pid:
        return pid
    limit_s, run = trial
    code = 1
    try:
        # Processor time, so that others on the machine don't count; and a wide limit for what only waits.
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        signal.setitimer(signal.ITIMER_REAL, 20 * limit_s)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        # What can't even be imported says so at length.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        run()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        os._exit(code)


def _outcome(status: int) -> Outcome | None:
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM) else "killed"
    code = os.WEXITSTATUS(status)
    return None if code == _UNFIT else "killed" if code else "survived"

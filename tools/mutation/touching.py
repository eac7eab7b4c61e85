"""The fast tests of a mutation run: collected as ever, run one by one, and which lines each of them touches."""

import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, settings

from tools.mutation.changes import Mutant

__all__ = ["Lines", "Test", "Touched", "run_tests", "survey", "with_tests"]

Lines = Mapping[str, frozenset[int]]
"""Line numbers by the name of a module."""


class Test(NamedTuple):
    """A test, how long it took, and the lines that it ran."""

    name: str
    seconds: float
    lines: Lines


class Touched(NamedTuple):
    """What runs which lines."""

    on_import: Lines
    tests: list[Test]

    def by(self, mutant: Mutant) -> list[Test]:
        """The tests that may notice a mutant: first those of its own capability, and of them what runs little else."""
        first, last = mutant.lines
        wanted = set(range(first, last + 1))
        lines = [(test, test.lines.get(mutant.module, frozenset())) for test in self.tests]
        found = [test for test, ran in lines if (ran & wanted if mutant.inside else ran)]
        capability = mutant.module.rpartition(".")[0].rpartition(".")[2]
        return sorted(found, key=lambda test: (capability not in test.name, sum(map(len, test.lines.values()))))

    def is_early(self, mutant: Mutant) -> bool:
        """Whether a mutant matters before any test runs."""
        first, last = mutant.lines
        early = self.on_import.get(mutant.module, frozenset())
        return not mutant.inside or not early.isdisjoint(range(first, last + 1))


def survey(modules: Mapping[str, Path], paths: Sequence[str]) -> Touched:
    """Run all tests as they are, and see which lines of the modules each of them runs."""
    return _ask(lambda: _survey(modules, paths))


def _ask(work: Callable[[], Touched]) -> Touched:
    """The result of work that is done in a fork, so that nothing of it stays here."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as out:
                pickle.dump(work(), out)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as incoming:
        content = incoming.read()
    _, status = os.waitpid(pid, 0)
    if status or not content:
        raise RuntimeError("The tests don't pass without any mutant; run them by themselves first.")
    found: Touched = pickle.loads(content)
    return found


class _Plugin:
    """Lets pytest collect as ever, and then does something of ours in place of its loop."""

    def __init__(self, loop: Callable[[list[pytest.Item]], None]) -> None:
        self._loop = loop

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.testsfailed:
            self._loop(session.items)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(1)


def with_tests(paths: Sequence[str], loop: Callable[[list[pytest.Item]], None]) -> None:
    """Collect the fast tests, and hand them to a loop in place of pytest's own."""
    # Chance and shrinking are of no use here: the same mutant shall meet the same cases each time.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=phases)
    settings.load_profile("mutants")
    arguments = ["-q", "--assert=plain", "-p", "no:cacheprovider", "-m", "not slow", *paths]
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        if pytest.main(arguments, plugins=[_Plugin(loop)]):
            raise SystemExit(1)


def run_tests(items: Sequence[pytest.Item]) -> None:
    """Run some tests; the process ends with the first that fails."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


# Which lines are run


class _Tracer:
    """Notes the lines of some files that are run."""

    def __init__(self, modules: Mapping[str, Path]) -> None:
        self._of = {str(path.resolve()): module for module, path in modules.items()}
        self._seen: dict[str, set[int]] = {}

    def __enter__(self) -> "_Tracer":
        self._seen = {module: set() for module in self._of.values()}
        threading.settrace(self._call)
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        threading.settrace(None)

    @property
    def lines(self) -> Lines:
        return {module: frozenset(lines) for module, lines in self._seen.items() if lines}

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        module = self._of.get(frame.f_code.co_filename)
        # A module's or class's own code runs once, as it is imported; that is not what a test does.
        if module is None or not frame.f_code.co_flags & 0x0002:
            return None
        seen = self._seen[module]
        seen.add(frame.f_lineno)

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            seen.add(frame.f_lineno)
            return line

        return line


def _survey(modules: Mapping[str, Path], paths: Sequence[str]) -> Touched:
    tests: list[Test] = []
    on_import: dict[str, frozenset[int]] = {}
    tracer = _Tracer(modules)

    def loop(items: list[pytest.Item]) -> None:
        on_import.update(tracer.lines)
        for item, following in zip(items, [*items[1:], None], strict=True):
            before = time.process_time()
            with tracer:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            tests.append(Test(item.nodeid, time.process_time() - before, tracer.lines))

    with tracer:
        with_tests(paths, loop)
    return Touched(on_import, tests)

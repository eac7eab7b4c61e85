"""What the figures were made on: a shared machine can be four times slower in one minute than in the next."""

import os
import platform
import tempfile
import time
from pathlib import Path

import msgspec

from hanse.compiled import SUFFIX
from hanse.district import core

__all__ = ["SCRATCH", "Machine", "measure_machine"]

SCRATCH = Path("build/benchmarks")
"""Journals of benchmarks are written here: a real disk, not a file system in memory."""


class Machine(msgspec.Struct, frozen=True):
    """Processor, disk, and two small measures that tell how quiet the machine was."""

    processor: str
    cores: int
    python: str
    file_system: str
    fsync_ms: float
    loop_ns: float

    def sentence(self) -> str:
        """All of it in one line."""
        return (
            f"{self.processor}, {self.cores} cores, Python {self.python}, {self.file_system},"
            f" fsync {self.fsync_ms:.2f} ms, one step of a Python loop {self.loop_ns:.0f} ns"
        )


def measure_machine() -> Machine:
    """Look at the machine; takes about half a second."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    return Machine(
        _processor(),
        os.cpu_count() or 1,
        _python(),
        _file_system(SCRATCH),
        round(_fsync_ms(), 3),
        round(_loop_ns(), 1),
    )


def _python() -> str:
    twins = str(core.__file__).endswith(SUFFIX)
    return platform.python_version() + (" with compiled twins" if twins else "")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _file_system(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return platform.system()
    rows = [line.split()[:3] for line in mounts.read_text().splitlines()]
    inside = [(len(point), kind) for _, point, kind in rows if folder.resolve().is_relative_to(point)]
    return max(inside)[1] if inside else "unknown"


def _fsync_ms() -> float:
    times = []
    with tempfile.NamedTemporaryFile(dir=SCRATCH) as file:
        for _ in range(50):
            file.write(bytes(8_192))
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1e3


def _loop_ns() -> float:
    start, total = time.perf_counter(), 0
    for step in range(2_000_000):
        total += step
    return (time.perf_counter() - start) / 2_000_000 * 1e9

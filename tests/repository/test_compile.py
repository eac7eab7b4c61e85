"""Compiled twins: taken while they are of the present source, never otherwise."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hanse.compiled import MANIFEST
from tools import compile as compiling

QUANTITY = "hanse.kernel.quantity"
ASK = f"import {QUANTITY} as q; print(q.__file__); print(q.check_pieces(3), q.PIECES_MAX)"


@pytest.mark.slow
def test_a_twin_is_taken_only_while_its_source_is_the_same(tmp_path: Path) -> None:
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        pytest.skip("no C compiler here")
    assert not compiling.is_built([QUANTITY], tmp_path)
    compiling.build([QUANTITY], tmp_path)
    assert compiling.is_built([QUANTITY], tmp_path)

    file, said = _ask(tmp_path)
    source, same = _ask("0")
    assert file.startswith(str(tmp_path))
    assert source.endswith("quantity.py")
    assert said == same

    (tmp_path / MANIFEST).write_text(json.dumps({QUANTITY: "of another source"}))
    assert not compiling.is_built([QUANTITY], tmp_path)
    assert _ask(tmp_path) == (source, same)


def test_a_program_starts_once_more_with_large_pages_and_stays_the_same_process() -> None:
    begin = "import os; from hanse.app.start import with_large_pages as w; w(); print(os.getpid(), os.environ)"
    environment = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    program = subprocess.Popen([sys.executable, "-c", begin], stdout=subprocess.PIPE, text=True, env=environment)
    said, _ = program.communicate(timeout=60)
    assert (program.returncode, said.split()[0]) == (0, str(program.pid))
    assert ("glibc.malloc.hugetlb=1" in said) == (sys.platform == "linux" and _glibc())


def _ask(twins: Path | str) -> tuple[str, str]:
    environment = {**os.environ, "HANSE_COMPILED": str(twins)}
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, env=environment, check=True)
    file, said = done.stdout.splitlines()
    return file, said


def _glibc() -> bool:
    return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")

"""What `tools.new_capability` writes passes every check that the repository itself must pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import new_capability, tidy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the checks read."""
    for folder in ("hanse", "tools"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "static", "templates")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(folder: Path, program: str, *arguments: str) -> None:
    answer = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.slow
def test_a_new_capability_passes_its_test_and_all_checks(copy: Path) -> None:
    before = {str(finding) for finding in tidy.check(copy)}
    steps = new_capability.write(copy, "supply", "freshness", "FreshnessChecked")
    assert "hanse/events/supply.py" in steps
    assert {str(finding) for finding in tidy.check(copy)} == before
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/supply/test_freshness.py")
    run(copy, "ruff", "check", "hanse/supply", "hanse/events", "tests")
    run(copy, "ruff", "format", "--check", "hanse/supply", "hanse/events", "tests")
    run(copy, "mypy", "--no-incremental", "hanse/supply/freshness")
    run(copy, "lint-imports", "--no-cache")


def test_a_context_that_is_not_yet_there_is_begun(copy: Path) -> None:
    new_capability.write(copy, "factory", "twin")
    written = {path.relative_to(copy).as_posix() for path in (copy / "hanse/factory").rglob("*.py")}
    assert written == {"hanse/factory/__init__.py"} | {
        f"hanse/factory/twin/{name}.py" for name in ("__init__", "service", "views")
    }
    assert "class TwinNoted(Event, frozen=True)" in (copy / "hanse/events/factory.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("shop", "twin"), "There is no context shop"),
        (("supply", "Stock_Level"), "one lower-case noun"),
        (("supply", "stock"), "exists already"),
        (("supply", "twin", "twin_made"), "in the past tense"),
        (("supply", "twin", "StockShort"), "has an event StockShort already"),
    ],
)
def test_a_wrong_name_is_refused_and_nothing_is_written(arguments: tuple[str, ...], sentence: str, copy: Path) -> None:
    before = sorted(copy.rglob("*.py"))
    with pytest.raises(ValueError, match=sentence):
        new_capability.write(copy, *arguments)
    assert sorted(copy.rglob("*.py")) == before

"""What must agree before anything is released: version, changes, public names, licences, decisions, reference."""

import importlib
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import hanse
from tools import docgen, third_party

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FILES = sorted(path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("hanse/**/*.py") if path.stem != "__main__")
MODULES = [".".join(path.parts).removesuffix(".__init__") for path in FILES]


def test_package_project_and_changelog_name_one_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == PROJECT["version"] == hanse.__version__


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_can_be_imported(name: str) -> None:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", [])
    assert [missing for missing in names if not hasattr(module, missing)] == []
    assert len(names) == len(set(names))


def test_every_registered_world_loads() -> None:
    worlds = [world for world in entry_points(group="hanse.worlds") if world.value.startswith("hanse.")]
    assert [world.name for world in worlds] == ["demo"]
    assert all(callable(world.load()) for world in worlds)


def test_every_wanted_package_has_a_decision_and_a_version_in_the_lock() -> None:
    decisions = " ".join(page.read_text(encoding="utf-8").lower() for page in (ROOT / "docs/decisions").glob("0*.md"))
    lock = (ROOT / "requirements/lock.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["demo"], *extras["frontend"]]
    names = [re.split(r"[<>=;\[ ]", need)[0] for need in wanted]
    assert [name for name in names if name not in decisions] == []
    all_names = [re.split(r"[<>=;\[ ]", need)[0] for group in extras.values() for need in group]
    assert [name for name in {*names, *all_names} if f"\n{name}==" not in lock] == []


def test_every_decision_stands_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    assert re.findall(r"\((0\d{3}-[\w-]+\.md)\)", index) == pages


def test_the_readme_states_all_36_systems_honestly() -> None:
    rows = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 37))
    assert {state.split(" (")[0] for _, state in rows} <= {"working", "partly", "not begun"}


def test_the_reference_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert docgen.stale(docgen.REFERENCE) == []


def test_the_list_of_third_parties_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert third_party.page() == (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")

"""The files in deploy/ hold together, as far as that shows without a registry, a root account and a Prometheus."""

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from hanse.app.build import create_app, in_front
from hanse.app.house import House
from hanse.app.settings import Settings
from tools.rules.texts import anchors

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def instructions() -> list[tuple[str, str]]:
    """What the Containerfile says, lines put together, by word."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Containerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = re.sub(r"\\\n\s*", "", text)
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in text.splitlines() if line.strip()]


def stage(number: int) -> list[tuple[str, str]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found[number]


def test_every_source_of_a_copy_is_there_and_is_let_through() -> None:
    copied = [part for word, rest in stage(0) if word == "COPY" for part in rest.split()[:-1]]
    assert "hanse" in copied
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    assert lines[0] == "*"
    let_through = [line[1:] for line in lines if line.startswith("!")]
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, one) for one in let_through), source
    assert sorted(let_through) == sorted(copied)


def test_all_that_the_wheel_is_made_of_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml", "hanse", "frontend"}
    copied = {part for word, rest in stage(0) if word == "COPY" for part in rest.split()[:-1]}
    assert wanted <= copied
    named = re.search(r"\[([a-z,]+)\]", next(rest for word, rest in stage(0) if "/usr/local/hanse/bin/pip" in rest))
    assert named is not None
    assert set(named[1].split(",")) <= project["project"]["optional-dependencies"].keys()


def test_the_image_runs_the_installed_program_as_nobody_with_its_data_apart() -> None:
    last = dict(stage(-1))
    user = last["USER"].partition(":")[0]
    assert user.isdigit()
    assert int(user) != 0
    assert last["ENTRYPOINT"] == '["hanse"]'
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert last["VOLUME"] == '["/data"]'
    assert "/health/ready" in last["HEALTHCHECK"]
    assert [rest for word, rest in stage(-1) if word == "COPY"] == ["--from=build /usr/local/hanse /usr/local/hanse"]
    words = [word for word, _ in stage(-1)]
    assert words.index("USER") > max(n for n, word in enumerate(words) if word == "RUN")
    # Each setting that it makes is one.
    names = re.findall(r"HANSE_(\w+)=", last["ENV"])
    assert {name.lower() for name in names} <= set(Settings.__struct_fields__)


def test_nothing_is_fetched_without_a_version_and_nothing_secret_is_named() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for word, rest in instructions():
        if word == "FROM":
            assert re.fullmatch(r"\S+/python:3\.\d+-slim-\w+( AS build)?", rest), rest
        if word == "RUN" and "pip install" in rest:
            assert "-c requirements/lock.txt" in rest
            assert "--no-cache-dir" in rest
        assert word not in ("ADD", "ARG"), "a build argument is kept in the image's history"
    assert not re.search(r"(?i)^(?!#).*(password|secret|token)\s*=", text, re.MULTILINE)


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "hanse.service").read_text(encoding="utf-8").splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_sets_what_are_settings_and_hears_of_us() -> None:
    said = unit()
    names = [value.partition("=")[0].removeprefix("HANSE_").lower() for value in said["Environment"]]
    known = set(Settings.__struct_fields__)
    assert [name for name in names if name not in known | {"config"} and name.removesuffix("_file") not in known] == []
    credentials = {value.partition(":")[0] for value in said["LoadCredential"]}
    used = set(re.findall(r"%d/(\w+)", " ".join(said["Environment"])))
    assert credentials == used
    assert (said["Type"], said["Restart"], said["RestartPreventExitStatus"]) == (["notify"], ["on-failure"], ["2"])


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The unit, with the program of this environment in place of the installed one."""
    program = Path(sys.executable).with_name("hanse")
    text = (DEPLOY / "hanse.service").read_text(encoding="utf-8")
    (tmp_path / "hanse.service").write_text(text.replace("/usr/local/hanse/bin/hanse", str(program)), encoding="utf-8")
    return tmp_path / "hanse.service"


def analyzed(*arguments: object) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    command = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_understands_the_unit(here: Path) -> None:
    said = analyzed("verify", here)
    assert said.returncode == 0, said.stderr
    # Those that an older systemd does not know it leaves aside: then there is no growing pause, and nothing else.
    known = re.findall(r"Unknown key '(\w+)'", said.stderr)
    assert set(known) <= {"RestartSteps", "RestartMaxDelaySec"}


def test_systemd_finds_the_unit_well_shut(here: Path) -> None:
    said = analyzed("security", "--offline=true", "--threshold=20", here)
    if "unrecognized option" in said.stderr:
        pytest.skip("this systemd-analyze does not look at files")
    assert said.returncode == 0, said.stdout[-2_000:] + said.stderr


def alerts() -> list[dict[str, Any]]:
    read = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def test_every_alert_asks_for_numbers_that_there_are(tmp_path: Path) -> None:
    house = House(Settings(folder=tmp_path, metrics="loopback"))
    app = create_app(house, pages=())
    in_front(app)
    assert house.watch.meters is not None
    page = house.watch.meters.page().decode()
    families = list(text_string_to_metric_families(page))
    there = {family.name for family in families} | {f"{f.name}_total" for f in families if f.type == "counter"}
    there |= {f"{family.name}_bucket" for family in families if family.type == "histogram"}
    asked = {name for rule in alerts() for name in re.findall(r"hanse_\w+", rule["expr"])}
    assert asked - there == set()
    labels = {label for rule in alerts() for label in re.findall(r'(\w+)="', rule["expr"])}
    assert labels <= {"job", "reason", "outcome", "status"}
    house.journal.close()
    house.vault.close()
    house.watch.close()


def test_every_alert_names_a_section_that_is_there() -> None:
    sections = anchors((ROOT / "docs/how-to/runbook.md").read_text(encoding="utf-8"))
    assert len(alerts()) > 5
    for rule in alerts():
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/how-to/runbook.md"
        assert anchor in sections, rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")

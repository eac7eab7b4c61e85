import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hanse
from hanse.app import cli
from hanse.app.auth import read_token
from hanse.app.house import now_us
from hanse.kernel.principal import Principal

Run = Callable[..., tuple[int, str, str]]


def test_help_names_every_command() -> None:
    said = CliRunner().invoke(cli.app, ["--help"])
    assert said.exit_code == 0
    for command in ("up", "demo", "import", "trace", "sim", "journal", "capabilities", "token", "config", "status"):
        assert re.search(rf"\b{command}\b", said.output)


def test_the_version_is_the_packages() -> None:
    assert CliRunner().invoke(cli.app, ["--version"]).output == f"hanse {hanse.__version__}\n"


def test_completion_is_there_for_the_asking() -> None:
    said = CliRunner().invoke(cli.app, ["--help"]).output
    assert "--install-completion" in said
    assert "--show-completion" in said


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["trace", "ord_1", "--data", "nowhere"], 3, "There is no journal in nowhere"),
        (["token", "king"], 2, "Name one of: public, shopper, shop, courier, league"),
        (["capabilities", "magic"], 3, "There is no capability magic"),
        (["sim", "--seeds", "9..1"], 2, "Give the seeds as FIRST..LAST"),
        (["demo", "--world", "atlantis", "--data", "demo"], 3, "There is no world atlantis"),
        (["import", "x.csv"], 2, "Missing option '--shop'"),
        (["nothing"], 2, "No such command 'nothing'"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(
    arguments: list[str], code: int, sentence: str, tmp_path: Path
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from hanse.app.cli import main; main()", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
    )
    assert said.returncode == code
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr


def test_debug_shows_where_an_error_came_from(run: Run, tmp_path: Path) -> None:
    code, _, err = run("--debug", "trace", "ord_1", "--data", tmp_path)
    assert code == 3
    assert "Traceback" in err


def test_a_bug_is_one_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble() -> dict[str, str]:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("hanse.app.commands.asking.cards", stumble)
    assert run("capabilities") == (
        1,
        "",
        "hanse: This is a bug (ZeroDivisionError: oh); run it with --debug and report it.\n",
    )


def test_a_setting_that_does_not_exist_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSE_PROT", "80")
    code, _, err = run("journal", "verify")
    assert (code, "HANSE_PROT: there is no setting prot; did you mean port?" in err) == (2, True)


# Questions


def test_capabilities_are_listed_with_their_questions(run: Run) -> None:
    code, out, _ = run("capabilities")
    assert code == 0
    assert "supply.stock" in out
    assert "How many units can still be promised" in " ".join(out.split())


def test_one_capability_shows_its_whole_card(run: Run) -> None:
    code, out, _ = run("capabilities", "stock")
    assert code == 0
    assert out.startswith("Stock, exact.")
    assert "Not for:" in out


def test_a_token_shows_whom_it_was_issued_to(run: Run, data: Path) -> None:
    code, out, _ = run("token", "shop", "shp_1", "--data", data, "--days", "1")
    secret = (data / "session.key").read_bytes()
    assert code == 0
    assert read_token(secret, out.strip(), now_us=now_us()) == Principal("shop", "shp_1")


@pytest.mark.parametrize("arguments", [["shopper"], ["league", "per_1"]])
def test_a_token_for_nobody_in_particular_is_refused(run: Run, data: Path, arguments: list[str]) -> None:
    assert run("token", *arguments, "--data", data)[0] == 2


def test_the_simulation_of_a_seed_says_that_the_rules_held(run: Run) -> None:
    code, out, _ = run("sim", "--seeds", "3..4", "--commands", "60")
    assert code == 0
    assert out.count("every rule held") == 2


def position_of(data: Path) -> int:
    with sqlite3.connect(data / "journal.sqlite") as db:
        position: int = db.execute("SELECT max(position) FROM entry").fetchone()[0]
    return position


def test_a_demo_never_moves_into_another_district(run: Run, data: Path) -> None:
    position = position_of(data)
    code, _, err = run("demo", "--data", data, "--no-browser")
    assert (code, "holds another district" in err) == (4, True)
    code, _, err = run("demo", "--data", data, "--no-browser", "--fresh", "--yes")
    assert (code, "does not look like a demo's folder" in err) == (4, True)
    assert position_of(data) == position


def test_a_demo_faster_than_anybody_can_follow_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, err = run("demo", "--data", tmp_path / "demo", "--speed", "11")
    assert (code, "at most 10 times" in err) == (2, True)


def test_a_district_is_served_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from hanse.app.cli import main; main()", "up", "--data", tmp_path, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
    ) as server:
        assert server.stdout is not None
        try:
            said = server.stdout.readline()
            assert re.match(r"district is open: http://127\.0\.0\.1:\d+/$", said)
            server.send_signal(signal.SIGINT)
            assert server.wait(30) == 0
        finally:
            server.kill()

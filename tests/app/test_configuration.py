"""Where settings come from: option, environment, file, default; and what is refused, with its place."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from hanse.app.commands.configuring import rows
from hanse.app.configuration import Secret, example, gather
from hanse.app.settings import Settings
from hanse.kernel.errors import InvalidInput

Run = Callable[..., tuple[int, str, str]]


class Berth(msgspec.Struct, frozen=True):
    """What a test sets."""

    folder: Path = Path("data")
    """Where it lies."""
    port: Annotated[int, msgspec.Meta(ge=0)] = 8000
    name: str = "quay"
    journal: Secret = ""
    """Its address."""
    neighbours: tuple[str, ...] = ()


def written(folder: Path, text: str) -> dict[str, str]:
    (folder / "hanse.toml").write_text(text, encoding="utf-8")
    return {"HANSE_CONFIG": str(folder / "hanse.toml")}


def test_an_option_wins_over_the_environment_that_over_the_file_and_that_over_the_default(tmp_path: Path) -> None:
    said = written(tmp_path, 'name = "file"\nport = 1\nneighbours = ["a"]\n') | {"HANSE_PORT": "2", "HANSE_NAME": "env"}
    settings, origins = gather(Berth, said, {"port": 3, "name": None})
    assert settings == Berth(port=3, name="env", neighbours=("a",))
    assert origins == {
        "folder": "default",
        "port": "--port",
        "name": "HANSE_NAME",
        "journal": "default",
        "neighbours": f"{tmp_path / 'hanse.toml'}:3",
    }


def test_a_file_in_the_data_folder_is_read_unasked_and_its_paths_count_from_there(tmp_path: Path) -> None:
    written(tmp_path, 'port = 9\nfolder = "more"\n')
    assert gather(Berth, {"HANSE_FOLDER": str(tmp_path)}, {}).settings == Berth(folder=tmp_path, port=9)
    assert gather(Berth, written(tmp_path, 'folder = "more"'), {}).settings == Berth(folder=tmp_path / "more")
    assert gather(Berth, {"HANSE_FOLDER": str(tmp_path / "other")}, {}).settings == Berth(folder=tmp_path / "other")


def test_the_environment_says_lists_as_json() -> None:
    assert gather(Berth, {"HANSE_NEIGHBOURS": '["a", "b"]'}, {}).settings.neighbours == ("a", "b")


def test_a_secret_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgresql://hanse:pass@db/hanse\n", encoding="utf-8")
    for said in ({"HANSE_JOURNAL_FILE": str(tmp_path / "secret")}, written(tmp_path, 'journal_file = "secret"')):
        settings, origins = gather(Berth, said, {})
        assert settings.journal == "postgresql://hanse:pass@db/hanse"
        assert str(tmp_path / "secret") in origins["journal"]
    # What is said outright wins, as another process gets it.
    assert gather(Berth, {"HANSE_JOURNAL_FILE": "/nowhere", "HANSE_JOURNAL": "x"}, {}).settings.journal == "x"


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("# a\nprot = 1", "app.unknown_setting", "{file}:2: there is no setting prot; did you mean port?"),
        ("[league]\na = 1", "app.unknown_setting", "{file}:1: there is no setting league; see `hanse config`."),
        ("name_file = 'x'", "app.unknown_setting", "{file}:1: there is no setting name_file; did you mean name?"),
        ("\nport = '1'", "app.bad_setting", "{file}:2: port does not fit: Expected `int`, got `str`."),
        ("port = -1", "app.bad_setting", "{file}:1: port does not fit: Expected `int` >= 0."),
        (
            "port =",
            "app.bad_config",
            "{file} is no TOML: Invalid value (at end of document). `hanse config --example` shows how it looks.",
        ),
        ("journal_file = '/nowhere/x'", "app.bad_config", "Can't read the file /nowhere/x: No such file or directory."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(text: str, code: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        gather(Berth, written(tmp_path, text), {})
    assert (refused.value.code, refused.value.message) == (code, sentence.format(file=tmp_path / "hanse.toml"))


def test_a_file_that_is_named_has_to_be_there() -> None:
    with pytest.raises(InvalidInput, match=r"Can't read the file /nowhere/hanse.toml: No such file or directory\."):
        gather(Berth, {"HANSE_CONFIG": "/nowhere/hanse.toml"}, {})


def test_the_example_has_every_setting_and_its_default() -> None:
    for struct in (Berth, Settings):
        without = "\n".join(line for line in example(struct).splitlines() if "_file = " not in line)
        values = tomllib.loads("\n".join(line[2:] for line in without.splitlines() if " = " in line))
        assert values.keys() == {field.name for field in msgspec.structs.fields(struct)}
        assert msgspec.convert(values, struct, dec_hook=lambda wanted, value: wanted(value)) == struct()


def test_a_secret_is_not_shown() -> None:
    shown = {name: value for name, value, _ in rows(gather(Berth, {"HANSE_JOURNAL": "hush", "HANSE_PORT": "1"}, {}))}
    assert shown == {"folder": "data", "port": "1", "name": "quay", "journal": "(hidden)", "neighbours": "()"}
    assert rows(gather(Berth, {}, {}))[3] == ("journal", "", "default")


def test_config_shows_what_holds_and_where_it_was_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANSE_CONFIG", written(tmp_path, 'name = "Quay"\n')["HANSE_CONFIG"])
    monkeypatch.setenv("HANSE_PORT", "8001")
    code, out, _ = run("config", "--data", tmp_path)
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert code == 0
    assert rows["name"] == ["Quay", f"{tmp_path / 'hanse.toml'}:1"]
    assert rows["port"] == ["8001", "HANSE_PORT"]
    assert rows["folder"] == [str(tmp_path), "--folder"]
    assert rows["demo"] == ["False", "default"]
    assert run("config", "--check")[1].startswith("All settings fit; 2 of ")


def test_config_refuses_what_does_not_fit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSE_ZONE", "Europe/Atlantis")
    code, out, err = run("config", "--check")
    assert (code, out) == (2, "")
    assert err == "hanse: Name an IANA time zone, such as Europe/Helsinki. [kernel.unknown_zone]\n"


def test_a_file_can_be_named_before_any_command(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANSE_CONFIG", "")
    file = written(tmp_path, 'name = "Quay"\n')["HANSE_CONFIG"]
    assert "Quay" in run("--config", file, "config")[1]

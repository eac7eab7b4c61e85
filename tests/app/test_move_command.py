"""`hanse journal move`: to PostgreSQL and back, and what whoever starts the old one is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]


def test_a_district_moves_to_postgresql_and_back_by_one_command_each(
    data: Path, run: Run, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_password = postgres.replace("postgres@", "postgres:sesame@")
    _, before, _ = run("journal", "verify", "--data", data)
    code, out, err = run("journal", "move", with_password, "--data", data)
    assert (code, out.split("\nThe district")[0]) == (0, before.split("\nThe journal")[0])
    assert "as district 0 now; start it with that database as HANSE_JOURNAL." in out
    assert "sesame" not in out + err

    goods = data / "goods.csv"
    goods.write_text("gtin,price\n2000000000015,2.09\n")
    code, _, err = run("import", goods, "--data", data, "--shop", "shp_1")
    assert code == 4
    assert "This district moved to postgresql:///" in err
    assert "sesame" not in err

    monkeypatch.setenv("HANSE_JOURNAL", with_password)
    assert run("journal", "verify", "--data", data)[1] == before
    assert run("journal", "replay", "--data", data)[0] == 0
    assert run("journal", "tail", "--no-follow", "--data", data)[0] == 0
    code, out, _ = run("journal", "move", "sqlite", "--data", data)
    assert (code, out.split("\nThe district")[0]) == (0, before.split("\nThe journal")[0])
    code, _, err = run("journal", "move", "sqlite", "--data", data)
    assert code == 4
    assert f"This district moved to the file {data / 'journal.sqlite'}; start it without HANSE_JOURNAL." in err
    monkeypatch.delenv("HANSE_JOURNAL")
    assert run("journal", "verify", "--data", data)[1] == before


@pytest.mark.parametrize("to", ["sqlite", "postgresql://127.0.0.1:1/none"])
def test_a_move_to_where_it_lies_or_to_nowhere_is_refused(data: Path, run: Run, to: str) -> None:
    code, _, _ = run("journal", "move", to, "--data", data)
    assert code == (2 if to == "sqlite" else 7)
    assert run("journal", "verify", "--data", data)[0] == 0


def test_there_has_to_be_something_to_move(tmp_path: Path, run: Run, postgres: str) -> None:
    assert run("journal", "move", postgres, "--data", tmp_path / "none")[0] == 3

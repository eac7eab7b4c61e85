"""The reference says what the code says: cards, errors and commands are read, not remembered."""

from pathlib import Path

import msgspec
import pytest
import typer

from tools import docgen, third_party
from tools.reference import application, code

CARD = '"""Stock, exact.\n\nQuestion: How much?\nEngine: none\nMethod: counting\n    and more counting\nReads: a\n'
SOURCE = """
must(price > 0, "market.bad_price", "Give a price above zero.", field="price")
raise NotFound("market.unknown_offer", f"No offer {offer_id} | here.")
raise NotFound(code, "A code that only the run knows.")
raise ValueError("market.other", "Not one of ours.")
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of a few lines, made the current folder."""
    files = {
        "hanse/supply/__init__.py": '"""Supply: what there is.\n\nMore.\n"""\n',
        "hanse/supply/stock/__init__.py": CARD + '"""\n',
        "hanse/supply/stock/service.py": SOURCE,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("house")
def test_cards_become_a_page_by_context() -> None:
    assert code.capabilities().splitlines()[4:] == [
        "## supply",
        "",
        "Supply: what there is.",
        "",
        "### supply.stock",
        "",
        "Stock, exact.",
        "",
        "- **Question**: How much?",
        "- **Engine**: none",
        "- **Method**: counting and more counting",
        "- **Reads**: a",
    ]


@pytest.mark.usefixtures("house")
def test_errors_are_listed_with_code_kind_and_sentence() -> None:
    assert [line for line in code.errors().splitlines() if line.startswith("| `")] == [
        "| `market.bad_price` | InvalidInput | Give a price above zero. |",
        "| `market.unknown_offer` | NotFound | No offer {offer_id} \\| here. |",
    ]


def test_commands_are_listed_with_parameters_and_defaults() -> None:
    app = typer.Typer(add_completion=False)
    journal = typer.Typer(help="The journal.")
    app.add_typer(journal, name="journal")

    @app.command()
    def up(port: int = typer.Option(8000, help="Where to listen.")) -> None:
        """Start."""

    @journal.command()
    def tail(story: str = typer.Argument(..., help="What it is about.")) -> None:
        """Show the newest."""

    page = application.commands("hanse", app)
    assert [line for line in page if line.startswith(("##", "| `"))] == [
        "## hanse",
        "## hanse journal",
        "## hanse journal tail",
        "| `STORY` | required | What it is about. |",
        "## hanse up",
        "| `--port` | `8000` | Where to listen. |",
    ]


def test_a_missing_and_a_changed_page_are_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docgen, "PAGES", {name: ("hanse", lambda: "now") for name in ("a.md", "b.md", "c.md")})
    (tmp_path / "a.md").write_text("now", encoding="utf-8")
    (tmp_path / "b.md").write_text("before", encoding="utf-8")
    assert docgen.stale(tmp_path) == ["b.md", "c.md"]


def test_a_page_is_wanted_from_the_moment_its_part_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"a.md": ("hanse.kernel", lambda: "now"), "b.md": ("hanse.not_yet", lambda: "now")}
    monkeypatch.setattr(docgen, "PAGES", pages)
    assert docgen.stale(tmp_path) == ["a.md"]


def test_routes_are_listed_by_tag() -> None:
    post = {"tags": ["orders"], "summary": "Place an order"}
    document = {"paths": {"/api/orders": {"post": post, "parameters": []}, "/api/shops": {"get": {}}}}
    assert [line for line in application.routes(document) if line.startswith(("##", "| `"))] == [
        "## orders",
        "| `POST /api/orders` | Place an order |",
        "## other",
        "| `GET /api/shops` |  |",
    ]


class Settings(msgspec.Struct):
    """Two settings."""

    port: int = 8000
    """Where to listen."""
    data: str = "data"


def test_settings_are_listed_with_variable_default_and_explanation() -> None:
    assert application.settings_table(Settings)[2:] == [
        "| `HANSE_PORT` | `8000` | Where to listen. |",
        "| `HANSE_DATA` | `data` |  |",
    ]


def test_an_unknown_licence_stops_the_list(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    lock.write_text('{"packages": {"": {}, "node_modules/mystery": {"version": "1.0.0"}}}', encoding="utf-8")
    with pytest.raises(SystemExit, match="The licence of mystery is unknown"):
        third_party.npm_licences(lock)

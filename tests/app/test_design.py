"""The look holds together: contrast, names that lead somewhere, pages that a strict policy lets live."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hanse.app import design, templating

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend" / "src"
TEMPLATES = sorted(templating.TEMPLATES.rglob("*.html"))
COLOUR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
NOW = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)

TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in COLOUR.findall((FRONTEND / "styles" / "tokens.css").read_text())
}


class AnyName(dict[str, str]):
    """A manifest in which every file is built."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return name


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Browser files as if built, so that these tests need no Node."""
    (tmp_path / "icons.svg").write_text('<svg><symbol id="check"></symbol></svg>')
    monkeypatch.setattr(templating, "_manifest", AnyName)
    monkeypatch.setattr(design, "BUILT", tmp_path)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), design.PAIRS)
def test_what_stands_on_each_other_can_be_read(ink: str, ground: str, least: float, theme: str) -> None:
    assert contrast(TOKENS[ink][theme], TOKENS[ground][theme]) >= least


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_the_living_page_shows_every_colour() -> None:
    shown = [name for names in design.COLOURS.values() for name in names]
    assert sorted(shown) == sorted(TOKENS)


def test_every_picture_key_is_drawn() -> None:
    assert sorted(design.PICTURES) == sorted(path.stem for path in (FRONTEND / "pictures").glob("*.svg"))


def test_drawings_use_only_the_colours_of_the_house() -> None:
    for path in (FRONTEND / "pictures").glob("*.svg"):
        used = re.findall(r'(?:fill|stroke)="([^"]+)"', path.read_text())
        assert all(re.fullmatch(r"var\(--draw-\w+\)", colour) for colour in used), path.name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_icon_named_in_a_template_is_in_the_sprite(path: Path) -> None:
    known = set(json.loads((FRONTEND / "icons.json").read_text()))
    named = re.findall(r'icon(?:_button)?\("([\w-]+)"|icon_name="([\w-]+)"|"icon": "([\w-]+)"', path.read_text())
    assert {name for found in named for name in found if name} <= known


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_template_needs_what_the_policy_forbids(path: Path) -> None:
    text = path.read_text()
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "unsafe" not in templating.CONTENT_SECURITY_POLICY


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("seat", ["shopper", "shop", "league", None])
def test_the_living_page_renders_for_every_seat_and_language(locale: str, seat: templating.Seat | None) -> None:
    page = templating.Page(path="/design", seat=seat, demo=True)
    html = templating.render("design.html", locale, zone="Europe/Helsinki", page=page, **design.context(NOW))
    assert f'<html lang="{locale}">' in html
    assert ids(html) == sorted(set(ids(html)))
    assert set(re.findall(r'(?:for|aria-controls|aria-labelledby|aria-describedby)="([\w-]+)"', html)) <= set(ids(html))


@pytest.mark.usefixtures("built")
def test_values_are_escaped() -> None:
    html = templating.render_macro("components/display.html", "badge", "en", "<b>&")
    assert "&lt;b&gt;&amp;" in html


@pytest.mark.usefixtures("built")
def test_data_for_scripts_cannot_leave_its_attribute() -> None:
    point = {"id": "a", "lon": 1, "lat": 2, "label": "\"'><script>"}
    html = templating.render_macro("components/figures.html", "map", "en", [point], "Map")
    assert "<script" not in html
    assert html.count('"') % 2 == 0


@pytest.mark.usefixtures("built")
def test_a_price_stands_with_its_unit_price() -> None:
    html = templating.render_macro("components/display.html", "price", "de", 349, "EUR", (750, "g"))
    assert "3,49\xa0€" in html
    assert "4,65\xa0€ / kg" in html


def test_a_missing_build_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templating, "_manifest", dict)
    with pytest.raises(LookupError, match=r"frontend/build\.py"):
        templating.asset("app.js")


def test_a_sparkline_runs_from_edge_to_edge() -> None:
    assert templating.sparkline_points([0, 5, 10]) == "0.0,30.0 48.0,16.0 96.0,2.0"
    assert templating.sparkline_points([7]) == "0.0,30.0"


def test_every_asset_named_in_a_template_is_built() -> None:
    manifest = templating.BUILT / "manifest.json"
    if not manifest.exists():
        pytest.skip("the browser files are not built")
    names = {name for path in TEMPLATES for name in re.findall(r"asset\('([^']+)'\)", path.read_text())}
    assert names <= set(json.loads(manifest.read_text()))


def ids(html: str) -> list[str]:
    return sorted(re.findall(r'\sid="([^"]+)"', html))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours after WCAG 2.2, 1–21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""Every page at phone and desktop width, light and dark, in both languages: nothing scrolls sideways, all is named."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow

PAGES = {
    "": ("/", "/browse", "/terms", "/design"),
    "shopper": (
        "/",
        "/browse?q=milk",
        "/products/prd_1",
        "/shops/shp_1",
        "/basket",
        "/orders",
        "/account",
    ),
    "shop": ("/shop", "/shop/stock", "/shop/money", "/shop/choose"),
    "league": ("/league", "/league/journal", "/league/shops", "/league/decisions", "/league/stories/shp_1"),
}

# What a screen reader needs: names for all that can be used, one language, one first heading, no id twice.
NAMELESS = """() => {
  const found = [];
  const say = (what, e) => found.push(what + ": " + e.outerHTML.slice(0, 120));
  const name = (e) => (e.getAttribute("aria-label") || e.textContent || e.title || "").trim()
    || [...e.querySelectorAll("[aria-label]")].map((x) => x.getAttribute("aria-label")).join("");
  for (const e of document.querySelectorAll("a[href], button"))
    if (!name(e) && e.offsetParent) say("no name", e);
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!e.labels?.length && !e.getAttribute("aria-label")) say("no label", e);
  for (const e of document.querySelectorAll("img, svg[role=img]"))
    if (e.getAttribute("alt") === null && !e.getAttribute("aria-label")) say("no text", e);
  for (const e of document.querySelectorAll("[tabindex]"))
    if (Number(e.getAttribute("tabindex")) > 0) say("tab order", e);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) found.push("id twice: " + id);
  if (!document.documentElement.lang) found.push("no language");
  if (document.querySelectorAll("h1").length !== 1) found.push("not one first heading");
  if (document.querySelectorAll("main").length !== 1) found.push("no main part");
  return found;
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(
    ("viewport", "theme", "locale"),
    [(PHONE, "light", "de-DE"), (PHONE, "dark", "en-GB"), (DESKTOP, "light", "en-GB"), (DESKTOP, "dark", "de-DE")],
    ids=["phone-light-de", "phone-dark-en", "desktop-light-en", "desktop-dark-de"],
)
def test_every_page_fits_and_is_named(
    opens: Callable[..., Any], server: str, complaints: list[str], viewport: dict[str, int], theme: str, locale: str
) -> None:
    page = opens(viewport, color_scheme=theme, locale=locale)
    faults: list[str] = []
    for seat, paths in PAGES.items():
        if seat:
            ids = {"shopper": "per_ada", "shop": "shp_1"}
            headers = {"Origin": server}
            page.request.post("/seat", form={"seat": seat, "id": ids.get(seat, "")}, headers=headers, max_redirects=0)
        for path in paths:
            page.goto(path)
            faults += [f"{seat} {path}: {fault}" for fault in page.evaluate(NAMELESS)]
            beyond = page.evaluate(SIDEWAYS)
            faults += [f"{seat} {path}: {beyond} px too wide"] if beyond else []
    assert faults == []
    assert complaints == []

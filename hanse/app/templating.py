"""Pages from templates: one Jinja environment per language and zone, with the house's formats and assets.

Nothing here knows of HTTP: a page is text made from values, and can be tested as such. The server must send
`CONTENT_SECURITY_POLICY` with every page, and the files under ``static/built/`` with a year's cache: their
names change with their content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hanse.app import i18n

TEMPLATES = Path(__file__).parent / "templates"
BUILT = Path(__file__).parent / "static" / "built"
BUILT_URL = "/static/built/"

# What is drawn for a kind of goods where there is no picture; frontend/src/pictures/ has a file for each.
PICTURES = (
    "alcohol", "baby", "bread", "cake", "canned", "care", "cereal", "cheese", "coffee", "dairy", "deli", "drink",
    "fish", "flowers", "frozen", "fruit", "household", "meat", "other", "paper", "pet", "snack", "spice", "sweets",
    "vegetable",
)  # fmt: skip

# Strict, because no page has an inline script or style, and nothing comes from another host. data: is for the
# images inside the map library's sheet; the map's worker is a file of ours, so no blob: worker is needed.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

Seat = Literal["shopper", "shop", "league"]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What the frame around every page needs to know."""

    path: str = "/"
    """The page's own address, to come back to after a choice of language."""
    seat: Seat | None = None
    theme: Literal["auto", "light", "dark"] = "auto"
    """The cookie ``hanse_theme``."""
    section: str = ""
    """Which entry of the seat's navigation is the current one."""
    place: str = ""
    """Where the person shops, e.g. a street or a quarter."""
    query: str = ""
    basket_count: int = 0
    demo: bool = False


def render(template: str, locale: str, *, zone: str = "UTC", page: Page | None = None, **context: Any) -> str:
    """Render a template in a language, with times in the district's zone."""
    return environment(locale, zone).get_template(template).render(page=page or Page(), **context)


def render_macro(template: str, macro: str, locale: str, *args: Any, zone: str = "UTC", **kwargs: Any) -> Markup:
    """Render one component alone, e.g. the fragment that a stream sends."""
    module = environment(locale, zone).get_template(template).module
    # A macro's output is escaped already.
    return Markup(getattr(module, macro)(*args, **kwargs))


@lru_cache(maxsize=64)
def environment(locale: str, zone: str = "UTC") -> Environment:
    """The Jinja environment of one language and zone."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(
        locale=locale,
        zone=zone,
        locales=i18n.LOCALES,
        asset=asset,
        unit_price=i18n.unit_price,
        sparkline_points=sparkline_points,
        drawn=drawn,
        named=lambda thing: thing.german if locale == "de" else thing.english,
    )
    made.filters.update(
        money=lambda minor, currency: i18n.money(minor, currency, locale),
        number=lambda value, decimals=None: i18n.number(value, locale, decimals),
        rate=lambda basis_points: i18n.rate(basis_points, locale),
        percent=lambda share: i18n.percent(share, locale),
        quantity=lambda amount, unit: i18n.quantity(amount, unit, locale),
        span=lambda seconds: i18n.span(seconds, locale),
        ago=lambda at, now: i18n.ago(at, now, locale),
        clock=lambda at, seconds=False: i18n.clock(at, zone, locale, seconds),
        day=lambda at: i18n.day(at, zone, locale),
        moment=lambda at: i18n.moment(at, zone, locale),
    )
    return made


def drawn(key: str) -> str:
    """The drawing for a kind of goods: its own, or that of all other things; an address of a picture stays."""
    return key if key.startswith("/") or key in PICTURES else "other"


def asset(name: str) -> str:
    """The address of a built file, e.g. ``asset("app.js")``; its name carries a hash of the content."""
    names = _manifest()
    if name not in names:
        raise LookupError(f"No built file {name!r}: run `python frontend/build.py`")
    return BUILT_URL + names[name]


@lru_cache(maxsize=1)
def _manifest() -> Mapping[str, str]:
    try:
        names: dict[str, str] = json.loads((BUILT / "manifest.json").read_text())
    except FileNotFoundError:
        raise LookupError("The browser files are not built: run `python frontend/build.py`") from None
    return names


def sparkline_points(values: list[float], width: int = 96, height: int = 32) -> str:
    """The points of a polyline through the values, from the lowest at the bottom to the highest at the top."""
    low, high = min(values), max(values)
    step = width / max(1, len(values) - 1)
    rise = (height - 4) / ((high - low) or 1)
    return " ".join(f"{i * step:.1f},{height - 2 - (v - low) * rise:.1f}" for i, v in enumerate(values))

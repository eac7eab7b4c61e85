"""The checked tables in ``tables/``, read as they are: one struct per row."""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import msgspec

from hanse.world.demo.scenario import Category, Department

__all__ = [
    "Good",
    "Range",
    "Variant",
    "categories",
    "departments",
    "goods",
    "measures",
    "names",
    "ranges",
    "real_brands",
    "unbranded",
    "variants",
]


class Good(msgspec.Struct, frozen=True):
    """What a raw pair of category and type is called in a shop.

    Without a title of its own a good is named by its variants. `usual_size` (``500g``, ``6x330ml``, ``1pc``) is
    taken where the source has no size.
    """

    product_category: str
    product_type: str
    category: str
    english: str
    german: str
    variants: str
    usual_size: str


class Variant(msgspec.Struct, frozen=True):
    """A flavour, a cut, a colour: invented, because the source does not tell."""

    english: str
    german: str


class Range(msgspec.Struct, frozen=True):
    """Of a department or category, the share (0 to 1) of articles that a kind of shop carries, best-selling first."""

    kind: str
    part: str
    carried_share: float


@cache
def goods() -> tuple[Good, ...]:
    """All goods, sorted by their raw names."""
    return tuple(Good(**row) for row in _rows("goods"))


@cache
def variants() -> dict[str, tuple[Variant, ...]]:
    """Each set of variants by its name."""
    sets: dict[str, list[Variant]] = {}
    for row in _rows("variants"):
        sets.setdefault(row["variants"], []).append(Variant(row["english"], row["german"]))
    return {name: tuple(members) for name, members in sets.items()}


@cache
def departments() -> tuple[Department, ...]:
    """The upper level of the category tree, in the order shown."""
    return tuple(Department(row["slug"], row["english"], row["german"], row["picture"]) for row in _rows("departments"))


@cache
def categories() -> tuple[Category, ...]:
    """The lower level of the category tree, in the order shown."""
    return tuple(
        Category(
            key=row["slug"],
            department=row["department"],
            english=row["english"],
            german=row["german"],
            picture=row["picture"],
            vat_bp=int(row["vat_bp"]),
            allergens=tuple(row["allergens"].split(";")) if row["allergens"] else (),
        )
        for row in _rows("categories")
    )


@cache
def measures() -> dict[str, str]:
    """How goods of a category are measured: ``g``, ``ml`` or ``pc``."""
    return {row["slug"]: row["measure"] for row in _rows("categories")}


@cache
def unbranded() -> frozenset[str]:
    """Categories sold loose, without a brand."""
    return frozenset(row["slug"] for row in _rows("categories") if row["branded"] == "0")


@cache
def ranges() -> tuple[Range, ...]:
    """Which kind of shop carries how much of which part of the tree."""
    return tuple(Range(row["kind"], row["part"], float(row["carried_share"])) for row in _rows("ranges"))


@cache
def names(part: str) -> tuple[str, ...]:
    """Invented people's names: ``given`` or ``family``."""
    return tuple(row["name"] for row in _rows("names") if row["part"] == part)


@cache
def real_brands() -> frozenset[str]:
    """Well-known brands in small letters, which no invented brand may be called."""
    return frozenset(row["brand"].casefold() for row in _rows("real_brands"))


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("hanse.world.demo") / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    return iter(csv.DictReader(text.splitlines()))

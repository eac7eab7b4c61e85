"""Reading a shop's files: CSV as spreadsheets write it, or JSON; every fault with its line.

====================  ==========================================================================
column                what it holds (other names that are understood)
====================  ==========================================================================
``gtin``              article number of 8, 12, 13 or 14 digits (ean, barcode)
``product_id``        instead of the GTIN, for what is in the catalogue already
``title``             title in English; lists the product (title_en, name)
``title_de``          title in German (titel, bezeichnung); where one is missing, the other stands for both
``brand``             (marke)
``size``              such as ``1.5 l``, ``500 g``, ``6 pc``; one piece where it is missing (inhalt)
``category``          key of the category (kategorie)
``vat``               percent, such as ``13.5`` or ``13,5`` (vat_percent, mwst)
``allergens``         codes, separated by spaces
``picture``           name of the picture
``price``             gross, such as ``2.99`` or ``2,99``; 0 takes the offer off (preis)
``units``             stock units in one piece; 1 where it is missing
``on_hand``           units on the shelf (stock, bestand)
====================  ==========================================================================

A row lists a product if it has a title, sets an offer if it has a price, counts stock if it has an
`on_hand`; so products, offers and stock may be one file or three. Semicolon, comma or tab; UTF-8 or
Latin-1; decimal comma or point: found out by looking.
"""

import csv
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from io import StringIO
from pathlib import Path

import msgspec

from hanse.kernel.errors import InvalidInput
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.money import AMOUNT_MAX_MINOR, minor_digits
from hanse.kernel.quantity import Quantity, Unit

__all__ = ["COLUMNS", "Fault", "Row", "gtin_holds", "read"]

FILE_MAX = 200_000_000
TEXT_MAX = 300
UNITS_MAX = 1_000_000

_ALIASES = {
    "gtin": ("ean", "barcode"), "product_id": (), "title": ("title_en", "name"), "title_de": ("titel", "bezeichnung"),
    "brand": ("marke",), "size": ("inhalt",), "category": ("kategorie",), "vat": ("vat_percent", "mwst"),
    "allergens": (), "picture": (), "price": ("preis",), "units": (), "on_hand": ("stock", "bestand"),
}  # fmt: skip
COLUMNS = {name: column for column, others in _ALIASES.items() for name in (column, *others)}
"""Every name that is understood, with the column that it means."""

_SIZE = re.compile(r"(?P<amount>\d+(?:[.,]\d+)?)\s*(?P<unit>kg|g|l|cl|dl|ml|pc|pcs|st|stk|kpl)\.?", re.IGNORECASE)
_SIZE_UNITS: dict[str, tuple[Unit, int]] = {
    "g": ("g", 1), "kg": ("g", 1_000), "ml": ("ml", 1), "cl": ("ml", 10), "dl": ("ml", 100), "l": ("ml", 1_000),
    "pc": ("pc", 1), "pcs": ("pc", 1), "st": ("pc", 1), "stk": ("pc", 1), "kpl": ("pc", 1),
}  # fmt: skip


_BEYOND = "cells beyond the head"
"""Stands for a column that the head does not name: a separator too many, most likely."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong where."""

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        """As compilers say it: file, line, column, sentence."""
        return f"{self.file}:{self.line}: {self.column}: {self.message}"


class Row(msgspec.Struct, frozen=True):
    """A row that holds together by itself. None: the row does not speak of it."""

    file: str
    line: int
    gtin: str = ""
    product_id: str = ""
    title: str = ""
    title_de: str = ""
    brand: str = ""
    size: Quantity = Quantity(1)
    category: str = ""
    vat_bp: int | None = None
    allergens: tuple[str, ...] = ()
    picture: str = ""
    price_minor: int | None = None
    units: int = 1
    on_hand: int | None = None

    def fault(self, column: str, message: str) -> Fault:
        """Something that is wrong with this row."""
        return Fault(self.file, self.line, column, message)


class _Bad(Exception):
    pass


def read(path: Path, *, currency: str) -> tuple[list[Row], list[Fault], list[str]]:
    """The rows of a file that hold together, the faults of the others, and the columns that nobody knows.

    Raises
    ------
    InvalidInput
        The file as a whole can't be read as CSV or JSON, or has no column that is understood.
    """
    if not path.is_file():
        raise InvalidInput("app.no_file", f"There is no file {path}.", field="files")
    if path.stat().st_size > FILE_MAX:
        raise InvalidInput("app.file_too_large", f"Split {path}: at most {FILE_MAX // 10**6} MB a file.", field="files")
    text = _text(path.read_bytes())
    cells = list(_json_rows(text, path) if path.suffix.lower() == ".json" else _csv_rows(text))
    names = {name for _, row in cells for name in row}
    if not names & COLUMNS.keys():
        raise InvalidInput("app.no_columns", f"{path} names none of the columns: {', '.join(_ALIASES)}.", field="files")
    rows: list[Row] = []
    faults: list[Fault] = []
    for line, named in cells:
        if _BEYOND in named:
            faults.append(
                Fault(path.name, line, _BEYOND, f"{named[_BEYOND]} cells are more than the head names; quote the text")
            )
            continue
        known = {COLUMNS[name]: cell for name, cell in named.items() if name in COLUMNS and cell}
        if "title_de" in known:
            known.setdefault("title", known["title_de"])
        row, wrong = _row(path.name, line, known, currency)
        faults += wrong
        if row is not None:
            rows.append(row)
    return rows, faults, sorted(names - COLUMNS.keys() - {"", _BEYOND})


def gtin_holds(gtin: str) -> bool:
    """Whether a GTIN-8, -12, -13 or -14 ends with its check digit (GS1: weights 3 and 1 from the right).

    Examples
    --------
    >>> gtin_holds("4006381333931"), gtin_holds("4006381333932")
    (True, False)
    """
    if len(gtin) not in (8, 12, 13, 14) or not (gtin.isascii() and gtin.isdecimal()):
        return False
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(gtin)))
    return total % 10 == 0


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Windows' Latin-1; its five empty places are replaced.
        return body.decode("cp1252", errors="replace")


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    head = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=max(";\t,", key=head.count))
    header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
    began = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            named = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            yield began, named | ({_BEYOND: str(len(cells))} if len(cells) > len(header) else {})
        began = reader.line_num + 1


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Objects of the array at the top, each with the line where it begins."""
    decoder, blank = json.JSONDecoder(parse_float=str, parse_int=str), re.compile(r"[\s,]*")
    at = len(text) - len(text.lstrip())
    if not text[at : at + 1] == "[":
        raise InvalidInput("app.bad_json", f"{path} has to be a JSON array of objects, one a row.", field="files")
    at = blank.match(text, at + 1).end()  # type: ignore[union-attr]
    while text[at : at + 1] not in ("]", ""):
        line = text.count("\n", 0, at) + 1
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise InvalidInput("app.bad_json", f"{path}:{error.lineno}: {error.msg}.", field="files") from error
        if not isinstance(value, dict):
            raise InvalidInput("app.bad_json", f"{path}:{line}: a row has to be an object.", field="files")
        yield line, {str(name).lower(): _cell(cell) for name, cell in value.items()}
        at = blank.match(text, end).end()  # type: ignore[union-attr]


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return "" if value is None else str(value).strip()


def _row(file: str, line: int, cells: dict[str, str], currency: str) -> tuple[Row | None, list[Fault]]:
    """A row, or what is wrong with it; all of it at once, so that a file is corrected in one go."""
    found: dict[str, object] = {}
    faults = []
    for column, cell in cells.items():
        try:
            name, value = _value(column, cell, currency)
            found[name] = value
        except _Bad as bad:
            faults.append(Fault(file, line, column, str(bad)))
    if not cells.keys() & {"gtin", "product_id"}:
        faults.append(Fault(file, line, "gtin", "name the product by its GTIN or product_id"))
    if "title" in cells:
        faults += [
            Fault(file, line, needed, "a product needs this") for needed in ("vat", "category") if needed not in cells
        ]
    return (None, faults) if faults else (msgspec.convert({"file": file, "line": line, **found}, Row), [])


def _value(column: str, cell: str, currency: str) -> tuple[str, object]:
    match column:
        case "gtin":
            gtin = cell.replace(" ", "")
            if not gtin_holds(gtin):
                raise _Bad(f"“{cell}” is no GTIN: 8, 12, 13 or 14 digits, the last one the check digit")
            return "gtin", gtin
        case "price":
            return "price_minor", _scaled(cell, minor_digits(currency), AMOUNT_MAX_MINOR, "an amount such as 2.99")
        case "vat":
            return "vat_bp", _scaled(cell.removesuffix("%").strip(), 2, 9_999, "percent such as 13.5")
        case "on_hand":
            return "on_hand", _scaled(cell, 0, 10**9, "a whole number")
        case "units":
            units = _scaled(cell, 0, UNITS_MAX, "a whole number")
            if units == 0:
                raise _Bad("a piece takes at least one unit of the stock")
            return "units", units
        case "size":
            return "size", _size(cell)
        case "allergens":
            return "allergens", tuple(cell.replace(",", " ").replace(";", " ").split())
        case "product_id":
            if not re.fullmatch(r"prd_[0-9a-z]+", cell) or len(cell) > ID_LENGTH_MAX:
                raise _Bad("an id begins with prd_ and has small letters and digits")
    if len(cell) > TEXT_MAX or not cell.isprintable():
        raise _Bad(f"at most {TEXT_MAX} printable characters")
    return column, cell


def _scaled(cell: str, digits: int, most: int, wanted: str) -> int:
    """A number that is not negative, times ten to the power of `digits`; exactly, or not at all."""
    plain = cell.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    # The last of the two marks is the decimal one; the other separates thousands.
    if "," in plain:
        plain = (
            plain.replace(",", "") if plain.rfind(".") > plain.rfind(",") else plain.replace(".", "").replace(",", ".")
        )
    try:
        scaled = Decimal(plain).scaleb(digits)
    except InvalidOperation:
        raise _Bad(f"“{cell}” is not {wanted}") from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or not 0 <= scaled <= most:
        raise _Bad(f"“{cell}” is not {wanted}")
    return int(scaled)


def _size(cell: str) -> Quantity:
    match = _SIZE.fullmatch(cell)
    if match is None:
        raise _Bad(f"“{cell}” is no size such as 1.5 l, 500 g, 6 pc")
    unit, times = _SIZE_UNITS[match["unit"].lower()]
    value = Decimal(match["amount"].replace(",", ".")) * times
    if value != value.to_integral_value() or not 0 < value <= 10**9:
        raise _Bad(f"“{cell}” is not a whole number of {unit}")
    return Quantity(int(value), unit)

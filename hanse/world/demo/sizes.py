"""American package sizes in metric: ``2 LITER``, ``10/6.75 OZ``, ``8 1/2 OZ`` become millilitres, grams or pieces.

Ounces weigh or fill, depending on the goods. Fluids keep the exact figure below a litre (355 ml), as imported goods
do; weights are rounded as a shop would print them (450 g).
"""

import re

import msgspec

__all__ = ["NO_SIZE", "Size", "label", "metric", "usual"]

_ML = {"OZ": 29.5735, "PT": 473.176, "QT": 946.353, "GA": 3785.41, "L": 1000.0, "ML": 1.0}
_G = {"OZ": 28.3495, "LB": 453.592, "G": 1.0, "KG": 1000.0}
_PC = {"CT": 1, "DZ": 12, "STEM": 1, "PC": 1, "PK": 1}
_UNITS = {
    "OZ": "OZ", "Z": "OZ", "LB": "LB", "LBS": "LB", "GA": "GA", "GAL": "GA", "GALON": "GA", "GALLON": "GA",
    "QT": "QT", "PT": "PT", "L": "L", "LT": "L", "LTR": "L", "LITER": "L", "ML": "ML", "G": "G", "GM": "G", "GR": "G",
    "KG": "KG", "CT": "CT", "CNT": "CT", "PK": "PK", "PKS": "PK", "DZ": "DZ", "DOZ": "DZ", "STEM": "STEM", "PC": "PC",
}  # fmt: skip
_FIGURE = r"(?:\d+\s+\d/\d|[1357]/[248](?=\s)|\d*\.\d+|\d+)"
_PART = re.compile(rf"({_FIGURE})?[\s-]*([A-Z]+)")
_SAYS_NOTHING = re.compile(r"\b(?:FL|NET|REC)\b|\(\d+\)")
_OF_EACH = re.compile(r"(\d+)(?:\s*PKS?\s*/?\s*|\s*[/-]\s*(?=[\d.])|\s+(?=\d+(?:\.\d+)?\s*OZ))(.+)")
_COUNTS = (2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 28, 30, 32, 35, 36, 40, 48)
_BOTTLES_OZ = (16.9, 12.0, 8.0)
_MULTIPACK_FROM_OZ = 100
_GALLON_OZ = 128
_LITRES = (1000, 1500, 2000, 3000, 5000)
_LARGEST = {"ml": 20_000, "g": 25_000, "pc": 600}


class Size(msgspec.Struct, frozen=True, gc=False):
    """`count` packs of `value` ``ml``, ``g`` or ``pc`` each; a value of 0 is no size."""

    count: int
    value: int
    unit: str


NO_SIZE = Size(1, 0, "pc")


def metric(raw: str | None, measure: str) -> Size:
    """The metric size for a raw one; `NO_SIZE` if it says nothing usable.

    Parameters
    ----------
    raw
        As in the source: ``12 OZ``, ``6 PK/8 OZ``, ``40 CT``.
    measure
        How the goods are measured: ``ml``, ``g`` or ``pc``; decides what an ounce is. Pieces are only ever counted,
        because the ounces of a cup or a bag are what it holds.

    Examples
    --------
    >>> metric("2 L", "ml")
    Size(count=1, value=2000, unit='ml')
    >>> metric("10/6.75 OZ", "ml")
    Size(count=10, value=200, unit='ml')
    """
    text = _SAYS_NOTHING.sub("", (raw or "").upper()).replace("HALF GAL", ".5 GAL").strip()
    each = _OF_EACH.fullmatch(text)
    if each and measure != "pc" and int(each[1]) in _COUNTS and not re.match(r"[1357]/[248]\s", text):
        inner = _single(each[2], measure)
        if inner.value and inner.count == 1 and inner.unit != "pc":
            return _within(Size(int(each[1]), inner.value, inner.unit))
    return _within(_single(text, measure))


def usual(text: str) -> Size:
    """A size as the tables write it: ``500g``, ``6x330ml``, ``1pc``."""
    match = re.fullmatch(r"(?:(\d+)x)?(\d+)(kg|g|ml|l|pc)", text)
    if not match:
        return NO_SIZE
    value, unit = int(match[2]), match[3]
    if unit in ("kg", "l"):
        value, unit = value * 1000, "g" if unit == "kg" else "ml"
    return Size(int(match[1] or 1), value, unit)


def label(count: int, value: int, unit: str, *, german: bool = False) -> str:
    """The size as printed on a shelf: ``6 × 330 ml``, ``1.89 l``, ``12 pcs``; nothing for one piece.

    Examples
    --------
    >>> label(1, 1890, "ml"), label(1, 1890, "ml", german=True), label(12, 355, "ml"), label(1, 1, "pc")
    ('1.89 l', '1,89 l', '12 × 355 ml', '')
    """
    if not value or (unit == "pc" and count * value == 1):
        return ""
    if unit == "pc":
        text = f"{value} {'St.' if german else 'pcs'}"
    elif value >= 1000:
        figure = f"{value / 1000:.2f}".rstrip("0").rstrip(".")
        text = f"{figure.replace('.', ',') if german else figure} {'kg' if unit == 'g' else 'l'}"
    else:
        text = f"{value} {unit}"
    return f"{count} × {text}" if count > 1 else text


def _single(text: str, measure: str) -> Size:
    """The part of the text that fits the measure; ``16 OZ/6 PK`` of a drink is six of them."""
    parts = [(_number(figure), _UNITS[unit]) for figure, unit in _PART.findall(text) if unit in _UNITS]
    sizes = [(unit, _size(figure, unit, measure)) for figure, unit in parts]
    fitting = [(unit, size) for unit, size in sizes if size.value and size.unit == measure]
    if measure == "ml" and fitting and (packs := [figure for figure, unit in parts if unit == "PK"]):
        return Size(max(1, round(packs[0])), fitting[0][1].value, "ml")
    if fitting:
        return fitting[0][1]
    # A pack of packs says nothing of a fluid, and what a cup or a bag holds nothing of its own size.
    others = [size for unit, size in sizes if size.value and not (measure == "ml" and unit == "PK")]
    return others[0] if others and measure != "pc" else NO_SIZE


def _number(text: str) -> float:
    """``2``, ``.5``, ``3/4`` and ``8 1/2``; one if there is no figure."""
    if not text:
        return 1.0
    *whole, last = text.split()
    upper, _, lower = last.partition("/")
    return sum(map(int, whole)) + float(upper) / float(lower or 1)


def _size(figure: float, unit: str, measure: str) -> Size:
    if unit in _PC:
        return Size(1, round(figure), "pc") if unit != "DZ" else Size(1, round(figure * 12), "pc")
    if unit == "OZ" and measure == "ml" and figure >= _MULTIPACK_FROM_OZ and figure != _GALLON_OZ:
        for bottle in _BOTTLES_OZ:
            count = round(figure / bottle)
            if count in _COUNTS and abs(count * bottle - figure) < 0.5:
                return Size(count, _round_ml(bottle * _ML["OZ"]), "ml")
    if unit in _ML and (measure == "ml" or unit not in _G):
        return Size(1, _round_ml(figure * _ML[unit]), "ml")
    if unit in _G and not (measure == "ml" and unit == "LB"):
        return Size(1, _round_g(figure * _G[unit]), "g")
    return NO_SIZE


def _round_ml(value: float) -> int:
    """To the millilitre, above a litre to ten; nearly whole litres are whole ones."""
    for litres in _LITRES:
        if abs(value - litres) < litres * 0.012:
            return litres
    return round(value) if value < 1000 else round(value / 10) * 10


def _round_g(value: float) -> int:
    step = 1 if value < 20 else 5 if value < 100 else 10 if value < 1000 else 50 if value < 5000 else 100
    return round(value / step) * step


def _within(size: Size) -> Size:
    return size if 0 < size.value * size.count <= _LARGEST[size.unit] else NO_SIZE

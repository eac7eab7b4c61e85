"""Quantities: a whole number of pieces, grams or millilitres."""

from typing import Literal

import msgspec

from hanse.kernel.errors import InvalidInput

__all__ = ["PIECES_MAX", "UNITS_MAX", "Quantity", "Unit", "check_pieces", "reference_price"]

Unit = Literal["pc", "g", "ml"]

PIECES_MAX = 10_000
"""More of one thing in one order line is a mistake or an attack, not shopping."""

UNITS_MAX = 10**9
"""No count of stock, and no piece, may come to more units: sums of them fit a signed 64-bit integer."""


class Quantity(msgspec.Struct, frozen=True, gc=False):
    """How much: `value` whole `unit`s (pieces, grams or millilitres)."""

    value: int
    unit: Unit = "pc"


def check_pieces(pieces: int, field: str = "quantity") -> int:
    """Give an order line's quantity back if it lies in 1…10,000; raise `InvalidInput` otherwise."""
    if 0 < pieces <= PIECES_MAX:
        return pieces
    raise InvalidInput("kernel.bad_quantity", f"Order between 1 and {PIECES_MAX} pieces.", field=field, value=pieces)


def reference_price(price_minor: int, size: Quantity) -> tuple[int, str] | None:
    """The price per kilogram or litre that EU Directive 98/6/EC asks for, or None for pieces.

    Examples
    --------
    >>> reference_price(199, Quantity(500, "g"))
    (398, 'kg')
    """
    if size.unit == "pc" or size.value <= 0:
        return None
    return (price_minor * 1_000 + size.value // 2) // size.value, "kg" if size.unit == "g" else "l"

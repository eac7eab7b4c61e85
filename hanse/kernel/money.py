"""Exact money: integer minor units of an ISO 4217 currency. There is no float anywhere.

Amounts travel as plain `int` fields named `…_minor`; the currency is declared once, by the account
or the district. Shares and rates are basis points (1/100 of a percent): 2,550 is 25.5 %.
"""

from collections.abc import Sequence

from hanse.kernel.errors import InvalidInput, must

__all__ = [
    "AMOUNT_MAX_MINOR",
    "RATE_ONE_BP",
    "check_currency",
    "included_tax",
    "minor_digits",
    "minor_of",
    "share",
    "split",
]

RATE_ONE_BP = 10_000
"""The whole, in basis points."""

AMOUNT_MAX_MINOR = 10**15
"""No amount may be larger: sums of nine thousand of them still fit a signed 64-bit integer of SQL or MessagePack."""

# ISO 4217 currencies whose minor unit is not 1/100; all others that we accept have two digits.
_DIGITS = {"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}


def check_currency(currency: str) -> str:
    """Give the code back if it has the form of an ISO 4217 code; raise `InvalidInput` otherwise."""
    if len(currency) != 3 or not currency.isascii() or not currency.isupper() or not currency.isalpha():
        raise InvalidInput(
            "kernel.bad_currency", "Name the currency by its ISO 4217 code, such as EUR.", field="currency"
        )
    return currency


def minor_digits(currency: str) -> int:
    """How many decimal digits the minor unit has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def minor_of(text: str, currency: str, *, field: str = "amount") -> int:
    """An amount above zero as people write it, in minor units; raises `InvalidInput`, naming `field`.

    Examples
    --------
    >>> minor_of("3,49", "EUR"), minor_of("€ 3.5", "EUR"), minor_of("12", "JPY")
    (349, 350, 12)
    """
    digits = minor_digits(currency)
    whole, _, parts = text.replace(" ", "").replace("€", "").replace(",", ".").partition(".")
    fits = whole.isdecimal() and (parts.isdecimal() or not parts) and len(parts) <= digits and len(whole) <= 12
    amount_minor = int(whole) * 10**digits + int((parts or "0").ljust(digits, "0")) if fits else 0
    must(amount_minor > 0, "kernel.bad_amount", "Give an amount such as 3.49.", field=field)
    return amount_minor


def share(amount_minor: int, rate_bp: int) -> int:
    """`rate_bp` of an amount, half a minor unit rounded to even.

    Examples
    --------
    >>> share(1_000, 750)
    75
    >>> share(50, 100), share(150, 100)
    (0, 2)
    """
    whole, rest = divmod(2 * amount_minor * rate_bp + RATE_ONE_BP, 2 * RATE_ONE_BP)
    return whole - 1 if not rest and whole & 1 else whole


def included_tax(gross_minor: int, rate_bp: int) -> int:
    """The tax that a gross amount contains at a rate.

    Examples
    --------
    >>> included_tax(1_255, 2_550)
    255
    """
    net_and_tax_bp = RATE_ONE_BP + rate_bp
    whole, rest = divmod(2 * gross_minor * rate_bp + net_and_tax_bp, 2 * net_and_tax_bp)
    return whole - 1 if not rest and whole & 1 else whole


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by weights so that the parts sum to it exactly.

    Parameters
    ----------
    amount_minor
        May be negative.
    weights
        At least one, none negative, not all zero.

    Returns
    -------
    list of int
        One part a weight; the largest remainders get the odd minor units, the first of equals first.

    Examples
    --------
    >>> split(100, [1, 1, 1])
    [34, 33, 33]
    """
    total = sum(weights)
    must(total > 0 and min(weights) >= 0, "kernel.bad_weights", "Give weights that are not negative and not all zero.")
    parts = [amount_minor * weight // total for weight in weights]
    remainders = [amount_minor * weight % total for weight in weights]
    odd = amount_minor - sum(parts)
    for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:odd]:
        parts[index] += 1
    return parts

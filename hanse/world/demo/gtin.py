"""Article numbers of the in-store range: GS1 keeps the prefixes 20 to 29 for numbers that never leave a shop."""

from hanse.kernel.errors import must

__all__ = ["check_digit", "in_store"]

_PREFIX = "200"
_NUMBER_DIGITS = 9


def check_digit(first_twelve: str) -> str:
    """The thirteenth digit of a GTIN-13.

    References
    ----------
    GS1 General Specifications, section 7.9.1: digits weighted 1 and 3 alternately, up to the next ten.

    Examples
    --------
    >>> check_digit("400638133393")
    '1'
    """
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(first_twelve))
    return str(-total % 10)


def in_store(number: int) -> str:
    """The GTIN-13 of an article with this number, 0 to 999,999,999.

    Examples
    --------
    >>> in_store(1082185)
    '2000010821853'
    """
    must(0 <= number < 10**_NUMBER_DIGITS, "world.bad_article_number", "Give a number of at most nine digits.")
    first_twelve = f"{_PREFIX}{number:0{_NUMBER_DIGITS}d}"
    return first_twelve + check_digit(first_twelve)

"""The accounts of neighbours, and what is owed."""

from hanse.district.core import District
from hanse.finance.ledger.views import account

__all__ = ["BANK", "UNCLAIMED", "clearing_of", "owed_by_us", "owed_to_us"]

BANK = "league/bank"
"""What moved at a bank, outside: below zero what neighbours paid us, above zero what we paid them."""

UNCLAIMED = "league/unclaimed"
"""What came back for an order that nobody here remembers, or for a wallet that is full; a person finds the owner."""


def clearing_of(neighbour: str) -> str:
    """The account of what is owed between us and a neighbour: above zero we owe it, below it owes us."""
    return f"league/clearing/{neighbour}"


def owed_by_us(district: District, neighbour: str) -> int:
    """What we owe a neighbour if all that is set aside for it is taken; negative if it owes us."""
    of = account(district, clearing_of(neighbour))
    return of.balance_minor + of.incoming_minor


def owed_to_us(district: District, neighbour: str) -> int:
    """What a neighbour owes us if all that is set aside on its account is taken; negative if we owe it."""
    of = account(district, clearing_of(neighbour))
    return of.held_minor - of.balance_minor

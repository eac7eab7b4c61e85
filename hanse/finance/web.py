"""Routes of finance: wallets and accounts, now and at any past moment."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter, SkipValidation

from hanse.district.archive import ArchiveReader
from hanse.district.asking import Ask
from hanse.district.core import District
from hanse.finance.ledger.archive import balance_at
from hanse.finance.ledger.views import Account, Movement, account
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import sales_of, wallet_of
from hanse.journal.protocol import Journal
from hanse.kernel.errors import InvalidInput, must
from hanse.kernel.principal import Principal
from hanse.kernel.time import to_micros

__all__ = ["ROUTES", "TOP_UP_ROUTES"]

MOVEMENTS_MAX = 100
TOP_UP_MAX_MINOR = 1_000_00


class Statement(msgspec.Struct, frozen=True):
    """An account: `free_minor` can be spent now. The latest movements first; what came in is positive."""

    account_id: str
    currency: str
    balance_minor: int
    held_minor: int
    free_minor: int
    movements: tuple[Movement, ...]


class Balance(msgspec.Struct, frozen=True):
    """What stood in an account at a moment."""

    account_id: str
    currency: str
    balance_minor: int
    at: datetime


class TopUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money paid in from outside, in the district's currency."""

    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=TOP_UP_MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(min_length=3, max_length=3)]


At = Annotated[
    datetime, QueryParameter(name="at", description="A moment with its offset from UTC, such as 2026-11-22T09:00:00Z.")
]


@get("/api/wallet", roles=("shopper",), tags=["finance"], summary="Your wallet", sync_to_thread=False)
def get_wallet(district: NamedDependency[District], principal: NamedDependency[Principal]) -> Statement:
    """What is in your wallet, what is held for open orders, and the latest movements."""
    return _statement(account(district, wallet_of(principal.id)))


@get("/api/shop/account", roles=("shop",), tags=["finance"], summary="Your sales account", sync_to_thread=False)
def get_sales(district: NamedDependency[District], principal: NamedDependency[Principal]) -> Statement:
    """What your shop has sold and not yet drawn, and the latest movements."""
    return _statement(account(district, sales_of(principal.id)))


@get("/api/wallet/balance", roles=("shopper",), tags=["finance"], summary="Your wallet at a past moment")
async def get_wallet_balance(
    district: NamedDependency[District],
    archive: NamedDependency[ArchiveReader],
    journal: NamedDependency[SkipValidation[Journal]],
    principal: NamedDependency[Principal],
    at: At,
) -> Balance:
    """What was in your wallet at a moment."""
    return await _balance(district, archive, journal, wallet_of(principal.id), at)


@get("/api/shop/account/balance", roles=("shop",), tags=["finance"], summary="Your account at a past moment")
async def get_sales_balance(
    district: NamedDependency[District],
    archive: NamedDependency[ArchiveReader],
    journal: NamedDependency[SkipValidation[Journal]],
    principal: NamedDependency[Principal],
    at: At,
) -> Balance:
    """What stood in your sales account at a moment."""
    return await _balance(district, archive, journal, sales_of(principal.id), at)


@post("/api/wallet/top-up", roles=("shopper",), tags=["demo"], summary="Fill your wallet", status_code=200)
async def top_up(ask: NamedDependency[Ask], data: JSONBody[TopUp]) -> Statement:
    """Put play money into your wallet; only in a demonstration."""
    must(
        data.currency == ask.district.currency,
        "finance.other_currency",
        f"Pay in {ask.district.currency}.",
        field="$.currency",
    )
    await ask.run(payments.top_up, ask.caller, data.amount_minor)
    return _statement(account(ask.district, wallet_of(ask.caller)))


ROUTES = (get_wallet, get_sales, get_wallet_balance, get_sales_balance)
TOP_UP_ROUTES = (top_up,)
"""Routes of a demonstration only: outside one, money comes from a provider."""


def _statement(of: Account) -> Statement:
    return Statement(
        of.account_id,
        of.currency,
        of.balance_minor,
        of.held_minor,
        of.balance_minor - of.held_minor,
        tuple(of.recent[: -MOVEMENTS_MAX - 1 : -1]),
    )


async def _balance(
    district: District, archive: ArchiveReader, journal: Journal, account_id: str, at: datetime
) -> Balance:
    if at.tzinfo is None:
        raise InvalidInput("app.bad_query", "Give the moment with its offset from UTC.", field="at")
    account(district, account_id)
    return Balance(account_id, district.currency, await balance_at(archive, journal, account_id, to_micros(at)), at)

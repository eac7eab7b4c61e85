"""Routes that reach back to the first day: movements of accounts, the parts that a shop is done with.

What is latest comes from memory where memory has it; what is older from the archive, page by page.
"""

from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from hanse.app.home import Home
from hanse.finance.ledger.archive import movements_before
from hanse.finance.ledger.views import Movement, account
from hanse.finance.payments.views import sales_of, wallet_of
from hanse.kernel.errors import InvalidInput
from hanse.kernel.principal import Principal
from hanse.kernel.time import to_micros
from hanse.market.orders.archive import EndedPart, ended_parts

__all__ = ["ROUTES"]

PAGE_MAX = 100
CURSOR_LENGTH_MAX = 160
_LATER_US = 1 << 62


class MovementPage(msgspec.Struct, frozen=True):
    """Movements, the latest first, and the cursor of those that follow; empty at the end."""

    movements: tuple[Movement, ...]
    next: str = ""


class EndedPage(msgspec.Struct, frozen=True):
    """Parts, the latest first, and the cursor of those that follow; empty at the end."""

    parts: tuple[EndedPart, ...]
    next: str = ""


Cursor = Annotated[
    str,
    QueryParameter(
        name="cursor", required=False, max_length=CURSOR_LENGTH_MAX, description="`next` of the page before."
    ),
]
Limit = Annotated[int, QueryParameter(name="limit", required=False, ge=1, le=PAGE_MAX, description="Rows a page.")]


@get("/api/wallet/movements", roles=("shopper",), tags=["finance"], summary="All movements of your wallet")
async def list_wallet_movements(
    house: NamedDependency[Home], principal: NamedDependency[Principal], cursor: Cursor = "", limit: Limit = 50
) -> MovementPage:
    """What came in and went out, back to the first day."""
    return await _movements(house, wallet_of(principal.id), cursor, limit)


@get("/api/shop/account/movements", roles=("shop",), tags=["finance"], summary="All movements of your sales account")
async def list_sales_movements(
    house: NamedDependency[Home], principal: NamedDependency[Principal], cursor: Cursor = "", limit: Limit = 50
) -> MovementPage:
    """What your shop earned and paid, back to the first day."""
    return await _movements(house, sales_of(principal.id), cursor, limit)


@get("/api/shop/parts/ended", roles=("shop",), tags=["shop"], summary="What you are done with")
async def list_ended_parts(
    house: NamedDependency[Home],
    principal: NamedDependency[Principal],
    day: Annotated[date | None, QueryParameter(required=False, description="Only of this day, by local time.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> EndedPage:
    """The parts that ended, of a day or of all time; the last second may be missing."""
    since_us, before = 0, (_LATER_US, "")
    if day is not None:
        midnight = datetime(day.year, day.month, day.day, tzinfo=house.district.zone)
        since_us, before = to_micros(midnight), (to_micros(midnight + timedelta(days=1)), "")
    if cursor:
        before = _parsed(cursor)
    found = await ended_parts(house.archive, principal.id, since_us=since_us, before=before, limit=limit + 1)
    more = len(found) > limit
    return EndedPage(tuple(found[:limit]), f"{found[limit - 1].ended_us}~{found[limit - 1].part_id}" if more else "")


ROUTES = (list_wallet_movements, list_sales_movements, list_ended_parts)


async def _movements(house: Home, account_id: str, cursor: str, limit: int) -> MovementPage:
    # The first page is what memory has, at least the latest hundred: so the present is never missing.
    recent = account(house.district, account_id).recent
    if cursor:
        time_us, transfer_id = _parsed(cursor)
        found = await movements_before(
            house.archive, account_id, time_us=time_us, transfer_id=transfer_id, limit=limit + 1
        )
    else:
        found = recent[: -limit - 2 : -1]
    shown = tuple(found[:limit])
    # Memory may have forgotten what came before; then one more page says whether there is anything.
    more = len(found) > limit or (not cursor and len(recent) >= PAGE_MAX)
    return MovementPage(shown, f"{shown[-1].time_us}~{shown[-1].transfer_id}" if more else "")


def _parsed(cursor: str) -> tuple[int, str]:
    time_us, _, name = cursor.partition("~")
    if not (time_us.isascii() and time_us.isdecimal() and len(time_us) < 19):
        raise InvalidInput("app.bad_cursor", "Give `next` of the page before.", field="cursor")
    return int(time_us), name

"""Routes of supply: a shop says what is on hand."""

from typing import Annotated

import msgspec
from litestar import put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from hanse.district.asking import Ask
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.supply.stock import service as stock

__all__ = ["ROUTES"]

IMPORT_ROWS_MAX = 5_000
IMPORT_BYTES_MAX = 16 * 1_048_576


class CountRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many units of a stock item are on hand."""

    item_id: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
    on_hand: Annotated[int, msgspec.Meta(ge=0, le=stock.UNITS_MAX)]


class Counted(msgspec.Struct, frozen=True):
    """How many rows were given, and how many of them changed anything."""

    rows: int
    changed: int


@put(
    "/api/shop/stock",
    roles=("shop",),
    tags=["supply"],
    summary="Say what is on hand",
    request_max_body_size=IMPORT_BYTES_MAX,
    takes_csv=True,
)
async def put_stock(
    ask: NamedDependency[Ask],
    data: JSONBody[Annotated[tuple[CountRow, ...], msgspec.Meta(min_length=1, max_length=IMPORT_ROWS_MAX)]],
) -> Counted:
    """Count items of your own, all of these or none; what is not named stays."""
    rows = [(row.item_id, row.on_hand) for row in data]
    return Counted(len(rows), await ask.answer(int, stock.count, ask.caller, rows))


ROUTES = (put_stock,)

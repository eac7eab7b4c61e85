"""Commands: count, release, issue, return. An order holds stock by being placed, see the view."""

from collections.abc import Mapping, Sequence

from hanse.district.core import District
from hanse.events.supply import (
    StockCounted,
    StockIssued,
    StockReleased,
    StockReturned,
    StockShort,
)
from hanse.kernel.errors import Conflict, InvalidInput, must
from hanse.kernel.quantity import UNITS_MAX
from hanse.supply.stock.views import Stock, held_for

__all__ = ["ROWS_PER_EVENT", "UNITS_MAX", "count", "issue", "note_short", "release", "take_back"]

ROWS_PER_EVENT = 500


def count(district: District, shop_id: str, counted: Sequence[tuple[str, int]]) -> int:
    """Say how many units of each item are on hand; unchanged ones are dropped. Records `StockCounted`.

    Raises `Conflict` for an item that another shop has counted before.
    """
    items = district.view(Stock).items
    changed = []
    for item_id, on_hand in counted:
        if not 0 <= on_hand <= UNITS_MAX:
            raise InvalidInput(
                "supply.bad_count", f"Give a count between 0 and {UNITS_MAX}.", field="on_hand", value=on_hand
            )
        item = items.get(item_id)
        if item is not None and item.shop_id != shop_id:
            raise Conflict("supply.other_shop", "This stock item belongs to another shop.", item_id=item_id)
        if item is None or item.on_hand != on_hand:
            changed.append((item_id, on_hand))
    for start in range(0, len(changed), ROWS_PER_EVENT):
        batch = changed[start : start + ROWS_PER_EVENT]
        district.record(StockCounted(shop_id, tuple([i for i, _ in batch]), tuple([n for _, n in batch])))
    return len(changed)


def note_short(district: District, shopper_id: str, short: dict[str, int]) -> None:
    """Keep in mind that somebody wanted more than there was. Records `StockShort`."""
    district.record(StockShort(shopper_id, short))


def release(district: District, order_id: str, part_id: str) -> None:
    """Free what is held for a part; nothing held, nothing done. Records `StockReleased`."""
    if part_id in district.view(Stock).holds:
        district.record(StockReleased(order_id, part_id))


def issue(district: District, order_id: str, part_id: str) -> None:
    """Take what is held for a part off the shelf; nothing held, nothing done. Records `StockIssued`."""
    held = held_for(district, part_id)
    if held:
        district.record(StockIssued(order_id, part_id, held))


def take_back(district: District, order_id: str, part_id: str, units: Mapping[str, int]) -> None:
    """Put returned goods back on the shelf. Records `StockReturned`."""
    must(
        units and all(count > 0 for count in units.values()),
        "supply.bad_return",
        "Name the items that came back, at least one unit each.",
        field="units",
    )
    must(
        units.keys() <= district.view(Stock).items.keys(),
        "supply.unknown_item",
        "Name items that this shop has counted before.",
        field="units",
    )
    district.record(StockReturned(order_id, part_id, dict(units)))

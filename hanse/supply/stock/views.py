"""What is on hand, held and free."""

from collections.abc import Mapping

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.supply import StockCounted, StockHeld, StockIssued, StockReleased, StockReturned

__all__ = ["Item", "Stock", "available", "missing"]


class Item(msgspec.Struct, gc=False):
    """Units of one stock item."""

    on_hand: int = 0
    held: int = 0


class Stock(View):
    """Items by id, and holds by part of an order."""

    items: dict[str, Item] = {}
    holds: dict[str, dict[str, int]] = {}

    @folds(StockCounted)
    def _count(self, event: StockCounted, now_us: int) -> None:
        items = self.items
        for item_id, on_hand in zip(event.item_ids, event.on_hand, strict=True):
            item = items.get(item_id)
            if item is None:
                items[item_id] = Item(on_hand)
            else:
                item.on_hand = on_hand

    @folds(StockHeld)
    def _hold(self, event: StockHeld, now_us: int) -> None:
        items = self.items
        for part_id, units in event.parts.items():
            self.holds[part_id] = units
            for item_id, count in units.items():
                items[item_id].held += count

    @folds(StockReleased)
    def _release(self, event: StockReleased, now_us: int) -> None:
        for item_id, count in self.holds.pop(event.part_id).items():
            self.items[item_id].held -= count

    @folds(StockIssued)
    def _issue(self, event: StockIssued, now_us: int) -> None:
        for item_id, count in self.holds.pop(event.part_id).items():
            self.items[item_id].held -= count
        for units in (event.sold, event.lost):
            for item_id, count in units.items():
                self.items[item_id].on_hand -= count

    @folds(StockReturned)
    def _return(self, event: StockReturned, now_us: int) -> None:
        for item_id, count in event.units.items():
            self.items[item_id].on_hand += count


def available(district: District, item_id: str) -> int:
    """Free units of an item: on hand less held; 0 for one that was never counted. May be negative after a count."""
    item = district.view(Stock).items.get(item_id)
    return item.on_hand - item.held if item else 0


def missing(district: District, needs: Mapping[str, int]) -> dict[str, int]:
    """Which items are short, and by how many units; empty if all can be promised."""
    items = district.view(Stock).items
    short = {}
    for item_id, count in needs.items():
        item = items.get(item_id)
        free = item.on_hand - item.held if item is not None else 0
        if free < count:
            short[item_id] = count - max(free, 0)
    return short

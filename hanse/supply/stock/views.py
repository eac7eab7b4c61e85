"""What is on hand, held and free."""

from collections.abc import Iterable
from sys import intern

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.market import OrderPlaced, PartPicked
from hanse.events.supply import StockCounted, StockIssued, StockReleased, StockReturned
from hanse.kernel.values import Line, Part

__all__ = ["Item", "Stock", "available", "held_for", "missing", "missing_by_offer"]


class Item(msgspec.Struct, gc=False):
    """Units of one stock item, and the shop that counted it first: it is that shop's."""

    on_hand: int = 0
    held: int = 0
    shop_id: str = ""


class Held(msgspec.Struct, frozen=True, gc=False):
    """The lines that a part of an order holds units for. A struct, because a look for garbage passes these over.

    A dictionary of a million tuples would take it 50 ms.
    """

    lines: tuple[Line, ...]


class Stock(View):
    """Items by id, and for each part of an order that is not done what it holds."""

    items: dict[str, Item] = {}
    holds: dict[str, Held] = {}

    @folds(StockCounted)
    def _count(self, event: StockCounted, now_us: int) -> None:
        items = self.items
        for item_id, on_hand in zip(event.item_ids, event.on_hand, strict=True):
            item = items.get(item_id)
            if item is None:
                items[intern(item_id)] = Item(on_hand, 0, event.shop_id)
            else:
                item.on_hand = on_hand

    @folds(OrderPlaced)
    def _hold(self, event: OrderPlaced, now_us: int) -> None:
        items = self.items
        for part in event.parts:
            self.holds[part.part_id] = Held(part.lines)
            for line in part.lines:
                items[line.item_id].held += line.quantity * line.units

    @folds(PartPicked)
    def _pick(self, event: PartPicked, now_us: int) -> None:
        held = self.holds[event.part_id].lines
        found = tuple(
            msgspec.structs.replace(line, quantity=pieces) for line, pieces in zip(held, event.quantities, strict=True)
        )
        before, after = _units(held), _units(found)
        for item_id, units in before.items():
            # What is not to be found is written off, unless a count has done so already.
            item, kept = self.items[item_id], after[item_id]
            item.on_hand -= min(units - kept, max(item.on_hand - kept, 0))
            item.held -= units - kept
        self.holds[event.part_id] = Held(found)

    @folds(StockReleased)
    def _release(self, event: StockReleased, now_us: int) -> None:
        self._let_go(event.part_id)

    @folds(StockIssued)
    def _issue(self, event: StockIssued, now_us: int) -> None:
        self._let_go(event.part_id)
        for item_id, count in event.sold.items():
            self.items[item_id].on_hand -= count

    def _let_go(self, part_id: str) -> None:
        for line in self.holds.pop(part_id).lines:
            self.items[line.item_id].held -= line.quantity * line.units

    @folds(StockReturned)
    def _return(self, event: StockReturned, now_us: int) -> None:
        for item_id, count in event.units.items():
            self.items[item_id].on_hand += count


def held_for(district: District, part_id: str) -> dict[str, int]:
    """Units by item that are held for a part of an order; empty once it is done."""
    held = district.view(Stock).holds.get(part_id)
    return {item_id: units for item_id, units in _units(held.lines).items() if units} if held else {}


def _units(lines: Iterable[Line]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in lines:
        units[line.item_id] = units.get(line.item_id, 0) + line.quantity * line.units
    return units


def available(district: District, item_id: str) -> int:
    """Free units of an item: on hand less held; 0 for one that was never counted. May be negative after a count."""
    item = district.view(Stock).items.get(item_id)
    return item.on_hand - item.held if item else 0


def missing(district: District, parts: Iterable[Part]) -> dict[str, int]:
    """Which items are short for these parts of an order, and by how many units; empty if all can be promised.

    Several lines may draw on one item: what they take together counts.
    """
    items = district.view(Stock).items
    needs: dict[str, int] = {}
    short: dict[str, int] = {}
    for part in parts:
        for line in part.lines:
            item_id, count = line.item_id, line.quantity * line.units
            if item_id in needs:
                count += needs[item_id]
            needs[item_id] = count
            item = items.get(item_id)
            free = item.on_hand - item.held if item is not None else 0
            if free < count:
                short[item_id] = count - max(free, 0)
    return short


def missing_by_offer(parts: Iterable[Part], short: dict[str, int]) -> dict[str, int]:
    """How many units are missing, by the offers that draw on the short items."""
    return {line.offer_id: short[line.item_id] for part in parts for line in part.lines if line.item_id in short}

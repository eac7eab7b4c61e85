"""Stock as an auditor keeps it: from the journal alone, in arithmetic of its own."""

from typing import Any

from hanse.world.simulation.report import Broken

__all__ = ["Shelves"]

Body = dict[str, Any]


class Shelves:
    """On hand and held by item, and what each part holds."""

    def __init__(self) -> None:
        self.on_hand: dict[str, int] = {}
        self.held: dict[str, int] = {}
        self.holds: dict[str, dict[str, int]] = {}
        self.touched: set[str] = set()

    def free(self, item_id: str) -> int:
        """Units that may still be promised."""
        return self.on_hand.get(item_id, 0) - self.held.get(item_id, 0)

    def count(self, body: Body) -> None:
        """`supply.stock_counted`."""
        for item_id, units in zip(body["item_ids"], body["on_hand"], strict=True):
            if units < 0:
                raise Broken(f"{item_id} was counted as {units}")
            self.on_hand[item_id] = units
            self.held.setdefault(item_id, 0)
            self.touched.add(item_id)

    def hold(self, order_id: str, needs: dict[str, dict[str, int]]) -> None:
        """`market.order_placed`: `needs` is what its lines take, by part and item."""
        for part_id, units in needs.items():
            self.holds[part_id] = units
            for item_id, count in units.items():
                if count > self.free(item_id):
                    raise Broken(f"oversold: {count} of {item_id} sold, {self.free(item_id)} were free", order_id)
                self.held[item_id] += count
                self.touched.add(item_id)

    def release(self, body: Body) -> None:
        """`supply.stock_released`."""
        for item_id, count in self._take(body).items():
            self.held[item_id] -= count
            self.touched.add(item_id)

    def pick(self, part_id: str, picked: dict[str, int]) -> None:
        """`market.part_picked`: what is not to be found is gone; of what a count has left, not more than there is."""
        for item_id, units in self.holds[part_id].items():
            gone = units - picked[item_id]
            left_beside = max(self.on_hand[item_id] - picked[item_id], 0)
            self.held[item_id] -= gone
            self.on_hand[item_id] -= min(gone, left_beside)
            self.touched.add(item_id)
        self.holds[part_id] = {item_id: units for item_id, units in picked.items() if units}

    def issue(self, body: Body, picked: dict[str, int]) -> None:
        """`supply.stock_issued`; `picked` is what the order says was picked, by item."""
        held = self._take(body)
        if not body["sold"] == held == {item_id: units for item_id, units in picked.items() if units}:
            raise Broken(f"issued {body['sold']} of {held} held, but {picked} was picked", body["order_id"])
        for item_id, units in held.items():
            self.held[item_id] -= units
            self.on_hand[item_id] -= units
            self.touched.add(item_id)

    def take_back(self, body: Body) -> None:
        """`supply.stock_returned`."""
        for item_id, units in body["units"].items():
            if units <= 0:
                raise Broken(f"{units} of {item_id} came back", body["order_id"])
            self.on_hand[item_id] += units
            self.touched.add(item_id)

    def _take(self, body: Body) -> dict[str, int]:
        held = self.holds.pop(body["part_id"], None)
        if held is None:
            raise Broken(f"stock of {body['part_id']} left its hold twice", body["order_id"])
        return held

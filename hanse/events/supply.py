"""Stock: what is there and what left. An order placed sets units aside, a part picked says what was found of them."""

from hanse.events.dictionary import Body, Event, stored, upcast

__all__ = ["StockCounted", "StockIssued", "StockReleased", "StockReturned", "StockShort"]


@stored("supply.stock_counted", story="shop_id")
class StockCounted(Event, frozen=True):
    """A shop counted or received goods: on hand is now this. Columns of equal length."""

    shop_id: str
    item_ids: tuple[str, ...]
    on_hand: tuple[int, ...]


@stored("supply.stock_short", story="shopper_id")
class StockShort(Event, frozen=True):
    """Somebody wanted more than was free: item → units that were missing. A wish worth knowing of."""

    shopper_id: str
    missing: dict[str, int]


@stored("supply.stock_released", story="order_id")
class StockReleased(Event, frozen=True):
    """What was held for a part is free again."""

    order_id: str
    part_id: str


@stored("supply.stock_issued", version=2, story="order_id")
class StockIssued(Event, frozen=True):
    """What was held for a part left the shelf: item → units."""

    order_id: str
    part_id: str
    sold: dict[str, int]


@upcast("supply.stock_issued", version=1)
def _lost_when_picked(body: Body) -> Body:
    # Before, what was not to be found was written off here; now it is when the part is picked.
    return {name: value for name, value in body.items() if name != "lost"}


@stored("supply.stock_returned", story="order_id")
class StockReturned(Event, frozen=True):
    """Sold goods came back and can be sold again: item → units."""

    order_id: str
    part_id: str
    units: dict[str, int]

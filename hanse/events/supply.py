"""Stock: what is there and what left. It is `market.order_placed` that sets units aside."""

from hanse.events.dictionary import Event, stored

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


@stored("supply.stock_issued", story="order_id")
class StockIssued(Event, frozen=True):
    """What was held for a part left the shelf: item → units sold, item → units that were not to be found."""

    order_id: str
    part_id: str
    sold: dict[str, int]
    lost: dict[str, int]


@stored("supply.stock_returned", story="order_id")
class StockReturned(Event, frozen=True):
    """Sold goods came back and can be sold again: item → units."""

    order_id: str
    part_id: str
    units: dict[str, int]

"""Baskets by shopper."""

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.market import BasketChanged, OrderPlaced

__all__ = ["Baskets", "basket"]


class Baskets(View):
    """The present basket of each shopper who has one."""

    of: dict[str, BasketChanged] = {}

    @folds(BasketChanged)
    def _change(self, event: BasketChanged, now_us: int) -> None:
        if event != _empty(event.shopper_id):
            self.of[event.shopper_id] = event
        else:
            self.of.pop(event.shopper_id, None)

    @folds(OrderPlaced)
    def _bought(self, event: OrderPlaced, now_us: int) -> None:
        self.of.pop(event.shopper_id, None)


def basket(district: District, shopper_id: str) -> BasketChanged:
    """A shopper's basket; an empty one if there is none."""
    return district.view(Baskets).of.get(shopper_id) or _empty(shopper_id)


def _empty(shopper_id: str) -> BasketChanged:
    return BasketChanged(shopper_id, (), fulfilment="pickup", address_id="", payment="wallet")

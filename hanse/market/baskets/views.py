"""Baskets by shopper."""

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.market import BasketChanged, OrderPlaced
from hanse.events.people import MemberErased
from hanse.market.catalogue.views import Catalogue

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

    @folds(MemberErased)
    def _erase(self, event: MemberErased, now_us: int) -> None:
        self.of.pop(event.person_id, None)


def basket(district: District, shopper_id: str) -> BasketChanged:
    """A shopper's basket, an empty one if there is none; without the lines whose offers were taken off meanwhile."""
    kept = district.view(Baskets).of.get(shopper_id)
    if kept is None:
        return _empty(shopper_id)
    offers = district.view(Catalogue).offers
    live = tuple([line for line in kept.lines if line.offer_id in offers])
    return kept if len(live) == len(kept.lines) else msgspec.structs.replace(kept, lines=live)


def _empty(shopper_id: str) -> BasketChanged:
    return BasketChanged(shopper_id, (), fulfilment="pickup", address_id="", payment="wallet")

"""The living world, turn by turn: looks at the district, hands in commands, hears what came of them.

No clock, thread or file inside: time comes with each look, chance from the seed. So the same turns give the
same commands, in a test as in the demo.
"""

from collections.abc import Callable, Mapping

import msgspec

from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.flows import order
from hanse.journal.protocol import Entry
from hanse.kernel.chance import stream
from hanse.kernel.geo import Place
from hanse.kernel.time import SECOND_US
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders
from hanse.supply.stock.views import Stock
from hanse.world import acts
from hanse.world.clock import WorldClock
from hanse.world.demo.scenario import Baskets
from hanse.world.load import CALLER
from hanse.world.shoppers import Shoppers
from hanse.world.staff import Staff

__all__ = ["Life"]

RESTOCK_EVERY_US = 5 * SECOND_US
LOW_SHARE = 0.3
"""A shop has goods brought when less than this share of what it likes to have is left."""


class Life:
    """Shoppers, staff, and the vans that bring goods.

    Parameters
    ----------
    baskets
        What households buy.
    targets
        Units of each stock item that its shop likes to have.
    home
        Where a household lives.
    story
        Reads the story of an order.
    visitors
        Members whose seat a real person has taken; may grow while the world lives.
    """

    def __init__(
        self,
        baskets: Baskets,
        targets: Mapping[str, int],
        clock: WorldClock,
        *,
        seed: int,
        home: Callable[[int], Place | None],
        story: Callable[[str], list[Entry]],
        visitors: set[str],
    ) -> None:
        self.clock = clock
        self.placed = 0
        self.refused = 0
        self._targets = targets
        self._ours: set[str] = set()
        self._shoppers = Shoppers(baskets, clock, seed=seed, home=home, visitors=visitors)
        self._staff = Staff(clock, seed=seed, ours=self._ours.__contains__, story=story)
        self._chance = stream(seed, "deliveries")
        self._restock_us = 0

    def look(self, district: District, now_us: int) -> list[Job]:
        """What is to be done now; the answers are brought to `told`."""
        self._ours.intersection_update(district.view(Orders).open)
        return [
            *self._staff.look(district, now_us),
            *self._goods(district, now_us),
            *self._shoppers.look(district, now_us),
        ]

    def told(self, job: Job, answer: Answer) -> None:
        """What came of a command: orders of ours are known by their id."""
        if job.command is not order.place:
            return
        said = msgspec.json.decode(answer.body, type=order.OrderAnswer) if answer.kind == "ok" else None
        if said is not None and said.order_id:
            self.placed += 1
            self._ours.add(said.order_id)
        else:
            self.refused += 1

    def _goods(self, district: District, now_us: int) -> list[Job]:
        """A van comes to one shop and brings what runs low."""
        shops = list(district.view(Catalogue).shops)
        if now_us < self._restock_us or not shops:
            return []
        self._restock_us = now_us + RESTOCK_EVERY_US
        shop_id = self._chance.choice(shops)
        arrived = self._low(district, shop_id)
        return [Job(acts.receive, (shop_id, arrived), CALLER, f"goods {shop_id} {now_us}")] if arrived else []

    def _low(self, district: District, shop_id: str) -> list[tuple[str, int]]:
        catalogue, items = district.view(Catalogue), district.view(Stock).items
        low = []
        for offer_id in catalogue.by_shop.get(shop_id, ()):
            item_id = catalogue.offers[offer_id].item_id
            target, item = self._targets.get(item_id, 0), items.get(item_id)
            if item is not None and item.on_hand - item.held < LOW_SHARE * target:
                low.append((item_id, target - item.on_hand + item.held))
        return low

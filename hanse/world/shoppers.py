"""Households that draw real baskets and order them."""

from collections.abc import Callable, Iterator

from hanse.district.core import District
from hanse.district.jobs import Job
from hanse.finance.ledger.views import account
from hanse.finance.payments.views import wallet_of
from hanse.flows import order
from hanse.kernel.chance import stream
from hanse.kernel.geo import Place
from hanse.kernel.time import SECOND_US
from hanse.kernel.values import Wish
from hanse.market.baskets.views import basket
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.service import LINES_MAX
from hanse.people.members.views import Members
from hanse.world import acts
from hanse.world.clock import WorldClock
from hanse.world.demo.scenario import Basket, Baskets
from hanse.world.load import CALLER, address_id, person_id, product_id
from hanse.world.shopping import fill

__all__ = ["ORDERS_PER_S", "Shoppers"]

ORDERS_PER_S = 1.0
"""Mean over a week of the world."""

FLAT_SHARE = 0.7
"""Of the orders, the share that comes at any hour alike; so the world's nights are quiet, not dead."""

PER_LOOK_MAX = 5
BEHIND_MAX_US = 5 * SECOND_US
DETOUR_M = 2_000.0
DELIVERY_SHARE = 0.45
CARD_SHARE = 0.12
_CARDS = ("tok_ok",) * 90 + ("tok_decline",) * 5 + ("tok_flaky",) * 4 + ("tok_late",)
_TOP_UPS_MINOR = (5_000, 10_000, 20_000)


class Shoppers:
    """Decides who orders what, and when.

    Parameters
    ----------
    baskets
        The real baskets, drawn with replacement, each from the world's present hour of the week.
    home
        Where a household lives; None for one that must not be asked (erased).
    visitors
        Members whose seat a real person has taken.

    Notes
    -----
    Orders come as a Poisson process. Its rate is `ORDERS_PER_S` on average over a week; three tenths of it
    follow the source's hours of the week, the rest is even.
    """

    def __init__(
        self, baskets: Baskets, clock: WorldClock, *, seed: int, home: Callable[[int], Place | None], visitors: set[str]
    ) -> None:
        self._baskets = baskets
        self._clock = clock
        self._home = home
        self._visitors = visitors
        self._chance = stream(seed, "shoppers")
        self._next_us = 0
        self._count = 0

    def look(self, district: District, now_us: int) -> Iterator[Job]:
        """The commands of those whose time has come: perhaps a top-up, then the order."""
        # After a pause (a stopped laptop) nobody makes up for it.
        self._next_us = max(self._next_us, now_us - BEHIND_MAX_US if self._next_us else now_us)
        hour = self._clock.hour_of_week(now_us, district.zone)
        for _ in range(PER_LOOK_MAX):
            if self._next_us > now_us:
                return
            self._next_us += self._pause_us(hour)
            yield from self._shop(district, self._baskets.draw(self._chance, hour_of_week=hour), now_us)

    def rate_per_s(self, hour: int) -> float:
        """Orders a second that are to be expected in an hour of the world's week."""
        shape = 168 * self._baskets.hour_shares[hour]
        return ORDERS_PER_S * (FLAT_SHARE + (1 - FLAT_SHARE) * shape)

    def _pause_us(self, hour: int) -> int:
        return 1 + round(self._chance.expovariate(self.rate_per_s(hour)) * SECOND_US)

    def _shop(self, district: District, wanted: Basket, now_us: int) -> Iterator[Job]:
        person, home = person_id(wanted.household), self._home(wanted.household)
        by_card, delivered, card = self._chance.random(), self._chance.random(), self._chance.choice(_CARDS)
        taken = person in self._visitors or basket(district, person).lines
        if home is None or taken or person not in district.view(Members).by_id:
            return
        wants = [(product_id(product), packs) for product, packs in wanted.lines[:LINES_MAX]]
        lines = fill(district, home, wants, detour_m=lambda: self._chance.uniform(0, DETOUR_M))
        if not lines:
            return
        request = order.PlaceOrder(
            lines,
            "delivery" if delivered < DELIVERY_SHARE else "pickup",
            address_id(wanted.household) if delivered < DELIVERY_SHARE else "",
            "card" if by_card < CARD_SHARE else "wallet",
            card if by_card < CARD_SHARE else "",
        )
        self._count += 1
        key = f"{person} {now_us} {self._count}"
        if request.payment == "wallet":
            yield from self._top_up(district, person, lines, key)
        yield Job(order.place, (person, request), CALLER, f"order {key}")

    def _top_up(self, district: District, person: str, lines: tuple[Wish, ...], key: str) -> Iterator[Job]:
        """What somebody does who sees that the wallet would not do."""
        catalogue = district.view(Catalogue)
        offers = [catalogue.offers[wish.offer_id] for wish in lines]
        cost_minor = sum(o.price_minor * wish.quantity for o, wish in zip(offers, lines, strict=True))
        cost_minor += sum(catalogue.shops[shop_id].delivery_fee_minor for shop_id in {o.shop_id for o in offers})
        room = account(district, wallet_of(person)).room()
        if room is not None and room < cost_minor:
            amount_minor = cost_minor - room + self._chance.choice(_TOP_UPS_MINOR)
            yield Job(acts.top_up, (person, amount_minor), CALLER, f"top up {key}")

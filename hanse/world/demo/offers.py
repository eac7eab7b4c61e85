"""Which shop sells what, at which price, with how much in stock."""

import math
from collections import defaultdict
from random import Random

from hanse.kernel.chance import stream
from hanse.world.demo import tables
from hanse.world.demo.articles import shop_price
from hanse.world.demo.scenario import Offer, Product, Shop

__all__ = ["build"]

_ORDERS_PER_DAY = 86_400  # one a second
_PRICE_LEVELS = {
    "discounter": 0.90, "supermarket": 1.00, "variety_store": 0.95, "convenience": 1.12, "kiosk": 1.30,
    "market_hall": 1.10, "delicatessen": 1.15, "butcher": 1.08,
}  # fmt: skip
_SPECIALIST_LEVEL = 1.05
_MAIN_KINDS = ("supermarket", "discounter")
_ROOM = (0.65, 1.0)  # shops of a kind are not equally large
_LEAST_STOCK = 6
_MOST_STOCK = 4_000


def build(
    shops: tuple[Shop, ...], products: tuple[Product, ...], units_per_order: float, seed: int
) -> tuple[Offer, ...]:
    """All offers, by shop, then product; every product is offered somewhere.

    Parameters
    ----------
    shops, products
        Products best-selling first.
    units_per_order
        Mean packs in a basket; with `Product.units` it makes the stock last about a day at one order a second.
    seed
        Of the shops' tastes, price levels and stock.
    """
    carried = [set(_carried(shop, products, stream(seed, f"range/{shop.key}"))) for shop in shops]
    _place_the_rest(shops, carried, len(products))
    sellers = [0] * len(products)
    for indices in carried:
        for index in indices:
            sellers[index] += 1
    daily_share = _ORDERS_PER_DAY * units_per_order / max(1, sum(product.units for product in products))
    offers = []
    for number, shop in enumerate(shops):
        chance = stream(seed, f"prices/{shop.key}")
        level = _PRICE_LEVELS.get(shop.kind, _SPECIALIST_LEVEL) * chance.uniform(0.97, 1.03)
        for index in sorted(carried[number]):
            product = products[index]
            price_minor = shop_price(product.price_minor * level * chance.uniform(0.97, 1.03))
            units = product.units * daily_share / sellers[index] * chance.uniform(0.6, 1.8)
            stock = min(_MOST_STOCK, max(_LEAST_STOCK, round(units)) + chance.randrange(6))
            offers.append(Offer(number, index, price_minor, stock))
    return tuple(offers)


def _carried(shop: Shop, products: tuple[Product, ...], chance: Random) -> list[int]:
    """Of each part of the tree the best-selling share, blurred by the shop's own taste."""
    shares = _shares(shop.kind)
    room = chance.uniform(*_ROOM)
    by_category: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for index, product in enumerate(products):
        if product.category in shares:
            taste = math.log(product.units + 1) + chance.gauss(0.0, 0.6)
            by_category[product.category].append((-taste, index))
    carried = []
    for category, ranked in by_category.items():
        count = math.ceil(min(1.0, shares[category] * room) * len(ranked))
        carried += [index for _, index in sorted(ranked)[:count]]
    return carried


def _shares(kind: str) -> dict[str, float]:
    """The share of each category that a kind of shop carries; a category's own row beats its department's."""
    rows = {row.part: row.carried_share for row in tables.ranges() if row.kind == kind}
    shares = {}
    for category in tables.categories():
        share = rows.get(category.key, rows.get(category.department, 0.0))
        if share:
            shares[category.key] = share
    return shares


def _place_the_rest(shops: tuple[Shop, ...], carried: list[set[int]], count: int) -> None:
    """What nobody carries goes to the large shops in turn."""
    large = [number for number, shop in enumerate(shops) if shop.kind in _MAIN_KINDS]
    everywhere = set().union(*carried)
    for turn, index in enumerate(sorted(set(range(count)) - everywhere)):
        carried[large[turn % len(large)]].add(index)

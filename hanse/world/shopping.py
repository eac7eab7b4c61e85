"""Which offers of which shops a household takes for what it wants."""

from collections.abc import Callable, Iterable, Sequence

from hanse.district.core import District
from hanse.kernel.geo import Place, distance_m
from hanse.kernel.values import Wish
from hanse.market.catalogue.views import Catalogue, Offer
from hanse.supply.stock.views import available

__all__ = ["SHOPS_MAX", "fill"]

SHOPS_MAX = 3
"""Nobody walks to more shops for one basket."""

_WALK_M_PER_LINE = 250.0
"""How much farther somebody goes for one more line of the list."""


def fill(
    district: District,
    home: Place,
    wants: Sequence[tuple[str, int]],
    *,
    detour_m: Callable[[], float] = lambda: 0.0,
) -> tuple[Wish, ...]:
    """Offers for a shopping list, from as few and as near shops as have the goods.

    Parameters
    ----------
    home
        Where the household lives.
    wants
        Product id and pieces.
    detour_m
        How much farther than it is a shop seems today, asked once for each shop that comes into question:
        so a street does not shop at one place only.

    Returns
    -------
    tuple
        One wish for each line that can be had; empty if nothing can. Fewer pieces if a shop has only some.

    Notes
    -----
    Greedy: the shop that has most of what is still open, each line worth `_WALK_M_PER_LINE` of way; then
    the next, three at most.
    """
    found = {product_id: _on_sale(district, product_id) for product_id, _ in wants}
    open_lines = {product_id: pieces for product_id, pieces in wants if found[product_id]}
    distances: dict[str, float] = {}
    wishes: list[Wish] = []
    for _ in range(SHOPS_MAX):
        if not open_lines:
            break
        shop_id = _best_shop(district, home, (found[product_id] for product_id in open_lines), distances, detour_m)
        for product_id in [p for p in open_lines if shop_id in found[p]]:
            offer, free = found[product_id][shop_id]
            wishes.append(Wish(offer.offer_id, min(open_lines.pop(product_id), free)))
    return tuple(wishes)


def _on_sale(district: District, product_id: str) -> dict[str, tuple[Offer, int]]:
    """Offers of a product with pieces free, by shop."""
    catalogue = district.view(Catalogue)
    found = {}
    for offer_id in catalogue.by_product.get(product_id, ()):
        offer = catalogue.offers[offer_id]
        free = available(district, offer.item_id) // offer.units
        if free > 0:
            found[offer.shop_id] = (offer, free)
    return found


def _best_shop(
    district: District,
    home: Place,
    sellers: Iterable[dict[str, tuple[Offer, int]]],
    distances: dict[str, float],
    detour_m: Callable[[], float],
) -> str:
    lines: dict[str, int] = {}
    for offers in sellers:
        for shop_id in offers:
            lines[shop_id] = lines.get(shop_id, 0) + 1
    shops = district.view(Catalogue).shops
    for shop_id in lines:
        if shop_id not in distances:
            distances[shop_id] = distance_m(home, shops[shop_id].place) + detour_m()
    return min(lines, key=lambda shop_id: (distances[shop_id] - _WALK_M_PER_LINE * lines[shop_id], shop_id))

"""Goods as pages show them: tiles and offers, in the visitor's language, seen from where the visitor is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hanse.app.pages.visit import Visit
from hanse.app.templating import drawn
from hanse.district.core import District
from hanse.events.market import ShopJoined
from hanse.kernel.geo import Place, distance_m
from hanse.kernel.time import MINUTE_US, opens_us
from hanse.market.catalogue.views import Catalogue, Offer, Product
from hanse.supply.stock.views import available

__all__ = ["Content", "Offered", "Tile", "best", "content", "free_pieces", "offered", "tile", "tiles", "title"]

Content = tuple[int, str] | None


class Tile(msgspec.Struct, frozen=True):
    """One product as a tile: what it is called, costs, and where it is in stock."""

    href: str
    title: str
    picture: str
    price_minor: int
    currency: str
    content: Content
    note: str
    free: int
    offer_id: str
    was: int | None = None
    badge: str = ""


class Offered(msgspec.Struct, frozen=True):
    """An offer with its shop, as seen from a place at a moment."""

    offer: Offer
    shop: ShopJoined
    distance_m: int
    free: int
    open_now: bool
    promised_us: int


def title(visit: Visit, product: Product) -> str:
    """What a product is called in the visitor's language."""
    return visit.said(product.title_en, product.title_de)


def picture(product: Product) -> str:
    """The drawing of a product's kind."""
    return drawn(product.picture)


def content(product: Product) -> Content:
    """How much is in a pack, as the look's price wants it; None where it is just one piece."""
    size = product.size
    if size.value <= 0 or (size.unit == "pc" and size.value == 1):
        return None
    return size.value, "piece" if size.unit == "pc" else size.unit


def free_pieces(district: District, offer: Offer) -> int:
    """How many pieces of an offer can still be sold."""
    return max(0, available(district, offer.item_id)) // offer.units


def offered(visit: Visit, offer: Offer, here: Place) -> Offered:
    """An offer with what somebody at a place wants to know of it."""
    district = visit.district
    shop = district.view(Catalogue).shops[offer.shop_id]
    minute_us = visit.now_us // MINUTE_US * MINUTE_US
    opening_us = opens_us(shop.hours, minute_us, district.zone)
    return Offered(
        offer,
        shop,
        visit.backstage.distance_m(here, shop),
        free_pieces(district, offer),
        opening_us == minute_us,
        (opening_us or minute_us) + shop.prepare_minutes * MINUTE_US,
    )


def of_product(visit: Visit, product_id: str, here: Place) -> list[Offered]:
    """All offers of a product: in stock first, then who is open, then the nearest."""
    catalogue = visit.district.view(Catalogue)
    found = [offered(visit, catalogue.offers[o], here) for o in catalogue.by_product.get(product_id, ())]
    return sorted(found, key=lambda o: (o.free <= 0, not o.open_now, o.distance_m, o.offer.price_minor))


def best(visit: Visit, product_id: str, here: Place) -> Offer | None:
    """The offer to show of a product: in stock, in a shop that is open if one is, and the nearest of these."""
    district, nearby, closed = visit.district, visit.backstage.distances(here), visit.closed
    catalogue = district.view(Catalogue)
    offers = [catalogue.offers[o] for o in catalogue.by_product.get(product_id, ())]
    return min(
        offers,
        key=lambda o: (free_pieces(district, o) <= 0, o.shop_id in closed, nearby[o.shop_id]),
        default=None,
    )


def tile(visit: Visit, offer: Offer, here: Place, *, name_shop: bool = True) -> Tile:
    """An offer as a tile."""
    catalogue = visit.district.view(Catalogue)
    product, shop = catalogue.products[offer.product_id], catalogue.shops[offer.shop_id]
    free = free_pieces(visit.district, offer)
    distance = visit.quantity(visit.backstage.distance_m(here, shop), "m")
    note = f"{shop.name} · {distance}" if name_shop else product.brand
    return Tile(
        f"/products/{product.product_id}",
        title(visit, product),
        picture(product),
        offer.price_minor,
        visit.district.currency,
        content(product),
        note,
        free,
        offer.offer_id,
        badge=visit.stock_badge(free),
    )


def tiles(visit: Visit, product_ids: Iterable[str], here: Place) -> list[Tile]:
    """The best offer of each product as a tile."""
    offers = (best(visit, product_id, here) for product_id in product_ids)
    return [tile(visit, offer, here) for offer in offers if offer is not None]


def near(here: Place, shops: Iterable[ShopJoined]) -> list[ShopJoined]:
    """Shops, the nearest first."""
    return sorted(shops, key=lambda shop: distance_m(here, shop.place))

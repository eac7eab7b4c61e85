"""What the league's shops offer."""

from sys import intern

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.market import OffersSet, ProductsListed, ShopJoined
from hanse.kernel.errors import NotFound
from hanse.kernel.quantity import Quantity

__all__ = ["Catalogue", "Offer", "Product", "offer", "product", "shop"]


class Product(msgspec.Struct, frozen=True, gc=False):
    """A thing that can be sold, the same for all shops."""

    product_id: str
    gtin: str
    title_en: str
    title_de: str
    brand: str
    size: Quantity
    category: str
    picture: str
    vat_bp: int
    allergens: tuple[str, ...]


class Offer(msgspec.Struct, frozen=True, gc=False):
    """A shop sells a product at a price; one piece takes `units` of the stock item."""

    offer_id: str
    shop_id: str
    product_id: str
    item_id: str
    units: int
    price_minor: int
    vat_bp: int


class Catalogue(View):
    """Shops, products and live offers by id; offers by shop and by product."""

    shops: dict[str, ShopJoined] = {}
    products: dict[str, Product] = {}
    offers: dict[str, Offer] = {}
    by_shop: dict[str, dict[str, None]] = {}
    by_product: dict[str, dict[str, None]] = {}
    rates: dict[int, int] = {}

    @folds(ShopJoined)
    def _join(self, event: ShopJoined, now_us: int) -> None:
        self.shops[event.shop_id] = event

    @folds(ProductsListed)
    def _list(self, event: ProductsListed, now_us: int) -> None:
        columns = (
            event.product_ids,
            event.gtins,
            event.titles_en,
            event.titles_de,
            event.brands,
            event.sizes,
            event.categories,
            event.pictures,
            event.vat_bp,
            event.allergens,
        )
        for row in zip(*columns, strict=True):
            listed, before = Product(*row), self.products.get(row[0])
            self.products[row[0]] = listed
            if before is not None and before.vat_bp != listed.vat_bp:
                for offer_id in self.by_product.get(row[0], ()):
                    self.offers[offer_id] = msgspec.structs.replace(self.offers[offer_id], vat_bp=listed.vat_bp)

    @folds(OffersSet)
    def _set(self, event: OffersSet, now_us: int) -> None:
        of_shop = self.by_shop.setdefault(event.shop_id, {})
        columns = (event.offer_ids, event.product_ids, event.item_ids, event.units, event.prices_minor)
        for offer_id, product_id, item_id, units, price_minor in zip(*columns, strict=True):
            before = self.offers.pop(offer_id, None) if price_minor == 0 else self.offers.get(offer_id)
            # An offer may come to be of another product than before.
            if before is not None and (price_minor == 0 or before.product_id != product_id):
                self.by_product[before.product_id].pop(offer_id)
            if price_minor == 0:
                of_shop.pop(offer_id, None)
                continue
            of_product = self.by_product.setdefault(product_id, {})
            # One object for equal ids and rates, here and in the stock: comparing them then looks no further.
            vat_bp = self.rates.setdefault(rate := self.products[product_id].vat_bp, rate)
            self.offers[offer_id] = Offer(
                offer_id, event.shop_id, product_id, intern(item_id), units, price_minor, vat_bp
            )
            of_shop[offer_id] = of_product[offer_id] = None


def offer(district: District, offer_id: str) -> Offer:
    """A live offer; raises `NotFound`."""
    found = district.view(Catalogue).offers.get(offer_id)
    if found is None:
        raise NotFound(
            "market.unknown_offer", "This offer does not exist or was taken off; look for another.", offer_id=offer_id
        )
    return found


def product(district: District, product_id: str) -> Product:
    """A product; raises `NotFound`."""
    found = district.view(Catalogue).products.get(product_id)
    if found is None:
        raise NotFound("market.unknown_product", "This product is not in the catalogue.", product_id=product_id)
    return found


def shop(district: District, shop_id: str) -> ShopJoined:
    """A shop of the league; raises `NotFound`."""
    found = district.view(Catalogue).shops.get(shop_id)
    if found is None:
        raise NotFound("market.unknown_shop", "No shop of the league has this id.", shop_id=shop_id)
    return found

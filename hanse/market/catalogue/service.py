"""Commands: a shop joins, products are listed, offers are set."""

from collections.abc import Sequence

from hanse.district.core import District
from hanse.events.market import OffersSet, ProductsListed, ShopJoined
from hanse.kernel.errors import Conflict, InvalidInput, must
from hanse.kernel.money import AMOUNT_MAX_MINOR, RATE_ONE_BP
from hanse.kernel.quantity import UNITS_MAX
from hanse.market.catalogue.views import Catalogue, Offer, Product, product, shop

__all__ = ["ROWS_PER_EVENT", "join_shop", "list_products", "set_offers"]

ROWS_PER_EVENT = 500
"""Rows of a column event: large enough to be cheap, small enough not to stall a turn."""


def join_shop(district: District, joining: ShopJoined) -> None:
    """Let a shop join, or change what it says of itself; records `ShopJoined`."""
    must(joining.name.strip(), "market.no_name", "Give the shop a name.", field="name")
    must(
        0 <= joining.commission_bp <= RATE_ONE_BP,
        "market.bad_commission",
        "Give a commission between 0 and 10,000 basis points.",
        field="commission_bp",
    )
    must(
        0 <= joining.delivery_fee_minor <= AMOUNT_MAX_MINOR and 0 <= joining.prepare_minutes <= 1_440,
        "market.bad_terms",
        "Give a delivery fee that is not negative and at most a day to prepare.",
        field="delivery_fee_minor",
    )
    if district.view(Catalogue).shops.get(joining.shop_id) != joining:
        district.record(joining)


def list_products(district: District, products: Sequence[Product]) -> int:
    """List products in the league's catalogue; unchanged ones are dropped. Records `ProductsListed`."""
    for listed in products:
        must(listed.title_en and listed.title_de, "market.no_title", "Give the product a title.", field="title")
        must(0 <= listed.vat_bp < RATE_ONE_BP, "market.bad_vat", "Give the VAT in basis points.", field="vat_bp")
    known = district.view(Catalogue).products
    changed = [listed for listed in products if known.get(listed.product_id) != listed]
    for start in range(0, len(changed), ROWS_PER_EVENT):
        batch = changed[start : start + ROWS_PER_EVENT]
        district.record(
            ProductsListed(
                product_ids=tuple(p.product_id for p in batch),
                gtins=tuple(p.gtin for p in batch),
                titles_en=tuple(p.title_en for p in batch),
                titles_de=tuple(p.title_de for p in batch),
                brands=tuple(p.brand for p in batch),
                sizes=tuple(p.size for p in batch),
                categories=tuple(p.category for p in batch),
                pictures=tuple(p.picture for p in batch),
                vat_bp=tuple(p.vat_bp for p in batch),
                allergens=tuple(p.allergens for p in batch),
            )
        )
    return len(changed)


def set_offers(district: District, shop_id: str, offers: Sequence[Offer]) -> int:
    """Set a shop's offers; a price of 0 takes one off, unchanged ones are dropped. Records `OffersSet`."""
    shop(district, shop_id)
    catalogue = district.view(Catalogue)
    known, products = catalogue.offers, catalogue.products
    changed = []
    # Thousands of rows come at once: nothing is called for a row that is right.
    for offered in offers:
        before = known.get(offered.offer_id)
        if offered.product_id not in products:
            product(district, offered.product_id)
        if not (0 <= offered.price_minor <= AMOUNT_MAX_MINOR and 0 < offered.units <= UNITS_MAX):
            raise InvalidInput(
                "market.bad_price",
                f"Give a price that is not negative, and 1 to {UNITS_MAX} units a piece.",
                field="price_minor",
            )
        if offered.shop_id != shop_id or (before is not None and before.shop_id != shop_id):
            raise Conflict("market.other_shop", "This offer belongs to another shop.", offer_id=offered.offer_id)
        if _terms(before) != _terms(offered):
            changed.append(offered)
    for start in range(0, len(changed), ROWS_PER_EVENT):
        batch = changed[start : start + ROWS_PER_EVENT]
        district.record(
            OffersSet(
                shop_id=shop_id,
                offer_ids=tuple([o.offer_id for o in batch]),
                product_ids=tuple([o.product_id for o in batch]),
                item_ids=tuple([o.item_id for o in batch]),
                units=tuple([o.units for o in batch]),
                prices_minor=tuple([o.price_minor for o in batch]),
            )
        )
    return len(changed)


def _terms(offer: Offer | None) -> tuple[str, str, int, int] | None:
    """What a shop says of an offer; None for one that is off."""
    return (offer.product_id, offer.item_id, offer.units, offer.price_minor) if offer and offer.price_minor else None

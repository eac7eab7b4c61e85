"""Routes of the market: products, shops and their offers, baskets."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import msgspec
from litestar import get, patch, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hanse.district.asking import Ask
from hanse.district.core import District
from hanse.events.market import BasketChanged, ShopJoined
from hanse.kernel.errors import InvalidInput, must
from hanse.kernel.geo import Place, distance_m
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.money import AMOUNT_MAX_MINOR
from hanse.kernel.quantity import Quantity, reference_price
from hanse.kernel.time import MINUTE_US, OpeningHours, opens_us
from hanse.kernel.values import Fulfilment, PayBy, Wish
from hanse.market.baskets import service as baskets
from hanse.market.baskets.views import basket
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Catalogue, Offer, Product, product, shop
from hanse.market.search import ProductIndex

__all__ = ["ROUTES", "FreeUnits", "Shelves", "basket_shown", "parse_place"]

PAGE_MAX = 100
FOUND_MAX = 1_000
OFFSET_MAX = 10**9
IMPORT_ROWS_MAX = 5_000
IMPORT_BYTES_MAX = 16 * 1_048_576

FreeUnits = Callable[[str], int]
"""How many units of a stock item are free; the context that knows is not this one."""


@dataclass(frozen=True)
class Shelves:
    """What the routes here look at, brought together by the app. One thing, because each costs every request."""

    district: District
    free: FreeUnits
    owner: Callable[[str], str]
    """Which shop a stock item belongs to; empty for none."""
    index: ProductIndex
    caller: str


Looking = NamedDependency[SkipValidation[Shelves]]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]


class ProductShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A product with what it costs in the district now. `nearest_m` where a place was given."""

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
    shops: int = 0
    from_price_minor: int | None = None
    currency: str = ""
    in_stock: bool = False
    nearest_m: int | None = None


class ProductPage(msgspec.Struct, frozen=True):
    """Products, and the cursor of those that follow; empty at the end."""

    products: tuple[ProductShown, ...]
    next: str = ""


class ShopShown(msgspec.Struct, frozen=True):
    """A shop of the league."""

    shop_id: str
    name: str
    kind: str
    street: str
    place: Place
    hours: OpeningHours
    open_now: bool
    delivery_fee_minor: int
    prepare_minutes: int
    website: str


class OfferShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a product costs in a shop, how many pieces are free, and when an order would be ready."""

    offer_id: str
    product_id: str
    shop_id: str
    shop_name: str
    price_minor: int
    currency: str
    free_pieces: int
    open_now: bool
    promised_us: int
    delivery_fee_minor: int
    distance_m: int | None = None
    reference_price_minor: int | None = None
    reference_unit: str = ""


class ShelfOffer(OfferShown, frozen=True, kw_only=True):
    """An offer on its shop's shelf, with what is offered."""

    title_en: str
    title_de: str
    brand: str
    size: Quantity
    picture: str


class OfferPage(msgspec.Struct, frozen=True):
    """A shop's offers, and the cursor of those that follow; empty at the end."""

    offers: tuple[ShelfOffer, ...]
    next: str = ""


class BasketLine(msgspec.Struct, frozen=True):
    """A line at today's price. `free_pieces` below `quantity`: less of it can be had."""

    offer_id: str
    product_id: str
    shop_id: str
    title_en: str
    title_de: str
    quantity: int
    price_minor: int
    total_minor: int
    free_pieces: int


class BasketShown(msgspec.Struct, frozen=True):
    """A basket at today's prices; `fee_minor` is what its shops take for delivery."""

    lines: tuple[BasketLine, ...]
    fulfilment: Fulfilment
    address_id: str
    payment: PayBy
    goods_minor: int
    fee_minor: int
    total_minor: int
    currency: str


class BasketLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to lie in the basket; no lines empty it."""

    lines: Annotated[tuple[Wish, ...], msgspec.Meta(max_length=baskets.LINES_MAX)]


class BasketChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the goods come and are paid; what is not named stays."""

    fulfilment: Fulfilment | None = None
    address_id: Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)] | None = None
    payment: PayBy | None = None


class OfferRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One offer of a shop; a price of 0 takes it off. One piece takes `units` of the stock item."""

    offer_id: Id
    product_id: Id
    item_id: Id
    price_minor: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX_MINOR)]
    units: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1


class Changed(msgspec.Struct, frozen=True):
    """How many rows were given, and how many of them changed anything."""

    rows: int
    changed: int


Cursor = Annotated[
    str, QueryParameter(name="cursor", required=False, max_length=20, description="`next` of the page before.")
]
Limit = Annotated[int, QueryParameter(name="limit", required=False, ge=1, le=PAGE_MAX, description="Rows a page.")]
Near = Annotated[
    str,
    QueryParameter(
        name="near",
        required=False,
        max_length=50,
        description="WGS84 degrees: lat,lon.",
        examples=[Example(value="60.1699,24.9384")],
    ),
]


@get(
    "/api/products",
    roles=("public",),
    tags=["market"],
    summary="Products, by words, category and stock",
    sync_to_thread=False,
)
def list_products(
    shelves: Looking,
    q: Annotated[str, QueryParameter(required=False, max_length=200, description="Words in any language.")] = "",
    category: Annotated[str, QueryParameter(required=False, max_length=80)] = "",
    near: Near = "",
    in_stock: Annotated[bool, QueryParameter(required=False, description="Only what can be had now.")] = False,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> ProductPage:
    """Page through the catalogue; words are searched in all languages, the best matches first."""
    place = parse_place(near) if near else None
    start = _offset(cursor)
    products = shelves.district.view(Catalogue).products
    found: Iterable[Product] = products.values()
    if q.strip():
        found = [products[p] for p in shelves.index.search(q, limit=FOUND_MAX) if p in products]
    shown: list[ProductShown] = []
    for position, candidate in enumerate(islice(found, start, None), start):
        if category and candidate.category != category:
            continue
        view = _product_shown(shelves, candidate, place)
        if in_stock and not view.in_stock:
            continue
        if len(shown) == limit:
            return ProductPage(tuple(shown), str(position))
        shown.append(view)
    return ProductPage(tuple(shown))


@get("/api/products/{product_id:str}", roles=("public",), tags=["market"], summary="A product", sync_to_thread=False)
def get_product(
    shelves: Looking,
    product_id: FromPath[str],
    near: Near = "",
) -> ProductShown:
    """One product, by its id or its GTIN."""
    place = parse_place(near) if near else None
    return _product_shown(shelves, _named(shelves, product_id), place)


@get(
    "/api/products/{product_id:str}/availability",
    roles=("public",),
    tags=["market"],
    summary="Where a product can be had",
    sync_to_thread=False,
)
def get_availability(
    shelves: Looking,
    product_id: FromPath[str],
    lat: Annotated[float | None, QueryParameter(required=False, ge=-90, le=90)] = None,
    lon: Annotated[float | None, QueryParameter(required=False, ge=-180, le=180)] = None,
) -> tuple[OfferShown, ...]:
    """The shops that offer a product: price, free pieces, distance, promised time; the nearest first."""
    found = _named(shelves, product_id)
    place = Place(lat, lon) if lat is not None and lon is not None else None
    view = shelves.district.view(Catalogue)
    of_product = view.by_product.get(found.product_id, {})
    shown = [_offer_shown(shelves, view.offers[offer_id], place) for offer_id in of_product]
    return tuple(sorted(shown, key=lambda o: (o.free_pieces <= 0, o.distance_m or 0, o.price_minor, o.offer_id)))


@get("/api/shops", roles=("public",), tags=["market"], summary="All shops", sync_to_thread=False)
def list_shops(district: NamedDependency[District]) -> tuple[ShopShown, ...]:
    """The shops of the league."""
    return tuple(_shop_shown(district, joined) for joined in district.view(Catalogue).shops.values())


@get("/api/shops/{shop_id:str}", roles=("public",), tags=["market"], summary="A shop", sync_to_thread=False)
def get_shop(district: NamedDependency[District], shop_id: FromPath[str]) -> ShopShown:
    """One shop."""
    return _shop_shown(district, shop(district, shop_id))


@get(
    "/api/shops/{shop_id:str}/offers",
    roles=("public",),
    tags=["market"],
    summary="What a shop offers",
    sync_to_thread=False,
)
def list_offers(shelves: Looking, shop_id: FromPath[str], cursor: Cursor = "", limit: Limit = 50) -> OfferPage:
    """Page through a shop's offers."""
    shop(shelves.district, shop_id)
    start = _offset(cursor)
    view = shelves.district.view(Catalogue)
    ids = list(islice(view.by_shop.get(shop_id, {}), start, start + limit + 1))
    shown = tuple(_on_shelf(shelves, view.offers[offer_id]) for offer_id in ids[:limit])
    return OfferPage(shown, str(start + limit) if len(ids) > limit else "")


@get("/api/basket", roles=("shopper",), tags=["market"], summary="Your basket", sync_to_thread=False)
def get_basket(shelves: Looking) -> BasketShown:
    """Your basket at today's prices."""
    return basket_shown(shelves.district, shelves.free, shelves.caller)


@put("/api/basket/lines", roles=("shopper",), tags=["market"], summary="Fill your basket")
async def put_basket_lines(ask: NamedDependency[Ask], data: JSONBody[BasketLines]) -> BasketChanged:
    """Make these the lines of your basket."""
    return await ask.answer(BasketChanged, baskets.put, ask.caller, data.lines)


@patch("/api/basket", roles=("shopper",), tags=["market"], summary="Say how it comes and is paid")
async def patch_basket(ask: NamedDependency[Ask], data: JSONBody[BasketChoice]) -> BasketChanged:
    """Choose delivery or pick-up, the address, and how you pay."""
    return await ask.answer(
        BasketChanged,
        baskets.choose,
        ask.caller,
        fulfilment=data.fulfilment,
        address_id=data.address_id,
        payment=data.payment,
    )


@put(
    "/api/shop/offers",
    roles=("shop",),
    tags=["market"],
    summary="Set your offers",
    request_max_body_size=IMPORT_BYTES_MAX,
    takes_csv=True,
)
async def put_offers(
    ask: NamedDependency[Ask],
    shelves: Looking,
    data: JSONBody[Annotated[tuple[OfferRow, ...], msgspec.Meta(min_length=1, max_length=IMPORT_ROWS_MAX)]],
) -> Changed:
    """Set prices and stock items of your offers, all of these or none; what is not named stays."""
    products = ask.district.view(Catalogue).products
    rows = []
    for number, row in enumerate(data):
        must(
            shelves.owner(row.item_id) == ask.caller,
            "market.uncounted_item",
            "Offer stock items of your own, which you have counted before (PUT /api/shop/stock).",
            field=f"$[{number}].item_id",
        )
        known = products.get(row.product_id)
        must(known, "market.unknown_product", "This product is not in the catalogue.", field=f"$[{number}].product_id")
        assert known is not None
        rows.append(
            Offer(row.offer_id, ask.caller, row.product_id, row.item_id, row.units, row.price_minor, known.vat_bp)
        )
    return Changed(len(rows), await ask.answer(int, catalogue.set_offers, ask.caller, rows))


ROUTES = (
    list_products,
    get_product,
    get_availability,
    list_shops,
    get_shop,
    list_offers,
    get_basket,
    put_basket_lines,
    patch_basket,
    put_offers,
)


def basket_shown(district: District, free: FreeUnits, shopper_id: str) -> BasketShown:
    """A basket at today's prices; offers that were taken off in the meantime are left out."""
    kept = basket(district, shopper_id)
    view = district.view(Catalogue)
    lines = tuple(_basket_lines(view, free, kept.lines))
    shops = dict.fromkeys(line.shop_id for line in lines)
    fee = sum(view.shops[s].delivery_fee_minor for s in shops) if kept.fulfilment == "delivery" else 0
    goods = sum(line.total_minor for line in lines)
    return BasketShown(
        lines, kept.fulfilment, kept.address_id, kept.payment, goods, fee, goods + fee, district.currency
    )


def parse_place(text: str) -> Place:
    """A place from ``lat,lon``; raises `InvalidInput`."""
    lat, _, lon = text.partition(",")
    try:
        return Place(float(lat), float(lon))
    except ValueError:
        raise InvalidInput("app.bad_query", "Give a place as lat,lon in degrees.", field="near") from None


def _basket_lines(view: Catalogue, free: FreeUnits, wishes: Iterable[Wish]) -> Iterator[BasketLine]:
    for wish in wishes:
        offered = view.offers[wish.offer_id]
        of = view.products[offered.product_id]
        yield BasketLine(
            wish.offer_id,
            of.product_id,
            offered.shop_id,
            of.title_en,
            of.title_de,
            wish.quantity,
            offered.price_minor,
            offered.price_minor * wish.quantity,
            max(free(offered.item_id), 0) // offered.units,
        )


def _named(shelves: Shelves, product_id: str) -> Product:
    products = shelves.district.view(Catalogue).products
    found = products.get(product_id)
    if found is None and product_id.isdecimal():
        found = products.get(shelves.index.by_gtin(product_id))
    return found or product(shelves.district, product_id)


def _product_shown(shelves: Shelves, of: Product, place: Place | None) -> ProductShown:
    district, free = shelves.district, shelves.free
    view = district.view(Catalogue)
    offers = [view.offers[offer_id] for offer_id in view.by_product.get(of.product_id, ())]
    stocked = [o for o in offers if free(o.item_id) >= o.units]
    nearest = None
    if place is not None and stocked:
        nearest = round(min(distance_m(place, view.shops[o.shop_id].place) for o in stocked))
    return ProductShown(
        of.product_id,
        of.gtin,
        of.title_en,
        of.title_de,
        of.brand,
        of.size,
        of.category,
        of.picture,
        of.vat_bp,
        of.allergens,
        len({o.shop_id for o in offers}),
        min((o.price_minor for o in stocked or offers), default=None),
        district.currency,
        bool(stocked),
        nearest,
    )


def _shop_shown(district: District, joined: ShopJoined) -> ShopShown:
    return ShopShown(
        joined.shop_id,
        joined.name,
        joined.kind,
        joined.street,
        joined.place,
        joined.hours,
        opens_us(joined.hours, district.now_us, district.zone) == district.now_us,
        joined.delivery_fee_minor,
        joined.prepare_minutes,
        joined.website,
    )


def _offer_shown(shelves: Shelves, of: Offer, place: Place | None) -> OfferShown:
    district, free = shelves.district, shelves.free
    view = district.view(Catalogue)
    at = view.shops[of.shop_id]
    minute_us = district.now_us // MINUTE_US * MINUTE_US
    opening_us = opens_us(at.hours, minute_us, district.zone)
    per = reference_price(of.price_minor, view.products[of.product_id].size)
    return OfferShown(
        of.offer_id,
        of.product_id,
        of.shop_id,
        at.name,
        of.price_minor,
        district.currency,
        max(free(of.item_id), 0) // of.units,
        opening_us == minute_us,
        (opening_us or minute_us) + at.prepare_minutes * MINUTE_US,
        at.delivery_fee_minor,
        round(distance_m(place, at.place)) if place else None,
        per[0] if per else None,
        per[1] if per else "",
    )


def _on_shelf(shelves: Shelves, of: Offer) -> ShelfOffer:
    known = shelves.district.view(Catalogue).products[of.product_id]
    return ShelfOffer(
        *msgspec.structs.astuple(_offer_shown(shelves, of, None)),
        title_en=known.title_en,
        title_de=known.title_de,
        brand=known.brand,
        size=known.size,
        picture=known.picture,
    )


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdecimal()):
        raise InvalidInput("app.bad_query", "Give the cursor of the page before, unchanged.", field="cursor")
    return min(int(cursor), OFFSET_MAX)

"""A small standard town: three shops, shared stock items, members with money and addresses."""

from functools import partial

from hanse.district.core import District
from hanse.events.market import ShopJoined
from hanse.finance.ledger import service as ledger
from hanse.finance.payments.views import TOP_UPS, Captured, captured_in, wallet_of
from hanse.kernel.geo import Place
from hanse.kernel.quantity import Quantity
from hanse.kernel.time import hours_of
from hanse.kernel.values import Transfer
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.people.members import service as members
from hanse.supply.stock import service as stock
from hanse.testing.stage import Stage, district

__all__ = ["MEMBERS", "SHOPS", "captured", "fill_wallet", "found", "offer", "product", "shop", "small_town"]

SHOPS = ("shp_mill", "shp_quay", "shp_yard")
MEMBERS = ("per_ada", "per_bo", "per_cleo")
PRODUCTS = ("tea", "salt", "rope")
STOCK = 20
MONEY_MINOR = 100_00


def small_town(town: Stage | None = None) -> Stage:
    """Three shops that sell tea, salt and rope, singly and in sixes of the same stock item, and three members.

    Offers are named ``off_mill_tea`` and ``six_mill_tea``, items ``mill/tea``; each item has 20 units, each
    member 100.00 in the wallet and the address ``adr_ada``. Prices: tea 2.50, salt 1.00, rope 9.99; six
    for five. Commission 5 %, delivery 2.90.
    """
    town = town or district()
    found(town)
    return town


def found(town: Stage) -> None:
    """Build the small town in an empty district."""
    for shop_id in SHOPS:
        town.do(catalogue.join_shop, shop(shop_id))
    town.do(catalogue.list_products, [product(name) for name in PRODUCTS])
    for shop_id in SHOPS:
        offers = [offer(shop_id, name, pieces) for name in PRODUCTS for pieces in (1, 6)]
        town.do(catalogue.set_offers, shop_id, offers)
        town.do(stock.count, shop_id, [(_item(shop_id, name), STOCK) for name in PRODUCTS])
    for person_id in MEMBERS:
        town.do(members.join, person_id, locale="en")
        town.do(members.keep_address, person_id, person_id.replace("per", "adr"))
        fill_wallet(town, person_id, MONEY_MINOR)


def fill_wallet(town: Stage, person_id: str, amount_minor: int) -> None:
    """Pay money into a member's wallet."""
    town.do(partial(_fill, person_id=person_id, amount_minor=amount_minor))


def captured(town: Stage, part_id: str) -> Captured:
    """What was captured for a part, as its order's story says; what a refund wants to know."""
    return captured_in(town.journal.story(part_id.rpartition("-")[0]), part_id, read_us=town.district.now_us)


def _fill(district: District, *, person_id: str, amount_minor: int) -> None:
    wallet = wallet_of(person_id)
    ledger.post(district, wallet, "top_up", [Transfer(district.next_id("top"), TOP_UPS, wallet, amount_minor)])


def shop(shop_id: str, *, commission_bp: int = 500, delivery_fee_minor: int = 290) -> ShopJoined:
    """A shop that is always open and prepares an order in 20 minutes."""
    hours = hours_of([[[0, 1_440]]] * 7)
    place = Place(60.17, 24.94)
    return ShopJoined(shop_id, shop_id, "grocer", "Quay 1", place, hours, commission_bp, delivery_fee_minor, 20)


def product(name: str) -> Product:
    """A product of the small town."""
    number = PRODUCTS.index(name)
    size = Quantity(100, "g")
    return Product(f"prd_{name}", f"{number:013d}", name, name, "Kogge", size, name, name, 1_350, ())


def offer(shop_id: str, name: str, pieces: int = 1, *, price_minor: int | None = None) -> Offer:
    """A shop's offer of one, or of six, of a product; both draw on one stock item."""
    single = {"tea": 250, "salt": 100, "rope": 999}[name]
    price = price_minor if price_minor is not None else single if pieces == 1 else 5 * single
    prefix = "off" if pieces == 1 else "six"
    name_of_shop = shop_id.removeprefix("shp_")
    return Offer(f"{prefix}_{name_of_shop}_{name}", shop_id, f"prd_{name}", _item(shop_id, name), pieces, price, 1_350)


def _item(shop_id: str, name: str) -> str:
    return f"{shop_id.removeprefix('shp_')}/{name}"

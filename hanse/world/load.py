"""Bringing a scenario into a district: shops, goods, offers, stock, members, money, by the public commands.

Ids are short and say which: ``shp_07`` sells product ``prd_01234`` as offer ``off_07_01234`` from stock item
``itm_07_01234``; ``per_00042`` lives at ``adr_00042``. Loading twice changes nothing, so a load that was
broken off is simply begun again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from hanse.app.worlds import Progress
from hanse.district.asking import error_of
from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.district.writer import JOBS_PER_TURN, Writer
from hanse.events.market import ShopJoined
from hanse.finance.ledger.views import account
from hanse.finance.payments.views import wallet_of
from hanse.kernel.chance import stream
from hanse.kernel.errors import Unavailable
from hanse.kernel.geo import Place
from hanse.kernel.quantity import Quantity, Unit
from hanse.kernel.time import OpeningHours
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.people.vault import Vault
from hanse.people.vault.store import Address, Identity
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock
from hanse.world import acts
from hanse.world.demo import scenario as demo

__all__ = ["CALLER", "address_id", "item_id", "load", "offer_id", "person_id", "product_id", "shop_id"]

CALLER = "world"
CITY = "Helsinki"
POSTCODE = "00100"

_COMMISSIONS_BP = {
    "supermarket": 500, "discounter": 500, "pharmacy": 500, "convenience": 600, "market_hall": 600, "butcher": 600,
    "variety_store": 600, "bakery": 700, "kiosk": 700, "pet_shop": 700, "patisserie": 800, "delicatessen": 800,
    "health_food": 800, "perfumery": 900, "florist": 900, "gift_shop": 900,
}  # fmt: skip
_COMMISSION_ELSE_BP = 800
_PREPARE_MINUTES = {"supermarket": 20, "discounter": 20, "market_hall": 25, "florist": 30}
_PREPARE_ELSE_MINUTES = 12
_FEES_MINOR = (190, 290, 390, 490, 590)
_UNITS: dict[str, Unit] = {"ml": "ml", "g": "g"}
_CONSENTING_SHARE = 0.3
_LOCALES = ("en", "en", "de")
_FIRST_TOP_UPS_MINOR = (5_000, 10_000, 15_000, 20_000)


def shop_id(shop: int) -> str:
    """The id of the scenario's shop with this index."""
    return f"shp_{shop:02d}"


def product_id(product: int) -> str:
    """The id of the scenario's product with this index."""
    return f"prd_{product:05d}"


def offer_id(shop: int, product: int) -> str:
    """The id of what a shop offers a product as."""
    return f"off_{shop:02d}_{product:05d}"


def item_id(shop: int, product: int) -> str:
    """The id of the stock item that the offer draws on."""
    return f"itm_{shop:02d}_{product:05d}"


def person_id(household: int) -> str:
    """The id of the member who shops for the household with this index."""
    return f"per_{household:05d}"


def address_id(household: int) -> str:
    """The id of the household's address."""
    return f"adr_{household:05d}"


def load(writer: Writer, vault: Vault, data: demo.Scenario, progress: Progress) -> None:
    """Bring everything in, stage by stage.

    Parameters
    ----------
    progress
        Told of each stage (``shops``, ``products``, ``offers``, ``stock``, ``people``, ``members``, ``wallets``),
        how much of it is done and how much there is.

    Raises
    ------
    Unavailable
        ``world.load_refused``: the district refused a part; it says which, and why.
    """
    _seal(vault, data, progress)
    stages: tuple[tuple[str, int, Callable[[demo.Scenario, District], Iterable[tuple[Job, int]]]], ...] = (
        ("shops", len(data.shops), _shops),
        ("products", len(data.products), _products),
        ("offers", len(data.offers), _offers),
        ("stock", len(data.offers), _counts),
        ("members", len(data.households), _members),
        ("wallets", len(data.households), _wallets),
    )
    for stage, total, jobs in stages:
        progress(stage, 0, total)
        done = 0
        for answered in _run(writer, jobs(data, writer.district)):
            done += answered
            progress(stage, done, total)
        progress(stage, total, total)


def _run(writer: Writer, jobs: Iterable[tuple[Job, int]]) -> Iterator[int]:
    """Run jobs a turn's worth at a time; tells how many rows each turn brought in."""
    rows = waiting = 0
    for job, size in jobs:
        writer.submit(job, _accept)
        rows, waiting = rows + size, waiting + 1
        # A command of many rows is a turn of its own: hundreds of them in one would be a commit of megabytes.
        if waiting == JOBS_PER_TURN or size > 1:
            writer.run()
            yield rows
            rows = waiting = 0
    writer.run()
    yield rows


def _accept(answer: Answer) -> None:
    if answer.kind != "ok":
        raise Unavailable(
            "world.load_refused", f"The district refused a part of the world ({error_of(answer)}); start with --fresh."
        )


def _seal(vault: Vault, data: demo.Scenario, progress: Progress) -> None:
    """Who they are and where they live goes into the vault, before anybody can refer to it."""
    people = data.households
    for start in range(0, len(people), 500):
        progress("people", start, len(people))
        vault.put_many(
            {
                person_id(number): {
                    person_id(number): Identity(f"{home.given_name} {home.family_name}", home.phone),
                    address_id(number): Address(
                        f"{home.given_name} {home.family_name}",
                        f"{home.street} {home.housenumber}",
                        POSTCODE,
                        CITY,
                        home.lat,
                        home.lon,
                    ),
                }
                for number, home in enumerate(people[start : start + 500], start)
            }
        )
    progress("people", len(people), len(people))


def _shops(data: demo.Scenario, district: District) -> Iterator[tuple[Job, int]]:
    for number, shop in enumerate(data.shops):
        chance = stream(data.seed, f"terms/{shop.key}")
        joining = ShopJoined(
            shop_id=shop_id(number),
            name=shop.name,
            kind=shop.kind,
            street=f"{shop.street} {shop.housenumber}".strip(),
            place=Place(shop.lat, shop.lon),
            hours=OpeningHours(shop.hours),
            commission_bp=_COMMISSIONS_BP.get(shop.kind, _COMMISSION_ELSE_BP),
            delivery_fee_minor=chance.choice(_FEES_MINOR),
            prepare_minutes=_PREPARE_MINUTES.get(shop.kind, _PREPARE_ELSE_MINUTES),
            website=shop.website,
        )
        yield Job(catalogue.join_shop, (joining,), CALLER), 1


def _products(data: demo.Scenario, district: District) -> Iterator[tuple[Job, int]]:
    categories = {category.key: category for category in data.categories}
    rows = [_product(number, p, categories[p.category]) for number, p in enumerate(data.products)]
    for batch in _batches(rows, catalogue.ROWS_PER_EVENT):
        yield Job(catalogue.list_products, (batch,), CALLER), len(batch)


def _product(number: int, product: demo.Product, category: demo.Category) -> Product:
    pieces = product.size_count * product.size_value
    return Product(
        product_id(number),
        product.gtin,
        product.english,
        product.german,
        product.brand,
        Quantity(pieces or 1, _UNITS.get(product.size_unit, "pc") if pieces else "pc"),
        product.category,
        category.picture,
        category.vat_bp,
        category.allergens,
    )


def _offers(data: demo.Scenario, district: District) -> Iterator[tuple[Job, int]]:
    for shop, batch in _by_shop(data.offers):
        rows = [
            Offer(
                offer_id(shop, o.product),
                shop_id(shop),
                product_id(o.product),
                item_id(shop, o.product),
                1,
                o.price_minor,
                0,
            )
            for o in batch
        ]
        yield Job(catalogue.set_offers, (shop_id(shop), rows), CALLER), len(rows)


def _counts(data: demo.Scenario, district: District) -> Iterator[tuple[Job, int]]:
    for shop, batch in _by_shop(data.offers):
        counted = district.view(Stock).items
        rows = [(item_id(shop, o.product), o.stock) for o in batch]
        # What was counted before has been sold from since.
        fresh = [row for row in rows if row[0] not in counted]
        yield Job(stock.count, (shop_id(shop), fresh), CALLER), len(rows)


def _members(data: demo.Scenario, district: District) -> Iterator[tuple[Job, int]]:
    chance = stream(data.seed, "members")
    for number in range(len(data.households)):
        locale, consents = chance.choice(_LOCALES), chance.random() < _CONSENTING_SHARE
        yield Job(acts.settle_in, (person_id(number), address_id(number), locale, consents), CALLER), 1


def _wallets(data: demo.Scenario, district: District) -> Iterator[tuple[Job, int]]:
    chance = stream(data.seed, "wallets")
    for number in range(len(data.households)):
        amount_minor = chance.choice(_FIRST_TOP_UPS_MINOR)
        if not account(district, wallet_of(person_id(number))).recent:
            yield Job(acts.top_up, (person_id(number), amount_minor), CALLER), 1


def _by_shop(offers: Sequence[demo.Offer]) -> Iterator[tuple[int, list[demo.Offer]]]:
    for shop, rows in groupby(offers, key=lambda offered: offered.shop):
        for batch in _batches(list(rows), catalogue.ROWS_PER_EVENT):
            yield shop, batch


def _batches(rows: list[demo.Offer] | list[Product], size: int) -> Iterator[list]:  # type: ignore[type-arg]
    for start in range(0, len(rows), size):
        yield rows[start : start + size]

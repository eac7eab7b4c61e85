"""``hanse import``: a shop's products, prices and stock from the files that it has."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from hanse.app.commands.options import Data, settings_of
from hanse.app.house import House
from hanse.app.shopfiles import Fault, Row, read
from hanse.district.asking import error_of
from hanse.district.core import District
from hanse.district.jobs import Answer, Job
from hanse.events.market import ShopJoined
from hanse.kernel.errors import InvalidInput, NotFound
from hanse.kernel.geo import Place
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.time import hours_of
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Catalogue, Offer, Product, shop
from hanse.supply.stock import service as stock

__all__ = ["Plan", "bring_in", "import_files", "plan"]

FAULTS_SHOWN = 50
CALLER = "import"


class Plan(msgspec.Struct):
    """What files come to in a district, ready for one command."""

    shop_id: str
    products: list[Product] = []
    offers: list[Offer] = []
    counts: dict[str, int] = {}


class _ShopFile(msgspec.Struct, forbid_unknown_fields=True):
    """What a shop says of itself, as JSON. `hours`: seven lists, Monday first, of [opens, closes] in minutes."""

    name: str
    kind: str
    street: str
    lat: float
    lon: float
    hours: list[list[tuple[int, int]]]
    commission_bp: int
    delivery_fee_minor: int = 0
    prepare_minutes: int = 15
    website: str = ""


def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON: products, offers, stock, together or apart.")],
    shop_id: Annotated[str, typer.Option("--shop", help="Whose they are (shp_…).")],
    data: Data = None,
    join: Annotated[Path | None, typer.Option(help="JSON file with the shop itself, to let it join first.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave rows out that are wrong, bring in the others.")
    ] = False,
) -> None:
    """Bring a shop's products, prices and stock into a district that stands still.

    Columns: gtin (or product_id), title, title_de, brand, size, category, vat, allergens, picture, price,
    units, on_hand. A row lists a product if it has a title, sets an offer if it has a price, counts stock if
    it has on_hand. Comma, semicolon or tab, decimal comma or point, UTF-8 or Latin-1 are found out.
    If any row is wrong, every fault is shown with its line and nothing is changed.
    """
    settings = settings_of(folder=data)
    rows, faults = _read_all(files, settings.currency)
    joining = _joining(join, shop_id) if join else None
    house = House(settings)
    try:
        if joining is None:
            shop(house.district, shop_id)
        planned, unfit = plan(house.district, shop_id, rows)
        faults += unfit
        _show(faults)
        if faults and not skip_bad:
            raise InvalidInput(
                "app.bad_rows",
                f"{len(faults)} faults; nothing was changed. Correct them, or leave them out with --skip-bad.",
            )
        answers: list[Answer] = []
        house.writer.submit(Job(bring_in, (planned, joining), CALLER), answers.append)
        house.writer.run()
    finally:
        asyncio.run(house.stop())
    if answers[0].kind != "ok":
        raise error_of(answers[0])
    products, offers, counts = msgspec.json.decode(answers[0].body, type=tuple[int, int, int])
    typer.echo(f"{shop_id}: {products} products, {offers} offers and {counts} counts changed; the rest was so already.")


def _read_all(files: list[Path], currency: str) -> tuple[list[Row], list[Fault]]:
    rows: list[Row] = []
    faults: list[Fault] = []
    for path in files:
        good, wrong, unknown = read(path, currency=currency)
        rows += good
        faults += wrong
        if unknown:
            typer.echo(f"{path.name}: these columns are not understood and left out: {', '.join(unknown)}", err=True)
    return rows, faults


def _joining(path: Path, shop_id: str) -> ShopJoined:
    try:
        said = msgspec.json.decode(path.read_bytes(), type=_ShopFile)
    except OSError as error:
        raise NotFound("app.no_file", f"There is no file {path}.", field="join") from error
    except msgspec.DecodeError as error:
        raise InvalidInput("app.bad_shop_file", f"{path} does not describe a shop: {error}.", field="join") from error
    return ShopJoined(
        shop_id,
        said.name,
        said.kind,
        said.street,
        Place(said.lat, said.lon),
        hours_of(said.hours),
        said.commission_bp,
        said.delivery_fee_minor,
        said.prepare_minutes,
        said.website,
    )


def plan(district: District, shop_id: str, rows: list[Row]) -> tuple[Plan, list[Fault]]:
    """What the rows come to in this district, and which of them do not fit into it. Changes nothing."""
    known = district.view(Catalogue)
    by_gtin = {listed.gtin: listed.product_id for listed in known.products.values()}
    made, faults = Plan(shop_id), []
    # Products first, whichever file they stand in: offers and counts below may be of them.
    seen: dict[tuple[str, str], Row] = {}
    fit = []
    for row in rows:
        product_id = _product_id(row, by_gtin)
        repeated = _repeated(row, product_id, seen)
        if repeated is not None:
            faults.append(repeated)
            continue
        fit.append((row, product_id))
        if row.title:
            made.products.append(_product(row, product_id))
    listed = known.products.keys() | {product.product_id for product in made.products}
    for row, product_id in fit:
        offer = _offer(district, shop_id, row, product_id)
        if product_id not in listed:
            faults.append(row.fault("gtin", "this product is not in the catalogue; give it a title, category and vat"))
        elif len(offer.offer_id) > ID_LENGTH_MAX:
            faults.append(row.fault("product_id", "this id and the shop's are too long together"))
        else:
            if row.price_minor is not None:
                made.offers.append(offer)
            if row.on_hand is not None:
                made.counts[offer.item_id] = row.on_hand
    return made, faults


def bring_in(district: District, planned: Plan, joining: ShopJoined | None) -> tuple[int, int, int]:
    """One command, so one commit: all of it or nothing. Says how much was new."""
    if joining is not None:
        catalogue.join_shop(district, joining)
    return (
        catalogue.list_products(district, planned.products),
        catalogue.set_offers(district, planned.shop_id, planned.offers),
        stock.count(district, planned.shop_id, list(planned.counts.items())),
    )


def _product_id(row: Row, by_gtin: dict[str, str]) -> str:
    return row.product_id or by_gtin.get(row.gtin) or f"prd_{row.gtin}"


def _product(row: Row, product_id: str) -> Product:
    assert row.vat_bp is not None
    return Product(
        product_id,
        row.gtin,
        row.title,
        row.title_de or row.title,
        row.brand,
        row.size,
        row.category,
        row.picture,
        row.vat_bp,
        row.allergens,
    )


def _repeated(row: Row, product_id: str, seen: dict[tuple[str, str], Row]) -> Fault | None:
    for column, value in (("title", row.title or None), ("price", row.price_minor), ("on_hand", row.on_hand)):
        if value is not None:
            first = seen.setdefault((column, product_id), row)
            if first is not row:
                return row.fault(column, f"{first.file}:{first.line} says this of the same product already")
    return None


def _offer(district: District, shop_id: str, row: Row, product_id: str) -> Offer:
    """The shop's offer of the product: the one that it has, or a new one with ids made of both."""
    known = district.view(Catalogue)
    for offer_id in known.by_product.get(product_id, ()):
        if known.offers[offer_id].shop_id == shop_id:
            return msgspec.structs.replace(known.offers[offer_id], price_minor=row.price_minor or 0, units=row.units)
    tail = f"{shop_id.removeprefix('shp_')}_{product_id.removeprefix('prd_')}"
    return Offer(f"off_{tail}", shop_id, product_id, f"itm_{tail}", row.units, row.price_minor or 0, row.vat_bp or 0)


def _show(faults: list[Fault]) -> None:
    out = Console(stderr=True, highlight=False)
    for fault in faults[:FAULTS_SHOWN]:
        out.print(str(fault), markup=False, soft_wrap=True)
    if len(faults) > FAULTS_SHOWN:
        out.print(f"… and {len(faults) - FAULTS_SHOWN} more")

"""The shop's range: prices and counts, one by one or as a list."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from hanse.app import i18n, shopfiles
from hanse.app.pages import goods
from hanse.app.pages.buying import whole
from hanse.app.pages.counter import my_shop
from hanse.app.pages.visit import Reply, Visit
from hanse.kernel.errors import HanseError, NotFound
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.money import minor_digits, minor_of
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Catalogue, Offer, Product
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Item, Stock

__all__ = ["ROUTES"]

SHOP = ("shop",)
PAGE = 25
SEARCHED_MAX = 400
ROWS_MAX = 5_000
FAULTS_SHOWN = 20


class Row(msgspec.Struct, frozen=True):
    """An offer with its stock."""

    offer: Offer
    product: Product
    title: str
    picture: str
    price: str
    on_hand: int
    held: int
    content: goods.Content

    @property
    def free(self) -> int:
        """Units that can still be promised."""
        return self.on_hand - self.held


class Import(msgspec.Struct, frozen=True):
    """What came of a list: rows read, changes made, and what did not fit, by line."""

    rows: int
    prices: int = 0
    counts: int = 0
    refused: tuple[tuple[int, str], ...] = ()


@get("/shop/stock", roles=SHOP, sync_to_thread=False)
def stock_page(
    visit: NamedDependency[Visit],
    q: Annotated[str, QueryParameter(required=False, max_length=200)] = "",
    department: Annotated[str, QueryParameter(required=False, max_length=80)] = "",
    low: FromQuery[bool] = False,
    after: Annotated[str, QueryParameter(required=False, max_length=ID_LENGTH_MAX)] = "",
) -> Reply:
    """The shop's offers, by words or department, a page at a time."""
    return _page(visit, words=q.strip(), department=department, after=after, low=low)


@post("/shop/stock/{offer_id:str}", roles=SHOP)
async def change(visit: NamedDependency[Visit], offer_id: FromPath[str]) -> Reply:
    """Change the price of an offer, or how many units are on hand."""
    offer = _mine(visit, offer_id)
    form = await visit.form()
    try:
        if "price" in form:
            price_minor = minor_of(form["price"], visit.district.currency, field="price")
            await visit.run(catalogue.set_offers, visit.me, [msgspec.structs.replace(offer, price_minor=price_minor)])
        if "on_hand" in form:
            await visit.run(stock.count, visit.me, [(offer.item_id, whole(form["on_hand"], "on_hand"))])
    except HanseError as error:
        said = visit.refusal(error)
        html = visit.fragment("parts/stock.html", "row", _row(visit, offer), visit.district.currency, said)
        return visit.part(html, status=422) if visit.by_htmx else visit.go("/shop/stock", toast=said, tone="bad")
    if not visit.by_htmx:
        return visit.go(visit.came_from("/shop/stock"))
    html = visit.fragment("parts/stock.html", "row", _row(visit, _mine(visit, offer_id)), visit.district.currency)
    return visit.part(html, headers=visit.triggers(visit.say("Saved.")))


@post("/shop/stock", roles=SHOP)
async def bring_list(visit: NamedDependency[Visit]) -> Reply:
    """Take in a file of prices and counts: all of it, or, where something does not fit, nothing."""
    upload = (await visit.request.form()).get("file")
    body = await upload.read() if isinstance(upload, UploadFile) else b""
    rows, refused = await asyncio.to_thread(_read, body, visit.district.currency)
    done = await _take_in(visit, rows, refused)
    return _page(visit, status=422 if done.refused else 200, done=done)


ROUTES = (stock_page, change, bring_list)


def _read(body: bytes, currency: str) -> tuple[list[shopfiles.Row], list[tuple[int, str]]]:
    """The rows of an uploaded file, and what is wrong with the others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(body)
        try:
            rows, faults, _ = shopfiles.read(path, currency=currency)
        except HanseError:
            return [], [(1, "")]
    return rows, [(fault.line, f"{fault.column}: {fault.message}") for fault in faults]


async def _take_in(visit: Visit, rows: list[shopfiles.Row], refused: list[tuple[int, str]]) -> Import:
    mine = _by_name(visit)
    prices: list[Offer] = []
    counts: list[tuple[str, int]] = []
    for row in rows[:ROWS_MAX]:
        offer = mine.get(row.product_id or row.gtin)
        if offer is None:
            refused.append((row.line, visit.say("This is not in your range.")))
            continue
        if row.price_minor is not None:
            prices.append(msgspec.structs.replace(offer, price_minor=row.price_minor))
        if row.on_hand is not None:
            counts.append((offer.item_id, row.on_hand))
    if len(rows) > ROWS_MAX:
        refused.append((rows[ROWS_MAX].line, visit.say("A list has at most %(num)s rows.", num=ROWS_MAX)))
    if refused or not (prices or counts):
        no_columns = visit.say("Name the columns in the first line: gtin, price, on_hand.")
        return Import(len(rows), refused=tuple((n, text or no_columns) for n, text in (refused or [(1, "")])))
    ask = visit.ask()
    changed = await ask.answer(int, catalogue.set_offers, visit.me, prices) if prices else 0
    counted = await ask.answer(int, stock.count, visit.me, counts) if counts else 0
    return Import(len(rows), changed, counted)


def _mine(visit: Visit, offer_id: str) -> Offer:
    offer = visit.district.view(Catalogue).offers.get(offer_id)
    if offer is None or offer.shop_id != visit.me:
        raise NotFound("market.unknown_offer", "This offer is not one of yours.", offer_id=offer_id)
    return offer


def _by_name(visit: Visit) -> dict[str, Offer]:
    """The shop's offers by their product's id and GTIN."""
    view = visit.district.view(Catalogue)
    named: dict[str, Offer] = {}
    for offer_id in view.by_shop.get(visit.me, ()):
        offer = view.offers[offer_id]
        named[offer.product_id] = named[view.products[offer.product_id].gtin] = offer
    return named


def _row(visit: Visit, offer: Offer) -> Row:
    product = visit.district.view(Catalogue).products[offer.product_id]
    item = visit.district.view(Stock).items.get(offer.item_id) or Item()
    digits = minor_digits(visit.district.currency)
    title, picture, content = goods.title(visit, product), goods.picture(product), goods.content(product)
    price = i18n.number(offer.price_minor / 10**digits, visit.locale, digits)
    return Row(offer, product, title, picture, price, item.on_hand, item.held, content)


def _found(visit: Visit, words: str, department: str, after: str, *, low: bool) -> tuple[list[Offer], str]:
    """The offers of a page, and behind which to go on (empty at the end)."""
    view = visit.district.view(Catalogue)
    if words:
        named = {view.offers[o].product_id: o for o in view.by_shop.get(visit.me, ())}
        ids = [named[p] for p in visit.index.search(words, limit=SEARCHED_MAX) if p in named]
        start = ids.index(after) + 1 if after in ids else 0
        ids = ids[start : start + PAGE + 1]
    else:
        key = f"/{department}" if department else ""
        ids = visit.shelves.offers(visit.district, visit.me, key, after=after, limit=ROWS_MAX if low else PAGE + 1)
    offers = [view.offers[o] for o in ids]
    if low:
        offers = [o for o in offers if goods.free_pieces(visit.district, o) < 6][: PAGE + 1]
    return offers[:PAGE], offers[PAGE - 1].offer_id if len(offers) > PAGE else ""


def _page(
    visit: Visit,
    *,
    words: str = "",
    department: str = "",
    after: str = "",
    low: bool = False,
    status: int = 200,
    done: Import | None = None,
) -> Reply:
    offers, last = _found(visit, words, department, after, low=low)
    following = visit.link("/shop/stock", q=words, department=department, low="true" if low else "", after=last)
    return visit.page(
        "shop/stock.html",
        section="stock",
        status=status,
        shop=my_shop(visit),
        size=visit.shelves.size(visit.district, visit.me),
        rows=[_row(visit, offer) for offer in offers],
        words=words,
        department=department,
        low=low,
        departments=visit.shelves.departments_of(visit.district, visit.me),
        next=following if last else None,
        continued=bool(after),
        done=done,
        faults_shown=FAULTS_SHOWN,
    )

"""Articles made of the raw products: title, brand, size, price.

Raw products that would look the same (same good, brand and size) are told apart by an invented variant as far as the
good has some, best-selling first, and are one article beyond that. Rarely sold articles are left out; the lines in
which they were bought stand for the nearest article of the same good.
"""

from collections import defaultdict
from functools import cache
from pathlib import Path

import msgspec
import polars as pl

from hanse.world.demo import brands, gtin, tables
from hanse.world.demo.scenario import Product
from hanse.world.demo.sizes import NO_SIZE, Size, metric, usual

__all__ = ["EUR_PER_USD", "Assortment", "build", "shop_price"]

EUR_PER_USD = 0.92
"""Assumed, and the same for all prices; the source is in US dollars of 2017."""

_MOST_PACKS = 24
_FEWEST_LINES = 24
_SMALL_CATEGORY = 60
_FEWEST_LINES_IN_SMALL = 4
_LOWEST_PRICE_USD = 0.15  # below it stand vouchers and give-aways
_PRIVATE = 0
_LOOSE = -1


class Assortment(msgspec.Struct, frozen=True):
    """The products, and which of them each raw product stands for (index; with whether it is its own article)."""

    products: tuple[Product, ...]
    index_of: dict[int, int]
    own: frozenset[int]


class _Raw(msgspec.Struct, frozen=True, gc=False):
    """A raw product as far as an article needs it."""

    product_id: int
    good: int
    maker: int
    size: Size
    lines: int
    units: int
    price_usd: float


class _Article(msgspec.Struct, frozen=True, gc=False):
    """What makes an article look different from another."""

    good: str
    variant: int
    maker: int
    size: Size


def build(products_file: Path, transactions: pl.DataFrame, seed: int) -> Assortment:
    """All articles, best-selling first.

    Parameters
    ----------
    products_file
        The source's products.
    transactions
        Columns product_id, quantity, sales_value, retail_disc, coupon_match_disc; one row per line.
    seed
        Of the invented brands.
    """
    members = _members(_raw(products_file, transactions))
    order = _kept(members)
    place = {article: index for index, article in enumerate(order)}
    names = brands.invented(sorted({article.maker for article in order if article.maker > 0}), seed)
    nearest = _Nearest(order)
    index_of: dict[int, int] = {}
    own: set[int] = set()
    for article, raws in members.items():
        index = place.get(article, -1)
        stands_for = index if index >= 0 else nearest.index(article)
        if stands_for is None:
            continue
        for raw in raws:
            index_of[raw.product_id] = stands_for
            if index >= 0:
                own.add(raw.product_id)
    products = tuple(_product(article, members[article], names) for article in order)
    return Assortment(products, index_of, frozenset(own))


def shop_price(cents: float) -> int:
    """The nearest price that a shop would print: ends in 5 or 9, above ten euros in 50, 90 or 95.

    Examples
    --------
    >>> shop_price(87.3), shop_price(251.0), shop_price(1163.0)
    (89, 249, 1150)
    """
    if cents < 1000:
        low = int(cents) // 10 * 10
        candidates = [low - 1, low + 5, low + 9]
    else:
        low = int(cents) // 100 * 100
        candidates = [low - 5, low + 50, low + 90, low + 95]
    return max(9, min(candidates, key=lambda price: abs(price - cents)))


def _raw(products_file: Path, transactions: pl.DataFrame) -> list[_Raw]:
    goods = pl.DataFrame(
        [(good.product_category, good.product_type, index) for index, good in enumerate(tables.goods())],
        schema={"product_category": pl.String, "product_type": pl.String, "good": pl.Int32},
        orient="row",
    )
    sold = (
        transactions.lazy()
        .filter((pl.col("quantity") > 0) & (pl.col("sales_value") > 0))
        .with_columns(
            packs=pl.col("quantity").clip(1, _MOST_PACKS),
            price=(pl.col("sales_value") + pl.col("retail_disc") + pl.col("coupon_match_disc")) / pl.col("quantity"),
        )
        .group_by("product_id")
        .agg(lines=pl.len(), units=pl.col("packs").sum(), price_usd=pl.col("price").median())
    )
    rows = (
        pl.scan_parquet(products_file)
        .with_columns(pl.col("product_category").fill_null("-"))
        .join(goods.lazy(), on=["product_category", "product_type"])
        .join(sold.filter(pl.col("price_usd") >= _LOWEST_PRICE_USD), on="product_id")
        .sort("lines", "product_id", descending=[True, False])
        .select("product_id", "good", "manufacturer_id", "brand", "package_size", "lines", "units", "price_usd")
        .collect()
    )
    raws = []
    for product_id, index, manufacturer, brand, size, lines, units, price in rows.iter_rows():
        good = tables.goods()[index]
        raws.append(_Raw(product_id, index, _maker(good, manufacturer, brand), _size(good, size), lines, units, price))
    return raws


def _maker(good: tables.Good, manufacturer: int, brand: str) -> int:
    if good.category in tables.unbranded():
        return _LOOSE
    return _PRIVATE if brand == "Private" else manufacturer


def _size(good: tables.Good, raw: str | None) -> Size:
    normal = usual(good.usual_size)
    if good.category in tables.unbranded() and normal.value:
        return normal  # the source tells the shipping case here (bananas: 40 lb)
    measure = normal.unit if normal.unit != "pc" else tables.measures()[good.category]
    size = metric(raw, measure)
    if not size.value or (normal.count > 1 and size.count == 1):
        return normal
    return normal if normal.value and size.unit != measure and normal.unit == measure else size


def _members(raws: list[_Raw]) -> dict[_Article, list[_Raw]]:
    """Which raw products each article stands for; they come best-selling first, and so get the variants."""
    turns: dict[tuple[str, int], int] = defaultdict(int)
    members: dict[_Article, list[_Raw]] = defaultdict(list)
    for raw in raws:
        good = tables.goods()[raw.good]
        name = _kind(good)
        options = len(tables.variants()[good.variants]) if good.variants else 1
        # Makers start at different variants, or every second article would be the first flavour.
        start = raw.maker * 7 if raw.maker > 0 else 0
        variant = (start + turns[name, raw.maker]) % options
        turns[name, raw.maker] += 1
        members[_Article(name, variant, raw.maker, raw.size)].append(raw)
    return members


def _kind(good: tables.Good) -> str:
    """The same for rows of the table that a customer could not tell apart."""
    return f"{good.category}|{good.english}|{good.variants}"


@cache
def _goods_by_kind() -> dict[str, tables.Good]:
    return {_kind(good): good for good in tables.goods()}


def _kept(members: dict[_Article, list[_Raw]]) -> list[_Article]:
    """The articles worth a shelf, best-selling first: often sold, or among the first of a small category."""
    lines = {article: sum(raw.lines for raw in raws) for article, raws in members.items()}
    ranked = sorted(members, key=lambda article: (-lines[article], members[article][0].product_id))
    in_category: dict[str, int] = defaultdict(int)
    kept = []
    for article in ranked:
        category = _goods_by_kind()[article.good].category
        small = in_category[category] < _SMALL_CATEGORY and lines[article] >= _FEWEST_LINES_IN_SMALL
        if lines[article] >= _FEWEST_LINES or small:
            in_category[category] += 1
            kept.append(article)
    return kept


class _Nearest:
    """Finds the article that a rarely sold one stands for: same good, then as much the same as there is."""

    def __init__(self, order: list[_Article]) -> None:
        self._of_good: dict[str, list[tuple[int, _Article]]] = defaultdict(list)
        for index, article in enumerate(order):
            self._of_good[article.good].append((index, article))

    def index(self, article: _Article) -> int | None:
        best = max(
            self._of_good.get(article.good, ()),
            key=lambda entry: (
                entry[1].maker == article.maker,
                entry[1].size == article.size,
                entry[1].variant == article.variant,
                -entry[0],
            ),
            default=None,
        )
        return best[0] if best else None


def _product(article: _Article, raws: list[_Raw], names: dict[int, str]) -> Product:
    good = _goods_by_kind()[article.good]
    lines = sum(raw.lines for raw in raws)
    usd = sum(raw.price_usd * raw.lines for raw in raws) / lines
    english, german = _title(good, article.variant)
    size = article.size if article.size.value else NO_SIZE
    return Product(
        key=f"p{raws[0].product_id}",
        gtin=gtin.in_store(raws[0].product_id),
        category=good.category,
        brand=_brand(article.maker, names),
        english=english,
        german=german,
        size_count=size.count,
        size_value=size.value,
        size_unit=size.unit,
        price_minor=shop_price(usd * EUR_PER_USD * 100),
        units=sum(raw.units for raw in raws),
    )


def _brand(maker: int, names: dict[int, str]) -> str:
    if maker == _LOOSE:
        return ""
    return brands.HOUSE_BRAND if maker == _PRIVATE else names[maker]


def _title(good: tables.Good, variant: int) -> tuple[str, str]:
    """English and German: the variant stands behind the first part, or is the title where there is none."""
    if not good.variants:
        return good.english, good.german
    option = tables.variants()[good.variants][variant]
    return _joined(good.english, option.english), _joined(good.german, option.german)


def _joined(title: str, variant: str) -> str:
    if not title:
        return variant[0].upper() + variant[1:]
    first, comma, rest = title.partition(", ")
    return f"{first}, {variant}{comma}{rest}"

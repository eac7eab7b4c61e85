"""The door: builds the whole scenario from the two data packages, the same one for the same seed."""

from collections.abc import Callable, Collection
from hashlib import sha256

import msgspec
import polars as pl

from hanse.world.demo import articles, basemap, baskets, extract, households, offers, shops, sources, tables
from hanse.world.demo.scenario import Scenario

__all__ = ["fingerprint", "scenario"]

_COLUMNS = (
    "household_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_match_disc",
    "transaction_timestamp",
)


def scenario(seed: int = 1, *, progress: Callable[[str, float], None] = lambda stage, share: None) -> Scenario:
    """Everything the demo's district starts with.

    Parameters
    ----------
    seed
        Of all that is invented; places and purchases do not depend on it.
    progress
        Called before each stage with its name, and the share of the work done (0 to 1); at the end with ``done``.

    Raises
    ------
    Unavailable
        ``world.demo_data_missing`` if a data package is not installed.

    Notes
    -----
    About 5 s on two cores. The largest part is sorting 1.4 million lines into baskets.
    """
    files = sources.street_map_file(), sources.products_file(), sources.transactions_file()
    progress("street map", 0.0)
    town = extract.read(files[0])
    places = shops.choose(town)
    ground = basemap.layers(town)
    progress("transactions", 0.15)
    lines = pl.read_parquet(files[2], columns=list(_COLUMNS))
    progress("articles", 0.25)
    assortment = articles.build(files[1], lines, seed)
    progress("baskets", 0.55)
    purchases, household_ids = baskets.build(lines, assortment.index_of)
    progress("households", 0.8)
    people = households.build(household_ids, town.addresses, seed)
    progress("offers", 0.85)
    units = sum(product.units for product in assortment.products)
    on_sale = offers.build(places, assortment.products, units / max(1, len(purchases)), seed)
    bought = lines["product_id"]
    result = Scenario(
        seed=seed,
        shops=places,
        departments=tables.departments(),
        categories=tables.categories(),
        products=assortment.products,
        offers=on_sale,
        households=people,
        map=ground,
        terms=sources.TERMS,
        line_share=_share(bought, assortment.index_of),
        own_line_share=_share(bought, assortment.own),
        baskets=purchases,
    )
    progress("done", 1.0)
    return result


def _share(bought: pl.Series, kept: Collection[int]) -> float:
    return int(bought.is_in(list(kept)).sum()) / max(1, len(bought))


def fingerprint(built: Scenario) -> str:
    """SHA-256 over everything in it, for comparing two builds."""
    parts = {name: getattr(built, name) for name in built.__struct_fields__ if name != "baskets"}
    return sha256(msgspec.msgpack.encode(parts) + built.baskets.fingerprint()).hexdigest()

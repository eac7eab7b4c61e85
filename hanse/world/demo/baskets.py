"""The real baskets, restricted to articles of the demo, in columns."""

from array import array

import polars as pl

from hanse.world.demo.scenario import Baskets

__all__ = ["build"]

_MOST_PACKS = 24
_ZONE = "America/New_York"
"""Of the source's shops: its times are UTC, or nobody would shop at noon and many at midnight."""


def build(transactions: pl.DataFrame, index_of: dict[int, int]) -> tuple[Baskets, list[int]]:
    """The baskets in order of time, and the source's household ids in the order of their index.

    Parameters
    ----------
    transactions
        Columns household_id, basket_id, product_id, quantity, transaction_timestamp.
    index_of
        The article that each raw product stands for; lines of other products fall away.
    """
    articles = pl.DataFrame(
        {"product_id": list(index_of.keys()), "article": list(index_of.values())},
        schema={"product_id": pl.Int64, "article": pl.UInt16},
    )
    household_ids = transactions["household_id"].unique().sort()
    people = pl.DataFrame({"household_id": household_ids}).with_row_index("household")
    lines = (
        transactions.lazy()
        .filter(pl.col("quantity") > 0)
        .join(articles.lazy(), on="product_id")
        .group_by("basket_id", "household_id", "article")
        .agg(pl.col("quantity").sum().clip(1, _MOST_PACKS), pl.col("transaction_timestamp").min())
        .with_columns(start=pl.col("transaction_timestamp").min().over("basket_id"))
        .join(people.lazy(), on="household_id")
        .sort("start", "basket_id", "article")
        .collect()
    )
    heads = lines.group_by("basket_id", maintain_order=True).agg(
        pl.col("household").first(), pl.col("start").first(), pl.len()
    )
    start = heads["start"].dt.replace_time_zone("UTC").dt.convert_time_zone(_ZONE)
    baskets = Baskets(
        households=array("H", heads["household"].to_list()),
        weekdays=array("B", start.dt.weekday().to_list()),
        minutes=array("H", (start.dt.hour().cast(pl.Int32) * 60 + start.dt.minute()).to_list()),
        ends=array("I", heads["len"].cum_sum().to_list()),
        products=array("H", lines["article"].to_list()),
        packs=array("B", lines["quantity"].to_list()),
    )
    return baskets, household_ids.to_list()

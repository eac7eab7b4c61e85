"""Stock and ledger recomputed from the journal's rows by SQL alone: no code of Hanse takes part."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["Audit", "audit", "audit_postgres"]

STOCK = """
WITH counted AS (
    SELECT i.value AS item, n.value AS units,
           row_number() OVER (PARTITION BY i.value ORDER BY e.position DESC) AS latest
    FROM entry e, json_each(e.body, '$.item_ids') i, json_each(e.body, '$.on_hand') n
    WHERE e.name = 'supply.stock_counted' AND i.key = n.key
), held AS (
    SELECT l.value ->> 2 AS item, sum(l.value ->> 3 * (l.value ->> 6)) AS units
    FROM entry e, json_each(e.body, '$.parts') p, json_each(p.value, '$.lines') l
    WHERE e.name = 'market.order_placed' GROUP BY 1
)
SELECT count(*), sum(h.units), min(c.units - h.units)
FROM held h JOIN counted c ON c.item = h.item AND c.latest = 1
"""

ORDERED = "SELECT count(DISTINCT story), count(*) FROM entry WHERE name = 'market.order_placed'"

MONEY = """
SELECT (SELECT sum(body ->> 'total_minor') FROM entry WHERE name = 'market.order_placed'),
       (SELECT sum(t.value ->> 'amount_minor') FROM entry e, json_each(e.body, '$.transfers') t
        WHERE e.name = 'market.order_placed'),
       (SELECT sum(l.value ->> 4 * (l.value ->> 3))
        FROM entry e, json_each(e.body, '$.parts') p, json_each(p.value, '$.lines') l
        WHERE e.name = 'market.order_placed')
"""

KEYS = """
SELECT count(*), count(DISTINCT one.value ->> 2 || ' ' || (one.value ->> 3))
FROM answers, json_each(given) one
WHERE one.value ->> 5 = 'ok' AND one.value ->> '$[6].order_id' IS NOT NULL
"""


# The same questions in PostgreSQL's words.
PG_STOCK = """
WITH counted AS (
    SELECT DISTINCT ON (i.value) i.value AS item, n.value::bigint AS units
    FROM entry e, jsonb_array_elements_text(e.body::jsonb -> 'item_ids') WITH ORDINALITY i (value, at),
         jsonb_array_elements_text(e.body::jsonb -> 'on_hand') WITH ORDINALITY n (value, at)
    WHERE e.name = 'supply.stock_counted' AND i.at = n.at ORDER BY i.value, e.position DESC
), held AS (
    SELECT l ->> 2 AS item, sum((l ->> 3)::bigint * (l ->> 6)::bigint) AS units
    FROM entry e, jsonb_array_elements(e.body::jsonb -> 'parts') p, jsonb_array_elements(p -> 'lines') l
    WHERE e.name = 'market.order_placed' GROUP BY 1
)
SELECT count(*), sum(h.units), min(c.units - h.units) FROM held h JOIN counted c ON c.item = h.item
"""

PG_MONEY = """
SELECT (SELECT sum((body::jsonb ->> 'total_minor')::bigint) FROM entry WHERE name = 'market.order_placed'),
       (SELECT sum((t ->> 'amount_minor')::bigint) FROM entry e, jsonb_array_elements(e.body::jsonb -> 'transfers') t
        WHERE e.name = 'market.order_placed'),
       (SELECT sum((l ->> 4)::bigint * (l ->> 3)::bigint)
        FROM entry e, jsonb_array_elements(e.body::jsonb -> 'parts') p, jsonb_array_elements(p -> 'lines') l
        WHERE e.name = 'market.order_placed')
"""

PG_KEYS = """
SELECT count(*), count(DISTINCT caller || ' ' || key) FROM answer
WHERE kind = 'ok' AND convert_from(body, 'UTF8')::jsonb ->> 'order_id' IS NOT NULL
"""


class Audit:
    """What the rows say: orders, units, money, keys."""

    def __init__(self, rows: Any, *, stock: str, money: str, keys: str) -> None:
        self.items, self.units_held, self.lowest_free = rows.execute(stock).fetchone()
        self.stories, self.orders = rows.execute(ORDERED).fetchone()
        self.total_minor, self.held_minor, self.priced_minor = rows.execute(money).fetchone()
        self.answers, self.keys = rows.execute(keys).fetchone()


def audit(path: Path, *, acknowledged: int) -> str:
    """One sentence if all is right; raises `AssertionError` naming what is not.

    Every acknowledged order is there once; nowhere are more units held than were counted; money held is
    the orders' total, which is the sum of price times quantity.
    """
    with closing(sqlite3.connect(path)) as rows:
        return _judge(Audit(rows, stock=STOCK, money=MONEY, keys=KEYS), acknowledged)


def audit_postgres(url: str, *, acknowledged: int) -> str:
    """The same of a journal in PostgreSQL that holds one district."""
    import psycopg

    with psycopg.connect(url) as rows:
        return _judge(Audit(rows, stock=PG_STOCK, money=PG_MONEY, keys=PG_KEYS), acknowledged)


def _judge(found: Audit, acknowledged: int) -> str:
    assert found.orders == found.stories == acknowledged, f"{acknowledged} orders acknowledged, {found.orders} found"
    assert found.answers == found.keys == acknowledged, f"{found.answers} answers to {found.keys} keys"
    assert found.lowest_free >= 0, f"an item is oversold by {-found.lowest_free}"
    assert found.total_minor == found.held_minor == found.priced_minor, "money ordered, held and priced differ"
    return (
        f"SQL over the journal agrees: {found.orders:,} orders, {found.units_held:,} units of {found.items:,} items,"
        f" {found.held_minor:,} minor units held, nothing oversold, no key twice."
    )

"""Stock and ledger recomputed from the journal's rows by SQL alone: no code of Hanse takes part."""

import sqlite3
from pathlib import Path

__all__ = ["Audit", "audit"]

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


class Audit:
    """What the rows say: orders, units, money, keys."""

    def __init__(self, path: Path) -> None:
        rows = sqlite3.connect(path)
        self.items, self.units_held, self.lowest_free = rows.execute(STOCK).fetchone()
        self.stories, self.orders = rows.execute(ORDERED).fetchone()
        self.total_minor, self.held_minor, self.priced_minor = rows.execute(MONEY).fetchone()
        self.answers, self.keys = rows.execute(KEYS).fetchone()
        rows.close()


def audit(path: Path, *, acknowledged: int) -> str:
    """One sentence if all is right; raises `AssertionError` naming what is not.

    Every acknowledged order is there once; nowhere are more units held than were counted; money held is
    the orders' total, which is the sum of price times quantity.
    """
    found = Audit(path)
    assert found.orders == found.stories == acknowledged, f"{acknowledged} orders acknowledged, {found.orders} found"
    assert found.answers == found.keys == acknowledged, f"{found.answers} answers to {found.keys} keys"
    assert found.lowest_free >= 0, f"an item is oversold by {-found.lowest_free}"
    assert found.total_minor == found.held_minor == found.priced_minor, "money ordered, held and priced differ"
    return (
        f"SQL over the journal agrees: {found.orders:,} orders, {found.units_held:,} units of {found.items:,} items,"
        f" {found.held_minor:,} minor units held, nothing oversold, no key twice."
    )

"""Orders: one order, a part per shop.

Question: What was ordered, where does each part of it stand, and what is due now?
Engine: market.orders.engine
Method: prices, VAT and commission are frozen when the order is placed, and it is accepted as soon as its
    money is held; each part goes placed → accepted (by the shop) → picked → handed over → delivered or
    collected → settled, or ends before
Reads: market.order_*, market.part_*, finance.payment_held
Records: market.order_placed, market.order_expired, market.order_closed, market.part_*
Limits: 100 lines an order; open orders stay in memory, about 2 kB each; closed ones are read from the journal
Not for: what happens in the other contexts when an order moves (flows.order)
"""

from hanse.market.orders.engine import commission, price

__all__ = ["commission", "price"]

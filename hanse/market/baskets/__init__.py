"""What a shopper is about to buy.

Question: What lies in this shopper's basket, for delivery where, paid how?
Engine: none
Method: one basket a shopper; each change records the whole basket, the last one counts
Reads: market.basket_changed, market.order_placed
Records: market.basket_changed
Limits: 100 lines a basket; a basket holds no stock, an order does
Not for: what was bought (market.orders)
"""

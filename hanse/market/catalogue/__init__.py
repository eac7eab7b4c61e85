"""Shops, products and offers.

Question: Which shops are there, what do they offer, at what price?
Engine: none
Method: columns of products and offers, folded into dictionaries by id
Reads: market.shop_joined, market.products_listed, market.offers_set
Records: market.shop_joined, market.products_listed, market.offers_set
Limits: 500 rows an event; the whole catalogue stays in memory, about 0.5 kB an offer
Not for: how many there are (supply.stock); finding by words (market.search)
"""

"""Market: what shops offer, what shoppers want, and the orders between them.

`catalogue` (shops, products, offers) → `baskets` (what somebody is about to buy) → `orders` (what was
bought, part by part); `away` is what was asked of neighbouring districts. `web.py` holds the HTTP routes.
"""

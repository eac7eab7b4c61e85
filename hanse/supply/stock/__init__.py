"""Stock, exact.

Question: How many units can still be promised, and for whom are the others held?
Engine: none
Method: free = on hand - held; a placed order holds what its lines take, part by part, until a release or
    an issue; what is not found when it is picked is written off
Reads: market.order_placed, market.part_picked, supply.stock_counted, supply.stock_released,
    supply.stock_issued, supply.stock_returned
Records: supply.stock_counted, supply.stock_short, supply.stock_released,
    supply.stock_issued, supply.stock_returned
Limits: one dictionary look-up an item; a count may make free stock negative, a sale never
Not for: how much to order (supply.replenishment)
"""

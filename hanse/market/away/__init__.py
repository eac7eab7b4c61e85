"""Orders of this district's shoppers at a neighbour's shops.

Question: What did a shopper ask for elsewhere, and where does each part of it stand there?
Engine: none
Method: the neighbour has the order and decides; here stands what was asked and what the neighbour told, in its order
Reads: market.away_*
Records: market.away_*
Limits: goods are collected at the neighbour's shop, never delivered; a closed order stays in memory for 120 days, about
    1 kB; so late, and so late only, a refund goes to the league's unclaimed money
Not for: what neighbours' shoppers order here, which is an order as any other (market.orders)
"""

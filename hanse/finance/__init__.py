"""Finance: who owes what to whom, and every movement between them.

`ledger` (accounts and transfers, double entry) → `payments` (an order's money, from hold to refund);
`clearing` is what is owed between this district and its neighbours.
"""

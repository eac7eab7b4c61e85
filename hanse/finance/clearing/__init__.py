"""What this district and its neighbours owe each other.

Question: How much do we owe a neighbour, or it us, and how much more may it become?
Engine: none
Method: a ledger account for each neighbour, on both sides; what one side takes from its shopper the other side has
    given to its shop, so the two accounts sum to zero but for the messages that are still on their way
Reads: finance.transfers_posted, finance.payment_captured, finance.payment_refunded
Records: finance.account_opened, finance.transfers_posted
Limits: one currency a pair; no bank is called: what is owed is paid outside, and booked by whoever was paid
Not for: an order's money in the district that fulfils it (finance.payments)
"""

"""A double-entry ledger.

Question: What is in an account, what of it is free, and what was in it at any past moment?
Engine: none
Method: transfers between two accounts, posted at once or held and then captured or voided (two-phase);
    the form follows TigerBeetle's data model (accounts, pending transfers, linked transfers)
Reads: finance.account_opened, and every event that carries transfers
Records: finance.account_opened, finance.transfers_posted, finance.holds_expired
Limits: amounts to 10^15 minor units; a balance at a past moment reads the journal, about 3 s a million entries
Not for: an order's payment (finance.payments)
"""

"""An order's money.

Question: Is an order paid for, and what of it was captured, settled, given back?
Engine: none
Method: held at the order, captured at hand-over (less if less was picked), commission taken at settlement,
    refunds exact to the minor unit however often they are split
Reads: finance.payment_captured, finance.payment_refunded, finance.card_payment_asked
Records: finance.payment_held, finance.payment_captured, finance.payment_released, finance.payment_settled,
    finance.payment_refunded, finance.card_payment_asked, finance.card_payment_declined, finance.card_refund_asked
Limits: refunds for 30 days after the arrival; each reads the whole story of its order
Not for: balances (finance.ledger); who may pay later (finance.credit)
"""

"""Learning: what brains chose, and what came of it.

`decisions` (the decision log of all capabilities, asked).
"""

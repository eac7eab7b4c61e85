"""The journal: everything that happened in a district, in order, for ever.

`protocol.py` says what a journal is; `memory.py` and `sqlite.py` are two of them, held to one suite of
tests; `check.py` verifies the hash chain.
"""

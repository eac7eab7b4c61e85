"""The journal: everything that happened in a district, in order, for ever.

`protocol.py` says what a journal is; `memory.py`, `sqlite.py` and `postgres.py` are three of them, held to one suite of
tests; `check.py` verifies the hash chain; `archive.py` writes a journal out, `move.py` into another one.
`sqlite_file.py` and `durable.py` are what any file of a district needs to be trusted after a power cut.
"""

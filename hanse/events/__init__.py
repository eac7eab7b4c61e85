"""The dictionary: every event there is, one file per owning context.

Stored names and versions are for ever; `dictionary.py` says how a class gets them and how an older
version is lifted to the present one.
"""

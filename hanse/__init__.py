"""Hanse: a league of independent shops, run like one platform that its members own.

Read `hanse/flows/order.py` first, then ARCHITECTURE.md.
"""

__version__ = "0.1.0"

"""Hanse: a league of independent shops, run like one platform that its members own.

Read `hanse/flows/order.py` first, then ARCHITECTURE.md.
"""

from hanse.compiled import use_twins

__version__ = "0.1.0"

use_twins()

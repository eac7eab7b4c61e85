"""Looking for garbage between turns, a little at a time.

Python's own collector stops everything while it looks, and what it looks at grows with all that is there:
0.8 s with half a million open orders. So whoever runs a writer for long disables it (`gc.disable`), and
the writer looks itself, where nobody is in the middle of anything.
"""

import gc
import time

__all__ = ["look"]

NEW_MAX = 10_000
"""So many new objects that might be garbage are worth a look: 1.5 ms, every 2,500 orders of three lines."""

LONG_NS = 5_000_000
"""A look that takes longer is the last one at what it found alive."""


def look(*, new_max: int = NEW_MAX) -> None:
    """Look at what is new, and at what has been found alive since the last freeze, if enough is new.

    Open orders, offers and accounts are structs and strings, which no look has to do with. What lives long and
    is looked at nonetheless (a list for each shopper) is frozen once there is so much of it that looking takes
    long. Garbage in a circle that was alive at that very moment is never freed; a stream or a request is, unless
    a freeze met it.
    """
    if gc.isenabled() or gc.get_count()[0] < new_max:
        return
    # The processor's time and not the clock's: being interrupted is no reason to freeze.
    began = time.thread_time_ns()
    gc.collect()
    if time.thread_time_ns() - began > LONG_NS:
        gc.freeze()

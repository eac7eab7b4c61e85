"""From what an entry names as its origin to the lines of code: for the trace on a terminal and on the pages."""

import inspect
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import hanse

__all__ = ["whereabouts"]


@lru_cache(maxsize=1_024)
def whereabouts(origin: str) -> str | None:
    """File and line of the function that an entry names as its origin; None where it is not ours or is gone.

    Examples
    --------
    >>> whereabouts("flows.order.place").partition(":")[0]
    'hanse/flows/order.py'
    """
    parts = origin.split(".")
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(["hanse", *parts[:length]])
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            continue
        if found is None:
            continue
        target: object = import_module(name)
        for part in parts[length:]:
            target = getattr(target, part, None)
        if not inspect.isroutine(target):
            return None
        source, line = inspect.getsourcefile(target), inspect.getsourcelines(target)[1]
        root = Path(hanse.__file__).parent.parent
        return f"{Path(source or '').relative_to(root).as_posix()}:{line}"
    return None

"""From what an entry names as its origin to the lines of code: for the trace on a terminal and on the pages."""

import ast
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import hanse
from hanse.compiled import source_of

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
        source = source_of(".".join(["hanse", *parts[:length]]))
        if source.exists():
            line = _line_of(ast.parse(source.read_bytes()), parts[length:])
            root = Path(hanse.__file__).parent.parent
            return f"{source.relative_to(root).as_posix()}:{line}" if line else None
    return None


def _line_of(tree: ast.Module, names: Sequence[str]) -> int:
    """Where a function, or a method by its class, begins; 0 if there is none."""
    found: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef = tree
    for name in names:
        for node in found.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                found = node
                break
        else:
            return 0
    return 0 if isinstance(found, ast.ClassDef | ast.Module) else found.lineno

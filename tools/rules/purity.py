"""Rules that keep what computes apart from what has effects."""

import ast
from collections.abc import Iterator

from tools.rules.source import CONTEXTS, Place, Source

__all__ = ["engine_imports", "pure_calls"]

# What an engine may import from the standard library: everything here answers the same to the same question.
_PURE_STANDARD = frozenset(
    """__future__ abc array ast base64 bisect collections copy dataclasses datetime decimal difflib enum fractions
    functools hashlib heapq html itertools json math operator random re statistics string struct textwrap typing
    unicodedata zoneinfo""".split()
)
# Numeric libraries. A new one gets a decision record and its name here.
_NUMERIC = frozenset(
    """numpy scipy polars pandas pyarrow msgspec sklearn lightgbm statsforecast mlforecast utilsforecast river optuna
    pyvrp ortools highspy networkx shapely h3 simpy onnxruntime usearch tantivy""".split()
)
_IMPURE = frozenset(
    """asyncio ctypes http io logging multiprocessing os pathlib secrets shutil signal socket sqlite3 ssl subprocess
    sys tempfile threading time urllib uuid warnings""".split()
)
_IMPURE_CALLS = frozenset(
    "open input print datetime.now datetime.utcnow datetime.today date.today random.seed "
    "np.random.seed numpy.random.seed".split()
)
_SEEDED = frozenset({"Random", "default_rng", "Generator", "SeedSequence", "PCG64"})


def engine_imports(source: Source) -> Iterator[Place]:
    """Imports of an engine that are not the kernel, numerics, a sibling engine or a numeric library."""
    if not is_engine(source):
        return
    context = source.parts[1]
    for line, name in source.imports():
        top, _, rest = name.partition(".")
        if top == "hanse":
            allowed = rest.split(".")[0] in {"kernel", "numerics"} or _is_sibling_engine(name, context)
        else:
            allowed = top in _PURE_STANDARD or top in _NUMERIC
        if not allowed:
            yield line, f"the import {name}"


def pure_calls(source: Source) -> Iterator[Place]:
    """A clock, a file, the system or unseeded chance where only arguments may decide."""
    if not is_engine(source) and not source.under("hanse/kernel", "hanse/numerics"):
        return
    for line, name in source.imports():
        if name.split(".")[0] in _IMPURE:
            yield line, f"the import {name}"
        elif name.startswith("random.") and name != "random.Random":
            yield line, f"unseeded {name}"
    for node in source.nodes(ast.Call):
        if problem := _impure(node):
            yield node.lineno, problem


def is_engine(source: Source) -> bool:
    """Whether the file is a capability's engine, or a part of an engine that is a folder."""
    parts = source.parts
    return len(parts) >= 4 and parts[1] in CONTEXTS and parts[3] in {"engine", "engine.py"}


def _is_sibling_engine(name: str, context: str) -> bool:
    return name.startswith(f"hanse.{context}.") and "engine" in name.split(".")[3:]


def _impure(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    if name in _IMPURE_CALLS or name.endswith((".datetime.now", ".date.today")):
        return f"{name}()"
    *owner, last = name.split(".")
    if owner and owner[-1] == "random" and last not in _SEEDED:
        return f"unseeded {name}()"
    if last in _SEEDED and not call.args and not call.keywords:
        return f"{name}() without a seed"
    return ""

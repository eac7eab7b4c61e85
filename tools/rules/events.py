"""Rules about events and money: names that outlive the code, amounts that stay exact."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tools.rules.source import ERROR_CALLS, Place, Source

__all__ = ["event_names", "exact_money", "free_event_names"]

# Verbs whose past tense does not end in -ed, the one state that counts as an event (stock fell short),
# and the particles that may follow a verb (handed over).
_IRREGULAR = (
    "begun bought broken brought built chosen cut drawn driven felt found given gone grown held kept known laid "
    "left lent lost made met overdrawn paid put read risen sent set short shown shut sold spent stood stolen sunk "
    "swept taken thrown told understood withdrawn won written"
)
_PARTICLES = frozenset({"in", "out", "over", "off", "up", "down", "back", "on", "away"})
_PAST = frozenset(_IRREGULAR.split())


def event_names(source: Source) -> Iterator[Place]:
    """Stored names that do not begin with their file's context or do not end in the past tense."""
    if not source.under("hanse/events"):
        return
    context = source.name.removesuffix(".py")
    for line, name in stored_names(source.tree):
        prefix, _, words = name.partition(".")
        if prefix != context:
            yield line, f"{name} in the file of {context}"
        elif not re.fullmatch(r"[a-z]+(_[a-z]+)*", words) or not _is_past(words.split("_")):
            yield line, f"{name}, which is not in the past tense"


def free_event_names(source: Source) -> Iterator[Place]:
    """Stored names written out as strings in the package, outside the dictionary.

    The simulation's auditor reads the journal as a stranger would, by names and JSON: it may.
    """
    if not source.under("hanse") or source.under("hanse/events") or source.under("hanse/world/simulation"):
        return
    known = dictionary_names(source.root)
    calls = (call for call in source.nodes(ast.Call) if ast.unparse(call.func) in ERROR_CALLS)
    # An error's code may read like an event's name; nothing ties the two.
    codes = {argument for call in calls for argument in call.args[:2]}
    for node in source.nodes(ast.Constant):
        if isinstance(node.value, str) and node.value in known and node not in codes:
            yield node.lineno, f'"{node.value}"'


def exact_money(source: Source) -> Iterator[Place]:
    """Names that end in `_minor` and are annotated with anything but whole numbers."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AnnAssign):
            name = node.target.id if isinstance(node.target, ast.Name) else getattr(node.target, "attr", "")
            annotation: ast.expr | None = node.annotation
        elif isinstance(node, ast.arg):
            name, annotation = node.arg, node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name, annotation = node.name, node.returns
        else:
            continue
        if name.endswith("_minor") and annotation is not None and not _is_whole(annotation):
            yield node.lineno, f"{name}: {ast.unparse(annotation)}"


def stored_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and stored name of each event that a file of the dictionary declares."""
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", []):
            match decorator:
                case ast.Call(func=ast.Name(id="stored"), args=[ast.Constant(value=str(name)), *_]):
                    yield decorator.lineno, name
                case _:
                    pass


@lru_cache(maxsize=4)
def dictionary_names(root: Path) -> frozenset[str]:
    """All stored names of the repository's dictionary."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.glob("hanse/events/*.py")))
    return frozenset(name for tree in trees for _, name in stored_names(tree))


def _is_past(words: list[str]) -> bool:
    verb = words[-2] if words[-1] in _PARTICLES and len(words) > 1 else words[-1]
    return verb.endswith("ed") or verb in _PAST


def _is_whole(annotation: ast.expr) -> bool:
    """Whether an annotation speaks of int, and never of float or Decimal."""
    words = set(re.findall(r"[A-Za-z_]+", ast.unparse(annotation)))
    return "int" in words and not words & {"float", "Decimal", "Any", "complex"}

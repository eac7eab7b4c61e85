"""Rules about what must not be left lying in a file."""

import ast
import re
from collections.abc import Iterator

from tools.rules.source import Place, Source

__all__ = ["blind_except", "leftovers", "machine_paths", "mocks", "prints", "registry_hosts", "sleeps"]

# Written in pieces, so that these rules do not find themselves.
_LEFTOVER = re.compile(r"\b(" + "|".join(["FIX" + "ME", "TO" + "DO", "X" * 3, "HA" + "CK"]) + r")\b")
_MACHINE_PATH = re.compile(r"(?<![\w./\-$}])(?:/(?:home|Users|root|work|opt|tmp)/[\w.]|[A-Z]:\\\\?Users)")
_REGISTRY = re.compile(
    "|".join(
        re.escape(".".join(host))
        for host in [
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("registry", "npmjs", "org"),
            ("yarnpkg", "com"),
            ("debian", "org"),
        ]
    )
)


def prints(source: Source) -> Iterator[Place]:
    """`print` in library code; the command line is where things are printed."""
    if not source.under("hanse") or source.path.startswith("hanse/app/cli") or source.name == "__main__.py":
        return
    for node in source.nodes(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print()"


def leftovers(source: Source) -> Iterator[Place]:
    """Notes to oneself."""
    yield from ((number, found[0]) for number, line in _numbered(source) if (found := _LEFTOVER.search(line)))


def blind_except(source: Source) -> Iterator[Place]:
    """`except Exception` and wider that neither raises again nor says why on the line."""
    for node in source.nodes(ast.ExceptHandler):
        caught = ast.unparse(node.type) if node.type else "everything"
        wide = node.type is None or re.search(r"\b(Base)?Exception\b", caught)
        comment = source.lines[node.lineno - 1].partition("#")[2]
        reason = re.sub(r"noqa(: ?[A-Z0-9, ]+)?|type: ignore(\[.*?\])?", "", comment).strip(" -#:")
        raises_again = isinstance(node.body[-1], ast.Raise)
        if wide and not reason and not raises_again:
            yield node.lineno, f"except {caught} without its reason"


def sleeps(source: Source) -> Iterator[Place]:
    """Waiting for wall time in a test."""
    if not source.under("tests"):
        return
    for node in source.nodes(ast.Call):
        if ast.unparse(node.func).split(".")[-1] == "sleep":
            yield node.lineno, ast.unparse(node)


def mocks(source: Source) -> Iterator[Place]:
    """Mocks in a test."""
    if source.under("tests"):
        yield from ((line, name) for line, name in source.imports() if name.startswith(("unittest.mock", "mock.")))


def machine_paths(source: Source) -> Iterator[Place]:
    """Paths that exist on one machine only."""
    yield from ((number, found[0]) for number, line in _numbered(source) if (found := _MACHINE_PATH.search(line)))


def registry_hosts(source: Source) -> Iterator[Place]:
    """Names of package registries' hosts."""
    yield from ((number, found[0]) for number, line in _numbered(source) if (found := _REGISTRY.search(line)))


def _numbered(source: Source) -> Iterator[tuple[int, str]]:
    return enumerate(source.lines, start=1)

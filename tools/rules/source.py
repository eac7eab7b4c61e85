"""What a rule gets to read: one file of the repository, parsed at most once."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

__all__ = ["CONTEXTS", "ERROR_CALLS", "Place", "Source", "sources"]

CONTEXTS = frozenset(
    {
        "people",
        "market",
        "store",
        "supply",
        "logistics",
        "trade",
        "finance",
        "marketing",
        "factory",
        "city",
        "learning",
    }
)
"""The folders of hanse/ that hold capabilities."""

ERROR_CALLS = frozenset(
    {"HanseError", "InvalidInput", "NotFound", "Conflict", "NotAllowed", "LimitExceeded", "Unavailable", "must"}
)
"""What takes an error's code as its first argument (`must` as its second)."""

Place = tuple[int, str]
"""Where a rule is broken: line (from 1) and what stands there."""

N = TypeVar("N", bound=ast.AST)

_NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", "dist", "build", "data"}


@dataclass(frozen=True)
class Source:
    """One file: its path below the root of the repository, and its text."""

    root: Path
    path: str

    @cached_property
    def text(self) -> str:
        """The file's text; empty for what is not text (a picture, a font)."""
        try:
            return (self.root / self.path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return ""

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of a Python file; empty for one that does not parse, which ruff reports better."""
        try:
            return ast.parse(self.text, self.path)
        except SyntaxError:
            return ast.Module([], [])

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's folders and the file's name."""
        return tuple(self.path.split("/"))

    @property
    def name(self) -> str:
        """The file's name."""
        return self.parts[-1]

    def under(self, *folders: str) -> bool:
        """Whether the file lies in one of the folders."""
        return any(self.path.startswith(folder + "/") for folder in folders)

    def nodes(self, kind: type[N]) -> Iterator[N]:
        """All nodes of a kind in a Python file."""
        return (node for node in ast.walk(self.tree) if isinstance(node, kind))

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full dotted name of everything that a Python file imports."""
        for plain in self.nodes(ast.Import):
            yield from ((plain.lineno, alias.name) for alias in plain.names)
        for node in self.nodes(ast.ImportFrom):
            if node.module:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def sources(root: Path) -> list[Source]:
    """All files that are, or would be, committed; outside a git checkout, all that are not built."""
    if (root / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        paths = [path for path in listing.split("\0") if path and (root / path).is_file()]
    else:
        found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        paths = [path.as_posix() for path in found if not _NOT_OURS & set(path.parts)]
    return [Source(root, path) for path in sorted(set(paths))]

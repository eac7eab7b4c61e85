"""Rules about names and the shape of a context: where things stand and what they are called."""

import ast
import re
from collections.abc import Iterator

from tools.rules.source import CONTEXTS, Place, Source

__all__ = ["CARD_HEADINGS", "banned_names", "capability_card", "card_sections", "context_init", "doors_only"]

CARD_HEADINGS = ("Question", "Engine", "Method", "Reads", "Records", "Limits", "Not for")
"""The headings of a capability card, in order."""

_BANNED = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "v2"}
_WORDS = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+(?![a-z])")
_HEADING = re.compile(rf"^({'|'.join(CARD_HEADINGS)})(?::[ \t]*(.*)|[ \t]*)$")
_DOORS = {"service", "views", "archive", "web"}


def banned_names(source: Source) -> Iterator[Place]:
    """Files, folders and classes whose name says nothing."""
    if source.under("hanse", "tools", "benchmarks", "examples", "frontend", "tests"):
        for part in source.parts:
            if _BANNED & set(re.split(r"[_.\-]", part.lower())):
                yield 1, f"the name {part}"
    if source.name.endswith(".py"):
        for node in source.nodes(ast.ClassDef):
            if _BANNED & {word.lower() for word in _WORDS.findall(node.name)}:
                yield node.lineno, f"the class name {node.name}"


def context_init(source: Source) -> Iterator[Place]:
    """A context's `__init__.py` that does more than describe."""
    if len(source.parts) == 3 and source.parts[1] in CONTEXTS and source.name == "__init__.py":
        if not ast.get_docstring(source.tree):
            yield 1, "no docstring"
        yield from ((node.lineno, "code") for node in source.tree.body[1:])


def capability_card(source: Source) -> Iterator[Place]:
    """A capability whose card lacks a heading, has another order or an empty section."""
    if not is_capability_init(source):
        return
    sections = card_sections(ast.get_docstring(source.tree) or "")
    if tuple(heading for heading, _ in sections) != CARD_HEADINGS:
        yield 1, "the headings " + (", ".join(heading for heading, _ in sections) or "(none)")
    yield from ((1, f"nothing under {heading}") for heading, body in sections if not body)


def doors_only(source: Source) -> Iterator[Place]:
    """A flow or the app that reaches past the service, views, archive and web of a capability."""
    if not source.under("hanse/flows", "hanse/app") or source.path.startswith("hanse/app/http/engines"):
        return
    for line, name in source.imports():
        parts = name.split(".")
        inside = len(parts) > 2 and parts[0] == "hanse" and parts[1] in CONTEXTS and not _DOORS & set(parts[2:])
        if inside and not _is_public_name(source, parts):
            yield line, f"the import {name}"


def is_capability_init(source: Source) -> bool:
    """Whether this is the `__init__.py` of a capability's folder."""
    return len(source.parts) == 4 and source.parts[1] in CONTEXTS and source.name == "__init__.py"


def _is_public_name(source: Source, parts: list[str]) -> bool:
    """Whether a capability without an engine offers this name itself (with one, its names are the engine's)."""
    folder = source.root.joinpath(*parts[:3])
    inner = [folder / "engine", folder / "engine.py", folder / parts[-1], folder / f"{parts[-1]}.py"]
    return len(parts) == 4 and folder.is_dir() and not any(path.exists() for path in inner)


def card_sections(docstring: str) -> list[tuple[str, str]]:
    r"""The headings of a card with the text below each, in the order in which they stand.

    Examples
    --------
    >>> card_sections("Stock.\n\nQuestion: How much is there?\nEngine: none")
    [('Question', 'How much is there?'), ('Engine', 'none')]
    """
    sections: list[tuple[str, list[str]]] = []
    for line in docstring.splitlines():
        if heading := _HEADING.match(line):
            sections.append((heading[1], [heading[2] or ""]))
        elif sections:
            sections[-1][1].append(line.strip())
    return [(heading, " ".join(part for part in body if part.strip("-")).strip()) for heading, body in sections]

"""Pages that are read from the source: capability cards, events, errors."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import msgspec

from tools.rules.shape import card_sections, is_capability_init
from tools.rules.source import ERROR_CALLS, Source, sources

__all__ = ["GENERATED", "capabilities", "cell", "errors", "events"]

GENERATED = "Generated from the code by `make docs`; do not edit.\n"

_CODE = re.compile(r"[a-z]+\.[a-z_]+")
_MODULE = re.compile(r"\b(hanse|typing|collections\.abc|msgspec)\.([\w.]+\.)?")


def capabilities() -> str:
    """All capability cards, by context."""
    cards = [source for source in _package() if is_capability_init(source)]
    page = ["# Capabilities", "", GENERATED]
    for context, members in groupby(cards, key=lambda source: source.parts[1]):
        page += [f"## {context}", "", _docstring(Path("hanse") / context / "__init__.py").partition("\n")[0], ""]
        for source in members:
            text = ast.get_docstring(source.tree) or ""
            page += [f"### {context}.{source.parts[2]}", "", text.partition("\n")[0], ""]
            page += [f"- **{heading}**: {body}" for heading, body in card_sections(text)]
            page += [""]
    return "\n".join(page)


def events() -> str:
    """The dictionary: every event with stored name, version, fields."""
    for path in sorted(Path("hanse/events").glob("*.py")):
        importlib.import_module(f"hanse.events.{path.stem}".removesuffix(".__init__"))
    # Imported here, because a class enters the dictionary when its file is imported.
    from hanse.events.dictionary import kinds

    # A test may have entered classes of its own.
    ours = [kind for kind in kinds() if kind.cls.__module__.startswith("hanse.events.")]
    page = ["# Events", "", GENERATED]
    for context, members in groupby(ours, key=lambda kind: kind.name.partition(".")[0]):
        page += [f"## {context}", ""]
        for kind in members:
            page += [f"### {kind.name}", "", f"`{kind.cls.__name__}`, version {kind.version}.", ""]
            page += [inspect.getdoc(kind.cls) or "", "", "| field | type |", "|---|---|"]
            page += [f"| {field.encode_name} | {_type(field.type)} |" for field in msgspec.structs.fields(kind.cls)]
            page += [""]
    return "\n".join(page)


def errors() -> str:
    """Every error code that the source raises with a fixed code, with its sentence and kind."""
    found = sorted({error for source in _package() for error in _raised(source)})
    page = ["# Errors", "", GENERATED]
    page += [
        "Where a value stands in the sentence, its name is in braces. The kind decides HTTP status and exit code.",
        "",
    ]
    page += ["| code | kind | sentence |", "|---|---|---|"]
    page += [f"| `{code}` | {kind} | {cell(sentence)} |" for code, kind, sentence in found]
    return "\n".join([*page, ""])


def _package() -> list[Source]:
    return [source for source in sources(Path()) if source.under("hanse") and source.name.endswith(".py")]


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _type(annotation: object) -> str:
    text = annotation.__name__ if isinstance(annotation, type) and not _is_generic(annotation) else str(annotation)
    return cell(f"`{_MODULE.sub('', text)}`")


def _is_generic(annotation: type) -> bool:
    return hasattr(annotation, "__origin__")


def cell(text: str) -> str:
    """The text as it may stand in a table's cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def _raised(source: Source) -> Iterator[tuple[str, str, str]]:
    """Code, kind and sentence of each error that a file makes."""
    for owner in ast.walk(source.tree):
        for call in ast.iter_child_nodes(owner):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func).split(".")[-1]
            arguments = call.args[1:] if name == "must" else call.args
            if name not in ERROR_CALLS or len(arguments) < 2:
                continue
            match arguments:
                case [ast.Constant(value=str(code)), sentence, *_] if _CODE.fullmatch(code):
                    yield code, "InvalidInput" if name == "must" else name, _sentence(sentence)
                case _:
                    pass


def _sentence(node: ast.expr) -> str:
    """The text of a literal or f-string; a value in it as ``{name}``."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_sentence(part) for part in parts)
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case _:
            return f"{{{ast.unparse(node)}}}"

"""Pages that are read from the running parts: command line, HTTP, settings.

They need three things of the app: `hanse.app.cli.app` (Typer), `hanse.app.openapi.openapi_document()` (the API as plain
JSON values, made without a district) and `hanse.app.settings.Settings` (a struct; a string below a field explains it).
"""

import ast
import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from textwrap import dedent
from typing import Any

import msgspec
import typer

from tools.reference.code import GENERATED, cell

__all__ = ["command_line", "commands", "http", "openapi", "routes", "settings", "settings_table"]

_METHODS = ("get", "post", "put", "patch", "delete")


def command_line() -> str:
    """Every command of `hanse` with its arguments and options."""
    app = import_module("hanse.app.cli").app
    return "\n".join(["# Command line", "", GENERATED, *commands("hanse", app)])


def http() -> str:
    """The routes of the API, by tag and path."""
    page = ["# HTTP", "", GENERATED]
    page += ["[openapi.json](openapi.json) has bodies, answers and examples. Errors are RFC 9457 problems, their"]
    page += ["codes stand in [errors](errors.md).", ""]
    return "\n".join([*page, *routes(_document())])


def openapi() -> str:
    """The API in OpenAPI's own form."""
    return json.dumps(_document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def settings() -> str:
    """Every setting with its environment variable and default."""
    page = [
        "# Settings",
        "",
        GENERATED,
        "An environment variable wins over the default, an option of the command over both.",
        "",
    ]
    return "\n".join([*page, *settings_table(import_module("hanse.app.settings").Settings), ""])


def commands(name: str, app: typer.Typer) -> list[str]:
    """The lines about a command line and all its commands, whatever is registered there."""
    return list(_commands(name, typer.main.get_command(app)))


def _commands(name: str, command: Any) -> Iterator[str]:
    yield from [f"## {name}", "", inspect.cleandoc(command.help or ""), ""]
    parameters = [parameter for parameter in command.params if not parameter.hidden]
    if parameters:
        yield from ["| parameter | default | what it does |", "|---|---|---|"]
        yield from (_parameter(parameter) for parameter in parameters)
        yield ""
    for part, below in sorted(getattr(command, "commands", {}).items()):
        if not below.hidden:
            yield from _commands(f"{name} {part}", below)


def _parameter(parameter: Any) -> str:
    options = [*parameter.opts, *parameter.secondary_opts]
    names = ", ".join(f"`{name if name.startswith('-') else name.upper()}`" for name in options)
    silent = parameter.default in (None, False, "") or callable(parameter.default)
    default = "required" if parameter.required else "" if silent else f"`{parameter.default}`"
    return f"| {names} | {default} | {cell(inspect.cleandoc(parameter.help or ''))} |"


def routes(document: dict[str, Any]) -> list[str]:
    """One table of routes for each tag of an OpenAPI document."""
    rows = [
        (operation.get("tags", ["other"])[0], path, method.upper(), operation.get("summary", ""))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]
    page: list[str] = []
    for tag, members in groupby(sorted(rows), key=lambda row: row[0]):
        page += [f"## {tag}", "", "| route | what it does |", "|---|---|"]
        page += [f"| `{method} {path}` | {cell(summary)} |" for _, path, method, summary in members]
        page += [""]
    return page


def _document() -> dict[str, Any]:
    document: dict[str, Any] = import_module("hanse.app.openapi").openapi_document()
    return document


def settings_table(struct: type[msgspec.Struct]) -> list[str]:
    """One row for each field: environment variable, default, and the string that stands below the field."""
    said = _said_below(struct)
    return [
        "| variable | default | what it does |",
        "|---|---|---|",
        *(
            f"| `HANSE_{field.name.upper()}` | `{_default(field)}` | {cell(said.get(field.name, ''))} |"
            for field in msgspec.structs.fields(struct)
        ),
    ]


def _default(field: msgspec.structs.FieldInfo) -> object:
    return "" if field.default is msgspec.NODEFAULT else field.default


def _said_below(struct: type) -> dict[str, str]:
    """The string literals that stand directly below annotated fields, by field."""
    body = ast.parse(dedent(inspect.getsource(struct))).body[0]
    assert isinstance(body, ast.ClassDef)
    said = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                said[name] = inspect.cleandoc(text)
            case _:
                pass
    return said

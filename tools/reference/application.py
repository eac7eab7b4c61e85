"""Pages that are read from the running parts: command line, HTTP, settings.

They need three things of the app: `hanse.app.cli.app` (Typer), `hanse.app.openapi.openapi_document()` (the API as plain
JSON values, made without a district) and `hanse.app.settings.Settings` (a struct; a string below a field explains it).
"""

import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from typing import Any, get_type_hints

import msgspec
import typer

from hanse.app.configuration import example as example_of
from hanse.app.configuration import explained, is_secret
from tools.reference.code import GENERATED, cell

__all__ = ["command_line", "commands", "example", "http", "openapi", "routes", "settings", "settings_table"]

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
        "A setting is said in one of three ways: as an option of a command (where it has one), as an environment",
        "variable, or in a TOML file under its name in small letters. The option wins over the variable, the",
        "variable over the file, the file over the default. The file is the one that `--config` or `HANSE_CONFIG`",
        "names, or else `hanse.toml` in the data folder; [this one](hanse.toml) has every setting in it, commented",
        "out. `hanse config` shows what holds and where it was said, `hanse config --check` only whether it fits.",
        "What is no setting, or does not fit, is refused with file and line.",
        "",
        "A secret may also be read from a file: `<setting>_file` names it, in the file as in the environment.",
        "",
    ]
    return "\n".join([*page, *settings_table(import_module("hanse.app.settings").Settings), ""])


def example() -> str:
    """A configuration file with every setting in it."""
    return example_of(import_module("hanse.app.settings").Settings)


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
    said, wanted = explained(struct), get_type_hints(struct, include_extras=True)
    return [
        "| variable | default | what it does |",
        "|---|---|---|",
        *(
            f"| `HANSE_{field.name.upper()}` | `{_default(field)}` | {cell(said.get(field.name, ''))}"
            + f"{' Secret.' if is_secret(wanted[field.name]) else ''} |"
            for field in msgspec.structs.fields(struct)
        ),
    ]


def _default(field: msgspec.structs.FieldInfo) -> object:
    return "" if field.default is msgspec.NODEFAULT else field.default

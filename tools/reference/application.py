"""Pages that are read from the running parts: command line, HTTP, settings."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from tools.reference.code import GENERATED, cell

__all__ = ["command_line", "commands", "http", "openapi", "settings"]


def command_line() -> str:
    """Every command of `hanse` with its arguments and options."""
    from hanse.app.cli import app

    return "\n".join(["# Command line", "", GENERATED, *commands("hanse", app)])


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


def http() -> str:
    """The routes of the API by path, with the role that each asks for."""
    return ""


def openapi() -> str:
    """The API in OpenAPI's own form."""
    return ""


def settings() -> str:
    """Every setting with its environment variable and default."""
    return ""

"""Pages that are read from the running parts: command line, HTTP, settings."""

from collections.abc import Iterator
from typing import Any

import typer

from tools.reference.code import GENERATED

__all__ = ["command_line", "http", "openapi", "settings"]


def command_line() -> str:
    """Every command of `hanse` with its arguments and options."""
    from hanse.app.cli import app

    root = typer.main.get_command(app)
    tree = root.to_info_dict(typer.Context(root, info_name="hanse"))
    return "\n".join(["# Command line", "", GENERATED, *_commands("hanse", tree)])


def _commands(name: str, command: dict[str, Any]) -> Iterator[str]:
    yield from [f"## {name}", "", (command["help"] or "").strip(), ""]
    parameters = [parameter for parameter in command["params"] if not parameter.get("hidden")]
    if parameters:
        yield from ["| parameter | default | what it does |", "|---|---|---|"]
        yield from (_parameter(parameter) for parameter in parameters)
        yield ""
    for part, below in sorted(command.get("commands", {}).items()):
        if not below.get("hidden"):
            yield from _commands(f"{name} {part}", below)


def _parameter(parameter: dict[str, Any]) -> str:
    if parameter["param_type_name"] == "argument":
        names = f"`{parameter['name'].upper()}`"
    else:
        names = ", ".join(f"`{option}`" for option in [*parameter["opts"], *parameter["secondary_opts"]])
    default = parameter["default"]
    shown = (
        "required" if parameter["required"] else "" if default in (None, False) or callable(default) else f"`{default}`"
    )
    return f"| {names} | {shown} | {(parameter.get('help') or '').strip()} |"


def http() -> str:
    """The routes of the API by path, with the role that each asks for."""
    return ""


def openapi() -> str:
    """The API in OpenAPI's own form."""
    return ""


def settings() -> str:
    """Every setting with its environment variable and default."""
    return ""

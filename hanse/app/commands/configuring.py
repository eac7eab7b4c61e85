"""``hanse config``: what is set, and where it was said."""

import os
from typing import Annotated, Any, get_type_hints

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hanse.app.commands.options import Data
from hanse.app.configuration import Configuration, example, is_secret
from hanse.app.settings import Settings, configure
from hanse.kernel.money import check_currency
from hanse.kernel.time import zone

__all__ = ["config", "rows"]

HIDDEN = "(hidden)"
WIDTH_WITHOUT_TERMINAL = 240


def config(
    data: Data = None,
    check: Annotated[bool, typer.Option("--check", help="Only say whether everything fits.")] = False,
    show_example: Annotated[
        bool, typer.Option("--example", help="Print a file with every setting, commented out.")
    ] = False,
) -> None:
    """Show every setting with its value and where it was said; exit code 2 if one does not fit."""
    if show_example:
        typer.echo(example(Settings), nl=False)
        return
    configuration = configure(os.environ, folder=data)
    zone(configuration.settings.zone)
    check_currency(configuration.settings.currency)
    if check:
        said = sum(origin != "default" for origin in configuration.origins.values())
        typer.echo(f"All settings fit; {said} of {len(configuration.origins)} were said, the others are the defaults.")
        return
    table = Table("setting", "value", "said by", box=None, pad_edge=False)
    for row in rows(configuration):
        table.add_row(*row)
    out = Console(highlight=False)
    (out if out.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)).print(table)


def rows(configuration: Configuration[Any]) -> list[tuple[str, str, str]]:
    """Name, value as it may be shown, and origin of each setting."""
    settings, origins = configuration
    wanted = get_type_hints(type(settings), include_extras=True)
    return [
        (name, HIDDEN if value and is_secret(wanted[name]) else str(value), origins[name])
        for name, value in msgspec.structs.asdict(settings).items()
    ]

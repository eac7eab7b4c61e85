"""``hanse troubles``: what waits for a person in a running district, and what to do about it."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hanse.app.commands.remote import At, ask_league
from hanse.district.troubles import Trouble, Way

__all__ = ["app"]

WIDTH_WITHOUT_TERMINAL = 200

app = typer.Typer(help="What waits for a person in a running district, and what to do about it.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Which one: trb_…, as the list has it.")]


@app.command("list")
def list_troubles(at: At = "") -> None:
    """List failed steps and effects, parked commands and channels, each with what can be done."""
    found = msgspec.json.decode(ask_league(at, "/troubles"), type=list[Trouble])
    if not found:
        typer.echo("Nothing waits for a person.")
        return
    table = Table("id", "kind", "what", "on", "times", "can be", "said", box=None, pad_edge=False)
    for one in found:
        on = str(one.position) if one.position else ""
        table.add_row(one.id, one.kind, one.what, on, str(one.times), " ".join(one.ways), one.error)
    out = Console(highlight=False)
    (out if out.is_terminal else Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)).print(table)


@app.command()
def retry(id: Id, at: At = "") -> None:  # noqa: A002 - the word
    """Run a failed step again, or ask a failed effect again."""
    _settle(at, id, "retry")
    typer.echo("Done; see whether it stays off the list.")


@app.command()
def unpark(id: Id, at: At = "") -> None:  # noqa: A002 - the word
    """Let a command that stopped the district twice be repeated by whoever asked for it."""
    _settle(at, id, "unpark")
    typer.echo("Done; whoever asked for it can repeat it.")


@app.command()
def dismiss(id: Id, at: At = "") -> None:  # noqa: A002 - the word
    """Take a failed step or effect off the list: it was put right by hand. The journal keeps that it was."""
    _settle(at, id, "dismiss")
    typer.echo("Done.")


def _settle(at: str, trouble_id: str, way: Way) -> None:
    ask_league(at, f"/troubles/{trouble_id}/{way}", method="POST")

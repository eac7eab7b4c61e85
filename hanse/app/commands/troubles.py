"""``hanse troubles``: what waits for a person in a running district, and what to do about it."""

import secrets
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hanse.app.commands.remote import Answer, ask, bearer, found, not_running
from hanse.district.troubles import Trouble, Way
from hanse.kernel.errors import Conflict, NotAllowed, NotFound, Unavailable

__all__ = ["app"]

WIDTH_WITHOUT_TERMINAL = 200
_ERRORS = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 503: Unavailable}

app = typer.Typer(help="What waits for a person in a running district, and what to do about it.", no_args_is_help=True)

Where = Annotated[
    str,
    typer.Option("--at", help="Address (http…) or data folder of the district.", show_default="the data folder"),
]
Id = Annotated[str, typer.Argument(help="Which one: trb_…, as the list has it.")]


@app.command("list")
def list_troubles(at: Where = "") -> None:
    """List failed steps and effects, parked commands and channels, each with what can be done."""
    found = msgspec.json.decode(_ask(at, "").body, type=list[Trouble])
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
def retry(id: Id, at: Where = "") -> None:  # noqa: A002 - the word
    """Run a failed step again, or ask a failed effect again."""
    _settle(at, id, "retry")
    typer.echo("Done; see whether it stays off the list.")


@app.command()
def unpark(id: Id, at: Where = "") -> None:  # noqa: A002 - the word
    """Let a command that stopped the district twice be repeated by whoever asked for it."""
    _settle(at, id, "unpark")
    typer.echo("Done; whoever asked for it can repeat it.")


@app.command()
def dismiss(id: Id, at: Where = "") -> None:  # noqa: A002 - the word
    """Take a failed step or effect off the list: it was put right by hand. The journal keeps that it was."""
    _settle(at, id, "dismiss")
    typer.echo("Done.")


def _settle(at: str, trouble_id: str, way: Way) -> None:
    _ask(at, f"/{trouble_id}/{way}", method="POST", headers={"Idempotency-Key": secrets.token_hex(8)})


def _ask(at: str, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
    url = found(at)
    if not url:
        raise not_running(at or "the data folder")
    answer = ask(f"{url}/api/league/troubles{path}", method=method, headers={**bearer(at), **(headers or {})})
    if answer.status >= 400:
        said: dict[str, Any] = msgspec.json.decode(answer.body)
        raise _ERRORS.get(answer.status, Conflict)(str(said.get("code")), str(said.get("detail")))
    return answer

"""``hanse league``: this district among its neighbours."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hanse.app.commands.options import Data, reading, settings_of
from hanse.app.commands.remote import At, ask_league
from hanse.app.house import FLOWS, VIEWS
from hanse.app.neighbours import own_key, public_text
from hanse.district.core import District
from hanse.district.opening import follow
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.views import account
from hanse.flows.settlement import Standing, standings
from hanse.kernel.errors import NotFound
from hanse.kernel.money import minor_digits, minor_of

__all__ = ["app"]

app = typer.Typer(name="league", help="This district among its neighbours.", no_args_is_help=True)


@app.command()
def key(data: Data = None) -> None:
    """Tell the public key that neighbours put into their settings; made at the first call."""
    typer.echo(public_text(own_key(settings_of(folder=data).folder)))


@app.command()
def clearing(
    neighbour: Annotated[
        str, typer.Argument(help="One of them, to see its latest movements.", show_default=False)
    ] = "",
    data: Data = None,
) -> None:
    """Say what is owed between this district and each neighbour, and what is on its way. Works beside a server."""
    settings, journal = reading(data)
    district = follow(journal, settings.charter(), views=VIEWS, flows=FLOWS, snapshots=settings.folder / "snapshots")
    out = Console(highlight=False, width=None if Console().is_terminal else 160)
    out.print(_movements(district, neighbour) if neighbour else _statement(standings(district)))


@app.command()
def paid(
    neighbour: Annotated[str, typer.Argument(help="Who paid.", show_default=False)],
    amount: Annotated[str, typer.Argument(help="How much came in, such as 6.40.", show_default=False)],
    reference: Annotated[str, typer.Option(help="What the bank transfer said; the neighbour sees it.")] = "",
    at: At = "",
) -> None:
    """Book in a running district that a neighbour paid some of what it owes; the neighbour books it too."""
    standing = _standing(at, neighbour)
    body = {"amount_minor": minor_of(amount, standing.currency), "currency": standing.currency, "reference": reference}
    ask_league(at, f"/neighbours/{neighbour}/payments", method="POST", body=body)
    left = _standing(at, neighbour)
    typer.echo(f"Booked. {neighbour} owes {_money(left.they_owe_minor, left.currency)} now.")


def _standing(at: str, neighbour: str) -> Standing:
    found = msgspec.json.decode(ask_league(at, "/neighbours"), type=list[Standing])
    standing = next((one for one in found if one.neighbour == neighbour), None)
    if standing is None:
        known = ", ".join(one.neighbour for one in found) or "nobody"
        raise NotFound("district.unknown_neighbour", f"There is no neighbour {neighbour}; there is: {known}.")
    return standing


def _statement(found: Sequence[Standing]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("neighbour", "we owe", "set aside", "they owe", "set aside", "limit", "unsent", "state"):
        table.add_column(heading, justify="left" if heading in ("neighbour", "state") else "right", no_wrap=True)
    for one in found:
        owed = (one.we_owe_minor, one.set_aside_here_minor, one.they_owe_minor, one.set_aside_there_minor)
        amounts = (_money(minor, one.currency) for minor in (*owed, one.limit_minor))
        table.add_row(one.neighbour, *amounts, str(one.unsent), one.trouble or ("ended" if one.ended else "open"))
    return table


def _movements(district: District, neighbour: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "with", "we owe more"):
        table.add_column(heading, justify="right" if heading == "we owe more" else "left", no_wrap=True)
    for movement in account(district, clearing_of(neighbour)).recent:
        table.add_row(movement.transfer_id, movement.other, _money(movement.amount_minor, district.currency))
    return table


def _money(minor: int, currency: str) -> str:
    return f"{Decimal(minor).scaleb(-minor_digits(currency)):,} {currency}"

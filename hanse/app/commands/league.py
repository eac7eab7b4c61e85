"""``hanse league``: this district among its neighbours."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hanse.app.commands.options import Data, reading, settings_of
from hanse.app.house import FLOWS, VIEWS
from hanse.app.neighbours import own_key, public_text
from hanse.district.core import District
from hanse.district.neighbours import Neighbours
from hanse.district.opening import follow
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.views import account
from hanse.kernel.money import minor_digits

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
    out.print(_movements(district, neighbour) if neighbour else _statement(district))


def _statement(district: District) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("neighbour", "we owe", "set aside", "they owe", "set aside", "limit", "unsent", "state"):
        table.add_column(heading, justify="left" if heading in ("neighbour", "state") else "right", no_wrap=True)
    for tag, channel in district.view(Neighbours).channels.items():
        of = account(district, clearing_of(tag))
        amounts = (max(of.balance_minor, 0), of.incoming_minor, max(-of.balance_minor, 0), of.held_minor)
        table.add_row(
            tag,
            *(_amount(district, minor) for minor in (*amounts, channel.limit_minor)),
            str(len(channel.waiting)),
            channel.parked_in or channel.parked_out or ("ended" if not channel.limit_minor else "open"),
        )
    return table


def _movements(district: District, neighbour: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "with", "we owe more"):
        table.add_column(heading, justify="right" if heading == "we owe more" else "left", no_wrap=True)
    for movement in account(district, clearing_of(neighbour)).recent:
        table.add_row(movement.transfer_id, movement.other, _amount(district, movement.amount_minor))
    return table


def _amount(district: District, minor: int) -> str:
    digits = minor_digits(district.currency)
    return f"{Decimal(minor).scaleb(-digits):,} {district.currency}"

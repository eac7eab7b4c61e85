"""``hanse journal move``: a district from the file in its folder to PostgreSQL, and back."""

from contextlib import closing
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hanse.app.commands.options import Data, settings_of
from hanse.app.house import open_journal
from hanse.app.settings import Settings
from hanse.journal.move import move as move_journal
from hanse.kernel.errors import InvalidInput, NotFound

__all__ = ["move"]

FILE = "sqlite"


def move(
    to: Annotated[
        str, typer.Argument(help="postgresql://user@host:port/database, or sqlite for the file in the folder.")
    ],
    data: Data = None,
) -> None:
    """Move the journal to PostgreSQL, or from there into a file; the district has to stand still.

    Entries, commits, hashes and stored answers stay the same. What was broken off goes on where it stood. The journal
    that was left is kept, but closed: whoever starts it is told where the district went.
    """
    here = settings_of(folder=data)
    there = _there(here, to)
    if not here.journal and not (here.folder / "journal.sqlite").exists():
        raise NotFound(
            "app.no_journal",
            f"There is no journal in {here.folder}; name the district's folder with --data.",
            field="data",
        )
    gone = f"This district moved to {_place(there)}; start it {_way(there)}."
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        closing(open_journal(here, though_closed=True)) as source,
        closing(open_journal(there, though_closed=True)) as target,
        Progress(*columns, console=Console(stderr=True)) as bars,
    ):
        bar = bars.add_task("entries")
        verdict = move_journal(
            source, target, gone=gone, progress=lambda done, total: bars.update(bar, completed=done, total=total)
        )
    typer.echo(f"entries  {verdict.entries}\ncommits  {verdict.commits}\nhash     {verdict.hash}")
    typer.echo(f"The district lies in {_place(there)} now; start it {_way(there)}.")


def _there(here: Settings, to: str) -> Settings:
    """The settings of the district after the move."""
    if (to == FILE) != bool(here.journal):
        raise InvalidInput(
            "app.no_move",
            "Move from a file to postgresql://…, or from PostgreSQL, which HANSE_JOURNAL names, to sqlite.",
            field="to",
        )
    return msgspec.structs.replace(here, journal="" if to == FILE else to)


def _place(settings: Settings) -> str:
    """Where a journal lies, as it may be shown."""
    if not settings.journal:
        return f"the file {settings.folder / 'journal.sqlite'}"
    from hanse.journal.connection import named

    return f"{named(settings.journal)} as district {settings.tag}"


def _way(settings: Settings) -> str:
    return "with that database as HANSE_JOURNAL" if settings.journal else "without HANSE_JOURNAL"

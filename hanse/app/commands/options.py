"""Options that several commands share, and how they become settings."""

import os
from pathlib import Path
from typing import Annotated

import typer

from hanse.app.house import open_journal
from hanse.app.settings import Settings, from_environment
from hanse.journal.protocol import Journal
from hanse.kernel.errors import NotFound

__all__ = ["Data", "Host", "Lan", "Port", "reading", "settings_of"]

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the district: journal, vault, snapshots.", show_default="data", file_okay=False
    ),
]
Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="TCP port to listen on; 0 takes a free one.", show_default="8000")]
Lan = Annotated[bool, typer.Option("--lan", help="Listen on all addresses, and print a QR code for a phone.")]


def settings_of(**chosen: object) -> Settings:
    """Settings from the environment, overridden by the options that were given."""
    return from_environment(os.environ, **chosen)


def reading(data: Path | None) -> tuple[Settings, Journal]:
    """The settings and the journal of a district, opened read-only beside a server that may run.

    Raises
    ------
    NotFound
        There is no journal in the folder, or no such district in the database.
    """
    settings = settings_of(folder=data)
    if not settings.journal and not (settings.folder / "journal.sqlite").exists():
        raise NotFound(
            "app.no_journal",
            f"There is no journal in {settings.folder}; name the district's folder with --data.",
            field="data",
        )
    return settings, open_journal(settings, read_only=True)

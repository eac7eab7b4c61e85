"""``hanse backup`` and ``hanse restore``: copies of a district to come back to."""

from pathlib import Path
from typing import Annotated

import typer

from hanse.app.backup import back_up, back_up_vault
from hanse.app.backup import restore as restore_into
from hanse.app.commands.options import Data, reading, settings_of
from hanse.app.house import now_us

__all__ = ["backup", "restore"]


def backup(
    to: Annotated[Path, typer.Argument(help="New folder for the backup of the journal.", file_okay=False)],
    data: Data = None,
    vault: Annotated[
        Path | None,
        typer.Option(help="File for the vault's backup, to be kept apart; replaces the one before.", dir_okay=False),
    ] = None,
) -> None:
    """Back up a district while it runs: the journal, which is read and checked again, and the vault apart from it.

    No backup holds the master key: copy vault.key once, to a place of its own.
    """
    settings, journal = reading(data)
    journal.close()
    manifest = back_up(settings, to, now_us=now_us())
    typer.echo(f"position {manifest.position}\ncommits  {manifest.commits}\nhash     {manifest.hash}")
    if vault is None:
        typer.echo(f"The journal is in {to}. The vault is not: name a file for it with --vault.")
        return
    back_up_vault(settings, vault)
    typer.echo(f"The journal is in {to}, the vault in {vault}.")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="Folder of a backup or of an archive.", exists=True)],
    data: Data = None,
    vault: Annotated[Path | None, typer.Option(help="The vault's backup.", exists=True, dir_okay=False)] = None,
    key: Annotated[Path | None, typer.Option(help="The master key, vault.key.", exists=True, dir_okay=False)] = None,
) -> None:
    """Make a district of a backup or an archive, in a new folder: checked and whole, or not at all.

    Who was erased after the vault's backup is erased again, and so is who joined after the journal's: their keys are
    destroyed before the folder is there. Everybody has to sign in anew.
    """
    settings = settings_of(folder=data)
    restored = restore_into(source, settings, vault=vault, key=key)
    typer.echo(f"position {restored.position}\nhash     {restored.hash}")
    if vault is not None:
        typer.echo(
            f"people   {restored.people} in the vault; erased again: {restored.erased};"
            f" unknown to the journal and erased: {restored.unknown}"
        )
    typer.echo(f"The district is in {settings.folder}; start it with: hanse up --data {settings.folder}")

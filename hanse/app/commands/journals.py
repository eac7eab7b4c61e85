"""``hanse journal``: read, check, copy and replay what happened, beside a running server; and move it, without one."""

import csv
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from enum import StrEnum
from itertools import chain, takewhile
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer

from hanse.app.commands import moving
from hanse.app.commands.options import Data, reading
from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import District
from hanse.district.snapshots import latest
from hanse.district.views import View
from hanse.journal.archive import archive, segments, verify_archive
from hanse.journal.check import RESTORE
from hanse.journal.check import verify as verify_chain
from hanse.journal.protocol import Entry
from hanse.kernel.time import from_micros

__all__ = ["app"]

LOOK_EVERY_S = 0.5

app = typer.Typer(
    help="Read, check, copy and replay the journal beside a running server; move it without one.", no_args_is_help=True
)
app.command()(moving.move)


class Form(StrEnum):
    """How an entry is written."""

    NDJSON = "ndjson"
    CLOUDEVENTS = "cloudevents"
    CSV = "csv"


Story = Annotated[str, typer.Option(help="Only what is told of this id.")]


@app.command()
def tail(
    data: Data = None,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=0, max=100_000, help="How many of the newest to begin with.")
    ] = 10,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = True,
) -> None:
    """Show the newest entries, and those to come."""
    _, journal = reading(data)
    after = max(0, journal.head().position - lines)
    while True:
        for entry in journal.read(after):
            after = entry.position
            moment = from_micros(entry.time_us).strftime("%H:%M:%S.%f")[:-3]
            cause = f" ← {entry.cause}" if entry.cause else ""
            typer.echo(f"{entry.position:>9}  {moment}Z  {entry.name:<28} {entry.story:<26} {entry.origin}{cause}")
        if not follow:
            return
        time.sleep(LOOK_EVERY_S)


@app.command()
def verify(
    data: Data = None,
    archived: Annotated[
        Path | None, typer.Option("--archive", help="Check this archive instead, and that the journal continues it.")
    ] = None,
) -> None:
    """Recompute the chain of hashes from the first entry; exit code 1 at the first fault."""
    _, journal = reading(data)
    verdict = verify_chain(journal) if archived is None else verify_archive(archived, journal)
    typer.echo(f"entries  {verdict.entries}\ncommits  {verdict.commits}\nhash     {verdict.hash}")
    if verdict.fault:
        way = f"; {RESTORE}" if archived is None else ""
        typer.echo(f"fault    {verdict.fault}{way}.", err=True)
        raise typer.Exit(1)
    typer.echo(
        f"The {'journal' if archived is None else 'archive'} is whole. Keep the hash elsewhere:"
        " who has an older one can prove that nothing was changed."
    )


@app.command("archive")
def write_archive(
    folder: Annotated[Path, typer.Argument(help="Folder of the archive; made if it is not there.", file_okay=False)],
    data: Data = None,
) -> None:
    """Write out what a folder has not yet of the journal: segments of JSON lines, compressed, each with its hashes.

    Run it again and again: what is there is left alone. Anyone can read it, `journal verify --archive` checks it, and
    `restore` makes a journal of it.
    """
    _, journal = reading(data)
    count = archive(journal, folder)
    typer.echo(f"{count} entries are new in {folder}, which holds {len(segments(folder))} segments.")


@app.command()
def export(
    data: Data = None,
    form: Annotated[
        Form, typer.Option(help="One JSON object a line, plain or as a CloudEvent 1.0; or CSV.")
    ] = Form.NDJSON,
    out: Annotated[
        Path | None, typer.Option(help="File to write.", show_default="standard output", dir_okay=False)
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="Only entries behind this position.")] = 0,
    story: Story = "",
) -> None:
    """Write the entries out, for another program."""
    settings, journal = reading(data)
    entries = iter(journal.story(story, limit=sys.maxsize)) if story else journal.read(after)
    with nullcontext(sys.stdout) if out is None else out.open("w", encoding="utf-8", newline="") as file:
        if form is Form.CSV:
            _write_csv(entries, file)
            return
        source = f"/hanse/{settings.name}/{settings.tag}"
        for entry in entries:
            row = _plain(entry) if form is Form.NDJSON else _cloud_event(entry, source)
            file.write(msgspec.json.encode(row).decode() + "\n")


def _plain(entry: Entry) -> dict[str, object]:
    return {**entry._asdict(), "body": msgspec.Raw(entry.body.encode())}


def _cloud_event(entry: Entry, source: str) -> dict[str, object]:
    """CloudEvents 1.0 in its JSON form; `hanse…` are extension attributes, which are lower-case letters only."""
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": str(entry.position),
        "source": source,
        "type": entry.name,
        "time": from_micros(entry.time_us).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "hanseversion": entry.version,
        "hanseorigin": entry.origin,
        "data": msgspec.Raw(entry.body.encode()),
    }
    if entry.story:
        event["subject"] = entry.story
    if entry.cause:
        event["hansecause"] = entry.cause
    return event


def _write_csv(entries: Iterator[Entry], file: TextIO) -> None:
    writer = csv.writer(file)
    writer.writerow(Entry._fields)
    writer.writerows(entries)


@app.command()
def replay(data: Data = None) -> None:
    """Fold the journal from its first entry, compare with the newest snapshot, and say how long it took.

    Exit code 1 if the snapshot is not what the entries come to: then delete it; nothing is lost with it.
    """
    settings, journal = reading(data)
    began = time.perf_counter()
    head = journal.head()
    district = District(settings.charter(), views=VIEWS, flows=FLOWS)
    found = latest(settings.folder / "snapshots", journal, views=district.views(), up_to=head.position)
    entries = journal.read()
    differing: list[str] = []
    if found is not None:
        snapshot, state = found
        last = _fold_until(district, entries, snapshot.position, head.steps_through)
        differing = [name for name, view in district.views().items() if not _same(view, state[name])]
        entries = chain(last, entries)
    district.replay(entries, steps_through=head.steps_through)
    seconds = time.perf_counter() - began
    rate = district.position / seconds if seconds else 0.0
    typer.echo(f"{district.position} entries in {seconds:.1f} s, {rate:,.0f} a second")
    _say(found is not None, differing)


def _fold_until(district: District, entries: Iterator[Entry], position: int, steps_through: int) -> list[Entry]:
    """Fold up to a position; gives the entry back that was read beyond it."""
    beyond: list[Entry] = []

    def within(entry: Entry) -> bool:
        if entry.position > position:
            beyond.append(entry)
        return entry.position <= position

    district.replay(takewhile(within, entries), steps_through=steps_through)
    return beyond


def _same(folded: View, stored: View) -> bool:
    # Both through the stored form: a tuple that was folded comes back from a file as its field's type says.
    return msgspec.msgpack.decode(msgspec.msgpack.encode(folded), type=type(folded)) == stored


def _say(compared: bool, differing: list[str]) -> None:
    if differing:
        typer.echo(f"The newest snapshot differs in {', '.join(differing)}: delete the folder snapshots.", err=True)
        raise typer.Exit(1)
    typer.echo("The newest snapshot holds exactly this." if compared else "There is no snapshot to compare with.")

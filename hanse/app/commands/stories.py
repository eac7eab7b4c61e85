"""``hanse trace``: the story of one order as the journal has it, each entry with the code that recorded it."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hanse.app.commands.options import Data, reading
from hanse.app.origins import whereabouts
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound
from hanse.kernel.time import SECOND_US, from_micros, zone

__all__ = ["trace"]

WIDTH_WITHOUT_TERMINAL = 160


def trace(
    story: Annotated[str, typer.Argument(help="What to tell of: ord_…, or any id that stories are told of.")],
    data: Data = None,
) -> None:
    """Tell the story of an order: when, what, which function in which file, and because of what.

    Works beside a running server. An arrow names the entry whose step recorded this one; the same chain
    stands as a table at the top of flows/order.py.
    """
    settings, journal = reading(data)
    entries = journal.story(story)
    if not entries:
        raise NotFound("app.no_story", f"The journal tells nothing of {story}; check the id.", story=story)
    began = from_micros(entries[0].time_us).astimezone(zone(settings.zone))
    out = Console(highlight=False)
    if not out.is_terminal:
        out = Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
    out.print(f"[bold]{story}[/bold], {len(entries)} entries, from {began:%Y-%m-%d %H:%M:%S} ({settings.zone})")
    out.print(_table(entries, began))


def _table(entries: list[Entry], began: datetime) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading, justify in (
        ("entry", "right"),
        ("after", "right"),
        ("what", "left"),
        ("by", "left"),
        ("where", "left"),
    ):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    depths: dict[int, int] = {}
    for entry in entries:
        depth = depths[entry.position] = depths.get(entry.cause, -1) + 1 if entry.cause else 0
        arrow = "   " * (depth - 1) + f"└─ {entry.cause} → " if entry.cause and depth else ""
        table.add_row(
            str(entry.position),
            _after(entry.time_us - entries[0].time_us),
            arrow + entry.name,
            entry.origin,
            whereabouts(entry.origin) or "",
        )
    return table


def _after(micros: int) -> str:
    seconds = micros / SECOND_US
    return f"+{seconds:.3f} s" if seconds < 60 else f"+{int(seconds // 60)} min {int(seconds % 60):02d} s"

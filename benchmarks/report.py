"""What a benchmark says: figures with stable names, the anchors beside them, the machine they were made on."""

import io
from enum import Enum

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine

__all__ = ["Anchor", "Figure", "Report", "Size"]


class Size(Enum):
    """How much of a benchmark to run."""

    QUICK = "quick"
    DEFAULT = "default"
    FULL = "full"


class Anchor(msgspec.Struct, frozen=True):
    """What a figure is compared with: a published figure, a peer, or a goal of ours."""

    value: float
    source: str
    required: bool = False


class Figure(msgspec.Struct, frozen=True):
    """One number; larger is better unless `smaller`."""

    name: str
    value: float
    unit: str
    smaller: bool = False
    anchors: tuple[Anchor, ...] = ()

    def meets(self, anchor: Anchor) -> bool:
        """Whether the figure is at least as good as the anchor."""
        return self.value <= anchor.value if self.smaller else self.value >= anchor.value


class Report(msgspec.Struct, frozen=True):
    """All figures of one run."""

    benchmark: str
    figures: tuple[Figure, ...]
    machine: Machine
    notes: tuple[str, ...] = ()

    def missed_required(self) -> list[str]:
        """Names of figures that fall short of an anchor that must hold."""
        return [f.name for f in self.figures for a in f.anchors if a.required and not f.meets(a)]

    def json(self) -> str:
        """One JSON object: figures and anchors by name, and the machine."""
        body = {
            "benchmark": self.benchmark,
            "figures": {figure.name: figure.value for figure in self.figures},
            "anchors": {figure.name: figure.anchors for figure in self.figures if figure.anchors},
            "machine": self.machine,
            "notes": self.notes,
        }
        return msgspec.json.encode(body).decode() + "\n"

    def table(self) -> str:
        """The figures as a table for people."""
        table = Table(title=f"{self.benchmark} — {self.machine.sentence()}", title_justify="left")
        for heading, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("anchor", "left")):
            table.add_column(heading, justify="right" if justify == "right" else "left")
        for figure in self.figures:
            said = "\n".join(
                f"{_mark(figure, anchor)} {anchor.value:,.6g} {anchor.source}" for anchor in figure.anchors
            )
            table.add_row(figure.name, f"{figure.value:,.6g}", figure.unit, said)
        page = io.StringIO()
        console = Console(file=page, width=150)
        console.print(table)
        for note in self.notes:
            console.print(f"· {note}", highlight=False)
        return page.getvalue()


def _mark(figure: Figure, anchor: Anchor) -> str:
    return "met" if figure.meets(anchor) else "MISSED" if anchor.required else "below"

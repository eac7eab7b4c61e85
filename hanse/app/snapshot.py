"""Write a snapshot of a district beside its running writer: ``python -m hanse.app.snapshot FOLDER``.

A process of its own folds the journal from the newest snapshot on, so the writer never pauses for it.
"""

import sys
from pathlib import Path

from hanse.app.house import FLOWS, VIEWS, open_journal
from hanse.district.core import Charter
from hanse.district.opening import follow
from hanse.district.snapshots import take

__all__ = ["write"]


def write(data: Path) -> Path:
    """Fold the journal of a data folder and write the state down; returns the file."""
    journal = open_journal(data, read_only=True)
    district = follow(journal, Charter(), views=VIEWS, flows=FLOWS, snapshots=data / "snapshots")
    return take(district, data / "snapshots")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

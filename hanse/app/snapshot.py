"""Write a snapshot of a district beside its running writer: ``python -m hanse.app.snapshot``, set by `HANSE_…`.

A process of its own folds the journal from the newest snapshot on, so the writer never pauses for it.
"""

from pathlib import Path

from hanse.app.house import FLOWS, VIEWS, open_journal
from hanse.app.settings import Settings, from_environment
from hanse.district.opening import follow
from hanse.district.snapshots import take

__all__ = ["write"]


def write(settings: Settings) -> Path:
    """Fold the journal of a district and write the state down; returns the file."""
    journal = open_journal(settings, read_only=True)
    snapshots = settings.folder / "snapshots"
    district = follow(journal, settings.charter(), views=VIEWS, flows=FLOWS, snapshots=snapshots)
    return take(district, snapshots)


if __name__ == "__main__":
    write(from_environment())

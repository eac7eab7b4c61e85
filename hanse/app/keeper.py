"""Filling the archive beside the running writer: ``python -m hanse.app.keeper``, set by `HANSE_…`.

A process of its own, so that the writer's processor has nothing to do with it. It ends with the process that
started it: then its standard input is closed.
"""

import logging
import os
import sys
import threading
import time

from hanse.app.house import ARCHIVED, open_journal
from hanse.app.keeping import ARCHIVE
from hanse.app.settings import Settings, from_environment
from hanse.district.archive import Archive
from hanse.journal.protocol import JournalUnavailable

__all__ = ["keep"]

LOOK_EVERY_S = 0.2
AWAY_S = 2.0

log = logging.getLogger("hanse.keeper")


def keep(settings: Settings) -> None:
    """Follow the journal without end."""
    journal = open_journal(settings, read_only=True)
    archive = Archive(settings.folder / ARCHIVE, ARCHIVED, journal)
    while True:
        try:
            if not archive.advance():
                time.sleep(LOOK_EVERY_S)
        except JournalUnavailable as error:
            log.warning("%s", error.message)
            time.sleep(AWAY_S)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(5)
    keep(from_environment())

"""Write docs/reference from the code: cards, events, errors, command line, HTTP, settings.

``python -m tools.docgen`` writes the pages, ``--check`` fails when one is stale. A page for a part that is not
there is an error: the reference is whole or the check fails.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference import application, code

__all__ = ["PAGES", "main", "stale"]

REFERENCE = Path("docs/reference")

PAGES: Mapping[str, Callable[[], str]] = {
    "capabilities.md": code.capabilities,
    "events.md": code.events,
    "errors.md": code.errors,
    "cli.md": application.command_line,
    "http.md": application.http,
    "openapi.json": application.openapi,
    "settings.md": application.settings,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or name the stale ones; the exit code."""
    if "--check" in arguments:
        names = stale(REFERENCE)
        if names:
            print(f"docs/reference is stale ({', '.join(names)}): run `make docs`.")
        return 1 if names else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
    return 0


def stale(folder: Path) -> list[str]:
    """The pages in the folder that differ from what the code says now."""
    return [name for name, page in PAGES.items() if _read(folder / name) != page()]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Write docs/reference from the code: cards, events, errors, command line, HTTP, settings.

``python -m tools.docgen`` writes the pages, ``--check`` fails when one is stale. A page whose part has yet to be
built is left out; from the moment its module exists, it must be there and be current.
"""

import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from tools.reference import application, code

__all__ = ["PAGES", "main", "stale"]

REFERENCE = Path("docs/reference")

# Each page with the module that it is read from.
PAGES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "capabilities.md": ("hanse", code.capabilities),
    "events.md": ("hanse.events", code.events),
    "errors.md": ("hanse", code.errors),
    "cli.md": ("hanse.app.cli", application.command_line),
    "http.md": ("hanse.app.http", application.http),
    "openapi.json": ("hanse.app.http", application.openapi),
    "settings.md": ("hanse.app.settings", application.settings),
    "hanse.toml": ("hanse.app.settings", application.example),
}


def main(arguments: list[str]) -> int:
    """Write the pages, or name the stale ones; the exit code."""
    if "--check" in arguments:
        names = stale(REFERENCE)
        if names:
            print(f"docs/reference is stale ({', '.join(names)}): run `make docs`.")
        return 1 if names else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in _pages().items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
    return 0


def stale(folder: Path) -> list[str]:
    """The pages in the folder that differ from what the code says now."""
    return [name for name, page in _pages().items() if _read(folder / name) != page()]


def _pages() -> dict[str, Callable[[], str]]:
    return {name: page for name, (module, page) in PAGES.items() if find_spec(module)}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m benchmarks NAME [--json] [--quick] [--full]``: run one benchmark and print its figures."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.report import Report, Size
from hanse.app.start import with_large_pages

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in {"__init__", "__main__", "report", "machine", "town", "audit", "client", "serving"}
)


def main() -> int:
    """Parse the command line, run, print; exit code 1 if a figure that must hold does not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run one benchmark.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const=Size.QUICK, dest="size", help="within a minute")
    size.add_argument("--full", action="store_const", const=Size.FULL, dest="size", help="everything")
    chosen = parser.parse_args()
    # As the program itself runs.
    with_large_pages()
    report: Report = import_module(f"benchmarks.{chosen.name}").run(chosen.size or Size.DEFAULT)
    sys.stdout.write(report.json() if chosen.json else report.table())
    return 1 if report.missed_required() else 0


if __name__ == "__main__":
    sys.exit(main())

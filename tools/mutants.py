"""``python -m tools.mutants``: change the source in small ways, one at a time, and see whether the fast tests notice.

Prints a line of figures for each capability, and each mutant that no test notices as a diff. Those that nothing can
notice are listed in `tools/mutation/known.toml`, each with its reason. A score below 90 % fails the run, and so does
what is listed and not so. CONTRIBUTING.md says how to work with it.
"""

import argparse
import json
import os
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from tools.mutation.changes import Mutant, mutants_of

__all__ = ["CAPABILITIES", "Known", "Row", "main", "sample", "table"]

KNOWN = Path(__file__).with_name("mutation") / "known.toml"
SCORE_MIN = 0.9

CAPABILITIES: Mapping[str, tuple[str, ...]] = {
    "supply.stock": ("hanse.supply.stock.service", "hanse.supply.stock.views"),
    "finance.ledger": ("hanse.finance.ledger.service", "hanse.finance.ledger.views"),
    "market.orders": ("hanse.market.orders.engine", "hanse.market.orders.service", "hanse.market.orders.views"),
    "finance.payments": ("hanse.finance.payments.service", "hanse.finance.payments.views"),
}
TESTS = (
    "tests/supply",
    "tests/finance",
    "tests/market/test_orders.py",
    "tests/market/test_open_orders.py",
    "tests/flows/test_order.py",
)
"""Where tests are taken from, beside the examples in the modules themselves; those that touch a line are tried."""


class Known(NamedTuple):
    """A mutant that survives, and why it may: by what the changed lines were and what they become."""

    module: str
    scope: str
    was: str
    becomes: str


class Row(NamedTuple):
    """The figures of one capability."""

    name: str
    mutants: int
    killed: int
    timeouts: int
    survived: int
    equivalent: int

    @property
    def score(self) -> float:
        """The share of what could be noticed that was noticed."""
        return (self.killed + self.timeouts) / max(self.mutants - self.equivalent, 1)


def main(arguments: Sequence[str]) -> int:
    """Try the mutants that were asked for; the exit code."""
    options = _options(arguments)
    # Before anything of ours is imported: what is changed is the source, and pytest needs no plugins for it.
    os.environ |= {"HANSE_COMPILED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    os.nice(10)
    from tools.mutation.touching import survey
    from tools.mutation.trying import Proving, try_all

    files = {name: Path(*name.split(".")).with_suffix(".py") for names in CAPABILITIES.values() for name in names}
    sources = {module: path.read_bytes() for module, path in files.items()}
    mutants = [
        mutant
        for module, source in sources.items()
        if options.only.partition(":")[0] in module
        for mutant in mutants_of(module, source)
        if options.only in f"{mutant.module}:{mutant.scope}"
    ]
    chosen = sample(mutants, options.sample, sources) if options.sample else mutants
    tests = [*TESTS, *(str(files[module]) for module, source in sources.items() if b">>>" in source)]
    proving = Proving(sources, tests, survey(files, tests), options.processes)
    found = try_all(chosen, proving, Progress(len(chosen)))

    names = {mutant: _name(mutant, sources[mutant.module]) for mutant in mutants}
    known = [_named(entry) for entry in _entries() if options.only in "{module}:{scope}".format(**entry)]
    rows = _rows(found, {mutant for mutant in chosen if names[mutant] in known and found[mutant] == "survived"})
    stale = _stale(found, names, known)
    print(json.dumps([row._asdict() | {"score": round(row.score, 4)} for row in rows]) if options.json else table(rows))
    print(*_survivors(found, names, known, sources), *stale, sep="\n\n", file=sys.stderr)
    # A sample has too few of each capability to judge them apart.
    judged = rows[-1:] if options.sample else rows
    return int(bool(stale) or any(row.score < SCORE_MIN for row in judged))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="those with this in MODULE:FUNCTION")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="so many of the mutants, by the sources")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="how many mutants at a time")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args(arguments)


def sample(mutants: Sequence[Mutant], count: int, sources: Mapping[str, bytes]) -> list[Mutant]:
    """Some of the mutants: the same ones for the same sources, others once a source has changed."""
    seed = blake2b(b"".join(sources.values())).digest()
    return random.Random(seed).sample(mutants, min(count, len(mutants)))


def table(rows: Sequence[Row]) -> str:
    """The figures as a Markdown table."""
    head = (
        "| capability | mutants | killed | timed out | survived | equivalent | score |\n|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {name} | {mutants} | {killed} | {timeouts} | {survived} | {equivalent} | {row.score:.1%} |"
        for row in rows
        for name, mutants, killed, timeouts, survived, equivalent in [row]
    ]
    return "\n".join([head, *lines])


def _rows(found: Mapping[Mutant, str], equivalent: set[Mutant]) -> list[Row]:
    rows = []
    for name, modules in CAPABILITIES.items():
        mutants = [mutant for mutant in found if mutant.module in modules]
        outcomes = Counter("equivalent" if mutant in equivalent else found[mutant] for mutant in mutants)
        counts = [outcomes[outcome] for outcome in ("killed", "timeout", "survived", "equivalent")]
        if mutants:
            rows.append(Row(name, len(mutants), *counts))
    sums = [sum(getattr(row, field) for row in rows) for field in Row._fields[1:]]
    return [*rows, Row("together", *sums)]


def _entries() -> list[dict[str, str]]:
    entries: list[dict[str, str]] = tomllib.loads(KNOWN.read_text(encoding="utf-8"))["equivalent"]
    return entries


def _named(entry: Mapping[str, str]) -> Known:
    return Known(entry["module"], entry["scope"], entry["was"], entry["becomes"])


def _name(mutant: Mutant, source: bytes) -> Known:
    was, becomes = _lines(mutant, source)
    return Known(mutant.module, mutant.scope, _on_one_line(was), _on_one_line(becomes))


def _lines(mutant: Mutant, source: bytes) -> tuple[str, str]:
    """The whole lines that a change is in, before and after."""
    first = source.rfind(b"\n", 0, mutant.start) + 1
    last = source.find(b"\n", mutant.end)
    was = source[first:last].decode()
    becomes = (source[first : mutant.start] + mutant.text.encode() + source[mutant.end : last]).decode()
    return was, becomes


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _survivors(
    found: Mapping[Mutant, str], names: Mapping[Mutant, Known], known: Sequence[Known], sources: Mapping[str, bytes]
) -> list[str]:
    """As diffs, those that survive and are not known."""
    diffs = []
    for mutant, outcome in found.items():
        if outcome == "survived" and names[mutant] not in known:
            source = sources[mutant.module]
            line = source.count(b"\n", 0, mutant.start) + 1
            place = f"{mutant.module.replace('.', '/')}.py:{line} {mutant.scope} ({mutant.operator})"
            was, becomes = _lines(mutant, source)
            diffs.append("\n".join([place, *(f"-{one}" for one in was.splitlines()), *_added(becomes)]))
    return sorted(diffs)


def _added(text: str) -> list[str]:
    return [f"+{one}" for one in text.splitlines()]


def _stale(found: Mapping[Mutant, str], names: Mapping[Mutant, Known], known: Sequence[Known]) -> list[str]:
    """What is listed as known and is not so."""
    gone = [f"known.toml: no change is such any more: {name}" for name in known if name not in names.values()]
    noticed = [names[mutant] for mutant, outcome in found.items() if outcome != "survived" and names[mutant] in known]
    return [*gone, *(f"known.toml: a test notices this after all: {name}" for name in noticed)]


class Progress:
    """Says how far it is, where somebody looks on."""

    def __init__(self, total: int) -> None:
        self._total = total

    def __call__(self, done: int) -> None:
        """So many mutants were tried."""
        if sys.stderr.isatty():
            print(f"\r{done} of {self._total}", end="" if done < self._total else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Rules of the house that no linter knows, each with its reason and its cure. Run as a test.

``python -m tools.tidy`` prints what breaks a rule and ends with exit code 1 if anything does. It also asks a
question about long files: that is guidance and fails nothing.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.rules import events, hygiene, purity, shape, texts
from tools.rules.source import Place, Source, sources

__all__ = ["RULES", "Finding", "Rule", "check", "long_files", "main"]

LONG_FILE_LINES = 400


@dataclass(frozen=True)
class Rule:
    """One rule: what it is called, why it is there, what to do, and how it is found."""

    name: str
    reason: str
    cure: str
    find: Callable[[Source], Iterator[Place]]
    suffixes: tuple[str, ...] = (".py",)


@dataclass(frozen=True)
class Finding:
    """A place where a rule is broken."""

    rule: Rule
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        """One paragraph: place, rule, reason, cure."""
        return f"{self.path}:{self.line}: [{self.rule.name}] {self.what}\n    {self.rule.reason} {self.rule.cure}"


_ALL = ("",)
_PROSE_AND_CODE = (".py", ".html", ".js", ".mjs", ".css", ".md", ".toml", ".sql", "Makefile", ".ci/run")

RULES = (
    Rule(
        "banned-names",
        "Such a name says where nobody knew where to put it.",
        "Name the thing by the field's own term.",
        shape.banned_names,
        _ALL,
    ),
    Rule(
        "context-init",
        "Importing one engine must stay cheap, so a context's __init__ is its map and nothing else.",
        "Leave the docstring; move the code into a capability.",
        shape.context_init,
    ),
    Rule(
        "capability-card",
        "All cards together are the reference, so each answers the same questions in the same order.",
        f"Write: {' · '.join(shape.CARD_HEADINGS)}; 'none' is an answer.",
        shape.capability_card,
    ),
    Rule(
        "doors-only",
        "Flows and the app tell stories; how a capability works inside is its own affair.",
        "Import its service, views, archive or web.",
        shape.doors_only,
    ),
    Rule(
        "event-names",
        "Stored names are for ever and are read by people with SQL.",
        "Name it context.past_tense in the file of its context.",
        events.event_names,
    ),
    Rule(
        "free-event-names",
        "A stored name written out a second time can drift from the dictionary unseen.",
        "Use the event class, or kind_of(cls).name.",
        events.free_event_names,
    ),
    Rule(
        "exact-money",
        "A float loses cents.",
        "Amounts are whole minor units: annotate with int.",
        events.exact_money,
    ),
    Rule(
        "engine-imports",
        "An engine must work alone: kernel, numerics, sibling engines and numeric libraries are all it needs.",
        "Hand it values; a new numeric library gets a decision record and a line in tools/rules/purity.py.",
        purity.engine_imports,
    ),
    Rule(
        "pure",
        "The same arguments must give the same answer, or nothing can be replayed.",
        "Pass time, chance and data in.",
        purity.pure_calls,
    ),
    Rule(
        "no-print",
        "A library that prints cannot be used in a server or a pipe.",
        "Return the text, or print in hanse/app/cli.",
        hygiene.prints,
    ),
    Rule(
        "no-leftovers",
        "A note in the code is read by nobody who plans.",
        "Do it, or open an issue.",
        hygiene.leftovers,
        _PROSE_AND_CODE,
    ),
    Rule(
        "blind-except",
        "Catching everything hides bugs; where it is right, the reason is not obvious.",
        "Catch what you expect, or say why on the line.",
        hygiene.blind_except,
    ),
    Rule(
        "no-sleep-in-tests",
        "A test that waits for wall time is slow on a fast machine and fails on a slow one.",
        "Move the clock, or wait for the condition itself.",
        hygiene.sleeps,
    ),
    Rule(
        "no-mocks",
        "A mock proves that the test agrees with itself.",
        "Use a fake from hanse.testing, or the real thing in memory.",
        hygiene.mocks,
    ),
    Rule(
        "no-machine-paths",
        "A path of one machine fails on every other.",
        "Use a relative path, a setting or a temporary folder.",
        hygiene.machine_paths,
        _ALL,
    ),
    Rule(
        "no-registry-hosts",
        "Where packages come from is the business of whoever installs.",
        "Leave the host to pip's and npm's own settings.",
        hygiene.registry_hosts,
        _ALL,
    ),
    Rule(
        "gettext",
        "Every text on the screen exists in English and German.",
        "Wrap it: {{ _('…') }} or {% trans %}…{% endtrans %}.",
        texts.bare_texts,
        (".html",),
    ),
    Rule(
        "docs-links",
        "A link that leads nowhere costs every reader the same search.",
        "Correct the target.",
        texts.dead_links,
        (".md",),
    ),
)


def check(root: Path) -> list[Finding]:
    """Everything below `root` that breaks a rule."""
    return [
        Finding(rule, source.path, line, what)
        for source in sources(root)
        for rule in RULES
        if source.path.endswith(rule.suffixes)
        for line, what in rule.find(source)
    ]


def long_files(root: Path) -> list[tuple[str, int]]:
    """Code files that are long enough to ask whether they hold two things, with their lines."""
    code = (source for source in sources(root) if source.name.endswith((".py", ".js", ".mjs", ".css", ".html")))
    return [(source.path, len(source.lines)) for source in code if len(source.lines) > LONG_FILE_LINES]


def main(root: Path = Path()) -> int:
    """Print findings and questions; the exit code."""
    for path, lines in long_files(root):
        print(f"{path} has {lines} lines: does it hold two things? (a question, not an error)")
    findings = check(root)
    for finding in findings:
        print(finding)
    print(f"tidy: {len(RULES)} rules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

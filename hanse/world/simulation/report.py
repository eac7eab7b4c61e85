"""What a simulation says at its end, and how it says that something is wrong."""

from collections.abc import Iterable

import msgspec

from hanse.journal.protocol import Entry

__all__ = ["Broken", "Failure", "Report"]

STORY_MAX = 60


class Report(msgspec.Struct):
    """What one seed went through. `journal_hash` is the same each time for one seed and number of commands."""

    seed: int
    commands: int = 0
    turns: int = 0
    entries: int = 0
    duplicates: int = 0
    refused: int = 0
    crashes: int = 0
    commit_failures: int = 0
    stops: int = 0
    restarts_from_zero: int = 0
    restarts_from_snapshot: int = 0
    clock_jumps: int = 0
    orders: dict[str, int] = {}
    journal_hash: str = ""

    def summary(self) -> str:
        """A few lines for people."""
        ends = ", ".join(f"{count:,} {end}" for end, count in sorted(self.orders.items()))
        restarts = self.restarts_from_zero + self.restarts_from_snapshot
        return (
            f"Seed {self.seed}: every rule held.\n"
            f"  {self.commands:,} commands in {self.turns:,} turns, {self.entries:,} entries;"
            f" {self.duplicates:,} repeated, {self.refused:,} refused\n"
            f"  orders: {ends or 'none'}\n"
            f"  {self.crashes:,} crashes, {self.commit_failures:,} failed commits, {self.stops:,} stops by a bug,"
            f" {self.clock_jumps:,} clock jumps;"
            f" {restarts:,} restarts ({self.restarts_from_snapshot:,} from a snapshot)\n"
            f"  journal {self.journal_hash[:16]}"
        )


class Broken(Exception):
    """A rule does not hold. `story` is the order, account or shop that shows it."""

    def __init__(self, rule: str, story: str = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.story = story


class Failure(AssertionError):
    """A simulation found a broken rule: says the seed, the turn, the last commands and the story."""

    def __init__(self, rule: str, *, seed: int, turn: int, commands: Iterable[str], story: Iterable[Entry]) -> None:
        lines = [f"Seed {seed}, turn {turn}: {rule}", "Last commands:", *(f"  {line}" for line in commands)]
        told = [f"  {e.position:>7} {e.time_us} {e.name} {e.origin} ←{e.cause} {e.body}" for e in story]
        if told:
            lines += ["Its story:", *told[-STORY_MAX:]]
        super().__init__("\n".join(lines))
        self.rule = rule
        self.seed = seed
        self.turn = turn

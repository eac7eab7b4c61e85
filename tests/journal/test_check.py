from collections.abc import Callable

import pytest

from hanse.journal.check import verify
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Entry, Head, Journal, Mark
from tests.journal.conftest import commit, entry

Rows = tuple[list[Entry], list[Mark]]


def filled(journal: Journal) -> Journal:
    for first in (1, 3, 5):
        journal.append(commit(journal.head(), entry(first), entry(first + 1), steps_through=first))
    return journal


def test_a_sound_journal_is_told_by_its_length_and_hash(journal: Journal) -> None:
    assert verify(journal).fault == ""
    verdict = verify(filled(journal))
    assert (verdict.entries, verdict.commits, verdict.hash, verdict.fault) == (6, 3, journal.head().hash.hex(), "")


def alter_body(entries: list[Entry], marks: list[Mark]) -> None:
    entries[2] = entries[2]._replace(body='{"n":2}')


def alter_time(entries: list[Entry], marks: list[Mark]) -> None:
    entries[2] = entries[2]._replace(time_us=31)


def turn_time_back(entries: list[Entry], marks: list[Mark]) -> None:
    entries[2] = entries[2]._replace(time_us=5)


def drop_row(entries: list[Entry], marks: list[Mark]) -> None:
    del entries[2]


def drop_last_row(entries: list[Entry], marks: list[Mark]) -> None:
    del entries[5]


def swap_bodies(entries: list[Entry], marks: list[Mark]) -> None:
    entries[0], entries[4] = entries[0]._replace(story="b"), entries[4]._replace(story="a")


def swap_rows(entries: list[Entry], marks: list[Mark]) -> None:
    entries[2], entries[3] = entries[3]._replace(position=3), entries[2]._replace(position=4)


def forge_hash(entries: list[Entry], marks: list[Mark]) -> None:
    marks[1] = marks[1]._replace(hash=bytes(32))


def forge_count(entries: list[Entry], marks: list[Mark]) -> None:
    marks[1] = marks[1]._replace(entries=-1)


def forge_time(entries: list[Entry], marks: list[Mark]) -> None:
    marks[1] = marks[1]._replace(time_us=39)


def forge_steps(entries: list[Entry], marks: list[Mark]) -> None:
    marks[1] = marks[1]._replace(steps_through=5)


def drop_mark(entries: list[Entry], marks: list[Mark]) -> None:
    del marks[1]


def drop_last_mark(entries: list[Entry], marks: list[Mark]) -> None:
    del marks[2]


@pytest.mark.parametrize(
    ("tamper", "entries", "fault"),
    [
        (alter_body, 2, "the entries 3 to 4 are not those that were committed"),
        (alter_time, 2, "the entries 3 to 4 are not those that were committed"),
        (turn_time_back, 2, "time goes back at position 3"),
        (drop_row, 2, "position 3 is missing"),
        (drop_last_row, 4, "entries are missing before position 6"),
        (swap_bodies, 0, "the entries 1 to 2 are not those that were committed"),
        (swap_rows, 2, "time goes back at position 4"),
        (forge_hash, 2, "the entries 3 to 4 are not those that were committed"),
        (forge_count, 2, "entries are missing before position 4"),
        (forge_time, 2, "the mark at position 4 does not fit its entries"),
        (forge_steps, 2, "the entries 3 to 4 are not those that were committed"),
        (drop_mark, 2, "entries are missing before position 6"),
        (drop_last_mark, 4, "position 5 belongs to no commit"),
    ],
)
def test_verifying_finds_what_was_tampered_with(
    tamper: Callable[[list[Entry], list[Mark]], None], entries: int, fault: str
) -> None:
    journal = MemoryJournal()
    filled(journal)
    tamper(journal._entries, journal._marks)
    verdict = verify(journal)
    assert (verdict.entries, verdict.commits, verdict.fault) == (entries, entries // 2, fault)


def test_two_journals_with_other_entries_have_other_hashes() -> None:
    one, other = MemoryJournal(), MemoryJournal()
    one.append(commit(Head(), entry(1)))
    other.append(commit(Head(), entry(1, body="{}")))
    assert verify(one).hash != verify(other).hash

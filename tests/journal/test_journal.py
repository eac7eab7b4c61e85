"""What every journal does. The cases know no store; `conftest.py` names the stores."""

import pytest

from hanse.journal.protocol import GENESIS, Answered, Commit, Entry, Head, Journal, JournalFenced, Mark
from tests.journal.conftest import answered, commit, contents, entry

WEIRD = Entry(1, 7, "people.member_joined", 3, "ord_ü 'quoted'", "flows.x", 9, '{"name":"Ümläut 😀 \\u0000"}')


def fill(journal: Journal, *sizes: int) -> None:
    """Commits of so many entries each."""
    position = 0
    for size in sizes:
        entries = [entry(position + n) for n in range(1, size + 1)]
        position += size
        journal.append(commit(journal.head(), *entries, steps_through=position - 1))


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert contents(journal) == (Head(0, 0, 0, GENESIS, 0), [], [], [])


def test_a_probe_changes_nothing(journal: Journal) -> None:
    fill(journal, 2)
    before = contents(journal)
    journal.probe()
    assert contents(journal) == before


def test_entries_come_back_as_they_were_written(journal: Journal) -> None:
    journal.append(commit(Head(), WEIRD))
    assert list(journal.read()) == [WEIRD]
    assert type(next(journal.read())) is Entry


def test_the_head_says_where_the_journal_ends(journal: Journal) -> None:
    fill(journal, 2, 3)
    last = list(journal.marks())[-1]
    assert journal.head() == Head(5, 50, 4, last.hash, 0)
    journal.append(commit(journal.head(), answers=(answered(1),)))
    assert journal.head() == Head(5, 50, 4, last.hash, 1)


@pytest.mark.parametrize(
    ("after", "limit", "positions"),
    [(0, None, [1, 2, 3, 4, 5]), (3, None, [4, 5]), (5, None, []), (9, None, []), (1, 2, [2, 3]), (0, 0, [])],
)
def test_entries_are_read_behind_a_position_up_to_a_limit(
    journal: Journal, after: int, limit: int | None, positions: list[int]
) -> None:
    fill(journal, 2, 3)
    assert [e.position for e in journal.read(after, limit=limit)] == positions


def test_a_story_is_its_entries_in_order_and_the_empty_story_is_none(journal: Journal) -> None:
    journal.append(commit(Head(), entry(1), entry(2, story="ord_2"), entry(3, story=""), entry(4)))
    assert [e.position for e in journal.story("ord_1")] == [1, 4]
    assert [e.position for e in journal.story("ord_1", limit=1)] == [1]
    assert journal.story("ord_3") == []
    assert journal.story("") == []


def test_marks_end_commits_that_hold_entries(journal: Journal) -> None:
    fill(journal, 2, 3)
    journal.append(commit(journal.head(), answers=(answered(1),)))
    marks = list(journal.marks())
    assert [(m.position, m.time_us, m.steps_through, m.entries) for m in marks] == [(2, 20, 1, 2), (5, 50, 4, 3)]
    assert list(journal.marks(after=2)) == marks[1:]
    assert type(marks[0]) is Mark


def test_an_answer_is_found_by_its_number(journal: Journal) -> None:
    given = (answered(1), Answered(2, 30, "per_ü", "k", b"\x00\xff", "NotFound", '{"ä":1}'.encode(), 8))
    journal.append(commit(Head(), entry(1), answers=given))
    assert (journal.answer(1), journal.answer(2), journal.answer(3)) == (*given, None)


def test_answers_since_a_moment_are_told_in_order(journal: Journal) -> None:
    for number in (1, 2, 3):
        journal.append(commit(Head(), answers=(answered(number),)))
    assert list(journal.answers_since(20)) == [(2, "per_1", "key-2"), (3, "per_1", "key-3")]
    assert list(journal.answers_since(31)) == []


def test_old_answers_are_forgotten_a_few_at_a_time(journal: Journal) -> None:
    for number in range(1, 6):
        journal.append(commit(Head(), answers=(answered(number),)))
    assert journal.forget_answers(45, limit=3) == 3
    assert [number for number, _, _ in journal.answers_since(0)] == [4, 5]
    assert journal.forget_answers(45, limit=3) == 1
    assert journal.forget_answers(45, limit=3) == 0
    assert journal.answer(4) is None
    assert journal.answer(5) == answered(5)
    assert journal.head().answers == 5


def test_answers_of_one_commit_may_be_forgotten_together(journal: Journal) -> None:
    journal.append(commit(Head(), answers=tuple(answered(1)._replace(number=n) for n in range(1, 6))))
    journal.append(commit(Head(), answers=(answered(6),)))
    assert 3 <= journal.forget_answers(45, limit=3) <= 5
    while journal.forget_answers(45, limit=3):
        pass
    assert [number for number, _, _ in journal.answers_since(0)] == [6]


@pytest.mark.parametrize(
    "late",
    [
        Commit([entry(2)], [], None),
        Commit([entry(3), entry(3)], [], None),
        Commit([entry(3)], [], Mark(2, 30, 0, 1, b"")),
        Commit([entry(3)], [answered(2), answered(1)], Mark(3, 30, 0, 1, b"")),
    ],
    ids=["position taken", "position twice", "mark taken", "answer taken"],
)
def test_a_commit_that_collides_is_fenced_and_leaves_nothing(journal: Journal, late: Commit) -> None:
    journal.append(commit(Head(), entry(1), entry(2), answers=(answered(1),)))
    before = contents(journal)
    with pytest.raises(JournalFenced) as fenced:
        journal.append(late)
    assert fenced.value.code == "journal.fenced"
    assert contents(journal) == before
    journal.append(commit(journal.head(), entry(3)))
    assert journal.head().position == 3

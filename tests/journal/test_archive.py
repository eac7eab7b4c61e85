"""The archive of a journal, over every kind of journal."""

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from hanse.journal import archive as module
from hanse.journal.archive import archive, pour, read, segments, verify_archive
from hanse.journal.check import verify
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Commit, Head, Journal, JournalUnavailable
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.errors import Conflict
from tests.journal.conftest import answered, commit, contents, entry
from tests.reliability.power import recording


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_ENTRIES", 4)
    monkeypatch.setattr(module, "ENTRIES_PER_COMMIT", 4)


def grow(journal: Journal, *sizes: int) -> Journal:
    """More commits of so many entries each, with an answer to each."""
    for size in sizes:
        head = journal.head()
        entries = [entry(head.position + n, body=f'{{"ö":"{n}"}}') for n in range(1, size + 1)]
        given = answered(head.answers + 1, time_us=entries[-1].time_us)
        journal.append(commit(head, *entries, answers=(given,), steps_through=head.position))
    return journal


def names(folder: Path) -> list[str]:
    return [path.name.split(".")[0] for path in segments(folder)]


def of(first: int, last: int) -> str:
    return f"{first:015d}-{last:015d}"


def test_segments_hold_whole_commits_and_only_what_is_new_is_written(journal: Journal, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    grow(journal, 2, 3, 1, 6)
    assert archive(journal, folder) == 12
    assert names(folder) == [of(1, 5), of(6, 12)]
    before = {path: path.read_bytes() for path in segments(folder)}
    assert archive(journal, folder) == 0
    grow(journal, 1)
    assert archive(journal, folder) == 1
    assert names(folder) == [of(1, 5), of(6, 12), of(13, 13)]
    assert {path: path.read_bytes() for path in before} == before
    assert list(read(folder)) == [
        Commit(list(journal.read(mark.position - mark.entries, limit=mark.entries)), [], mark)
        for mark in journal.marks()
    ]
    assert verify_archive(folder, journal) == verify(journal)


def test_an_empty_journal_has_an_empty_archive(journal: Journal, tmp_path: Path) -> None:
    assert archive(journal, tmp_path / "archive") == 0
    assert names(tmp_path / "archive") == []
    assert verify_archive(tmp_path / "archive", journal) == verify(journal)


def test_a_journal_is_made_of_its_archive(journal: Journal, tmp_path: Path) -> None:
    grow(journal, 2, 3, 1, 6, 1)
    archive(journal, tmp_path / "archive")
    for other in (MemoryJournal(), SqliteJournal(tmp_path / "other.sqlite")):
        assert pour(read(tmp_path / "archive"), other) == 13
        assert contents(other)[1:3] == contents(journal)[1:3]
        assert other.head() == journal.head()._replace(answers=0)
        assert verify(other) == verify(journal)
        assert pour(read(tmp_path / "archive"), other) == 0
        other.close()


def test_a_journal_that_holds_a_beginning_is_filled_up(journal: Journal, tmp_path: Path) -> None:
    source = grow(MemoryJournal(), 2, 3, 1, 6, 1)
    archive(source, tmp_path / "archive")
    grow(journal, 2, 3)
    assert pour(read(tmp_path / "archive"), journal) == 8
    assert verify(journal) == verify(source)


@pytest.mark.parametrize("sizes", [(2, 2), (1,), (2, 3, 1, 6, 1, 1)], ids=["forked", "within a commit", "longer"])
def test_a_journal_of_another_history_is_left_as_it_is(
    journal: Journal, tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    archive(grow(MemoryJournal(), 2, 3, 1, 6, 1), tmp_path / "archive")
    grow(journal, *sizes)
    before = contents(journal)
    with pytest.raises(Conflict) as refused:
        pour(read(tmp_path / "archive"), journal)
    assert refused.value.code in ("journal.not_empty", "journal.fenced")
    assert contents(journal) == before


def test_another_journals_archive_is_not_gone_on_with(tmp_path: Path) -> None:
    archive(grow(MemoryJournal(), 2, 3), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for other in (grow(MemoryJournal(), 1, 4, 1), grow(MemoryJournal(), 2), MemoryJournal()):
        with pytest.raises(Conflict) as refused:
            archive(other, tmp_path)
        assert refused.value.code == "journal.other_archive"
        assert verify_archive(tmp_path, other).fault == "the journal holds something else at position 5"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_anyone_can_read_and_check_it_with_what_every_language_has(tmp_path: Path) -> None:
    journal = grow(MemoryJournal(), 2, 3)
    archive(journal, tmp_path)
    (path,) = segments(tmp_path)
    head, *commits = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert head == {
        "kind": "hanse.segment.1",
        "first": 1,
        "last": 5,
        "commits": 2,
        "previous": "00" * 32,
        "hash": journal.head().hash.hex(),
    }
    chain = bytes(32)
    for one in commits:
        chain = sha256(chain + msgspec.msgpack.encode((one["entries"], one["steps_through"]))).digest()
        assert one["hash"] == chain.hex()
    assert chain == journal.head().hash


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    plain = gzip.decompress(path.read_bytes())
    assert old in plain
    path.write_bytes(gzip.compress(plain.replace(old, new)))


@pytest.mark.parametrize(
    ("damage", "kept", "fault"),
    [
        (lambda paths: paths[0].unlink(), 0, "it does not continue position 0"),
        (lambda paths: paths[1].unlink(), 5, "it does not continue position 5"),
        (lambda paths: cut(paths[1]), 5, "is damaged"),
        (lambda paths: flip(paths[1]), 5, "is damaged"),
        (lambda paths: rewrite(paths[1], b'\\"6\\"', b'\\"7\\"'), 6, "what stands behind position 6 is not"),
        (lambda paths: rewrite(paths[2], b'"last":13', b'"last":14'), 13, "it ends at position 13 instead of 14"),
        (lambda paths: paths[2].write_bytes(b""), 12, "is damaged"),
        (lambda paths: paths[2].write_bytes(gzip.compress(b"{}\n")), 12, "is damaged"),
    ],
)
def test_what_is_missing_or_damaged_is_found(
    tmp_path: Path, damage: Callable[[list[Path]], None], kept: int, fault: str
) -> None:
    journal = grow(MemoryJournal(), 2, 3, 1, 6, 1)
    archive(journal, tmp_path)
    assert names(tmp_path) == [of(1, 5), of(6, 12), of(13, 13)]
    damage(segments(tmp_path))
    verdict = verify_archive(tmp_path, journal)
    assert fault in verdict.fault
    # A commit is given only once it was checked; those of a broken file may be too, as far as it can be read.
    assert verdict.entries >= kept
    assert verdict.entries in (0, *(mark.position for mark in journal.marks()))
    with pytest.raises(JournalUnavailable) as refused:
        list(read(tmp_path))
    assert refused.value.code == "journal.damaged_archive"


def test_a_damaged_journal_is_not_archived(tmp_path: Path) -> None:
    journal = MemoryJournal()
    grow(journal, 2, 3, 1)
    journal._entries[5] = journal._entries[5]._replace(body="{}")
    with pytest.raises(JournalUnavailable) as refused:
        archive(journal, tmp_path)
    assert refused.value.code == "journal.damaged"
    assert names(tmp_path) == [of(1, 5)]


def test_an_archive_is_whole_after_a_power_cut_and_is_gone_on_with(tmp_path: Path, found: Path) -> None:
    journal = grow(MemoryJournal(), 2, 3, 1, 6, 1, 9)
    with recording(tmp_path) as disk:
        archive(journal, tmp_path)
    for number, (_, image) in enumerate(disk.images(seed=1)):
        disk.restore(image, found / str(number))
        assert verify_archive(found / str(number), journal).fault == ""
        archive(journal, found / str(number))
        assert verify_archive(found / str(number), journal) == verify(journal)


def test_many_commits_are_appended_together_or_not_at_all(journal: Journal) -> None:
    one = commit(Head(), entry(1), answers=(answered(1),))
    assert one.mark is not None
    two = commit(Head(1, 10, 0, one.mark.hash), entry(2))
    with pytest.raises(Conflict):
        journal.extend([one, two, two])
    assert contents(journal) == contents(MemoryJournal())
    journal.extend([one, two])
    assert verify(journal).commits == 2
    assert journal.answer(1) == answered(1)

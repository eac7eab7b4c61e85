"""A follower is at every moment what the writer was at the end of some commit."""

from itertools import pairwise

import pytest

from hanse.district import following
from hanse.district.core import Charter
from hanse.district.following import Follower
from hanse.district.opening import follow
from hanse.events.people import MemberJoined
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import JournalUnavailable
from hanse.people.members.views import Members
from tests.district.conftest import Bench, Story, greet, join

GREETING = Story(STEPS=[(MemberJoined, greet)])


def following_of(bench: Bench) -> Follower:
    return Follower(
        bench.journal,
        lambda journal: follow(journal, Charter(), views=bench.views, flows=[bench.story]),
        clock=lambda: bench.now_us + 5_000,
    )


def state(follower: Follower) -> dict[str, bytes]:
    return Bench.state(follower)  # type: ignore[arg-type]


def test_it_goes_from_commit_to_commit_and_ends_where_the_writer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "ENTRIES_PER_ADVANCE", 3)
    bench = Bench(GREETING)
    follower = following_of(bench)
    for number in range(5):
        bench.do(join, f"per_{number}")
    ends = [mark.position for mark in bench.journal.marks()]
    stops = [follower.position]
    while entries := follower.advance():
        assert [entry.position for entry in entries] == list(range(stops[-1] + 1, follower.position + 1))
        stops.append(follower.position)
    assert set(stops) <= set(ends)
    assert all(after - before <= 3 for before, after in pairwise(stops))
    assert state(follower) == bench.state()
    assert follower.district.chain == bench.district.chain


def test_a_commit_larger_than_its_piece_is_taken_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "ENTRIES_PER_ADVANCE", 2)
    bench = Bench()
    follower = following_of(bench)
    for number in range(7):
        bench.submit(join, f"per_{number}")
    bench.writer.run()
    assert len(follower.advance()) == 7


def test_it_owes_no_steps_though_the_writer_does(bench: Bench) -> None:
    bench.start(GREETING)
    bench.submit(join, "per_1")
    bench.writer.turn()
    late = following_of(bench)
    assert bench.district.steps_owed == 1
    assert late.district.steps_owed == 0
    bench.writer.run()
    late.advance()
    assert late.district.steps_owed == 0


def test_its_lag_is_the_age_of_what_it_folded_last(bench: Bench) -> None:
    follower = following_of(bench)
    bench.do(join, "per_1")
    follower.advance()
    assert follower.lag_us == 5_000 - (bench.district.now_us - bench.now_us)


def test_a_journal_that_cannot_be_read_leaves_it_where_it_was(bench: Bench) -> None:
    class Gone(MemoryJournal):
        def read(self, after: int = 0, *, limit: int | None = None):  # type: ignore[no-untyped-def]
            raise JournalUnavailable("journal.unavailable", "It is gone.")

    follower = following_of(bench)
    bench.do(join, "per_1")
    before, there = state(follower), bench.journal.inner
    bench.journal.inner = Gone()
    bench.journal.inner.__dict__.update(there.__dict__)
    with pytest.raises(JournalUnavailable):
        follower.advance()
    assert state(follower) == before
    bench.journal.inner = there
    assert len(follower.advance()) == 1
    assert list(follower.district.view(Members).by_id) == ["per_1"]

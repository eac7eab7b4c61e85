"""What a restart derives from the journal: owed steps, deployments, snapshots."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.district import snapshots
from hanse.district.core import Charter, District
from hanse.district.opening import follow, opener
from hanse.district.own import Deployment
from hanse.district.snapshots import newest_position, take
from hanse.district.views import View, folds
from hanse.events.people import ConsentGiven, ConsentWithdrawn, MemberJoined
from hanse.journal.faulty import Crash
from hanse.kernel.errors import Conflict
from hanse.people.members.views import Members
from tests.district.conftest import Bench, Story, greet, join


def chain(district: District, given: ConsentGiven) -> None:
    """A step that runs on what another step recorded."""
    district.record(ConsentWithdrawn(given.person_id, given.purpose, given.topic))


def part_way(district: District, joined: MemberJoined) -> None:
    """A step of a later program."""
    district.record(ConsentGiven(joined.person_id, "personalisation", ""))


class Joinings(View):
    """Counts, so that folding an entry twice shows."""

    count: int = 0

    @folds(MemberJoined)
    def _join(self, event: MemberJoined, now_us: int) -> None:
        self.count += 1


CHAINED = Story(STEPS=[(MemberJoined, greet), (ConsentGiven, chain)])


def killed(at_append: int, fault: Any, folder: Path | None = None) -> Bench:
    """A bench whose process died in the so-many-th commit after two people had asked to join."""
    bench = Bench(story=CHAINED, views=(Members, Joinings))
    if folder is not None:
        bench.start(snapshots=folder)
    for person_id in ("per_1", "per_2"):
        bench.submit(join, person_id)
    try:
        for number in range(1, 4):
            bench.journal.next_fault = fault if number == at_append else None
            bench.writer.turn()
            if folder is not None:
                take(bench.district, folder)
    except Crash:
        pass
    return bench


def run_through() -> Bench:
    bench = killed(9, None)
    bench.writer.run()
    return bench


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
@pytest.mark.parametrize("at_append", [2, 3])
@pytest.mark.parametrize("with_snapshots", [False, True])
def test_steps_that_were_owed_at_a_crash_run_once_after_the_restart(
    at_append: int, fault: str, with_snapshots: bool, tmp_path: Path
) -> None:
    folder = tmp_path if with_snapshots else None
    bench = killed(at_append, fault, folder)
    bench.start(snapshots=folder)
    bench.writer.run()
    unbroken = run_through()
    assert bench.names() == unbroken.names()
    assert [(e.cause, e.body) for e in bench.journal.read()] == [(e.cause, e.body) for e in unbroken.journal.read()]
    assert bench.state() == unbroken.state()


def test_replay_gives_the_same_state() -> None:
    bench = run_through()
    before = bench.state(), bench.district.position, bench.district.steps_through
    bench.start()
    assert (bench.state(), bench.district.position, bench.district.steps_through) == before
    assert not bench.writer.busy


def test_after_a_restart_now_does_not_fall_behind_the_journal(bench: Bench) -> None:
    bench.do(join, "per_1")
    bench.now_us -= 10**9
    bench.start()
    bench.do(join, "per_2")
    times = [e.time_us for e in bench.journal.read()]
    assert times == sorted(times)


# Deployments


def test_a_new_step_starts_at_its_deployment_not_at_history(bench: Bench) -> None:
    bench.do(join, "per_1")
    bench.start(CHAINED)
    bench.writer.run()
    assert bench.names() == ["people.member_joined", "district.deployed"]
    bench.do(join, "per_2")
    assert bench.names()[2:] == ["people.member_joined", "people.consent_given", "people.consent_withdrawn"]


def test_a_new_step_does_not_run_for_what_old_steps_still_owe() -> None:
    bench = killed(2, "crash_before")
    bench.start(Story(STEPS=[*CHAINED.STEPS, (MemberJoined, part_way)]))
    bench.writer.run()
    assert [(e.name, e.cause) for e in bench.journal.read(3)] == [
        ("district.deployed", 0),
        ("people.consent_given", 2),
        ("people.consent_given", 3),
        ("people.consent_withdrawn", 5),
        ("people.consent_withdrawn", 6),
    ]


def test_the_same_program_is_deployed_once(bench: Bench) -> None:
    for _ in range(3):
        bench.start()
    assert [e.name for e in bench.journal.read()] == ["district.deployed"]


def test_a_step_that_was_taken_out_and_comes_back_starts_anew(bench: Bench) -> None:
    name = "tests.district.conftest.greet"
    for steps, expected in (
        ([(MemberJoined, greet)], {name: 2}),
        ([], {}),
        # Behind what was told of the step that was gone.
        ([(MemberJoined, greet)], {name: 5}),
    ):
        bench.start(Story(STEPS=steps))
        assert bench.district.view(Deployment).steps_after == expected


@pytest.mark.parametrize("charter", [Charter(zone="Europe/Berlin"), Charter(currency="SEK"), Charter(country="SE")])
def test_a_journal_of_another_charter_is_refused(bench: Bench, charter: Charter) -> None:
    with pytest.raises(Conflict) as refused:
        opener(charter, views=[Members], flows=[])(bench.journal)
    assert refused.value.code == "district.other_charter"


# Snapshots


@pytest.fixture
def snapped(tmp_path: Path) -> Bench:
    """A bench with a snapshot behind its second member of three."""
    bench = Bench(story=Story(STEPS=[(MemberJoined, greet)]))
    for person_id in ("per_1", "per_2"):
        bench.do(join, person_id)
    take(bench.district, tmp_path)
    bench.do(join, "per_3")
    return bench


def reads_of(bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Behind which positions a restart reads the journal."""
    reads: list[int] = []
    read = bench.journal.read

    def noting(after: int = 0, *, limit: int | None = None) -> Any:
        reads.append(after)
        return read(after, limit=limit)

    monkeypatch.setattr(bench.journal, "read", noting)
    before = bench.state()
    bench.start(snapshots=folder)
    assert bench.state() == before
    return reads


def test_a_restart_begins_at_the_snapshot(snapped: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert newest_position(tmp_path) == 5
    assert reads_of(snapped, tmp_path, monkeypatch) == [5]


def test_a_snapshot_of_other_folds_means_replay(
    snapped: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "folds_version", lambda: "other code")
    assert reads_of(snapped, tmp_path, monkeypatch) == [0]


def test_a_truncated_snapshot_is_passed_over(snapped: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = take(snapped.district, tmp_path)
    newest.write_bytes(newest.read_bytes()[:-20])
    assert reads_of(snapped, tmp_path, monkeypatch) == [5]


def test_a_snapshot_of_another_set_of_views_means_replay(
    snapped: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(tmp_path.glob("*.snapshot"))
    stored = msgspec.msgpack.decode(path.read_bytes()[16:])
    del stored["views"]["people.members.views.Members"]
    body = msgspec.msgpack.encode(stored)
    path.write_bytes(blake2b(body, digest_size=16).digest() + body)
    assert reads_of(snapped, tmp_path, monkeypatch) == [0]


def test_a_snapshot_ahead_of_the_journal_shows_that_the_journal_lost_its_end(snapped: Bench, tmp_path: Path) -> None:
    take(snapped.district, tmp_path)
    short = Bench(story=snapped.story)
    short.do(join, "per_9")
    with pytest.raises(Conflict) as refused:
        short.start(snapshots=tmp_path)
    assert refused.value.code == "district.lost_end"
    for path in tmp_path.glob("*.snapshot"):
        path.unlink()
    short.start(snapshots=tmp_path)
    assert short.members() == ["per_9"]


def test_a_snapshot_of_another_history_is_passed_over(snapped: Bench, tmp_path: Path) -> None:
    take(snapped.district, tmp_path)
    other = Bench(story=snapped.story)
    while other.district.position <= snapped.district.position:
        other.do(join, f"per_other_{other.district.position}")
    before = other.state()
    other.start(snapshots=tmp_path)
    assert other.state() == before


def test_a_damaged_snapshot_is_passed_over(snapped: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = next(tmp_path.glob("*.snapshot"))
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert reads_of(snapped, tmp_path, monkeypatch) == [0]


def test_only_the_newest_snapshots_are_kept_and_deleting_all_loses_nothing(snapped: Bench, tmp_path: Path) -> None:
    for person_id in ("per_4", "per_5"):
        snapped.do(join, person_id)
        take(snapped.district, tmp_path)
    assert [int(path.stem) for path in sorted(tmp_path.iterdir())] == [9, 11]
    before = snapped.state()
    for path in tmp_path.iterdir():
        path.unlink()
    snapped.start(snapshots=tmp_path)
    assert snapped.state() == before
    assert newest_position(tmp_path) == 0


def test_a_follower_sees_what_the_writer_committed(snapped: Bench, tmp_path: Path) -> None:
    district = follow(snapped.journal, Charter(), views=[Members], flows=[snapped.story], snapshots=tmp_path)
    assert {name: msgspec.msgpack.encode(view) for name, view in district.views().items()} == snapped.state()
    assert district.position == snapped.district.position

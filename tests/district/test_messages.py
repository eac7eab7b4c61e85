"""Messages between districts: in order, once each, whatever the way and the disks do."""

import asyncio
import itertools
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from hanse.district import messages
from hanse.district.core import Charter, District
from hanse.district.messages import acknowledge, channel_to, declare, next_batch, receive, send
from hanse.district.neighbours import Batch, Channel, Message, Neighbours, Receipt
from hanse.district.own import Troubles
from hanse.district.post import Post
from hanse.events.people import ConsentGiven
from hanse.journal.check import verify
from hanse.journal.faulty import Crash, Fault
from hanse.kernel.errors import HanseError, LimitExceeded, NotFound
from tests.district.conftest import Bench, Story, join

FAULTS: tuple[Fault | None, ...] = (None,) * 12 + ("full_before", "full_after", "crash_before", "crash_after")


class Greeting(Message, frozen=True, tag="test.greeting"):
    number: int
    words: tuple[str, ...] = ("good", "day")


def hear(district: District, sender: str, greeting: Greeting) -> None:
    district.record(ConsentGiven(f"per_{greeting.number}", "statistics", sender))


def greet(district: District, to: str, number: int) -> None:
    send(district, to, Greeting(number), story=f"per_{number}")


TALK = Story(MESSAGES=[(Greeting, hear)])


def side(tag: str, *neighbours: str, story: Story = TALK) -> Bench:
    bench = Bench(story=story, charter=Charter(tag=tag))
    bench.do(declare, dict.fromkeys(neighbours, 100))
    return bench


@pytest.fixture
def pair() -> tuple[Bench, Bench]:
    return side("a", "b"), side("b", "a")


def channel(bench: Bench, neighbour: str) -> Channel:
    return bench.district.view(Neighbours).channels[neighbour]


def heard(bench: Bench) -> list[int]:
    """The numbers that were heard, in order, from the journal."""
    names = [msgspec.json.decode(e.body)["person_id"] for e in bench.journal.read() if "consent_given" in e.name]
    return [int(name.removeprefix("per_")) for name in names]


def batch(bench: Bench, to: str) -> Batch:
    found = next_batch(bench.district, to)
    assert found is not None
    return found


def take(bench: Bench, bunch: Batch) -> Receipt:
    """Take a batch, each message by a command of its own, as the inbox does; the last receipt."""
    given = [bench.submit(receive, bunch.sender, message) for message in bunch.messages]
    bench.writer.run()
    return msgspec.json.decode(given[-1][0].body, type=Receipt)


def deliver(sender: Bench, receiver: Bench) -> Receipt:
    receipt = take(receiver, batch(sender, receiver.charter.tag))
    sender.do(acknowledge, receipt)
    return receipt


# In order, once


def test_a_message_is_heard_once_and_let_go_of_once_it_is_acknowledged(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    a.do(greet, "b", 2)
    receipt = deliver(a, b)
    assert (heard(b), receipt.through, receipt.trouble) == ([1, 2], 2, "")
    assert (channel(a, "b").waiting, channel(a, "b").acknowledged) == ({}, 2)
    assert next_batch(a.district, "b") is None
    assert b.names()[-4:] == ["people.consent_given", "district.message_received"] * 2


def test_what_comes_again_has_no_effect_for_ever(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    first = batch(a, "b")
    deliver(a, b)
    b.now_us += 1_000 * 86_400_000_000
    before = b.district.position
    assert take(b, first).through == 1
    assert (b.district.position, heard(b)) == (before, [1])


def test_what_it_causes_and_its_number_are_one_commit(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    b.journal.next_fault = "crash_after"
    with pytest.raises(Crash):
        take(b, batch(a, "b"))
    b.start()
    assert (channel(b, "a").received, heard(b)) == (1, [1])
    b.journal.next_fault = "crash_before"
    a.do(greet, "b", 2)
    with pytest.raises(Crash):
        take(b, batch(a, "b"))
    b.start()
    assert (channel(b, "a").received, heard(b)) == (1, [1])
    deliver(a, b)
    assert heard(b) == [1, 2]


def test_a_late_receipt_changes_nothing(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    early = take(b, batch(a, "b"))
    a.do(greet, "b", 2)
    deliver(a, b)
    before = a.district.position
    a.do(acknowledge, early)
    assert a.district.position == before


def test_a_batch_is_bounded_and_the_next_one_goes_on(
    pair: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair
    monkeypatch.setattr(messages, "BATCH_MAX", 2)
    for number in range(5):
        a.do(greet, "b", number)
    assert [deliver(a, b).through for _ in range(3)] == [2, 4, 5]
    monkeypatch.setattr(messages, "BATCH_BYTES_MAX", 1)
    for number in range(5, 7):
        a.do(greet, "b", number)
    assert [deliver(a, b).through for _ in range(2)] == [6, 7]
    assert heard(b) == list(range(7))


def test_what_waits_is_the_same_after_a_restart(pair: tuple[Bench, Bench]) -> None:
    a, _ = pair
    a.do(greet, "b", 1)
    before = a.district.view(Neighbours)
    assert a.start().district.view(Neighbours) == before


# What does not fit


def parked(bench: Bench) -> list[str]:
    return [msgspec.json.decode(e.body)["error"] for e in bench.journal.read() if e.name == "district.channel_parked"]


def test_a_gap_is_refused_and_nothing_is_recorded(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    for number in (1, 2, 3):
        a.do(greet, "b", number)
    whole, before = batch(a, "b"), b.district.position
    receipt = take(b, Batch("a", "b", whole.messages[1:]))
    assert (receipt.through, b.district.position) == (0, before)
    assert receipt.trouble.startswith("message 1 has to come first")
    assert take(b, whole) == Receipt("b", "a", 3, whole.messages[-1].chain)


def test_a_sender_restored_from_an_older_copy_is_found_out_on_both_sides(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    for number in (1, 2):
        a.do(greet, "b", number)
    deliver(a, b)
    older = side("a", "b")
    for number in (7, 8, 9):
        older.do(greet, "b", number)
    receipt = deliver(older, b)
    assert receipt.trouble.startswith("message 3 belongs to another history")
    assert heard(b) == [1, 2]
    assert channel(older, "b").parked_out.startswith("the neighbour holds another history at message 2")
    assert (channel(older, "b").acknowledged, len(parked(older))) == (0, 1)
    deliver(older, b)
    assert (len(parked(older)), len(parked(b))) == (1, 1)


def test_an_altered_message_is_not_taken(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    altered = msgspec.structs.replace(batch(a, "b").messages[0], body={"type": "test.greeting", "number": 2})
    assert "another history" in take(b, Batch("a", "b", (altered,))).trouble
    assert heard(b) == []


def test_a_bug_parks_one_channel_and_a_repaired_program_goes_on_by_itself() -> None:
    def stumble(district: District, sender: str, greeting: Greeting) -> None:
        raise ValueError("who is this?")

    a, c, b = side("a", "b"), side("c", "b"), side("b", "a", "c", story=Story(MESSAGES=[(Greeting, stumble)]))
    for number in (1, 2):
        a.do(greet, "b", number)
    for _ in range(3):
        assert deliver(a, b).trouble == "message 1: ValueError: who is this?"
    assert parked(b) == ["message 1: ValueError: who is this?"]
    assert b.writer.restarts == 0
    b.do(join, "per_9")
    b.start(TALK)
    c.do(greet, "b", 3)
    deliver(c, b)
    deliver(a, b)
    assert (heard(b), channel(b, "a").parked_in) == ([3, 1, 2], "")


def test_a_bug_behind_a_record_throws_the_record_away() -> None:
    def stumble(district: District, sender: str, greeting: Greeting) -> None:
        hear(district, sender, greeting)
        raise ValueError

    a, b = side("a", "b"), side("b", "a", story=Story(MESSAGES=[(Greeting, stumble)]))
    a.do(greet, "b", 1)
    given = b.submit(receive, "a", batch(a, "b").messages[0], fingerprint=b"a-1")
    b.writer.run()
    assert (given[0].kind, heard(b), channel(b, "a").received) == ("Unavailable", [], 0)
    assert b.district.view(Troubles).stopped.keys() == {"district.messages.receive per_0 612d31"}


def test_a_message_that_nobody_knows_waits_for_an_upgrade(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    b.start(Story())
    a.do(greet, "b", 1)
    assert deliver(a, b).trouble == "nobody here knows what test.greeting is: upgrade this district."
    b.start(TALK)
    deliver(a, b)
    assert heard(b) == [1]


# Who may speak


def test_who_is_no_neighbour_is_not_heard(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    message = batch(a, "b").messages[0]
    assert b.do(receive, "x", message).kind == "NotAllowed"
    assert b.do(receive, "a", msgspec.structs.replace(message, neighbour="x")).kind == "NotAllowed"
    assert heard(b) == []


def test_nothing_new_is_begun_with_a_neighbour_that_is_gone_or_too_far_behind(
    pair: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair
    assert channel_to(a.district, "b").limit_minor == 100
    with pytest.raises(NotFound):
        channel_to(a.district, "x")
    monkeypatch.setattr(messages, "OUTBOX_MAX", 1)
    a.do(greet, "b", 1)
    with pytest.raises(LimitExceeded, match="has not answered for a while"):
        channel_to(a.district, "b")
    a.do(declare, {})
    with pytest.raises(NotFound):
        channel_to(a.district, "b")
    # What is under way still goes on.
    a.do(greet, "b", 2)
    assert deliver(a, b).through == 2


def test_neighbours_declared_again_are_recorded_once(pair: tuple[Bench, Bench]) -> None:
    a, _ = pair
    before = a.district.position
    a.do(declare, {"b": 100})
    assert a.district.position == before
    a.do(declare, {"b": 200, "c": 1})
    assert a.names()[-2:] == ["district.neighbour_declared"] * 2


# Whatever happens


@pytest.mark.parametrize("seed", range(30))
def test_every_message_is_heard_once_and_in_order_whatever_the_way_and_the_disks_do(seed: int) -> None:
    rng, made = Random(seed), itertools.count()
    benches = {tag: side(tag, *({"a", "b", "c"} - {tag})) for tag in "abc"}
    said: dict[tuple[str, str], list[int]] = {}
    way: list[tuple[int, str, Batch | Receipt]] = []

    def turn(tag: str, command: Callable[..., object], *arguments: Any) -> list[Any]:
        bench = benches[tag]
        given = bench.submit(command, *arguments)
        bench.journal.next_fault = rng.choice(FAULTS)
        try:
            bench.writer.turn()
        except (Crash, HanseError):
            bench.journal.next_fault = None
            bench.start()
        bench.journal.next_fault = None
        return given

    def post(step: int, to: str, what: Batch | Receipt) -> None:
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            way.append((step + rng.choice((1, 2, 5, 40)), to, what))

    for step in range(400):
        tag, to = rng.sample("abc", 2)
        if step < 250 and rng.random() < 0.4:
            number = next(made)
            before = channel(benches[tag], to).sent
            turn(tag, greet, to, number)
            if channel(benches[tag], to).sent > before:
                said.setdefault((tag, to), []).append(number)
        elif (bunch := next_batch(benches[tag].district, to)) is not None:
            post(step, to, bunch)
        due, way = [one for one in way if one[0] <= step], [one for one in way if one[0] > step]
        for _, at, what in rng.sample(due, len(due)):
            if isinstance(what, Receipt):
                turn(at, acknowledge, what)
                continue
            for message in what.messages:
                for answer in turn(at, receive, what.sender, message):
                    if answer.kind == "ok":
                        post(step, what.sender, msgspec.json.decode(answer.body, type=Receipt))
    for tag, to in itertools.permutations("abc", 2):
        while next_batch(benches[tag].district, to) is not None:
            deliver(benches[tag], benches[to])
    for to, bench in benches.items():
        by_sender: dict[str, list[int]] = {}
        for entry in bench.journal.read():
            if entry.name == "people.consent_given":
                body = msgspec.json.decode(entry.body)
                by_sender.setdefault(body["topic"], []).append(int(body["person_id"].removeprefix("per_")))
        assert by_sender == {tag: numbers for (tag, at), numbers in said.items() if at == to}
        assert parked(bench) == []
        assert verify(bench.journal).fault == ""
        state = msgspec.msgpack.encode(bench.district.view(Neighbours))
        assert msgspec.msgpack.decode(state, type=Neighbours) == bench.start().district.view(Neighbours)


# The post


class Way:
    """From a to b, failing as often as it is told to."""

    def __init__(self, b: Bench, failures: int = 0) -> None:
        self.b, self.failures, self.under_way, self.most = b, failures, 0, 0

    async def __call__(self, bunch: Batch) -> Receipt:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await _passes()
        self.under_way -= 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError("nobody there")
        return take(self.b, bunch)


async def _passes() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.create_task(_nothing())


async def _nothing() -> None:
    return


def run_post(a: Bench, way: Way, rounds: int = 100) -> Post:
    async def live() -> Post:
        post = Post(a.writer, way, ("b", "z"), pauses_s=(0.0,))
        for _ in range(rounds):
            post.look()
            a.writer.run()
            await _passes()
        await post.stop()
        return post

    return asyncio.run(live())


def test_the_post_brings_everything_one_batch_at_a_time(
    pair: tuple[Bench, Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair
    monkeypatch.setattr(messages, "BATCH_MAX", 3)
    for number in range(10):
        a.do(greet, "b", number)
    way = Way(b)
    assert run_post(a, way).failures == {}
    assert (heard(b), way.most, channel(a, "b").waiting) == (list(range(10)), 1, {})


def test_the_post_never_gives_up(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    a.do(greet, "b", 1)
    post = run_post(a, Way(b, failures=1_000))
    assert (post.failures, heard(b)) == ({"b": "ConnectionError: nobody there"}, [])
    assert run_post(a, Way(b, failures=7)).failures == {}
    assert heard(b) == [1]


def test_the_post_says_why_a_neighbour_takes_nothing(pair: tuple[Bench, Bench]) -> None:
    a, b = pair
    b.start(Story())
    a.do(greet, "b", 1)
    assert run_post(a, Way(b)).failures == {"b": "nobody here knows what test.greeting is: upgrade this district."}

"""What is closed leaves memory; a commit that failed leaves nothing at all."""

from typing import Any, Literal

import msgspec
import pytest

from hanse.district.effects import bring_back
from hanse.district.jobs import Answer, Job
from hanse.district.own import Owed
from hanse.flows.order import PlaceOrder, card_declined, place
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Commit, JournalUnavailable
from hanse.kernel.values import Wish
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders, orders_of_shopper
from hanse.people.members import service as members
from hanse.supply.stock import service as stock
from hanse.testing import Stage, district, small_town
from hanse.testing.town import MEMBERS, SHOPS, fill_wallet


def state(town: Stage) -> dict[str, bytes]:
    """All views as they would be written to a snapshot."""
    return {name: msgspec.msgpack.encode(view) for name, view in town.district.views().items()}


def nodes(town: Stage) -> int:
    """How many values the state is made of, counted without regard to how long each is."""

    def count(value: Any) -> int:
        if isinstance(value, dict):
            return 1 + sum(map(count, value.values()))
        return 1 + sum(map(count, value)) if isinstance(value, list) else 1

    return sum(count(msgspec.msgpack.decode(view)) for view in state(town).values())


def live(town: Stage, count: int) -> int:
    """Orders of all kinds that come to an end: bought, cancelled, not paid for. How large the state was at most."""
    most = 0
    for number in range(count):
        shop, member = SHOPS[number % 3], MEMBERS[number % 3]
        if number % 10 == 0:
            town.do(stock.count, shop, [(f"{shop[4:]}/tea", 10_000)])
            fill_wallet(town, member, 100_00)
        request = PlaceOrder((Wish(f"off_{shop[4:]}_tea", 1),))
        if number % 7 == 0:
            request = PlaceOrder(request.lines, payment="card", card_token="tok_ok")
        order_id = town.do(place, member, request)["order_id"]
        part_id = f"{order_id}-1"
        if request.payment == "card":
            (position,) = town.view(Owed).since_us["card.charge"]
            town.do(bring_back, "card.charge", position, Job(card_declined, (order_id, "no")))
        elif number % 5 == 0:
            town.do(orders.cancel, order_id)
        else:
            for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
                town.do(command, order_id, part_id)
        town.clock.forward(hours=8)
        if number % 10 == 9:
            most = max(most, nodes(town))
    return most


@pytest.mark.slow
def test_orders_that_are_closed_leave_memory() -> None:
    town = small_town()
    # Until each shopper, shop and account has as much of its latest as is kept.
    live(town, 1_500)
    before = live(town, 600)
    assert live(town, 600) < before + 60
    assert len(town.view(Orders).open) == 0


def test_who_was_erased_leaves_memory_with_their_orders() -> None:
    town = small_town()
    order_id = town.do(place, "per_ada", PlaceOrder((Wish("off_mill_tea", 1),)))["order_id"]
    town.do(orders.cancel, order_id)
    assert orders_of_shopper(town.district, "per_ada") == [order_id]
    town.do(members.erase, "per_ada")
    assert orders_of_shopper(town.district, "per_ada") == []


class Reluctant(MemoryJournal):
    """Refuses when told to, before it has written anything, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: Literal["", "before", "after"] = ""

    def append(self, commit: Commit) -> None:
        refuses, self.refuses = self.refuses, ""
        if refuses != "before":
            super().append(commit)
        if refuses:
            raise JournalUnavailable("journal.unavailable", "No space.")


@pytest.fixture
def journal() -> Reluctant:
    return Reluctant()


@pytest.fixture
def town(journal: Reluctant) -> Stage:
    return small_town(district(journal=journal))


def test_a_commit_that_failed_answers_nobody_and_leaves_no_trace(town: Stage, journal: Reluctant) -> None:
    tea = PlaceOrder((Wish("off_mill_tea", 1),))
    town.do(place, "per_ada", tea, key="first")
    owed_before, state_before = town.district.steps_owed, state(town)
    head, keys = journal.head(), len(town.writer._answers._keys)
    answers: list[Answer] = []
    town.submit(answers, place, "per_ada", tea, key="a")
    town.submit(answers, place, "per_bo", tea, key="b")
    town.submit(answers, stock.count, "shp_mill", [("mill/tea", 500)])
    journal.refuses = "before"
    town.turn()
    assert [answer.kind for answer in answers] == ["Unavailable"] * 3
    assert state(town) == state_before
    assert (journal.head(), len(town.writer._answers._keys)) == (head, keys)
    assert (town.district.steps_owed, town.district.position, town.district.chain) == (
        owed_before,
        head.position,
        head.hash,
    )
    again = [town.ask(place, "per_ada", tea, key="a"), town.ask(place, "per_bo", tea, key="b")]
    assert [(answer.kind, answer.replayed) for answer in again] == [("ok", False)] * 2
    assert town.ask(place, "per_ada", tea, key="a") == msgspec.structs.replace(again[0], replayed=True)


def test_a_commit_that_became_durable_though_it_failed_is_answered_when_asked_again(
    town: Stage, journal: Reluctant
) -> None:
    tea = PlaceOrder((Wish("off_mill_tea", 1),))
    answers: list[Answer] = []
    town.submit(answers, place, "per_ada", tea, key="a")
    journal.refuses = "after"
    town.turn()
    assert [answer.kind for answer in answers] == ["Unavailable"]
    again = town.ask(place, "per_ada", tea, key="a")
    assert (again.kind, again.replayed) == ("ok", True)
    assert len(town.view(Orders).open) == 1
    twin = district(town.clock, journal=journal)
    assert state(twin) == state(town)

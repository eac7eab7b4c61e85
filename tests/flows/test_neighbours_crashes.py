"""Each story between two districts with a crash, or a full disk, at every single commit of either side."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from hanse.district import opening
from hanse.district.core import Charter
from hanse.district.jobs import Answer
from hanse.district.messages import acknowledge, next_batch
from hanse.district.neighbours import Batch, Neighbours
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments import service as payments
from hanse.flows.neighbours import AskNeighbour, ask, ask_cancel
from hanse.journal.check import verify
from hanse.journal.faulty import Crash, Fault, FaultyJournal
from hanse.journal.memory import MemoryJournal
from hanse.journal.protocol import Commit
from hanse.kernel.values import SeenWish
from hanse.market.away.views import Away, away_order
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock
from hanse.testing import Clock, Stage, league
from hanse.testing.league import deliver
from hanse.testing.town import captured

FAULTS: tuple[Fault, ...] = ("crash_before", "crash_after", "full_before", "full_after")
LINES = (SeenWish("off_mill_tea", 2, "shp_mill", 250), SeenWish("off_quay_salt", 3, "shp_quay", 100))
ROUNDS_MAX = 60


class OneFault(FaultyJournal):
    """Fails at one append, counted from now on, and never again."""

    def __init__(self, inner: MemoryJournal) -> None:
        super().__init__(inner)
        self.appends, self.fail_at, self.fault = 0, 0, FAULTS[0]

    def append(self, commit: Commit) -> None:
        self.appends += 1
        if self.appends == self.fail_at:
            self.next_fault = self.fault
        super().append(commit)


@cache
def founded() -> dict[str, tuple[MemoryJournal, int]]:
    """Two towns with their first commits behind them; each trial begins with a copy."""
    return {tag: (town.journal.inner, town.clock.now_us) for tag, town in league("a", "b").items()}  # type: ignore[misc]


class Trial:
    """Two districts, one fault, and people who ask again under their key until they have an answer."""

    def __init__(self, fails: str = "", fail_at: int = 0, fault: Fault = "crash_before") -> None:
        self.towns: dict[str, Stage] = {}
        for tag, (journal, now_us) in founded().items():
            failing = OneFault(copy.deepcopy(journal))
            if tag == fails:
                failing.fail_at, failing.fault = fail_at, fault
            self.towns[tag] = Stage(Charter(tag=tag), Clock(now_us), failing)
        self.asked = 0
        self.order_id = ""
        self.held_back: list[Batch] = []

    def appends(self, tag: str) -> int:
        journal = self.towns[tag].journal.inner
        assert isinstance(journal, OneFault)
        return journal.appends

    def act(self, tag: str, command: Callable[..., object], *arguments: Any, **options: Any) -> Answer:
        self.asked += 1
        answer = Answer("Unavailable", b"", 0)
        while answer.kind == "Unavailable":
            answer = self.guarded(tag, command, *arguments, key=f"act-{self.asked}", **options) or answer
        return answer

    def guarded(self, tag: str, command: Callable[..., object], *arguments: Any, **options: Any) -> Answer | None:
        """What a command answers; None if the district crashed over it, and stands again."""
        try:
            return self.towns[tag].ask(command, *arguments, **options)
        except Crash:
            self.towns[tag].crash()
            return None

    def part(self, command: Callable[..., object], *arguments: Any, part: int = 1, **options: Any) -> None:
        self.act("b", command, self.order_id, f"{self.order_id}-{part}", *arguments, **options)

    def exchange(self) -> None:
        """Bring all messages over; each batch twice, and once more long afterwards."""
        for _ in range(ROUNDS_MAX):
            bunches = []
            for tag, town in self.towns.items():
                self.settle(tag)
                bunch = next_batch(town.district, "b" if tag == "a" else "a")
                bunches += [bunch] if bunch else []
            if not bunches:
                return
            for bunch in [*self.held_back, *bunches, *bunches]:
                self.bring(bunch)
            self.held_back = bunches
        raise AssertionError("the two districts never come to rest")

    def settle(self, tag: str) -> None:
        """Let deadlines and owed steps run, until their commits are durable."""
        answer = None
        while answer is None or answer.kind == "Unavailable":
            answer = self.guarded(tag, _nothing)

    def bring(self, bunch: Batch) -> None:
        try:
            receipt = deliver(bunch, self.towns[bunch.to])
        except Crash:
            self.towns[bunch.to].crash()
        except (ValueError, TypeError):
            pass  # a refusal is no receipt: the disk was full
        else:
            self.guarded(bunch.sender, acknowledge, receipt)

    def outcome(self) -> dict[str, Any]:
        """Where everything stands, once all is quiet; and what has to hold whatever happened."""
        a, b = self.towns["a"], self.towns["b"]
        for town in (a, b):
            town.settle()
            assert verify(town.journal).fault == ""
            assert sum(account.balance_minor for account in town.view(Ledger).accounts.values()) == 0
            for channel in town.view(Neighbours).channels.values():
                assert (channel.waiting, channel.parked_in, channel.parked_out) == ({}, "", "")
            live = town.district.views()
            town.crash()
            assert town.district.views() == live
        order = away_order(a.district, self.order_id)
        balances = [
            {name: account.balance_minor for name, account in town.view(Ledger).accounts.items()} for town in (a, b)
        ]
        assert balances[0][clearing_of("b")] + balances[1][clearing_of("a")] == 0
        return {
            "outcome": (order.outcome, order.cancelling, order.refusal and order.refusal.why),
            "parts": [(s.stage, s.goods_minor, s.refunded_minor) for s in order.parts.values()],
            "balances": balances,
            "holds": [len(town.view(Ledger).holds) + len(town.view(Stock).holds) for town in (a, b)],
            "open": [len(a.view(Away).open), len(b.view(Orders).open)],
            "stock": {i: item.on_hand for i, item in b.view(Stock).items.items()},
            "placed": len(b.entries("market.order_placed")),
        }


def _nothing(district: Any) -> None:
    return


# The stories


def begin(trial: Trial, lines: tuple[SeenWish, ...] = LINES) -> None:
    answer = trial.act("a", ask, "per_ada", "b", AskNeighbour(lines))
    assert answer.kind == "ok"
    trial.order_id = next(iter(trial.towns["a"].view(Away).by_shopper["per_ada"]))


def fulfilled(trial: Trial) -> None:
    begin(trial)
    trial.exchange()
    for part, found in ((1, (1,)), (2, None)):
        trial.part(orders.accept_part, part=part)
        trial.part(orders.pick_part, found, part=part)
        trial.part(orders.hand_over_part, part=part)
    trial.exchange()
    for cents in (100, 50):
        part = captured(trial.towns["b"], f"{trial.order_id}-1")
        trial.act("b", payments.refund, part, goods_minor=cents, fee_minor=0, reason="quality")
    trial.exchange()


def partly_refused(trial: Trial) -> None:
    begin(trial)
    trial.exchange()
    trial.part(orders.end_part, why="refused", reason="quality")
    for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        trial.part(command, part=2)
    trial.exchange()


def sold_out(trial: Trial) -> None:
    trial.act("b", stock.count, "shp_mill", [("mill/tea", 1)])
    begin(trial)
    trial.exchange()


def cancelled_in_time(trial: Trial) -> None:
    begin(trial)
    trial.act("a", ask_cancel, trial.order_id)
    trial.exchange()


def cancelled_too_late(trial: Trial) -> None:
    begin(trial, LINES[:1])
    trial.exchange()
    trial.act("a", ask_cancel, trial.order_id)
    trial.part(orders.accept_part)
    trial.part(orders.pick_part)
    trial.exchange()
    trial.part(orders.hand_over_part)
    trial.exchange()


def given_up(trial: Trial) -> None:
    begin(trial)
    trial.exchange()
    trial.towns["b"].clock.forward(hours=2)
    trial.exchange()


def too_late(trial: Trial) -> None:
    begin(trial)
    trial.towns["b"].clock.forward(hours=2)
    trial.exchange()


STORIES = {
    fulfilled: ("fulfilled", "", None),
    partly_refused: ("partly", "", None),
    sold_out: ("refused", "", "sold_out"),
    cancelled_in_time: ("unfulfilled", "asked", None),
    cancelled_too_late: ("fulfilled", "refused", None),
    given_up: ("unfulfilled", "", None),
    too_late: ("refused", "", "late"),
}


@pytest.fixture(autouse=True)
def no_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each start collects garbage, which among all that a test run has loaded takes longer than the trial."""

    class Quiet:
        isenabled = staticmethod(lambda: False)
        disable = enable = collect = freeze = staticmethod(lambda: None)

    monkeypatch.setattr(opening, "gc", Quiet)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_crash_or_a_full_disk_at_any_commit_of_either_side_changes_nothing(story: Callable[[Trial], None]) -> None:
    calm = Trial()
    story(calm)
    expected = calm.outcome()
    assert (expected["outcome"], expected["holds"], expected["open"]) == (STORIES[story], [0, 0], [0, 0])
    for tag in ("a", "b"):
        for fail_at in range(1, calm.appends(tag) + 1):
            for fault in FAULTS:
                trial = Trial(tag, fail_at, fault)
                story(trial)
                assert trial.outcome() == expected, f"{fault} at commit {fail_at} of {tag}"
                assert trial.appends(tag) >= fail_at

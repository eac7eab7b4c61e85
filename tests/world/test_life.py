import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.district.effects import bring_back
from hanse.district.jobs import Answer, Job
from hanse.district.own import Owed, Troubles
from hanse.district.writer import Writer
from hanse.events.dictionary import decode
from hanse.finance.ledger.views import Ledger
from hanse.flows import order
from hanse.journal.check import verify
from hanse.kernel.errors import HanseError
from hanse.kernel.geo import Place
from hanse.kernel.time import MINUTE_US, SECOND_US
from hanse.kernel.values import Wish
from hanse.market.baskets import service as baskets
from hanse.market.orders.views import Orders
from hanse.people.vault import Vault
from hanse.supply.stock.views import Stock
from hanse.world.clock import WorldClock
from hanse.world.demo.scenario import Scenario
from hanse.world.keep import Kept, keep
from hanse.world.life import Life
from hanse.world.load import load
from hanse.world.provider import SimulatedCards
from hanse.world.staff import GRACE_US

STEP_US = SECOND_US // 2
HOME = Place(60.171, 24.941)


class Stage:
    """A tiny town on a journal in memory, moved by hand."""

    def __init__(self, tiny: Scenario, writer: Writer, wall: Any, folder: Path, *, seed: int = 1) -> None:
        vault = Vault(folder / "vault.sqlite")
        load(writer, vault, tiny, lambda stage, done, total: None)
        vault.close()
        kept = keep(tiny, "Tiny", folder / "world.msgpack")
        self.writer, self.wall = writer, wall
        self.visitors: set[str] = set()
        self.cards = SimulatedCards(clock=wall, delay_s=0.0)
        clock = WorldClock(wall(), 10.0)
        self.life = self.new_life(kept, clock, self.visitors, seed=seed)
        self.lowest_free = 0

    def new_life(self, kept: Kept, clock: WorldClock, visitors: set[str], *, seed: int = 1) -> Life:
        story = self.writer._journal.story
        return Life(kept.baskets(), kept.targets, clock, seed=seed, home=lambda _: HOME, story=story, visitors=visitors)

    def step(self, *, alive: bool = True) -> None:
        self.wall.pass_us(STEP_US)
        for job in self.life.look(self.writer.district, self.wall()) if alive else ():
            self.writer.submit(job, partial(self.life.told, job))
        self._answer_cards()
        self.writer.turn()
        self.writer.run()
        free = min(item.on_hand - item.held for item in self.writer.district.view(Stock).items.values())
        self.lowest_free = min(self.lowest_free, free)

    def do(self, command: Callable[..., object], *arguments: object) -> Answer:
        answers: list[Answer] = []
        self.writer.submit(Job(command, arguments, "visitor"), answers.append)
        self.writer.run()
        assert answers[0].kind == "ok"
        return answers[0]

    def stages_of(self, order_id: str) -> set[str]:
        found = self.writer.district.view(Orders).open.get(order_id)
        return {part.stage for part in found.parts.values()} if found else {"closed"}

    def _answer_cards(self) -> None:
        """What the effect worker does, without its pauses."""
        for effect, asked in self.writer.district.view(Owed).since_us.items():
            for position in asked:
                entry = next(self.writer._journal.read(position - 1, limit=1))
                event = decode(entry.name, entry.version, entry.body)
                try:
                    job = asyncio.run(self.cards.calls[effect](event, f"{effect}-{position}"))  # type: ignore[arg-type]
                except HanseError:
                    continue
                self.writer.submit(Job(bring_back, (effect, position, job), "district"), lambda _: None)


@pytest.fixture
def stage(tiny: Scenario, new_writer: Callable[[Any], Writer], wall: Any, tmp_path: Path) -> Stage:
    return Stage(tiny, new_writer(wall), wall, tmp_path)


def orders(stage: Stage) -> Orders:
    return stage.writer.district.view(Orders)


def until(stage: Stage, true: Callable[[], bool], *, steps: int) -> None:
    for _ in range(steps):
        if true():
            return
        stage.step()
    assert true()


def test_two_hundred_orders_leave_everything_in_order(stage: Stage) -> None:
    until(stage, lambda: orders(stage).placed >= 200, steps=1_000)
    stage.visitors |= {f"per_0000{number}" for number in range(4)}
    until(stage, lambda: not orders(stage).open and not any(owed(stage)), steps=3_000)
    view, ledger = orders(stage), stage.writer.district.view(Ledger)
    assert view.placed == view.closed == stage.life.placed
    assert stage.lowest_free == 0
    assert all(item.held == 0 for item in stage.writer.district.view(Stock).items.values())
    assert sum(account.balance_minor for account in ledger.accounts.values()) == 0
    assert ledger.holds == {}
    assert all(account.held_minor == 0 for account in ledger.accounts.values())
    assert stage.writer.district.view(Troubles) == Troubles()
    assert stage.writer.restarts == 0
    assert verify(stage.writer._journal).fault == ""


def owed(stage: Stage) -> list[dict[int, int]]:
    return list(stage.writer.district.view(Owed).since_us.values())


def test_everything_that_happens_in_a_town_happens(stage: Stage) -> None:
    for _ in range(1_500):
        stage.step()
    names = Counter(entry.name for entry in stage.writer._journal.read())
    for name in ("market.part_delivered", "market.part_collected", "market.part_settled", "finance.card_payment_asked"):
        assert names[name] > 0
    kinds = Counter(
        event.why
        for entry in stage.writer._journal.read()
        if entry.name == "market.part_ended" and (event := decode(entry.name, entry.version, entry.body))
    )
    assert kinds.keys() >= {"refused", "cancelled"}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_turns_give_the_same_journal(
    tiny: Scenario, new_writer: Callable[[Any], Writer], wall: Any, tmp_path: Path, seed: int
) -> None:
    bodies = []
    began_us = wall()
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        wall.now_us = began_us
        stage = Stage(tiny, new_writer(wall), wall, folder, seed=seed)
        for _ in range(200):
            stage.step()
        bodies.append(list(stage.writer._journal.read()))
    assert bodies[0] == bodies[1]
    assert "market.order_placed" in {entry.name for entry in bodies[0]}


def test_a_visitors_order_waits_for_a_person_at_each_stage(stage: Stage) -> None:
    stage.visitors.update(f"per_0000{number}" for number in range(4))
    answer = stage.do(order.place, "per_00000", order.PlaceOrder((Wish("off_00_00000", 1),)))
    order_id = msgspec.json.decode(answer.body)["order_id"]
    waits = {}
    for stood in ("placed", "accepted", "picked"):
        began_us = stage.wall()
        while stage.stages_of(order_id) == {stood}:
            stage.step()
        waits[stood] = stage.wall() - began_us
    assert all(GRACE_US <= wait <= GRACE_US + 4 * MINUTE_US for wait in waits.values())
    until(stage, lambda: stage.stages_of(order_id) == {"closed"}, steps=10)


def test_nobody_acts_for_a_member_whose_seat_is_taken(stage: Stage) -> None:
    stage.visitors.add("per_00000")
    stage.do(baskets.put, "per_00001", [Wish("off_00_00000", 1)])
    for _ in range(300):
        stage.step()
    by_shopper = orders(stage).by_shopper
    assert by_shopper.keys() == {"per_00002", "per_00003"}


def test_staff_that_comes_back_goes_on_with_what_is_open(stage: Stage, tiny: Scenario, tmp_path: Path) -> None:
    until(stage, lambda: orders(stage).placed >= 10, steps=100)
    kept = keep(tiny, "Tiny", tmp_path / "world.msgpack")
    nobody = {f"per_0000{number}" for number in range(4)}
    stage.life = stage.new_life(kept, WorldClock(stage.wall(), 10.0), nobody)
    until(stage, lambda: not orders(stage).open, steps=3_000)
    assert orders(stage).closed == orders(stage).placed


def test_goods_are_brought_before_a_shop_is_empty(stage: Stage) -> None:
    for _ in range(1_500):
        stage.step()
    origins = {entry.origin for entry in stage.writer._journal.read() if entry.name == "supply.stock_counted"}
    assert origins == {"supply.stock.service.count", "world.acts.receive"}


def test_nothing_happens_at_once_after_a_long_pause(stage: Stage) -> None:
    stage.step()
    placed = stage.life.placed
    stage.wall.pass_us(600 * MINUTE_US)
    stage.step()
    assert stage.life.placed - placed <= 20

"""Two districts that are neighbours."""

from collections.abc import Callable
from typing import Any

import pytest

from hanse.district.neighbours import Neighbours
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.views import wallet_of
from hanse.flows.neighbours import AskNeighbour, ask
from hanse.kernel.values import SeenWish
from hanse.market.away.views import Away, AwayOrder, away_order
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders
from hanse.supply.stock.views import Stock
from hanse.testing import Stage
from hanse.testing.league import exchange, league

TEA = SeenWish("off_mill_tea", 2, "shp_mill", 250)
SALT = SeenWish("off_quay_salt", 3, "shp_quay", 100)
WALLET = wallet_of("per_ada")


class Pair:
    """Two small towns, and short ways to say what happens in them. Ada of A orders in B."""

    def __init__(self, **options: int) -> None:
        self.towns = league("a", "b", **options)
        self.a, self.b = self.towns["a"], self.towns["b"]
        self.order_id = ""

    def ask(self, *lines: SeenWish, **options: Any) -> Any:
        answer = self.a.do(ask, "per_ada", "b", AskNeighbour(lines or (TEA,), **options))
        self.order_id = answer.get("order_id", "")
        return answer

    def placed(self, *lines: SeenWish) -> "Pair":
        self.ask(*lines)
        exchange(self.towns)
        return self

    def shop(self, command: Callable[..., object], *arguments: Any, part: int = 1, **options: Any) -> None:
        self.b.do(command, self.order_id, f"{self.order_id}-{part}", *arguments, **options)

    def fulfil(self, *quantities: int, part: int = 1) -> None:
        self.shop(orders.accept_part, part=part)
        self.shop(orders.pick_part, quantities or None, part=part)
        self.shop(orders.hand_over_part, part=part)

    def away(self) -> AwayOrder:
        return away_order(self.a.district, self.order_id)

    def stages(self) -> list[str]:
        return [state.stage for state in self.away().parts.values()]

    def clearing(self) -> tuple[int, int]:
        """What stands in the account of the other side, in A and in B."""
        return balance(self.a, clearing_of("b")), balance(self.b, clearing_of("a"))

    def check(self) -> None:
        """Nothing is on its way, nothing is held, both sides agree."""
        assert sum(self.clearing()) == 0
        for town in (self.a, self.b):
            assert not any(town.view(Stock).holds.values())
            assert town.view(Ledger).holds == {}
            assert town.view(Orders).open == {}
            for channel in town.view(Neighbours).channels.values():
                assert (channel.waiting, channel.parked_in, channel.parked_out) == ({}, "", "")
            assert sum(account.balance_minor for account in town.view(Ledger).accounts.values()) == 0
            views = town.district.views()
            town.crash()
            assert town.district.views() == views
        assert self.a.view(Away).open == {}


def balance(town: Stage, account_id: str) -> int:
    return town.view(Ledger).accounts[account_id].balance_minor


@pytest.fixture
def pair() -> Pair:
    return Pair()

"""A small league in memory: several districts that are neighbours, and the way between them."""

import msgspec

from hanse.district.core import Charter
from hanse.district.messages import acknowledge, next_batch, receive
from hanse.district.neighbours import Batch, Neighbours, Receipt
from hanse.flows.neighbours import declare
from hanse.testing.clock import Clock
from hanse.testing.stage import Stage, district
from hanse.testing.town import small_town

__all__ = ["deliver", "exchange", "league"]

LIMIT_MINOR = 1_000_00


def league(*tags: str, limit_minor: int = LIMIT_MINOR) -> dict[str, Stage]:
    """Small towns, each a district of its own with a clock of its own, each the neighbour of all others.

    Examples
    --------
    >>> from hanse.flows.neighbours import AskNeighbour, ask
    >>> from hanse.kernel.values import SeenWish
    >>> towns = league("a", "b")
    >>> tea = AskNeighbour((SeenWish("off_mill_tea", 1, "shp_mill", 250),))
    >>> towns["a"].do(ask, "per_ada", "b", tea)["result"]
    'asked'
    >>> exchange(towns)
    >>> len(towns["b"].entries("market.order_placed")), len(towns["a"].entries("market.away_order_taken"))
    (1, 1)
    """
    towns = {tag: small_town(district(Clock(), Charter(tag=tag))) for tag in tags}
    for tag, town in towns.items():
        town.do(declare, dict.fromkeys((other for other in tags if other != tag), limit_minor))
    return towns


def exchange(towns: dict[str, Stage]) -> None:
    """Bring every message to its neighbour, and every receipt back, until nothing waits any more.

    A channel that is parked is left as it is.
    """
    moved = True
    while moved:
        moved = False
        for town in towns.values():
            town.settle()
            for to, channel in town.view(Neighbours).channels.items():
                batch = next_batch(town.district, to) if to in towns else None
                if batch is not None:
                    before = channel.acknowledged
                    town.do(acknowledge, deliver(batch, towns[to]))
                    moved = moved or town.view(Neighbours).channels[to].acknowledged > before
    for town in towns.values():
        town.settle()


def deliver(batch: Batch, to: Stage) -> Receipt:
    """Hand a batch over, each message by a command of its own; the receipt of the last."""
    body = [to.ask(receive, batch.sender, message) for message in batch.messages][-1].body
    return msgspec.json.decode(body, type=Receipt)

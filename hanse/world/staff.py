"""Shops that accept, pick and hand over, shoppers who fetch, couriers who deliver.

Staff look at the open orders and remember since when each part stands where it stands; that is all their
memory, so after a restart they simply go on. How long a step takes and whether it goes wrong is drawn once
per part and stage from the seed.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random

import msgspec

from hanse.district.core import District
from hanse.district.jobs import Job
from hanse.finance.payments.views import captured_in
from hanse.journal.protocol import Entry
from hanse.kernel.chance import stream
from hanse.kernel.errors import NotFound
from hanse.kernel.time import MINUTE_US, SECOND_US
from hanse.market.orders import service as orders
from hanse.market.orders.views import Order, Orders, PartState
from hanse.world import acts
from hanse.world.clock import WorldClock
from hanse.world.load import CALLER

__all__ = ["GRACE_US", "Staff"]

GRACE_US = 90 * SECOND_US
"""How long, in our time, a visitor's order waits at each stage for a person in the shop's seat."""

AGAIN_US = 60 * SECOND_US
REFUSED_SHARE = 0.01
CANCELLED_SHARE = 0.012
SHORT_SHARE = 0.03
COMPLAINT_SHARE = 0.008
_MINUTES = {"placed": (1.0, 5.0), "accepted": (4.0, 16.0), "picked": (4.0, 30.0), "handed_over": (8.0, 25.0)}
_PER_LINE_MINUTES = 0.5


class Watched(msgspec.Struct):
    """Where a part was last seen, and when somebody will act on it."""

    stage: str
    due_us: int


class Staff:
    """Decides what happens next to each part of each open order.

    Parameters
    ----------
    ours
        Whether an order was placed by the world. Any other is a visitor's: it waits for a person first.
    story
        Reads the story of an order that is closed.
    """

    def __init__(
        self, clock: WorldClock, *, seed: int, ours: Callable[[str], bool], story: Callable[[str], list[Entry]]
    ) -> None:
        self._clock = clock
        self._seed = seed
        self._ours = ours
        self._story = story
        self._watched: dict[str, Watched] = {}
        self._complaints: list[tuple[int, str, str, int]] = []

    def look(self, district: District, now_us: int) -> Iterator[Job]:
        """The commands of those whose work is done by now."""
        watched: dict[str, Watched] = {}
        for order_id, found in district.view(Orders).open.items():
            if not found.accepted:
                continue
            for part_id, state in found.parts.items():
                if state.stage in _MINUTES:
                    seen = watched[part_id] = self._seen(order_id, part_id, state, now_us)
                    if seen.due_us <= now_us:
                        seen.due_us = now_us + AGAIN_US
                        yield self._act(order_id, found, state, now_us)
        self._watched = watched
        yield from self._complain(district, now_us)

    def _seen(self, order_id: str, part_id: str, state: PartState, now_us: int) -> Watched:
        seen = self._watched.get(part_id)
        if seen is None or seen.stage != state.stage:
            low, high = _MINUTES[state.stage]
            minutes = self._chance(part_id, state.stage).uniform(low, high)
            minutes += _PER_LINE_MINUTES * len(state.part.lines) if state.stage == "accepted" else 0.0
            wait_us = self._clock.wait_us(round(minutes * MINUTE_US))
            seen = Watched(state.stage, now_us + (wait_us if self._ours(order_id) else max(wait_us, GRACE_US)))
        return seen

    def _act(self, order_id: str, found: Order, state: PartState, now_us: int) -> Job:
        part_id, luck = state.part.part_id, self._chance(state.part.part_id, state.stage + " luck")
        command, arguments = self._choose(order_id, found, state, luck)
        if state.stage == "picked" and luck.random() < COMPLAINT_SHARE and self._ours(order_id):
            amount_minor = max(1, state.goods_minor // 4)
            self._complaints.append((now_us + self._clock.wait_us(90 * MINUTE_US), order_id, part_id, amount_minor))
        return Job(command, arguments, CALLER, f"{state.stage} {part_id} {now_us}")

    def _choose(
        self, order_id: str, found: Order, state: PartState, luck: Random
    ) -> tuple[Callable[..., object], tuple[object, ...]]:
        part_id, ours = state.part.part_id, self._ours(order_id)
        if state.stage == "placed":
            if ours and luck.random() < REFUSED_SHARE:
                return acts.refuse, (order_id, part_id, "sold_out")
            return orders.accept_part, (order_id, part_id)
        if state.stage == "accepted":
            if ours and luck.random() < CANCELLED_SHARE:
                return acts.cancel, (order_id, part_id)
            return orders.pick_part, (order_id, part_id, _picked(state, luck))
        if state.stage == "picked":
            return orders.hand_over_part, (order_id, part_id)
        return orders.deliver_part, (order_id, part_id)

    def _complain(self, district: District, now_us: int) -> Iterator[Job]:
        due = [complaint for complaint in self._complaints if complaint[0] <= now_us]
        self._complaints = [complaint for complaint in self._complaints if complaint[0] > now_us]
        for _, order_id, part_id, amount_minor in due:
            with suppress(NotFound):  # it was not handed over after all
                part = captured_in(self._story(order_id), part_id, read_us=district.now_us)
                yield Job(acts.complain, (part, amount_minor, "quality"), CALLER, f"complaint {part_id}")

    def _chance(self, part_id: str, name: str) -> Random:
        return stream(self._seed, f"{part_id}/{name}")


def _picked(state: PartState, luck: Random) -> tuple[int, ...] | None:
    """What was found; None: everything."""
    picked = tuple(0 if luck.random() < SHORT_SHARE / 3 else pieces for pieces in state.quantities)
    return picked if any(picked) and picked != state.quantities else None

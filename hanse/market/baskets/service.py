"""Commands: put lines in, say where to and how to pay."""

from collections.abc import Sequence

import msgspec

from hanse.district.core import District
from hanse.events.market import BasketChanged
from hanse.kernel.errors import must
from hanse.kernel.quantity import check_pieces
from hanse.kernel.values import Fulfilment, PayBy, Wish
from hanse.market.baskets.views import basket
from hanse.market.catalogue.views import offer

__all__ = ["LINES_MAX", "add", "choose", "put"]

LINES_MAX = 100


def put(district: District, shopper_id: str, lines: Sequence[Wish]) -> BasketChanged:
    """Make these the lines of the basket; lines of one offer become one. Records `BasketChanged`."""
    pieces: dict[str, int] = {}
    for line in lines:
        offer(district, line.offer_id)
        pieces[line.offer_id] = check_pieces(pieces.get(line.offer_id, 0) + line.quantity)
    must(len(pieces) <= LINES_MAX, "market.basket_full", f"A basket holds at most {LINES_MAX} lines.", field="lines")
    return _change(district, basket(district, shopper_id), lines=tuple(Wish(o, n) for o, n in pieces.items()))


def add(district: District, shopper_id: str, offer_id: str, pieces: int) -> BasketChanged:
    """Put some pieces of an offer in, or, with a negative number, take some out. Records `BasketChanged`."""
    before = basket(district, shopper_id)
    wanted = {line.offer_id: line.quantity for line in before.lines}
    wanted[offer_id] = wanted.get(offer_id, 0) + pieces
    return put(district, shopper_id, [Wish(o, n) for o, n in wanted.items() if n > 0])


def choose(
    district: District,
    shopper_id: str,
    *,
    fulfilment: Fulfilment | None = None,
    address_id: str | None = None,
    payment: PayBy | None = None,
) -> BasketChanged:
    """Say how the goods are to come, to which address, and how they are paid. Records `BasketChanged`."""
    chosen = {"fulfilment": fulfilment, "address_id": address_id, "payment": payment}
    return _change(
        district, basket(district, shopper_id), **{name: value for name, value in chosen.items() if value is not None}
    )


def _change(district: District, before: BasketChanged, **fields: object) -> BasketChanged:
    after = msgspec.structs.replace(before, **fields)
    if after != before:
        district.record(after)
    return after

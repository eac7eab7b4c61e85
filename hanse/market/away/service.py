"""Commands: note what was asked of a neighbour, and what it told."""

from collections.abc import Mapping
from typing import Literal

from hanse.district.core import District
from hanse.events.market import (
    AwayCancelAsked,
    AwayCancelRefused,
    AwayOrderAsked,
    AwayOrderClosed,
    AwayOrderRefused,
    AwayOrderTaken,
    AwayPartMoved,
)
from hanse.kernel.errors import Conflict
from hanse.kernel.values import AwayPart
from hanse.market.away.views import Away, AwayOrder, away_order

__all__ = ["AwayStage", "Refusal", "ask", "ask_cancel", "move", "refuse", "refuse_cancel", "take"]

AwayStage = Literal["accepted", "picked", "collected", "settled", "refused", "cancelled", "expired"]
Refusal = Literal["late", "currency", "limit", "changed", "sold_out"]

_ENDED = ("settled", "refused", "cancelled", "expired")


def ask(district: District, asked: AwayOrderAsked) -> None:
    """Keep in mind what a neighbour is asked for. Records `AwayOrderAsked`."""
    district.record(asked)


def take(district: District, order_id: str, parts: tuple[AwayPart, ...]) -> None:
    """The neighbour placed the order. Records `AwayOrderTaken`.

    Raises
    ------
    Conflict
        It took on other than it was asked for.
    """
    asked = _waiting(district, order_id).asked
    by_shop: dict[str, int] = {}
    for line in asked.lines:
        by_shop[line.shop_id] = by_shop.get(line.shop_id, 0) + line.quantity * line.price_minor
    if [(part.shop_id, part.goods_minor) for part in parts] != list(by_shop.items()):
        raise Conflict("market.other_order", "The neighbour took on other than it was asked for.", order_id=order_id)
    district.record(AwayOrderTaken(order_id, parts))


def refuse(district: District, order_id: str, why: Refusal, offers: Mapping[str, int]) -> None:
    """The neighbour did not place the order. Records `AwayOrderRefused`."""
    _waiting(district, order_id)
    district.record(AwayOrderRefused(order_id, why, dict(offers)))


def move(district: District, moved: AwayPartMoved) -> None:
    """A part stands elsewhere now. Records `AwayPartMoved`, and `AwayOrderClosed` with the last part."""
    district.record(moved)
    order = district.view(Away).open.get(moved.order_id)
    if order is None or any(state.stage not in _ENDED for state in order.parts.values()):
        return
    settled = sum(state.stage == "settled" for state in order.parts.values())
    outcome: Literal["fulfilled", "partly", "unfulfilled"] = "partly" if settled else "unfulfilled"
    district.record(AwayOrderClosed(moved.order_id, "fulfilled" if settled == len(order.parts) else outcome))


def ask_cancel(district: District, order_id: str) -> None:
    """The shopper wants the order back. Records `AwayCancelAsked`."""
    order = away_order(district, order_id)
    if order.outcome:
        raise Conflict("market.away_over", "This order has come to its end; ask the shop for a refund instead.")
    if order.cancelling == "asked":
        raise Conflict("market.cancel_asked", "The neighbour is being asked; wait for its answer.")
    district.record(AwayCancelAsked(order_id))


def refuse_cancel(district: District, order_id: str) -> None:
    """It was too late to take anything back; one that is over anyway is left as it is. Records `AwayCancelRefused`."""
    if order_id in district.view(Away).open:
        district.record(AwayCancelRefused(order_id))


def _waiting(district: District, order_id: str) -> AwayOrder:
    order = away_order(district, order_id)
    if order.parts or order.outcome:
        raise Conflict("market.answered_already", "The neighbour has answered this order before.", order_id=order_id)
    return order

"""Commands: open a neighbour's account; set a shopper's money aside for it, take it, free it, give it back; settle."""

from collections.abc import Mapping
from typing import Literal

from hanse.district.core import District
from hanse.finance.clearing.views import BANK, UNCLAIMED, clearing_of
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Ledger
from hanse.kernel.errors import Conflict
from hanse.kernel.values import Transfer

__all__ = ["free", "give_back", "hold", "holds_for", "open_clearing", "pay", "receive", "take"]

PURPOSE = "neighbour"
SETTLEMENT = "settlement"


def open_clearing(district: District, neighbour: str) -> None:
    """Open a neighbour's account, and the one for money that nobody claims; twice is once. Records `AccountOpened`."""
    for account_id in (clearing_of(neighbour), UNCLAIMED):
        ledger.open_account(district, account_id, owner_id="league", kind="clearing", floor_minor=None)


def holds_for(order_id: str, neighbour: str, payer: str, by_shop: Mapping[str, int]) -> tuple[Transfer, ...]:
    """The holds that an order at a neighbour's needs: one for each of its shops."""
    credit = clearing_of(neighbour)
    return tuple(Transfer(_name(order_id, shop), payer, credit, minor, "hold") for shop, minor in by_shop.items())


def hold(district: District, order_id: str, holds: tuple[Transfer, ...]) -> None:
    """Set the money aside; the caller has seen that it is there. Records `TransfersPosted`."""
    if ledger.post(district, order_id, PURPOSE, holds):
        raise Conflict("finance.funds_short", "There is too little money for this.", order_id=order_id)


def take(district: District, order_id: str, shop_id: str, amount_minor: int) -> None:
    """The neighbour's shop was paid this: the shopper pays us, we owe the neighbour. Records `TransfersPosted`.

    Nothing held, nothing done. Raises `InvalidInput` for more than was set aside.
    """
    _end(district, order_id, shop_id, amount_minor)


def free(district: District, order_id: str, shop_id: str) -> None:
    """The shopper can spend what was set aside; nothing held, nothing done. Records `TransfersPosted`."""
    _end(district, order_id, shop_id, 0)


def give_back(
    district: District, order_id: str, shop_id: str, *, neighbour: str, payer: str, amount_minor: int, before_minor: int
) -> None:
    """The neighbour's shop gave this back: we owe the neighbour less, the shopper has it again.

    Where no `payer` is known, or its wallet is full, it goes to the unclaimed money. Records `TransfersPosted`.
    """
    name = f"{order_id}-{shop_id}/refund/{before_minor}/goods"
    for credit in (payer, UNCLAIMED):
        back = Transfer(name, clearing_of(neighbour), credit, amount_minor)
        if credit and not ledger.post(district, order_id, PURPOSE, (back,)):
            return


def receive(district: District, payment_id: str, neighbour: str, amount_minor: int) -> None:
    """A neighbour paid some of what it owes us. Records `TransfersPosted`."""
    _settle(district, Transfer(payment_id, BANK, clearing_of(neighbour), amount_minor))


def pay(district: District, payment_id: str, neighbour: str, amount_minor: int) -> None:
    """We paid some of what we owe a neighbour. Records `TransfersPosted`."""
    _settle(district, Transfer(payment_id, clearing_of(neighbour), BANK, amount_minor))


def _settle(district: District, paid: Transfer) -> None:
    ledger.open_account(district, BANK, owner_id="league", kind="clearing", floor_minor=None)
    ledger.post(district, paid.transfer_id, SETTLEMENT, (paid,))


def _end(district: District, order_id: str, shop_id: str, taken_minor: int) -> None:
    held = district.view(Ledger).holds.get(_name(order_id, shop_id))
    if held is None:
        return
    action: Literal["capture", "void"] = "capture" if taken_minor else "void"
    name, amount_minor = f"{held.transfer_id}/{action}", taken_minor or held.amount_minor
    ended = Transfer(name, held.debit, held.credit, amount_minor, action, held.transfer_id)
    ledger.post(district, order_id, PURPOSE, (ended,))


def _name(order_id: str, shop_id: str) -> str:
    return f"{order_id}-{shop_id}/goods"

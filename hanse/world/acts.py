"""What people of the world do: the public commands, in the form that the writer takes.

Each is a sentence that a person could click together; none can do what a person cannot.
"""

from collections.abc import Sequence

from hanse.district.core import District
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import account
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import TOP_UPS, Captured, wallet_of
from hanse.kernel.values import EndReason, RefundReason, Transfer
from hanse.market.orders import service as orders
from hanse.people.consent import service as consent
from hanse.people.members import service as members
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock

__all__ = ["cancel", "complain", "receive", "refuse", "settle_in", "top_up"]


def settle_in(district: District, person_id: str, address_id: str, locale: str, consents: bool) -> None:
    """Become a member with an address, and allow personalisation or not."""
    members.join(district, person_id, locale=locale)
    members.keep_address(district, person_id, address_id)
    if consents:
        consent.give(district, person_id, purpose="personalisation")


def top_up(district: District, person_id: str, amount_minor: int) -> int:
    """Pay into one's wallet; returns by how much it would have become too full."""
    wallet = account(district, wallet_of(person_id))
    transfer = Transfer(district.next_id("top"), TOP_UPS, wallet.account_id, amount_minor)
    return ledger.post(district, wallet.account_id, "top_up", [transfer])


def refuse(district: District, order_id: str, part_id: str, reason: EndReason) -> None:
    """As a shop: not take a part on after all."""
    orders.end_part(district, order_id, part_id, why="refused", reason=reason)


def cancel(district: District, order_id: str, part_id: str) -> None:
    """As a shopper: change one's mind in time."""
    orders.end_part(district, order_id, part_id, why="cancelled")


def complain(district: District, part: Captured, goods_minor: int, reason: RefundReason) -> None:
    """As a shop: give money back for goods that were not right."""
    payments.refund(district, part, goods_minor=goods_minor, fee_minor=0, reason=reason)


def receive(district: District, shop_id: str, arrived: Sequence[tuple[str, int]]) -> int:
    """As a shop: put goods that arrived on the shelf, and count what is there now."""
    items = district.view(Stock).items
    return stock.count(district, shop_id, [(item_id, items[item_id].on_hand + units) for item_id, units in arrived])

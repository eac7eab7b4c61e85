"""Commands: open an account, post transfers, free holds whose time is over."""

from collections.abc import Sequence
from typing import Literal

from hanse.district.core import District
from hanse.events.finance import AccountOpened, HoldsExpired, TransfersPosted
from hanse.finance.ledger.views import Ledger, account, expired, shortfall
from hanse.kernel.errors import Conflict, must
from hanse.kernel.money import AMOUNT_MAX_MINOR, check_currency
from hanse.kernel.values import Transfer

__all__ = ["check", "expire", "open_account", "post"]

EXPIRE_PER_TURN = 200


def open_account(
    district: District,
    account_id: str,
    *,
    owner_id: str,
    kind: Literal["wallet", "shop", "revenue", "delivery", "clearing"],
    currency: str = "",
    floor_minor: int | None = 0,
    ceiling_minor: int | None = None,
) -> None:
    """Open an account, in the district's currency if none is named; twice is once. Records `AccountOpened`."""
    if account_id not in district.view(Ledger).accounts:
        currency = check_currency(currency or district.currency)
        district.record(AccountOpened(account_id, owner_id, currency, kind, floor_minor, ceiling_minor))


def post(district: District, story_id: str, purpose: str, transfers: Sequence[Transfer]) -> int:
    """Make linked transfers: all of them or none.

    Returns
    -------
    int
        0 if they were made; otherwise by how much an account would have passed its limit, and nothing
        was recorded. Records `TransfersPosted`.
    """
    check(district, transfers)
    short = shortfall(district, transfers)
    if not short:
        district.record(TransfersPosted(story_id, purpose, tuple(transfers)))
    return short


def check(district: District, transfers: Sequence[Transfer]) -> None:
    """Raise unless the transfers make sense: known accounts, one currency, amounts above zero."""
    must(transfers, "finance.no_transfers", "Give at least one transfer.", field="transfers")
    holds = district.view(Ledger).holds
    named = set()
    for transfer in transfers:
        must(
            0 < transfer.amount_minor <= AMOUNT_MAX_MINOR,
            "finance.bad_amount",
            "Give an amount above zero and at most 10^15 minor units.",
            field="amount_minor",
            value=transfer.amount_minor,
        )
        must(
            account(district, transfer.debit).currency == account(district, transfer.credit).currency,
            "finance.two_currencies",
            "Transfer between accounts of one currency.",
            field="credit",
        )
        must(
            transfer.debit != transfer.credit, "finance.same_account", "Transfer between two accounts.", field="credit"
        )
        ends = transfer.action in ("capture", "void")
        must(
            ends == bool(transfer.hold_id),
            "finance.bad_transfer",
            "Name the hold of a capture or void, and of nothing else.",
            field="hold_id",
        )
        if transfer.action == "hold" and (transfer.transfer_id in holds or transfer.transfer_id in named):
            raise Conflict("finance.held_already", "This hold exists already.", transfer_id=transfer.transfer_id)
        if ends:
            _check_end(None if transfer.hold_id in named else holds.get(transfer.hold_id), transfer)
        # Linked transfers are checked before any is made: no hold may be made, or ended, twice among them.
        named.add(transfer.hold_id or transfer.transfer_id)


def _check_end(hold: Transfer | None, transfer: Transfer) -> None:
    if hold is None:
        raise Conflict("finance.no_hold", "There is no such hold any more.", hold_id=transfer.hold_id)
    must(
        transfer.amount_minor <= hold.amount_minor and (transfer.debit, transfer.credit) == (hold.debit, hold.credit),
        "finance.beyond_hold",
        "Capture at most what is held, between the same accounts.",
        field="amount_minor",
        value=transfer.amount_minor,
    )


def expire(district: District) -> None:
    """Free the holds whose time is over. Records `HoldsExpired`."""
    for hold in expired(district, limit=EXPIRE_PER_TURN):
        void = Transfer(
            f"{hold.transfer_id}/expired", hold.debit, hold.credit, hold.amount_minor, "void", hold.transfer_id
        )
        district.record(HoldsExpired(hold.transfer_id, (void,)))

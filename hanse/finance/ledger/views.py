"""Balances, holds and their ends."""

import heapq
from collections.abc import Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.finance import (
    AccountOpened,
    HoldsExpired,
    PaymentCaptured,
    PaymentHeld,
    PaymentRefunded,
    PaymentReleased,
    PaymentSettled,
    TransfersPosted,
)
from hanse.events.market import OrderPlaced
from hanse.kernel.errors import NotFound
from hanse.kernel.values import Transfer

__all__ = ["Account", "Ledger", "Movement", "Moving", "account", "expired", "shortfall"]

RECENT_MAX = 100

Moving: TypeAlias = (
    TransfersPosted
    | HoldsExpired
    | OrderPlaced
    | PaymentHeld
    | PaymentCaptured
    | PaymentReleased
    | PaymentSettled
    | PaymentRefunded
)


class Movement(msgspec.Struct, frozen=True, gc=False):
    """One line of a statement: positive came in, negative went out."""

    time_us: int
    transfer_id: str
    other: str
    amount_minor: int


class Account(msgspec.Struct, gc=False):
    """Minor units of one currency. Free to spend: balance less held, down to the floor."""

    account_id: str
    owner_id: str
    currency: str
    kind: str
    floor_minor: int | None
    ceiling_minor: int | None
    balance_minor: int = 0
    held_minor: int = 0
    incoming_minor: int = 0
    recent: list[Movement] = []

    def room(self) -> int | None:
        """How much may still go out; None: without limit."""
        return None if self.floor_minor is None else self.balance_minor - self.held_minor - self.floor_minor


class Ledger(View):
    """Accounts by id, open holds by transfer id, and when holds end."""

    accounts: dict[str, Account] = {}
    holds: dict[str, Transfer] = {}
    ends: list[tuple[int, str]] = []

    @folds(AccountOpened)
    def _open(self, event: AccountOpened, now_us: int) -> None:
        self.accounts[event.account_id] = Account(
            event.account_id, event.owner_id, event.currency, event.kind, event.floor_minor, event.ceiling_minor
        )

    @folds(
        TransfersPosted,
        HoldsExpired,
        OrderPlaced,
        PaymentHeld,
        PaymentCaptured,
        PaymentReleased,
        PaymentSettled,
        PaymentRefunded,
    )
    def _move(self, event: Moving, now_us: int) -> None:
        for transfer in event.transfers:
            debit, credit = self.accounts[transfer.debit], self.accounts[transfer.credit]
            amount = transfer.amount_minor
            if transfer.action == "hold":
                self.holds[transfer.transfer_id] = transfer
                debit.held_minor += amount
                credit.incoming_minor += amount
                if transfer.until_us:
                    heapq.heappush(self.ends, (transfer.until_us, transfer.transfer_id))
                continue
            if transfer.hold_id:
                held = self.holds.pop(transfer.hold_id).amount_minor
                debit.held_minor -= held
                credit.incoming_minor -= held
            if transfer.action != "void":
                debit.balance_minor -= amount
                credit.balance_minor += amount
                _note(debit, Movement(now_us, transfer.transfer_id, transfer.credit, -amount))
                _note(credit, Movement(now_us, transfer.transfer_id, transfer.debit, amount))

        # Ends of holds that are gone leave from the front, so that asking what is over looks at one entry.
        while self.ends and not self.lives(*self.ends[0]):
            heapq.heappop(self.ends)

    def lives(self, until_us: int, hold_id: str) -> bool:
        """Whether there is such a hold with this end; a name may have been used for an earlier one."""
        hold = self.holds.get(hold_id)
        return hold is not None and hold.until_us == until_us


def _note(account: Account, movement: Movement) -> None:
    account.recent.append(movement)
    if len(account.recent) > 2 * RECENT_MAX:
        del account.recent[:-RECENT_MAX]


def account(district: District, account_id: str) -> Account:
    """An account; raises `NotFound`."""
    found = district.view(Ledger).accounts.get(account_id)
    if found is None:
        raise NotFound("finance.unknown_account", "There is no such account; open it first.", account_id=account_id)
    return found


def shortfall(district: District, transfers: Sequence[Transfer]) -> int:
    """By how much the first account that would fall below its floor, or rise above its ceiling, would do so.

    Looks at transfers that post or hold, in order, as if made one after the other; 0 if all can be made.
    """
    accounts = district.view(Ledger).accounts
    out: dict[str, int] = {}
    into: dict[str, int] = {}
    for transfer in transfers:
        if transfer.hold_id:
            # What ends a hold was counted when the hold was made.
            continue
        amount, debit_id, credit_id = transfer.amount_minor, transfer.debit, transfer.credit
        debit = accounts.get(debit_id) or account(district, debit_id)
        credit = accounts.get(credit_id) or account(district, credit_id)
        spent = out[debit_id] = out.get(debit_id, 0) + amount
        room = debit.room()
        if room is not None and spent > room:
            return spent - room
        filled = into[credit_id] = into.get(credit_id, 0) + amount
        ceiling = credit.ceiling_minor
        if ceiling is not None and credit.balance_minor + credit.incoming_minor + filled > ceiling:
            return credit.balance_minor + credit.incoming_minor + filled - ceiling
        if transfer.action == "post":
            out[credit_id] = out.get(credit_id, 0) - amount
            into[debit_id] = into.get(debit_id, 0) - amount
    return 0


def expired(district: District, *, limit: int) -> list[Transfer]:
    """Holds whose time is over."""
    ledger = district.view(Ledger)
    if not ledger.ends or ledger.ends[0][0] > district.now_us:
        return []
    over = dict.fromkeys(h for until_us, h in ledger.ends if until_us <= district.now_us and ledger.lives(until_us, h))
    return [ledger.holds[hold_id] for hold_id in islice(over, limit)]

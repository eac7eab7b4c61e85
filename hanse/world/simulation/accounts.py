"""Money as an auditor keeps it: accounts, holds and their limits, from the journal alone."""

from typing import Any

from hanse.world.simulation.report import Broken

__all__ = ["Accounts", "Purse"]

AMOUNT_MAX = 10**15

Body = dict[str, Any]


class Purse:
    """One account."""

    __slots__ = ("balance", "ceiling", "currency", "floor", "held", "incoming")

    def __init__(self, currency: str, floor: int | None, ceiling: int | None) -> None:
        self.currency = currency
        self.floor = floor
        self.ceiling = ceiling
        self.balance = self.held = self.incoming = 0


class Accounts:
    """Purses by id, and open holds: id → (from, to, amount, until)."""

    def __init__(self) -> None:
        self.purses: dict[str, Purse] = {}
        self.holds: dict[str, tuple[str, str, int, int]] = {}
        self.timed: dict[str, int] = {}
        self.touched: set[str] = set()

    def open(self, body: Body) -> None:
        """`finance.account_opened`."""
        if body["account_id"] in self.purses:
            raise Broken(f"{body['account_id']} was opened twice", body["account_id"])
        self.purses[body["account_id"]] = Purse(body["currency"], body["floor_minor"], body["ceiling_minor"])
        self.touched.add(body["account_id"])

    def move(self, transfers: list[Body], story: str) -> None:
        """Every event that carries transfers; the limits of all accounts hold behind it."""
        touched: set[str] = set()
        for transfer in transfers:
            touched.update((transfer["debit"], transfer["credit"]))
            self._one(transfer, story)
        for account_id in touched:
            purse = self.purses[account_id]
            if purse.floor is not None and purse.balance - purse.held < purse.floor:
                raise Broken(f"{account_id} fell below its floor: {purse.balance} less {purse.held} held", story)
            if purse.ceiling is not None and purse.balance + purse.incoming > purse.ceiling:
                raise Broken(f"{account_id} rose above its ceiling: {purse.balance} and {purse.incoming}", story)
        self.touched |= touched

    def _one(self, transfer: Body, story: str) -> None:
        debit, credit, amount = transfer["debit"], transfer["credit"], transfer["amount_minor"]
        action, name = transfer.get("action", "post"), transfer["transfer_id"]
        payer, payee = self.purses[debit], self.purses[credit]
        if not 0 < amount <= AMOUNT_MAX or payer.currency != payee.currency or debit == credit:
            raise Broken(f"the transfer {transfer} makes no sense", story)
        if action == "hold":
            if name in self.holds:
                raise Broken(f"the hold {name} was made twice", story)
            self.holds[name] = debit, credit, amount, transfer.get("until_us", 0)
            payer.held += amount
            payee.incoming += amount
            return
        if action in ("capture", "void"):
            self._end(transfer, story)
        if action != "void":
            payer.balance -= amount
            payee.balance += amount

    def _end(self, transfer: Body, story: str) -> None:
        held = self.holds.pop(transfer.get("hold_id", ""), None)
        if held is None:
            raise Broken(f"{transfer['transfer_id']} ends a hold that is not there", story)
        debit, credit, amount, _ = held
        if (transfer["debit"], transfer["credit"]) != (debit, credit) or transfer["amount_minor"] > amount:
            raise Broken(f"{transfer['transfer_id']} takes more than, or other than, {held}", story)
        self.purses[debit].held -= amount
        self.purses[credit].incoming -= amount

    def expire(self, body: Body, time_us: int) -> None:
        """`finance.holds_expired`: only what is over."""
        for transfer in body["transfers"]:
            until_us = self.holds.get(transfer.get("hold_id", ""), ("", "", 0, 0))[3]
            if not 0 < until_us <= time_us:
                raise Broken(f"the hold {transfer.get('hold_id')} ended at {time_us}, its time is {until_us}")
        self.move(body["transfers"], body["story_id"])

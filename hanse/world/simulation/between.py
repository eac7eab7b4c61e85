"""The auditor between districts: reads all their journals, and holds what one says against what the other does.

It shares no code with the views: it knows events by their stored names and bodies, and accounts by theirs.
"""

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import Any

import msgspec

from hanse.journal.protocol import Commit
from hanse.world.simulation.books import Books
from hanse.world.simulation.report import Broken

__all__ = ["Between", "Trip"]

Body = dict[str, Any]

UNPAID = ("refused", "cancelled", "expired")


class Trip:
    """One order at a neighbour's, as the shopper's district tells it."""

    def __init__(self, body: Body, home: str) -> None:
        self.home, self.abroad = home, str(body["neighbour"])
        self.shopper: str = body["shopper_id"]
        self.total: int = body["total_minor"]
        self.stages: dict[str, str] = {}
        self.outcome = ""
        self.paid = self.back = 0


class Between:
    """What was told, what was taken, and the orders that go over a border."""

    def __init__(self, tags: Iterable[str], books: Mapping[str, Books]) -> None:
        self._books = books
        self.trips: dict[str, Trip] = {}
        self.sent: dict[tuple[str, str], list[Body]] = {pair: [] for pair in permutations(tags, 2)}
        self.received: dict[tuple[str, str], int] = dict.fromkeys(self.sent, 0)
        self.acknowledged: dict[tuple[str, str], int] = dict.fromkeys(self.sent, 0)
        self.refunds: dict[str, int] = {}

    def read(self, tag: str, commit: Commit) -> None:
        """Take in a commit of one of the districts."""
        for _, _, name, _, _, _, _, text in commit.entries:
            reader = getattr(self, f"_{name.replace('.', '_')}", None)
            if reader is not None:
                reader(tag, msgspec.json.decode(text))

    # Messages

    def _district_message_sent(self, tag: str, body: Body) -> None:
        sent = self.sent[tag, body["neighbour"]]
        sent.append(body)
        if body["number"] != len(sent):
            raise Broken(f"{tag} numbers its message {body['number']}, it is the {len(sent)}th")

    def _district_message_received(self, tag: str, body: Body) -> None:
        pair = body["neighbour"], tag
        self.received[pair] += 1
        if body["number"] != self.received[pair]:
            raise Broken(f"{tag} took message {body['number']} of {pair[0]}, but {self.received[pair]} is next")
        sent = self.sent[pair][body["number"] - 1]
        if (sent["chain"], sent["kind"]) != (body["chain"], body["kind"]):
            raise Broken(f"{tag} took another message {body['number']} than {pair[0]} sent", body["story"])

    def _district_messages_acknowledged(self, tag: str, body: Body) -> None:
        pair = tag, body["neighbour"]
        if not self.acknowledged[pair] < body["through"] <= self.received[pair]:
            raise Broken(f"{tag} let go of message {body['through']}, {pair[1]} has {self.received[pair]}")
        self.acknowledged[pair] = body["through"]

    def _district_channel_parked(self, tag: str, body: Body) -> None:
        raise Broken(f"the channel of {tag} with {body['neighbour']} is parked: {body['error']}")

    # Orders over a border

    def _market_away_order_asked(self, tag: str, body: Body) -> None:
        self.trips[body["order_id"]] = Trip(body, tag)

    def _market_away_order_taken(self, tag: str, body: Body) -> None:
        self._trip(body).stages = {part["part_id"]: "placed" for part in body["parts"]}

    def _market_away_order_refused(self, tag: str, body: Body) -> None:
        self._end(body, "refused")

    def _market_away_order_closed(self, tag: str, body: Body) -> None:
        self._end(body, body["outcome"])

    def _market_away_part_moved(self, tag: str, body: Body) -> None:
        self._trip(body).stages[body["part_id"]] = body["stage"]

    def _finance_transfers_posted(self, tag: str, body: Body) -> None:
        trip = self.trips.get(body["story_id"])
        if trip is None:
            return
        for transfer in body["transfers"]:
            if transfer.get("action") == "capture":
                trip.paid += transfer["amount_minor"]
            elif transfer.get("action", "post") == "post":
                trip.back += transfer["amount_minor"]

    def _finance_payment_refunded(self, tag: str, body: Body) -> None:
        if body["order_id"] in self.trips:
            self.refunds[body["order_id"]] = self.refunds.get(body["order_id"], 0) + body["goods_minor"]

    def _trip(self, body: Body) -> Trip:
        return self.trips[body["order_id"]]

    def _end(self, body: Body, outcome: str) -> None:
        trip = self._trip(body)
        if trip.outcome:
            raise Broken(f"an order that was {trip.outcome} is {outcome} now", body["order_id"])
        trip.outcome = outcome

    # Rules

    def check_pair(self, one: str, other: str) -> None:
        """Between two districts that owe no steps the accounts differ by exactly what is on its way."""
        owed = sum(self._on_the_way(*pair) for pair in ((one, other), (other, one)))
        standing = self._balance(one, other) + self._balance(other, one)
        if standing + owed:
            raise Broken(f"the accounts of {one} and {other} sum to {standing}, messages on their way say {-owed}")

    def _on_the_way(self, sender: str, to: str) -> int:
        """What the two accounts will sum to more once what was sent is taken."""
        waiting = [m["body"] for m in self.sent[sender, to][self.received[sender, to] :]]
        moved = [body for body in waiting if body["type"] == "order.part_moved"]
        taken = sum(body["goods_minor"] for body in moved if body["stage"] == "collected")
        settled = sum(body["amount_minor"] for body in waiting if body["type"] == "debt.paid")
        return int(taken - sum(body["back_minor"] for body in moved) - settled)

    def _balance(self, at: str, neighbour: str) -> int:
        return self._stands(at, f"league/clearing/{neighbour}")

    def _stands(self, at: str, account_id: str) -> int:
        purse = self._books[at].accounts.purses.get(account_id)
        return purse.balance if purse else 0

    def check_end(self) -> None:
        """Everything was told and taken, and both sides of each order say the same."""
        for pair, sent in self.sent.items():
            if not len(sent) == self.received[pair] == self.acknowledged[pair]:
                raise Broken(f"{pair[1]} never heard all that {pair[0]} had to say")
            self.check_pair(*pair)
        for order_id, trip in self.trips.items():
            self.check_trip(order_id, trip)
        if sum(self._stands(at, "league/bank") for at in self._books):
            raise Broken("what one side says it was paid is not what others say they paid")

    def check_trip(self, order_id: str, trip: Trip) -> None:
        """Both sides say the same of an order that nothing is on its way for."""
        abroad = self._books[trip.abroad].stories.all.get(order_id)
        if (abroad is None) != (trip.outcome == "refused"):
            raise Broken(
                f"at home the order is {trip.outcome or 'open'}, abroad {'not ' * (abroad is None)}placed", order_id
            )
        stages = {part_id: piece.stage for part_id, piece in abroad.pieces.items()} if abroad else {}
        if stages != trip.stages or (abroad is not None and bool(abroad.closed) != bool(trip.outcome)):
            raise Broken(f"at home the parts are {trip.stages}, abroad {stages}", order_id)
        taken = sum(p.captured[0] for p in abroad.pieces.values() if p.captured) if abroad else 0
        if (trip.paid, trip.back) != (taken, self.refunds.get(order_id, 0)):
            raise Broken(f"the shopper paid {trip.paid}, the shop was paid {taken}; {trip.back} came back", order_id)
        home = self._books[trip.home].accounts
        if trip.outcome and any(name.startswith(f"{order_id}-") for name in home.holds):
            raise Broken("an order that is over still holds money", order_id)

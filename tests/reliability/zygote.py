"""A warm process that makes writers to be killed: it forks, so that none of them pays for starting Python.

Reads lines `WHERE ROUND` (a folder, or the address of a database), forks a child that writes the district there until
it is killed, and says `pid N`, then what the child says, then `gone`. The child says `ack KEY ORDER` for each order
that it was answered.
"""

import os
import sys
from functools import partial
from pathlib import Path

import msgspec

from hanse.app.house import FLOWS, VIEWS, now_us
from hanse.district.core import Charter
from hanse.district.jobs import Answer, Job
from hanse.district.opening import opener
from hanse.district.writer import Writer
from hanse.flows.order import PlaceOrder, place
from hanse.journal.protocol import Journal
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.values import Wish
from hanse.market.orders import service as orders

ORDERS_PER_TURN = 6
SHOPPERS = ("per_ada", "per_bo", "per_cleo")
REQUEST = PlaceOrder((Wish("off_mill_tea", 1), Wish("six_quay_salt", 1)))


def order_job(key: str) -> Job:
    """One keyed order: the same key, the same order."""
    shopper = SHOPPERS[sum(key.encode()) % len(SHOPPERS)]
    return Job(place, (shopper, REQUEST), shopper, key, b"one tea, six salt")


def journal_at(where: Path | str) -> Journal:
    """The journal in a folder, or in the database of an address."""
    if isinstance(where, str) and where.startswith("postgresql:"):
        from hanse.journal.postgres import PostgresJournal

        return PostgresJournal(where, district="0")
    return SqliteJournal(Path(where) / "journal.sqlite")


def write_until_killed(where: str, number: int) -> None:
    """Place orders and move them on, turn by turn; say what was acknowledged."""
    journal = journal_at(where)
    writer = Writer(journal, opener(Charter(), views=VIEWS, flows=FLOWS), clock=now_us)
    placed: list[str] = []
    count = 0
    while True:
        for order_id in placed:
            for move in (orders.accept_part, orders.pick_part, orders.hand_over_part):
                writer.submit(Job(move, (order_id, f"{order_id}-1")), lambda _: None)
        answers: list[tuple[str, Answer]] = []
        for key in [f"{number}-{count + n}" for n in range(ORDERS_PER_TURN)]:
            writer.submit(order_job(key), partial(_told, answers, key))
        count += ORDERS_PER_TURN
        writer.turn()
        told = [(key, msgspec.json.decode(answer.body)["order_id"]) for key, answer in answers]
        placed = [order_id for _, order_id in told]
        os.write(1, "".join(f"ack {key} {order_id}\n" for key, order_id in told).encode())


def _told(answers: list[tuple[str, Answer]], key: str, answer: Answer) -> None:
    answers.append((key, answer))


def main() -> None:
    """Fork as told, one child after the other."""
    os.write(1, b"warm\n")
    for line in sys.stdin:
        where, number = line.split()
        child = os.fork()
        if child == 0:
            try:
                write_until_killed(where, int(number))
            finally:
                os._exit(1)
        os.write(1, f"pid {child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    main()

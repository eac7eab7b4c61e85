"""Write the golden journal and vault of a release: ``python -m tests.journal.write_golden 0.2.0``, before it goes out.

A folder that is there is never touched: it stands for what districts out there hold. Beside the files stands what
they come to, so that no later Hanse can read them as something else.
"""

import gzip
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from hanse.district.jobs import Answer, Job
from hanse.finance.ledger.views import Ledger
from hanse.flows.order import PlaceOrder, place
from hanse.journal.check import verify
from hanse.journal.sqlite import SqliteJournal
from hanse.kernel.values import Wish
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders
from hanse.people.members import service as members
from hanse.people.members.views import Members
from hanse.people.vault import Vault
from hanse.people.vault.store import Identity
from hanse.supply.stock.views import Stock
from hanse.testing import Stage, district, small_town

FOLDER = Path(__file__).parent / "golden"
FILES = ("journal.sqlite", "vault.sqlite", "vault.key")
ADA = Identity("Ada Achterdeck", "+358 40 1234567")
TEA = PlaceOrder((Wish("off_mill_tea", 2),), fulfilment="pickup")
SALT = PlaceOrder((Wish("six_quay_salt", 1), Wish("off_yard_salt", 1)))
ASKED = {
    "key-ada": ("per_ada", TEA),
    "key-bo": ("per_bo", SALT),
    "key-cleo": ("per_cleo", SALT),
    "key-refused": ("per_ada", PlaceOrder((Wish("off_mill_tea", 900),))),
}


class Golden(msgspec.Struct):
    """What the files of a release come to."""

    position: int
    commits: int
    hash: str
    now_us: int
    balances: dict[str, int]
    stock: dict[str, tuple[int, int]]
    open: list[str]
    members: list[str]
    answers: dict[str, msgspec.Raw]


def write(release: str) -> Path:
    """Live a small history with this very code and keep its files."""
    folder = FOLDER / release
    folder.mkdir(parents=True)
    with TemporaryDirectory() as work:
        town = small_town(district(journal=SqliteJournal(Path(work) / "journal.sqlite")))
        answers = live(town)
        with closing(Vault(Path(work) / "vault.sqlite")) as vault:
            vault.put_many({"per_ada": {"per_ada": ADA}, "per_dora": {"per_dora": Identity("Dora Dollbord")}})
            vault.erase("per_dora")
        told = tell(town, answers)
        town.journal.close()
        for name in FILES:
            # The time in a gzip's head would make each writing another file.
            (folder / f"{name}.gz").write_bytes(gzip.compress((Path(work) / name).read_bytes(), mtime=0))
    (folder / "comes_to.json").write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    return folder


def live(town: Stage) -> dict[str, msgspec.Raw]:
    """One order settled, one under way, one cancelled, one refused, a member who left; the answers by their keys."""
    town.do(members.join, "per_dora", locale="de")
    settled, under_way, cancelled = (ask(town, "key-ada"), ask(town, "key-bo"), ask(town, "key-cleo"))
    order_id = msgspec.json.decode(settled.body)["order_id"]
    for move in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        town.do(move, order_id, f"{order_id}-1")
    order_id = msgspec.json.decode(under_way.body)["order_id"]
    town.do(orders.accept_part, order_id, f"{order_id}-1")
    town.do(orders.cancel, msgspec.json.decode(cancelled.body)["order_id"])
    refused = ask(town, "key-refused")
    town.do(members.erase, "per_dora")
    given = {"key-ada": settled, "key-bo": under_way, "key-cleo": cancelled, "key-refused": refused}
    return {key: msgspec.Raw(answer.body) for key, answer in given.items()}


def ask(town: Stage, key: str) -> Answer:
    """One keyed order. Its body is the key: what a request looks like may change, its fingerprint here may not."""
    answers: list[Answer] = []
    town.writer.submit(Job(place, ASKED[key], "tester", key, key.encode()), answers.append)
    town.writer.run()
    return answers[0]


def tell(town: Stage, answers: dict[str, msgspec.Raw]) -> Golden:
    """What a journal comes to."""
    verdict = verify(town.journal)
    assert verdict.fault == ""
    return Golden(
        verdict.entries,
        verdict.commits,
        verdict.hash,
        town.clock.now_us,
        {name: account.balance_minor for name, account in sorted(town.view(Ledger).accounts.items())},
        {item_id: (item.on_hand, item.held) for item_id, item in sorted(town.view(Stock).items.items())},
        sorted(town.view(Orders).open),
        sorted(town.view(Members).by_id),
        answers,
    )


if __name__ == "__main__":
    print(write(sys.argv[1]))

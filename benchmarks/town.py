"""The demo district, ready to be ordered from: the full catalogue, more stock and money than will be asked for."""

import shutil
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from random import Random

import msgspec

from benchmarks.machine import SCRATCH
from hanse.app.house import FLOWS, VIEWS, now_us, open_journal
from hanse.app.settings import Settings
from hanse.district.core import Charter, District
from hanse.district.jobs import Answer, Job
from hanse.district.opening import opener
from hanse.district.writer import Writer
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.service import WALLET_CEILING_MINOR
from hanse.finance.payments.views import TOP_UPS, wallet_of
from hanse.journal.protocol import Entry
from hanse.kernel.values import Transfer
from hanse.market.catalogue.views import Catalogue
from hanse.people.members.views import Members
from hanse.people.vault import Vault
from hanse.supply.stock import service as stock
from hanse.world.demo import build
from hanse.world.load import load

__all__ = ["Request", "Town", "fill_wallets", "requests", "size_mb"]

PLENTY = 10**8
Request = tuple[bytes, str, str]
"""Body, shopper, idempotency key: what a client sends."""


class Town:
    """A district in a fresh folder, with its journal on a real disk, or in a database."""

    def __init__(
        self,
        name: str,
        *,
        snapshots: bool = False,
        on_commit: Callable[[list[Entry]], None] | None = None,
        database: str = "",
    ) -> None:
        self._on_commit = on_commit
        self._database = database
        self.folder = SCRATCH / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.path = self.folder / "journal.sqlite"
        self.snapshots = self.folder / "snapshots" if snapshots else None
        self.open()

    def open(self) -> None:
        """Open the journal and bring the district up from it."""
        settings = Settings(folder=self.folder, journal=self._database)
        self.journal = open_journal(settings)
        build_district = opener(Charter(), views=VIEWS, flows=FLOWS, snapshots=self.snapshots)
        self.writer = Writer(self.journal, build_district, clock=now_us, on_commit=self._on_commit)

    def close(self) -> None:
        """Let go of the journal."""
        self.journal.close()

    def furnish(self) -> None:
        """Load the demo's world; fill every shelf and every wallet."""
        vault = Vault(self.folder / "vault.sqlite")
        load(self.writer, vault, build.scenario(1), lambda stage, done, total: None)
        vault.close()
        shops = self.writer.district.view(Catalogue).by_shop
        offers = self.writer.district.view(Catalogue).offers
        for shop_id, of_shop in shops.items():
            self.run(Job(stock.count, (shop_id, [(offers[o].item_id, PLENTY) for o in of_shop])))
        self.run(Job(fill_wallets, ()))

    def run(self, job: Job) -> None:
        """Run one command; it has to succeed."""
        answers: list[Answer] = []
        self.writer.submit(job, answers.append)
        self.writer.run()
        assert answers[0].kind == "ok", answers[0].body


def fill_wallets(district: District) -> None:
    """A command: as much money for everybody as a wallet may hold."""
    accounts = district.view(Ledger).accounts
    transfers = [
        Transfer(f"{person_id}/plenty", TOP_UPS, wallet_of(person_id), room)
        for person_id in district.view(Members).by_id
        if (room := WALLET_CEILING_MINOR - accounts[wallet_of(person_id)].balance_minor) > 0
    ]
    assert ledger.post(district, "plenty", "top_up", transfers) == 0


def requests(district: District, count: int, lines: int, *, seed: int = 1) -> list[Request]:
    """Orders as bytes: each from one shop, items Zipf-distributed (exponent 1) in the shop's order of sales."""
    chance = Random(seed)
    people = list(district.view(Members).by_id)
    shelves = [
        (list(offers), list(accumulate(1 / rank for rank in range(1, len(offers) + 1))))
        for offers in district.view(Catalogue).by_shop.values()
        if len(offers) >= 4 * lines
    ]
    made = []
    for number in range(count):
        offers, weights = chance.choice(shelves)
        chosen: dict[str, int] = {}
        while len(chosen) < lines:
            chosen[chance.choices(offers, cum_weights=weights)[0]] = 1
        body = {"lines": [{"offer_id": offer_id, "quantity": 1} for offer_id in chosen]}
        made.append((msgspec.json.encode(body), chance.choice(people), f"{seed}-{number:032x}"))
    return made


def size_mb(path: Path) -> float:
    """The size of a journal with its write-ahead log, in megabytes."""
    return sum(p.stat().st_size for p in path.parent.glob(path.name + "*")) / 1e6

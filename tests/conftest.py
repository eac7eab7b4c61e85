"""A small standing town for the tests of the contexts: two shops, two members, all views and flows."""

import gc
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from hanse.district.core import District
from hanse.district.own import Troubles
from hanse.events.market import ShopJoined
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.views import TOP_UPS, wallet_of
from hanse.journal.check import verify
from hanse.kernel.errors import HanseError
from hanse.kernel.geo import Place
from hanse.kernel.quantity import Quantity
from hanse.kernel.time import hours_of
from hanse.kernel.values import Transfer
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.people.members import service as members
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock
from hanse.testing import district
from hanse.testing.postgres import PostgresServer, why_no_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real server, one for each process that runs tests; do not stop it, others want it too."""
    if why_no_postgres():
        pytest.skip(why_no_postgres())
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres_server.new_database()


ALWAYS = hours_of([[[0, 1440]]] * 7)

SHOPS = (
    ShopJoined("shp_a", "Aalto", "grocer", "Katu 1", Place(60.17, 24.94), ALWAYS, 500, 290, 15),
    ShopJoined("shp_b", "Bulevardi", "grocer", "Katu 2", Place(60.16, 24.93), ALWAYS, 333, 450, 30),
)
PRODUCTS = (
    Product("prd_milk", "2000000000015", "Milk", "Milch", "B", Quantity(1000, "ml"), "dairy", "dairy", 1350, ("milk",)),
    Product("prd_beer", "2000000000022", "Beer", "Bier", "B", Quantity(330, "ml"), "drink", "drink", 2550, ()),
)
OFFERS = (
    Offer("off_milk", "shp_a", "prd_milk", "shp_a/milk", 1, 199, 1350),
    Offer("off_beer", "shp_a", "prd_beer", "shp_a/beer", 1, 349, 2550),
    Offer("off_six", "shp_a", "prd_beer", "shp_a/beer", 6, 1899, 2550),
    Offer("off_milk_b", "shp_b", "prd_milk", "shp_b/milk", 1, 205, 1350),
)
STOCK = {"shp_a": [("shp_a/milk", 20), ("shp_a/beer", 10)], "shp_b": [("shp_b/milk", 8)]}
WALLET_MINOR = 10_000


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """A house disables the collector and freezes what is there, as fits a process of its own; here others follow."""
    yield
    if not gc.isenabled():
        gc.unfreeze()
        gc.enable()


class Town:
    """A district in memory, and short ways to say what a call records or that it changes nothing."""

    def __init__(self) -> None:
        self.stage = district()
        self.journal = self.stage.journal

    @property
    def district(self) -> District:
        return self.stage.district

    @property
    def now_us(self) -> int:
        return self.stage.clock.now_us

    def do(self, command: Callable[..., object], *arguments: object, **options: Any) -> Any:
        """What a command answers, once all its steps are done; raises the error that it raised."""
        return self.stage.do(command, *arguments, **options)

    def wait(self, micros: int) -> list[str]:
        """Let time pass; the names of what is recorded by that."""
        before = self.district.position
        self.stage.clock.now_us += micros
        self.stage.settle()
        return self.names(before)

    def names(self, after: int) -> list[str]:
        """The stored names of the entries behind a position, steps included."""
        return [entry.name for entry in self.journal.read(after)]

    def records(self, command: Callable[..., object], *arguments: object, **options: Any) -> list[str]:
        """The stored names of what a command and its steps record, in order."""
        before = self.district.position
        self.do(command, *arguments, **options)
        return self.names(before)

    def refuses(self, code: str, command: Callable[..., object], *arguments: object, **options: Any) -> HanseError:
        """Assert that a command is refused with a code and that nothing changed; gives its error."""
        before = self.state(), self.district.position
        with pytest.raises(HanseError) as refused:
            self.do(command, *arguments, **options)
        assert refused.value.code == code
        assert is_told(refused.value)
        assert (self.state(), self.district.position) == before
        return refused.value

    def state(self) -> dict[str, bytes]:
        return {name: msgspec.msgpack.encode(view) for name, view in self.district.views().items()}

    def balances(self) -> dict[str, int]:
        """What stands in each account that is not empty."""
        accounts = self.district.view(Ledger).accounts
        return {name: account.balance_minor for name, account in accounts.items() if account.balance_minor}

    def held(self) -> dict[str, int]:
        """What is set aside in each account."""
        accounts = self.district.view(Ledger).accounts
        return {name: account.held_minor for name, account in accounts.items() if account.held_minor}

    def shelf(self, item_id: str) -> tuple[int, int]:
        """On hand and held."""
        item = self.district.view(Stock).items[item_id]
        return item.on_hand, item.held

    def check(self) -> None:
        """What holds at every moment: the chain closes, money and holds add up, snapshot and replay are identical."""
        assert verify(self.journal).fault == ""
        money = self.district.view(Ledger)
        assert sum(account.balance_minor for account in money.accounts.values()) == 0
        held = sum(hold.amount_minor for hold in money.holds.values())
        assert sum(account.held_minor for account in money.accounts.values()) == held
        assert sum(account.incoming_minor for account in money.accounts.values()) == held
        assert self.district.view(Troubles).failed_steps == []
        assert self.stage.writer.restarts == 0
        before = self.state()
        for view in self.district.views().values():
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(view), type=type(view)) == view
        self.stage.crash()
        assert self.state() == before


@cache
def told_errors() -> list[tuple[str, str, re.Pattern[str]]]:
    """Code, kind and sentence of each error of docs/reference/errors.md; in a value's place stand words and numbers."""
    page = (Path(__file__).parents[1] / "docs/reference/errors.md").read_text()
    rows = re.findall(r"^\| `(.+?)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    return [(code, kind, re.compile(re.sub(r"\\{.*?\\}", r"[\\w, ]+", re.escape(text)))) for code, kind, text in rows]


def is_told(error: HanseError) -> bool:
    """Whether an error says what the reference says."""
    said = error.code, error.kind
    return any((code, kind) == said and text.fullmatch(error.message) for code, kind, text in told_errors())


def stand_up(town: Town) -> Town:
    for shop in SHOPS:
        town.do(catalogue.join_shop, shop)
    town.do(catalogue.list_products, PRODUCTS)
    for shop in SHOPS:
        town.do(catalogue.set_offers, shop.shop_id, [o for o in OFFERS if o.shop_id == shop.shop_id])
        town.do(stock.count, shop.shop_id, STOCK[shop.shop_id])
    for person_id in ("per_1", "per_2"):
        town.do(members.join, person_id, locale="en")
    town.do(members.keep_address, "per_1", "adr_1")
    first = Transfer("top_1", TOP_UPS, wallet_of("per_1"), WALLET_MINOR)
    assert town.do(ledger.post, "top_1", "top_up", (first,)) == 0
    return town


@pytest.fixture
def town() -> Iterator[Town]:
    standing = stand_up(Town())
    yield standing
    standing.check()


@pytest.fixture
def found() -> Iterator[Path]:
    """Where images of a disk are laid out; in memory, where there is such a folder: it is thousands of files."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)

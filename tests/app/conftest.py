from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.app import cli
from hanse.app.house import House
from hanse.app.settings import Settings
from hanse.district.jobs import Job
from hanse.district.snapshots import take
from hanse.events.market import ShopJoined
from hanse.finance.ledger import service as ledger
from hanse.flows import order
from hanse.kernel.geo import Place
from hanse.kernel.quantity import Quantity
from hanse.kernel.time import hours_of
from hanse.kernel.values import Transfer, Wish
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders
from hanse.people.members import service as members
from hanse.supply.stock import service as stock

SHOP = ShopJoined("shp_1", "Kauppa", "grocer", "Katu 1", Place(60.17, 24.94), hours_of([[[0, 1440]]] * 7), 500, 290, 15)
MILK = Product("prd_1", "2000000000015", "Milk", "Milch", "", Quantity(1_000, "ml"), "dairy", "dairy", 1_350, ())


def join(district: object) -> None:
    members.join(district, "per_1", locale="en")  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A district with one shop, one member and one order that went all its way."""
    house = House(Settings(folder=tmp_path / "data"))

    def do(command: Callable[..., object], *arguments: object) -> None:
        kinds: list[str] = []
        house.writer.submit(Job(command, arguments, "test"), lambda answer: kinds.append(answer.kind))
        house.writer.run()
        assert kinds == ["ok"]

    do(catalogue.join_shop, SHOP)
    do(catalogue.list_products, [MILK])
    do(catalogue.set_offers, "shp_1", [Offer("off_1", "shp_1", "prd_1", "itm_1", 1, 199, 1_350)])
    do(stock.count, "shp_1", [("itm_1", 10)])
    do(join)
    do(ledger.post, "top", "top_up", [Transfer("top_1", "league/top-ups", "per_1/wallet", 10_000)])
    do(order.place, "per_1", order.PlaceOrder((Wish("off_1", 3),)))
    order_id = next(iter(house.district.view(Orders).open))
    do(orders.accept_part, order_id, f"{order_id}-1")
    do(orders.pick_part, order_id, f"{order_id}-1", (2,))
    do(orders.hand_over_part, order_id, f"{order_id}-1")
    take(house.district, house.snapshots)
    house.journal.close()
    house.vault.close()
    return house.settings.folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one command: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run

"""What people and programs hear while the journal is out of reach, and that all goes on by itself afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio.lowlevel
import pytest

from hanse.app import house as house_module
from hanse.app.build import create_app
from hanse.app.house import House
from hanse.app.settings import Settings
from hanse.journal.faulty import FaultyJournal
from hanse.journal.memory import MemoryJournal
from hanse.market.orders.views import Orders
from hanse.supply.stock import service as stock
from tests.app.http.town import Town, furnish, key, lines, look

AWAY = (503, "The journal is out of reach; it is tried again every second.")

pytestmark = pytest.mark.anyio


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> FaultyJournal:
    journal = FaultyJournal(MemoryJournal())
    monkeypatch.setattr(house_module, "open_journal", lambda settings: journal)
    monkeypatch.setattr(house_module, "TICK_S", 0.001)
    monkeypatch.setattr(house_module, "COME_BACK_EVERY_S", 0.001)
    return journal


@pytest.fixture
async def town(tmp_path: Path, journal: FaultyJournal, anyio_backend: str) -> AsyncIterator[Town]:
    house = House(Settings(folder=tmp_path, demo=True))
    furnish(house)
    app = create_app(house)
    async with app.lifespan():
        yield Town(house, app)


async def ready(town: Town) -> tuple[int, str]:
    async with town.client() as client:
        answer = await client.get("/health/ready")
        return answer.status_code, answer.json()["checks"][0]["says"]


async def until(town: Town, *, is_down: bool) -> None:
    while town.house.is_down is not is_down:
        await anyio.lowlevel.checkpoint()


async def test_an_order_into_a_journal_that_goes_away_is_refused_and_found_when_it_is_back(
    town: Town, journal: FaultyJournal
) -> None:
    once, heard = key(), []
    town.house.listen(lambda entries: heard.extend(entry[2] for entry in entries))
    async with town.client("shopper", "per_ada") as ada:
        journal.next_fault = "away_after"
        lost = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=once)
        assert (lost.status_code, lost.headers["retry-after"]) == (503, "1")
        again = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=once)
        assert (again.status_code, again.json()["code"]) == (503, "district.journal_away")
        for path in ("/api/basket", "/api/orders", "/", "/shop"):
            assert (await ada.get(path)).status_code == 503, path
        assert await ready(town) == AWAY
        async with town.client() as probe:
            assert (await probe.get("/health/live")).status_code == 200
        journal.away = False
        await until(town, is_down=False)
        found = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=once)
    assert (found.status_code, found.headers["idempotent-replayed"]) == (201, "true")
    assert town.house.district.view(Orders).placed == 1
    await town.command(look)
    await town.command(stock.count, "shp_1", [("shp_1/prd_1", 9)])
    assert await ready(town) == (200, "It can be written.")
    assert heard.count("market.order_placed") == 1


async def test_while_nothing_was_under_way_pages_are_still_shown(town: Town, journal: FaultyJournal) -> None:
    journal.away = True
    await until(town, is_down=True)
    async with town.client("shopper", "per_ada") as ada:
        assert (await ada.get("/api/basket")).status_code == 200
        assert (await ada.get("/")).status_code == 200
        refused = await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=key())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert await ready(town) == AWAY
        journal.away = False
        await until(town, is_down=False)
        assert (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 2)), headers=key())).status_code == 201
    assert town.house.writer.restarts == 0


async def test_a_house_whose_journal_is_away_can_be_stopped(town: Town, journal: FaultyJournal) -> None:
    journal.away = True
    await until(town, is_down=True)

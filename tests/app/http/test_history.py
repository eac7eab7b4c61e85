"""What lies behind the latest: pages that reach back to the first day, without gaps or doubles."""

import os
import subprocess
import sys

import pytest

from hanse.app.house import ARCHIVED
from hanse.app.keeping import ARCHIVE
from hanse.district.archive import Archive, ArchiveReader
from tests.app.http.town import Town

pytestmark = pytest.mark.anyio


def archive(town: Town) -> None:
    """Do what the keeper does, once."""
    filled = Archive(town.house.settings.folder / ARCHIVE, ARCHIVED, town.house.journal)
    while filled.advance():
        pass
    filled.close()


async def live(town: Town, count: int) -> list[str]:
    """Orders that were placed and cancelled."""
    placed = []
    async with town.client("shopper", "per_ada") as ada:
        for number in range(count):
            body = {"lines": [{"offer_id": "shp_1:prd_1", "quantity": 1}]}
            answer = await ada.post("/api/orders", json=body, headers={"idempotency-key": f"k{number}"})
            placed.append(answer.json()["order_id"])
            await ada.post(f"/api/orders/{placed[-1]}/cancel")
    return placed


async def test_a_shopper_pages_back_to_the_first_order(town: Town) -> None:
    placed = await live(town, 110)
    archive(town)
    placed += await live_on(town)
    seen, cursor = [], ""
    async with town.client("shopper", "per_ada") as ada:
        while True:
            page = (await ada.get("/api/orders", params={"cursor": cursor, "limit": 15})).json()
            seen += [order["order_id"] for order in page["orders"]]
            cursor = page["next"]
            if not cursor:
                break
    assert seen == placed[::-1]


async def live_on(town: Town) -> list[str]:
    """Two more, which the archive has not got yet; one stays open."""
    made = []
    for number in range(2):
        async with town.client("shopper", "per_ada") as ada:
            body = {"lines": [{"offer_id": "shp_1:prd_1", "quantity": 1}]}
            answer = await ada.post("/api/orders", json=body, headers={"idempotency-key": f"later{number}"})
            made.append(answer.json()["order_id"])
    return made


async def test_a_shop_pages_through_the_parts_that_it_is_done_with(town: Town) -> None:
    placed = await live(town, 5)
    archive(town)
    async with town.client("shop", "shp_1") as shop:
        first = (await shop.get("/api/shop/parts/ended", params={"limit": 3})).json()
        rest = (await shop.get("/api/shop/parts/ended", params={"limit": 3, "cursor": first["next"]})).json()
        today = await shop.get("/api/shop/parts/ended", params={"day": "2001-01-01"})
        bad = await shop.get("/api/shop/parts/ended", params={"cursor": "yesterday"})
    assert [part["order_id"] for part in first["parts"] + rest["parts"]] == placed[::-1]
    assert {part["ended"] for part in first["parts"]} == {"cancelled"}
    assert rest["next"] == ""
    assert today.json() == {"parts": [], "next": ""}
    assert (bad.status_code, bad.json()["code"]) == (422, "app.bad_cursor")


async def test_a_statement_reaches_back_to_the_first_movement(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        for number in range(230):
            await ada.post(
                "/api/wallet/top-up",
                json={"amount_minor": number + 1, "currency": "EUR"},
                headers={"idempotency-key": f"t{number}"},
            )
        archive(town)
        await ada.post(
            "/api/wallet/top-up", json={"amount_minor": 9_999, "currency": "EUR"}, headers={"idempotency-key": "last"}
        )
        seen, cursor = [], ""
        while True:
            page = (await ada.get("/api/wallet/movements", params={"cursor": cursor, "limit": 70})).json()
            seen += [movement["amount_minor"] for movement in page["movements"]]
            cursor = page["next"]
            if not cursor:
                break
    assert seen[:231] == [9_999, *range(230, 0, -1)]


async def test_decisions_page_back_too(town: Town) -> None:
    async with town.client("league", "league") as league:
        assert (await league.get("/api/decisions", params={"before": "dec_zz"})).json() == []


@pytest.mark.slow
async def test_the_keeper_fills_the_archive_and_ends_with_who_started_it(town: Town) -> None:
    placed = await live(town, 3)
    settings = town.house.settings
    environment = {**os.environ, **settings.environment()}
    keeper = subprocess.Popen([sys.executable, "-m", "hanse.app.keeper"], stdin=subprocess.PIPE, env=environment)
    reader = ArchiveReader(settings.folder / ARCHIVE)
    while keeper.poll() is None and reader.rows("SELECT position FROM archive") != [(town.house.position,)]:
        pass
    assert len(reader.rows("SELECT order_id FROM placed_order")) == len(placed)
    assert keeper.stdin is not None
    keeper.stdin.close()
    assert keeper.wait(30) == 0

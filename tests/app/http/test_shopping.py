"""What a shopper finds: products by words, place and stock, shops, availability; and what a shop imports."""

import pytest

from hanse.market.catalogue import service as catalogue
from tests.app.http.town import GOODS, Town, key, lines

pytestmark = pytest.mark.anyio


async def found(town: Town, query: str) -> list[str]:
    async with town.client() as anybody:
        answer = await anybody.get(f"/api/products?{query}")
    assert answer.status_code == 200, answer.text
    return [product["product_id"] for product in answer.json()["products"]]


@pytest.mark.parametrize(
    ("query", "products"),
    [
        ("", ["prd_1", "prd_2", "prd_3"]),
        ("q=milk", ["prd_1"]),
        ("q=Vollmilch", ["prd_1"]),
        ("q=brot", ["prd_2"]),
        ("q=apple", ["prd_3"]),
        ("q=%C3%84pfel", ["prd_3"]),
        ("q=mlik", ["prd_1"]),
        ("q=2000000000022", ["prd_2"]),
        ("q=submarine", []),
        ("q=%22%28%2A", []),
        ("category=bread", ["prd_2"]),
        ("category=bread&q=milk", []),
    ],
)
async def test_products_are_found(town: Town, query: str, products: list[str]) -> None:
    assert await found(town, query) == products


async def test_pages_follow_each_other_without_gap_or_repetition(town: Town) -> None:
    async with town.client() as anybody:
        first = (await anybody.get("/api/products?limit=2")).json()
        second = (await anybody.get(f"/api/products?limit=2&cursor={first['next']}")).json()
    assert [p["product_id"] for p in first["products"] + second["products"]] == ["prd_1", "prd_2", "prd_3"]
    assert second["next"] == ""


async def test_what_is_sold_out_is_not_in_stock(town: Town) -> None:
    for shop_id in ("shp_1", "shp_2"):
        await town.set_stock(f"{shop_id}/prd_2", 0)
    assert await found(town, "in_stock=true") == ["prd_1", "prd_3"]
    assert await found(town, "in_stock=true&category=bread") == []


async def test_a_product_shows_its_best_price_and_nearest_shop(town: Town) -> None:
    async with town.client() as anybody:
        by_id = (await anybody.get("/api/products/prd_1?near=60.17,24.95")).json()
        by_gtin = (await anybody.get(f"/api/products/{GOODS[0][1]}?near=60.17,24.95")).json()
    assert by_id == by_gtin
    assert (by_id["from_price_minor"], by_id["shops"], by_id["in_stock"], by_id["nearest_m"]) == (199, 2, True, 0)


async def test_availability_puts_what_can_be_had_near_first(town: Town) -> None:
    await town.set_stock("shp_2/prd_1", 0)
    async with town.client() as anybody:
        shown = (await anybody.get("/api/products/prd_1/availability?lat=60.17&lon=24.95")).json()
    assert [(offer["shop_id"], offer["free_pieces"], offer["distance_m"]) for offer in shown] == [
        ("shp_1", 10, 553),
        ("shp_2", 0, 0),
    ]
    assert shown[0]["open_now"] is True
    assert (shown[0]["reference_price_minor"], shown[0]["reference_unit"]) == (199, "l")


async def test_a_newly_listed_product_is_found_at_once(town: Town) -> None:
    from tests.app.http.town import _product

    await town.command(
        catalogue.list_products, [_product("prd_4", "2000000000046", "Oat drink", "Haferdrink", "drink")]
    )
    assert await found(town, "q=oat") == ["prd_4"]
    assert await found(town, "q=milk") == ["prd_1"]


async def test_a_shop_imports_stock_and_offers(town: Town) -> None:
    async with town.client("shop", "shp_1") as shop:
        offer = {"offer_id": "off_new", "product_id": "prd_1", "item_id": "itm_new", "price_minor": 100}
        early = await shop.put("/api/shop/offers", json=[offer], headers=key())
        counted = await shop.put("/api/shop/stock", json=[{"item_id": "itm_new", "on_hand": 7}], headers=key())
        again = await shop.put("/api/shop/stock", json=[{"item_id": "itm_new", "on_hand": 7}], headers=key())
        offered = await shop.put("/api/shop/offers", json=[offer], headers=key())
        shown = (await shop.get("/api/shops/shp_1/offers?limit=100")).json()["offers"]
        taken_off = await shop.put("/api/shop/offers", json=[offer | {"price_minor": 0}], headers=key())
        left = (await shop.get("/api/shops/shp_1/offers?limit=100")).json()["offers"]
    assert (early.status_code, early.json()["code"]) == (422, "market.uncounted_item")
    assert (counted.json(), again.json()) == ({"rows": 1, "changed": 1}, {"rows": 1, "changed": 0})
    assert (offered.status_code, taken_off.status_code) == (200, 200)
    assert [one["free_pieces"] for one in shown if one["offer_id"] == "off_new"] == [7]
    assert "off_new" not in {one["offer_id"] for one in left}


async def test_an_import_with_one_bad_row_changes_nothing(town: Town) -> None:
    before = town.house.district.position
    async with town.client("shop", "shp_1") as shop:
        rows = [{"item_id": f"itm_{n}", "on_hand": 5} for n in range(600)]
        rows[599]["on_hand"] = -1
        answer = await shop.put("/api/shop/stock", json=rows, headers=key())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "$[599].on_hand")
    assert town.house.district.position == before


async def test_a_large_import_becomes_column_events(town: Town) -> None:
    before = town.house.district.position
    rows = [{"item_id": f"itm_{number:05d}", "on_hand": 5} for number in range(5_000)]
    async with town.client("shop", "shp_1") as shop:
        answer = await shop.put("/api/shop/stock", json=rows, headers=key())
    assert answer.json() == {"rows": 5_000, "changed": 5_000}
    assert town.house.district.position == before + 10


async def test_csv_is_taken_as_well(town: Town) -> None:
    async with town.client("shop", "shp_1") as shop:
        csv = "item_id,on_hand\nitm_a,3\nitm_b,4\n"
        answer = await shop.put("/api/shop/stock", content=csv, headers={"Content-Type": "text/csv"} | key())
        bad = await shop.put(
            "/api/shop/stock", content="item_id,on_hand\nitm_a,x\n", headers={"Content-Type": "text/csv"}
        )
        odd = await shop.put(
            "/api/shop/stock", content="item_id,count\nitm_a,1\n", headers={"Content-Type": "text/csv"}
        )
        raw = await shop.put("/api/shop/stock", content=b"item_id\xff", headers={"Content-Type": "text/csv"})
    assert answer.json() == {"rows": 2, "changed": 2}
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "$[0].on_hand")
    assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "$[0].count")
    assert raw.status_code == 400


async def test_a_shop_works_off_what_was_ordered(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada, town.client("shop", "shp_1") as shop:
        order_id = (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 3)), headers=key())).json()["order_id"]
        (part,) = (await shop.get("/api/shop/parts")).json()
        assert (part["order_id"], part["stage"], part["goods_minor"], part["commission_minor"]) == (
            order_id,
            "placed",
            597,
            30,
        )
        assert "per_ada" not in str(part)
        where = f"/api/shop/parts/{part['part_id']}"
        early = await shop.post(f"{where}/hand-over", headers=key())
        assert (await shop.post(f"{where}/accept", headers=key())).status_code == 204
        too_many = await shop.post(f"{where}/pick", json={"quantities": [4]}, headers=key())
        assert (await shop.post(f"{where}/pick", json={"quantities": [2]}, headers=key())).status_code == 204
        assert (await shop.post(f"{where}/hand-over", headers=key())).status_code == 204
        await town.settle()
        account = (await shop.get("/api/shop/account")).json()
        shown = (await ada.get(f"/api/orders/{order_id}")).json()
        assert (await shop.get("/api/shop/parts")).json() == []
    assert (early.status_code, early.json()["code"]) == (409, "market.wrong_stage")
    assert (too_many.status_code, too_many.json()["code"]) == (422, "market.bad_picked")
    assert account["balance_minor"] == 398 - 20
    assert (shown["outcome"], shown["parts"][0]["stage"], shown["parts"][0]["quantities"]) == (
        "fulfilled",
        "settled",
        [2],
    )
    assert town.ledger_sum() == 0


async def test_a_shop_refuses_and_the_money_is_free(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada, town.client("shop", "shp_1") as shop:
        order_id = (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 3)), headers=key())).json()["order_id"]
        refused = await shop.post(f"/api/shop/parts/{order_id}-1/refuse", json={"reason": "sold_out"}, headers=key())
        await town.settle()
        wallet = (await ada.get("/api/wallet")).json()
        shown = (await ada.get(f"/api/orders/{order_id}")).json()
    assert refused.status_code == 204
    assert (wallet["balance_minor"], wallet["held_minor"], wallet["free_minor"]) == (10_000, 0, 10_000)
    assert (shown["parts"][0]["stage"], shown["parts"][0]["reason"]) == ("refused", "sold_out")

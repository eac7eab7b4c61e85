"""What does not fit gets a problem that says so, names the field, and changes nothing."""

from typing import Any

import pytest

from tests.app.http.town import Town, key, lines

pytestmark = pytest.mark.anyio

ORDERS = "/api/orders"
JSON = {"Content-Type": "application/json"}
LINE = {"offer_id": "shp_1:prd_1", "quantity": 1}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (b"", 400, "app.bad_json", None),
        (b"{", 400, "app.bad_json", None),
        (b"not json", 400, "app.bad_json", None),
        (b'{"lines":[{"offer_id":"\xff","quantity":1}]}', 400, "app.bad_json", None),
        (b"\xfe\xff", 400, "app.bad_json", None),
        (b"[]", 422, "app.bad_field", "$"),
        (b"null", 422, "app.bad_field", "$"),
        (b"{}", 422, "app.bad_field", "$.lines"),
        (b'{"lines":[]}', 422, "app.bad_field", "$.lines"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1"}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":0}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":-1}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":10001}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1e99}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1.5}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":"1"}]}', 422, "app.bad_field", "$.lines[0].quantity"),
        (
            b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1,"price_minor":1}]}',
            422,
            "app.bad_field",
            "$.lines[0].price_minor",
        ),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1}],"currency":"USD"}', 422, "app.bad_field", "$.currency"),
        (
            b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1}],"fulfilment":"drone"}',
            422,
            "app.bad_field",
            "$.fulfilment",
        ),
        (b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":1}],"payment":"card"}', 422, "finance.no_card", "card_token"),
        (b'{"lines":[{"offer_id":"' + b"x" * 41 + b'","quantity":1}]}', 422, "app.bad_field", "$.lines[0].offer_id"),
        (b'{"lines":[' + b",".join([b'{"offer_id":"x","quantity":1}'] * 101) + b"]}", 422, "app.bad_field", "$.lines"),
    ],
)
async def test_a_bad_order(town: Town, body: bytes, status: int, code: str, field: str | None, fast: bool) -> None:
    before = town.house.district.position
    async with town.client("shopper", "per_ada", fast=fast) as ada:
        answer = await ada.post(ORDERS, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == ORDERS
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])
    assert town.house.district.position == before


@pytest.mark.parametrize("fast", [True, False])
async def test_a_body_of_another_type_is_refused(town: Town, fast: bool) -> None:
    async with town.client("shopper", "per_ada", fast=fast) as ada:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await ada.post(ORDERS, content=b"lines=1", headers=form)
    assert (answer.status_code, answer.json()["code"]) == (415, "app.bad_media_type")


@pytest.mark.parametrize("fast", [True, False])
async def test_a_huge_body_is_refused(town: Town, fast: bool) -> None:
    async with town.client("shopper", "per_ada", fast=fast) as ada:
        answer = await ada.post(ORDERS, content=b" " * 1_100_000, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "app.too_large")


@pytest.mark.parametrize("name", ["\x01", "x" * 129, "ä" * 130])
async def test_a_bad_key_is_refused(town: Town, name: str) -> None:
    async with town.client("shopper", "per_ada") as ada:
        answer = await ada.post(ORDERS, json={"lines": [LINE]}, headers={"Idempotency-Key": name.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (422, "district.bad_key")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/nothing", None, 404, "app.no_route"),
        ("DELETE", "/api/products", None, 405, "app.wrong_method"),
        ("GET", "/api/products?limit=0", None, 400, "app.bad_query"),
        ("GET", "/api/products?limit=101", None, 400, "app.bad_query"),
        ("GET", "/api/products?limit=x", None, 400, "app.bad_query"),
        ("GET", "/api/products?cursor=x", None, 400, "app.bad_query"),
        ("GET", "/api/products?cursor=%C2%B2", None, 400, "app.bad_query"),
        ("GET", "/api/products?cursor=99999999999999999999", None, 200, None),
        ("GET", "/api/products?near=60.1", None, 400, "app.bad_query"),
        ("GET", "/api/products?near=nan,nan", None, 422, "kernel.bad_place"),
        ("GET", "/api/products?near=91,0", None, 422, "kernel.bad_place"),
        ("GET", "/api/products/prd_9", None, 404, "market.unknown_product"),
        ("GET", "/api/products/prd_1/availability?lat=91&lon=0", None, 400, "app.bad_query"),
        ("GET", "/api/shops/shp_9", None, 404, "market.unknown_shop"),
        ("GET", "/api/shops/shp_9/offers", None, 404, "market.unknown_shop"),
        ("GET", "/api/orders/ord_9", None, 404, "market.unknown_order"),
        ("GET", "/api/wallet/balance", None, 400, "app.bad_query"),
        ("GET", "/api/wallet/balance?at=2026-11-22T09:00:00", None, 400, "app.bad_query"),
        ("GET", "/api/wallet/balance?at=yesterday", None, 400, "app.bad_query"),
        ("POST", "/api/wallet/top-up", {"amount_minor": 100, "currency": "USD"}, 422, "finance.other_currency"),
        ("POST", "/api/wallet/top-up", {"amount_minor": 0, "currency": "EUR"}, 422, "app.bad_field"),
        ("POST", "/api/wallet/top-up", {"amount_minor": 10**30, "currency": "EUR"}, 422, "app.bad_field"),
        ("PUT", "/api/basket/lines", {"lines": [{"offer_id": "nothing", "quantity": 1}]}, 404, "market.unknown_offer"),
        ("PATCH", "/api/basket", {"payment": "cash"}, 422, "app.bad_field"),
        ("POST", "/api/basket/order", None, 422, "market.bad_lines"),
        ("POST", "/api/members", {"name": ""}, 422, "app.bad_field"),
        ("POST", "/api/members", {"name": "Ada", "phone": "call me"}, 422, "app.bad_field"),
        ("PUT", "/api/consents", {"purpose": "selling"}, 422, "app.bad_field"),
        ("DELETE", "/api/consents?purpose=selling", None, 400, "app.bad_query"),
    ],
)
async def test_bad_requests(town: Town, method: str, path: str, body: Any, status: int, code: str | None) -> None:
    async with town.client("shopper", "per_ada") as ada:
        answer = await ada.request(method, path, json=body)
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


async def test_a_full_queue_says_when_to_come_back(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanse.district.writer.QUEUE_MAX", 0)
    async with town.client("shopper", "per_ada") as ada:
        answer = await ada.post(ORDERS, json=lines(("shp_1:prd_1", 1)), headers=key())
    assert (answer.status_code, answer.json()["code"]) == (429, "district.queue_full")
    assert answer.headers["retry-after"] == "1"

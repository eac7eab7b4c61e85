"""The fast routes of a purchase say what the described routes say: same status, headers and body."""

from typing import Any

import pytest

from tests.app.http.town import Town, key

JSON = {"Content-Type": "application/json"}
ADDRESS = b'{"name":"Ada","street":"Katu 1","postcode":"00100","city":"Helsinki","lat":60.17,"lon":24.94}'

CASES = [
    ("PUT", "/api/basket/lines", b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":2}]}', 200),
    ("PUT", "/api/basket/lines", b'{"lines":[{"offer_id":"nothing","quantity":2}]}', 404),
    ("PUT", "/api/basket/lines", b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":-2}]}', 422),
    ("PUT", "/api/basket/lines", b'{"more":1}', 422),
    ("PUT", "/api/basket/lines", b"\xff", 400),
    ("PATCH", "/api/basket", b'{"fulfilment":"pickup","payment":"card"}', 200),
    ("PATCH", "/api/basket", b'{"payment":"cheque"}', 422),
    ("POST", "/api/addresses", ADDRESS, 201),
    ("POST", "/api/addresses", ADDRESS.replace(b"60.17", b"160.17"), 422),
    ("POST", "/api/basket/order", b"", 422),
    ("POST", "/api/basket/order", b'{"card_token":1}', 422),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), CASES)
async def test_both_ways_in_answer_the_same(town: Town, method: str, path: str, body: bytes, status: int) -> None:
    replies: list[Any] = []
    once = key()
    for fast in (True, False):
        async with town.client("shopper", "per_ada", fast=fast) as ada:
            replies.append(await ada.request(method, path, content=body, headers=JSON | once))
    fast_reply, slow_reply = replies
    assert (fast_reply.status_code, slow_reply.status_code) == (status, status)
    assert fast_reply.content == slow_reply.content
    # The second one repeats the first under the same key, and says so.
    replayed = {"idempotent-replayed"} if "idempotent-replayed" in slow_reply.headers else set()
    assert {*fast_reply.headers} | replayed == {*slow_reply.headers}


async def test_a_purchase_goes_through_by_the_fast_way(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        lines = b'{"lines":[{"offer_id":"shp_1:prd_1","quantity":2}]}'
        await ada.put("/api/basket/lines", content=lines, headers=JSON | key())
        kept = await ada.post("/api/addresses", content=ADDRESS, headers=JSON | key())
        choice = {"fulfilment": "delivery", "address_id": kept.json()["address_id"]}
        await ada.patch("/api/basket", json=choice, headers=key())
        ordered = await ada.post("/api/basket/order", json={}, headers=key())
    assert (ordered.status_code, ordered.json()["result"]) == (201, "accepted")

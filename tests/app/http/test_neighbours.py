"""The door between districts: only declared neighbours, each under its signature; and what shoppers ask through it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hanse.app.build import create_app
from hanse.app.house import House, now_us
from hanse.app.neighbours import INBOX, Carrier, Neighbour, neighbours_of, own_key, public_text, sign, verify
from hanse.app.settings import Settings
from hanse.district.messages import next_batch
from hanse.district.neighbours import Batch, Neighbours, Receipt, sealed
from hanse.events.district import MessageSent
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.service import post
from hanse.kernel.errors import InvalidInput, NotAllowed, Unavailable
from hanse.kernel.values import Transfer
from hanse.market.orders.views import Orders
from tests.app.http.town import Town, furnish, key

KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
HERE = {"@method": "POST", "@path": INBOX}
ASKED = {
    "type": "order.asked",
    "order_id": "ord_01jd3v7k2m00000a",
    "currency": "EUR",
    "lines": [{"offer_id": "shp_1:prd_1", "quantity": 2, "shop_id": "shp_1", "price_minor": 199}],
    "until_us": 10**17,
}


@pytest.fixture
async def town(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Town]:
    # Nobody listens at port 1, so that the post never gets through.
    said = f"a=http://127.0.0.1:1#{public_text(KEY)}"
    house = House(Settings(folder=tmp_path, demo=True, tag="b", neighbours=said, neighbour_limit_minor=5_000))
    furnish(house)
    app = create_app(house, pages=())
    async with app.lifespan():
        yield Town(house, app)


def batch(body: dict[str, Any] = ASKED, number: int = 1, **changed: Any) -> Batch:
    message = MessageSent("b", number, "order.asked", ASKED["order_id"], body, sealed("", number, "order.asked", body))
    return msgspec.structs.replace(Batch("a", "b", (message,)), **changed)


async def send(
    town: Town, what: Batch, *, by: Ed25519PrivateKey = KEY, tag: str = "a", **headers: str
) -> httpx.Response:
    body = msgspec.json.encode(what)
    signed = {**sign(by, tag, HERE, body, now_s=1_700_000_000), **{k.replace("_", "-"): v for k, v in headers.items()}}
    async with town.client() as client:
        return await client.post(INBOX, content=body, headers={"content-type": "application/json", **signed})


@pytest.mark.anyio
async def test_a_neighbour_s_order_is_placed_and_the_receipt_is_signed(town: Town) -> None:
    answer = await send(town, batch())
    assert answer.status_code == 200
    here = {"b": Neighbour("b", "", own_key(town.house.settings.folder).public_key())}
    assert verify(here, {"@status": "200"}, answer.content, answer.headers).tag == "b"
    receipt = msgspec.json.decode(answer.content, type=Receipt)
    assert (receipt.sender, receipt.to, receipt.through, receipt.trouble) == ("b", "a", 1, "")
    assert ASKED["order_id"] in town.house.district.view(Orders).open
    position = town.house.district.position
    assert (await send(town, batch())).content == answer.content
    assert town.house.district.position == position


@pytest.mark.anyio
async def test_whoever_is_no_neighbour_or_signs_wrongly_is_turned_away(town: Town) -> None:
    body = msgspec.json.encode(batch())
    elsewhere = sign(KEY, "a", {"@method": "POST", "@path": "/api/orders"}, body, now_s=1)
    for refused in (
        await send(town, batch(), by=OTHER),
        await send(town, batch(), tag="c"),
        await send(town, batch(), tag="b", by=own_key(town.house.settings.folder)),
        await send(town, batch(), signature="hanse=:AAAA:"),
        await send(town, batch(), signature_input=elsewhere["signature-input"], signature=elsewhere["signature"]),
        await send(town, batch(), content_digest="sha-256=:AAAA:"),
        await send(town, batch(to="c")),
        await send(town, batch(sender="c")),
    ):
        assert refused.status_code == 403
    async with town.client() as client:
        assert (await client.post(INBOX, content=body)).status_code == 403
    assert town.house.district.view(Orders).open == {}


@pytest.mark.anyio
async def test_what_is_no_batch_is_an_error(town: Town) -> None:
    assert (await send(town, batch(messages=()))).status_code == 422
    body = b'{"sender": 1}'
    async with town.client() as client:
        answer = await client.post(INBOX, content=body, headers=sign(KEY, "a", HERE, body, now_s=1))
    assert answer.status_code == 422


@pytest.mark.anyio
async def test_a_shopper_asks_a_neighbour_and_sees_what_became_of_it(town: Town) -> None:
    wanted = {"lines": [{"offer_id": "off_1", "quantity": 2, "shop_id": "shp_9", "price_minor": 300}]}
    async with town.client("shopper", "per_ada") as ada, town.client("shopper", "per_bob") as bob:
        listed = (await bob.get("/api/neighbours")).json()
        assert listed == [{"tag": "a", "url": "http://127.0.0.1:1"}]
        headers = key()
        asked = await ada.post("/api/neighbours/a/orders", json=wanted, headers=headers)
        assert asked.status_code == 202
        order_id = asked.json()["order_id"]
        assert (await ada.post("/api/neighbours/a/orders", json=wanted, headers=headers)).json() == asked.json()
        shown = (await ada.get(f"/api/neighbours/orders/{order_id}")).json()
        assert (shown["total_minor"], shown["parts"], shown["outcome"]) == (600, [], "")
        assert (await ada.get("/api/neighbours/orders")).json() == [shown]
        assert (await bob.get(f"/api/neighbours/orders/{order_id}")).status_code == 404
        assert (await bob.post(f"/api/neighbours/orders/{order_id}/cancel")).status_code == 404
        cancelled = await ada.post(f"/api/neighbours/orders/{order_id}/cancel")
        assert (cancelled.status_code, cancelled.json()["cancelling"]) == (202, "asked")
        assert (await ada.post(f"/api/neighbours/orders/{order_id}/cancel")).status_code == 409
        wallet = (await ada.get("/api/wallet")).json()
        assert (wallet["held_minor"], wallet["free_minor"]) == (600, 9_400)
        dear = {"lines": [{"offer_id": "off_1", "quantity": 10, "shop_id": "shp_9", "price_minor": 500}]}
        assert (await ada.post("/api/neighbours/a/orders", json=dear)).status_code == 429
        assert (await ada.post("/api/neighbours/z/orders", json=wanted)).status_code == 404
        await bob.post("/api/neighbours/a/orders", json=wanted | {"group_id": order_id})
    waiting = town.house.district.view(Neighbours).channels["a"].waiting
    assert [message.kind for message in waiting.values()] == ["order.asked", "order.cancel_asked"]


@pytest.mark.anyio
async def test_too_little_money_is_402(town: Town) -> None:
    wanted = {"lines": [{"offer_id": "off_1", "quantity": 1, "shop_id": "shp_9", "price_minor": 4_000}]}
    async with town.client("shopper", "per_poor") as poor:
        await town.join("per_poor")
        refused = await poor.post("/api/neighbours/a/orders", json=wanted)
    assert (refused.status_code, refused.json()["details"]["short_minor"]) == (402, 4_000)


# The way there


class Answering(httpx.AsyncBaseTransport):
    """A neighbour that gives one answer, whatever it is asked."""

    def __init__(self, status: int, said: bytes, headers: dict[str, str]) -> None:
        self.status, self.said, self.headers = status, said, headers

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, content=self.pieces())

    async def pieces(self) -> AsyncIterator[bytes]:
        yield self.said


def carried(answering: Answering) -> Carrier:
    """A carrier to neighbour b, which gives this answer."""
    carrier = Carrier({"b": Neighbour("b", "http://b.test", KEY.public_key())}, OTHER, "a", clock=now_us)
    carrier._client = httpx.AsyncClient(transport=answering)
    return carrier


def receipt_of(by: Ed25519PrivateKey = KEY, status: int = 200, **changed: Any) -> Answering:
    said = msgspec.json.encode(msgspec.structs.replace(Receipt("b", "a", 1, "ff"), **changed))
    return Answering(status, said, sign(by, "b", {"@status": "200"}, said, now_s=1))


@pytest.mark.anyio
async def test_a_signed_receipt_is_believed(anyio_backend: str) -> None:
    assert await carried(receipt_of()).deliver(batch()) == Receipt("b", "a", 1, "ff")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answering", "says"),
    [
        (receipt_of(by=OTHER), "under their own signature"),
        (receipt_of(to="c"), "for somebody else"),
        (receipt_of(status=503), "answered 503"),
        (Answering(302, b"", {"location": "http://elsewhere.test/"}), "answered 302"),
        (Answering(200, b"x" * 20_000, {}), "more than any receipt is"),
    ],
)
async def test_any_other_answer_is_not(answering: Answering, says: str, anyio_backend: str) -> None:
    with pytest.raises((Unavailable, NotAllowed), match=says):
        await carried(answering).deliver(batch())


# The setting


def test_neighbours_are_named_with_address_and_key() -> None:
    text = public_text(KEY)
    found = neighbours_of(f" b=https://b.example/#{text}, c=http://localhost:8001#{text},")
    assert [(one.tag, one.url) for one in found.values()] == [
        ("b", "https://b.example"),
        ("c", "http://localhost:8001"),
    ]
    assert neighbours_of("") == {}


@pytest.mark.parametrize(
    "said",
    [
        "b",
        "b=https://b.example",
        "b=https://b.example#short",
        "b=http://b.example#KEY",
        "b=http://10.0.0.7#KEY",
        "b=ftp://b.example#KEY",
        "b=https://b.example/hanse#KEY",
        "toolong=https://b.example#KEY",
        "b=https://b.example#KEY,b=https://c.example#KEY",
    ],
)
def test_what_does_not_fit_or_would_go_in_clear_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput):
        neighbours_of(said.replace("KEY", public_text(KEY)))


def test_the_own_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = public_text(own_key(tmp_path / "data"))
    assert public_text(own_key(tmp_path / "data")) == first
    assert (tmp_path / "data" / "league.key").stat().st_mode & 0o777 == 0o600


def test_a_neighbour_that_is_not_named_any_more_is_no_neighbour(tmp_path: Path) -> None:
    said = f"a=http://127.0.0.1:1#{public_text(KEY)}"
    for text, limit_minor in ((said, 100), (said, 100), ("", 0)):
        house = House(Settings(folder=tmp_path, tag="b", neighbours=text, neighbour_limit_minor=100))
        house.writer.run()
        assert house.district.view(Neighbours).channels["a"].limit_minor == limit_minor
        assert next_batch(house.district, "a") is None
        house.journal.close()
        house.vault.close()


@pytest.mark.anyio
async def test_the_league_sees_what_is_owed_and_books_what_was_paid(town: Town) -> None:
    await town.command(post, "t", "test", [Transfer("t", clearing_of("a"), "league/commission", 640)])
    paid = {"amount_minor": 600, "currency": "EUR", "reference": "INV 7"}
    where = "/api/league/neighbours/a/payments"
    async with town.client("league") as league:
        once = key()
        booked = [await league.post(where, json=paid, headers=once) for _ in range(2)]
        (owed,) = (await league.get("/api/league/neighbours")).json()
        refused = [
            await league.post(where, json=paid | changed, headers=key())
            for changed in ({"amount_minor": 41}, {"amount_minor": 0}, {"currency": "SEK"}, {"reference": "x" * 141})
        ]
    assert [one.status_code for one in booked] == [201, 201]
    assert booked[0].json() == booked[1].json()
    assert (owed["neighbour"], owed["they_owe_minor"], owed["we_owe_minor"], owed["unsent"]) == ("a", 40, 0, 1)
    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        (409, "finance.not_owed"),
        (422, "app.bad_field"),
        (422, "finance.other_currency"),
        (422, "app.bad_field"),
    ]
    async with town.client("shop", "shp_1") as shop:
        assert (await shop.get("/api/league/neighbours")).status_code == 403
        assert (await shop.post(where, json=paid, headers=key())).status_code == 403

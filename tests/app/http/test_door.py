"""Who may do what: tokens, cookies, roles, and that nothing is open by oversight."""

from typing import Any

import pytest
from litestar.handlers import BaseRouteHandler

from hanse.app.auth import COOKIE, Doorkeeper, issue_token, read_token
from hanse.app.build import create_app
from hanse.kernel.errors import NotAllowed
from hanse.kernel.principal import NOBODY, Principal
from hanse.market.baskets.views import basket
from tests.app.http.town import Town, key, lines

pytestmark = pytest.mark.anyio

SECRET = b"s" * 32
SHOPPER = Principal("shopper", "per_ada")


def door(now_us: int = 1_000, known: bool = True) -> Doorkeeper:
    return Doorkeeper(SECRET, clock=lambda: now_us, known=lambda _: known)


def bearer(token: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {token}".encode())]


def test_a_token_shows_its_principal_until_its_time_is_over() -> None:
    token = issue_token(SECRET, SHOPPER, now_us=1_000, life_us=500)
    assert read_token(SECRET, token, now_us=1_499) == SHOPPER
    with pytest.raises(NotAllowed, match="over"):
        read_token(SECRET, token, now_us=1_500)


@pytest.mark.parametrize("broken", ["", "x", "a.b", "a.b.c", "ä.ö", "{}.{}", "=.="])
def test_what_is_no_token_opens_nothing(broken: str) -> None:
    with pytest.raises(NotAllowed):
        read_token(SECRET, broken, now_us=0)


def test_a_changed_or_foreign_token_opens_nothing() -> None:
    said, signature = issue_token(SECRET, SHOPPER, now_us=0).split(".")
    other, _ = issue_token(SECRET, Principal("league"), now_us=0).split(".")
    for token in (f"{other}.{signature}", f"{said}.{signature[:-2]}AA", issue_token(b"t" * 32, SHOPPER, now_us=0)):
        with pytest.raises(NotAllowed):
            read_token(SECRET, token, now_us=0)


def test_a_remembered_token_ends_in_time_and_with_its_person() -> None:
    now = [1_000]
    known = [True]
    keeper = Doorkeeper(SECRET, clock=lambda: now[0], known=lambda _: known[0])
    token = issue_token(SECRET, SHOPPER, now_us=1_000, life_us=500)
    assert keeper.principal("POST", bearer(token)) == SHOPPER
    known[0] = False
    with pytest.raises(NotAllowed):
        keeper.principal("POST", bearer(token))
    known[0], now[0] = True, 1_500
    with pytest.raises(NotAllowed):
        keeper.principal("POST", bearer(token))


def cookie(*more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    token = issue_token(SECRET, SHOPPER, now_us=1_000)
    return [(b"host", b"hanse.test"), (b"cookie", f"theme=dark; {COOKIE}={token}".encode()), *more]


def test_a_cookie_is_enough_to_look() -> None:
    assert door().principal("GET", cookie()) == SHOPPER


@pytest.mark.parametrize(
    "shown",
    [
        (b"sec-fetch-site", b"same-origin"),
        (b"sec-fetch-site", b"none"),
        (b"origin", b"http://hanse.test"),
        (b"origin", b"https://hanse.test"),
    ],
)
def test_a_cookie_may_change_something_from_a_page_of_ours(shown: tuple[bytes, bytes]) -> None:
    assert door().principal("POST", cookie(shown)) == SHOPPER


@pytest.mark.parametrize(
    "shown",
    [
        (),
        ((b"sec-fetch-site", b"cross-site"),),
        ((b"sec-fetch-site", b"same-site"),),
        ((b"sec-fetch-site", b"cross-site"), (b"origin", b"http://hanse.test")),
        ((b"origin", b"http://evil.test"),),
        ((b"origin", b"http://hanse.test.evil.test"),),
        ((b"origin", b"http://hanse.test:8001"),),
        ((b"origin", b"null"),),
    ],
)
def test_a_cookie_changes_nothing_from_elsewhere(shown: tuple[tuple[bytes, bytes], ...]) -> None:
    with pytest.raises(NotAllowed, match="another site"):
        door().principal("POST", cookie(*shown))


@pytest.mark.parametrize("value", [b"hanse_seat=old.token", b"hanse_seat=", b"\xff\xfe", b"other=1"])
def test_a_cookie_that_does_not_hold_is_as_good_as_none(value: bytes) -> None:
    assert door().principal("POST", [(b"cookie", value)]) == NOBODY


async def test_a_foreign_page_cannot_fill_a_basket(town: Town) -> None:
    headers = {"Cookie": f"{COOKIE}={town.token('shopper', 'per_ada')}", "Origin": "http://evil.test"}
    async with town.client() as browser:
        refused = await browser.put("/api/basket/lines", json=lines(("shp_1:prd_1", 1)), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "app.foreign_page")
        assert basket(town.house.district, "per_ada").lines == ()
        headers["Origin"] = "http://hanse.test"
        taken = await browser.put("/api/basket/lines", json=lines(("shp_1:prd_1", 1)), headers=headers)
    assert taken.status_code == 200


async def test_every_route_says_who_may_call_it(town: Town) -> None:
    silent, roles_of = [], {}
    for route, handler in all_handlers(create_app(town.house, pages=())):
        if route.startswith("OPTIONS"):
            continue
        roles = handler.opt.get("roles")
        roles_of[route] = roles
        if not roles or not set(roles) <= {"public", "shopper", "shop", "courier", "league"}:
            silent.append(route)
    assert silent == []
    assert sorted(route for route, roles in roles_of.items() if "public" in roles) == [
        "DELETE /api/session",
        "GET /api/neighbours",
        "GET /api/openapi.json",
        "GET /api/products",
        "GET /api/products/{product_id}",
        "GET /api/products/{product_id}/availability",
        "GET /api/shops",
        "GET /api/shops/{shop_id}",
        "GET /api/shops/{shop_id}/offers",
        "GET /health/live",
        "GET /health/ready",
        "GET /static/built/{file_path}",
        "HEAD /static/built/{file_path}",
        "POST /api/demo/seat",
        "POST /api/league/inbox",
        "POST /api/members",
    ]


async def test_nobody_gets_past_a_route_that_is_not_public(town: Town) -> None:
    async with town.client() as nobody:
        for route, handler in all_handlers(town.app):
            method, path = route.split(" ")
            if method == "OPTIONS" or "public" in handler.opt["roles"]:
                continue
            answer = await nobody.request(method, path.replace(":str", "").replace("{", "").replace("}", ""))
            assert answer.status_code == 401, route
            assert answer.headers["www-authenticate"].startswith("Bearer"), route


@pytest.mark.parametrize(
    ("role", "id_"), [("shopper", "per_bob"), ("shop", "shp_2"), ("courier", "cou_1"), ("league", "")]
)
async def test_every_seat_is_shut_out_of_what_is_not_for_its_role(town: Town, role: str, id_: str) -> None:
    async with town.client(role, id_) as other:
        for route, handler in all_handlers(town.app):
            method, path = route.split(" ")
            roles = handler.opt.get("roles", ())
            if method != "OPTIONS" and "public" not in roles and role not in roles:
                answer = await other.request(method, path.replace(":str", "").replace("{", "").replace("}", ""))
                assert (answer.status_code, answer.json()["code"]) == (403, "app.wrong_role"), route


async def test_foreign_orders_parts_and_addresses_do_not_exist(town: Town) -> None:
    where = {"name": "Ada", "street": "Katu 2", "postcode": "00100", "city": "Helsinki", "lat": 60.17, "lon": 24.95}
    async with town.client("shopper", "per_ada") as ada:
        address_id = (await ada.post("/api/addresses", json=where, headers=key())).json()["address_id"]
        order = lines(("shp_1:prd_1", 1)) | {"fulfilment": "delivery", "address_id": address_id}
        order_id = (await ada.post("/api/orders", json=order, headers=key())).json()["order_id"]
    part = f"/api/shop/parts/{order_id}-1"
    before = town.house.district.position
    async with town.client("shopper", "per_bob") as bob:
        assert (await bob.get(f"/api/orders/{order_id}")).status_code == 404
        assert (await bob.post(f"/api/orders/{order_id}/cancel", headers=key())).status_code == 404
        assert (await bob.post("/api/orders", json=order, headers=key())).json()["code"] == "people.unknown_address"
        assert (await bob.get("/api/addresses")).json() == []
        assert (await bob.get("/api/orders")).json()["orders"] == []
    async with town.client("shop", "shp_2") as other:
        for step in ("accept", "pick", "hand-over", "deliver"):
            assert (await other.post(f"{part}/{step}", headers=key())).status_code == 404
        assert (await other.post(f"{part}/refuse", json={"reason": "other"}, headers=key())).status_code == 404
        assert (await other.get(f"{part}/address")).status_code == 404
        assert (await other.get("/api/shop/parts")).json() == []
        row = [{"item_id": "shp_1/prd_1", "on_hand": 0}]
        assert (await other.put("/api/shop/stock", json=row, headers=key())).status_code == 409
        offer = {"offer_id": "shp_1:prd_1", "product_id": "prd_1", "item_id": "shp_2/prd_1", "price_minor": 1}
        assert (await other.put("/api/shop/offers", json=[offer], headers=key())).status_code == 409
        theirs = offer | {"offer_id": "shp_2:x", "item_id": "shp_1/prd_1"}
        refused = await other.put("/api/shop/offers", json=[theirs], headers=key())
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "$[0].item_id")
    assert town.house.district.position == before


async def test_an_address_is_opened_only_while_there_is_something_to_bring(town: Town) -> None:
    where = {
        "name": "Ada Planted",
        "street": "Katu 2",
        "postcode": "00100",
        "city": "Helsinki",
        "lat": 60.17,
        "lon": 24.95,
    }
    async with town.client("shopper", "per_ada") as ada:
        address_id = (await ada.post("/api/addresses", json=where, headers=key())).json()["address_id"]
        order = lines(("shp_1:prd_1", 1)) | {"fulfilment": "delivery", "address_id": address_id}
        order_id = (await ada.post("/api/orders", json=order, headers=key())).json()["order_id"]
        plain_id = (await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key())).json()["order_id"]
    part = f"/api/shop/parts/{order_id}-1"
    async with town.client("shop", "shp_1") as shop, town.client("courier", "cou_1") as courier:
        assert (await shop.get(f"{part}/address")).json()["address"]["name"] == "Ada Planted"
        assert (await shop.get(f"/api/shop/parts/{plain_id}-1/address")).status_code == 404
        assert (await courier.get(f"{part}/address")).status_code == 404
        await shop.post(f"{part}/accept", headers=key())
        await shop.post(f"{part}/pick", headers=key())
        assert (await courier.get(f"{part}/address")).status_code == 200
        await shop.post(f"{part}/hand-over", headers=key())
        assert (await courier.post(f"{part}/deliver", headers=key())).status_code == 204
        await town.settle()
        assert (await shop.get(f"{part}/address")).status_code == 404
        assert (await courier.get(f"{part}/address")).status_code == 404


async def test_a_seat_can_be_taken_in_a_demonstration(town: Town) -> None:
    async with town.client() as browser:
        taken = await browser.post("/api/demo/seat", json={"role": "shop", "id": "shp_1"})
    async with town.client() as browser:
        unknown = await browser.post("/api/demo/seat", json={"role": "shop", "id": "shp_9"})
    said = taken.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    assert read_token(town.house.secret, taken.json()["token"], now_us=0) == Principal("shop", "shp_1")
    assert unknown.status_code == 404


async def test_there_are_no_seats_outside_of_one(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    monkeypatch.setattr(town.house, "settings", msgspec.structs.replace(town.house.settings, demo=False))
    async with town.client() as browser:
        answer = await browser.post("/api/demo/seat", json={"role": "league"})
    assert (answer.status_code, answer.json()["code"]) == (404, "app.no_demo")
    assert "set-cookie" not in answer.headers


async def test_every_answer_carries_the_security_headers(town: Town) -> None:
    async with town.client("shopper", "per_ada") as ada:
        answers = [
            await ada.get("/api/products"),
            await ada.get("/api/nothing"),
            await ada.post("/api/orders", json=lines(("shp_1:prd_1", 1)), headers=key()),
            await ada.post("/api/orders", content=b"{"),
        ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "same-origin"


def all_handlers(app: Any) -> list[tuple[str, BaseRouteHandler]]:
    return [
        (f"{method} {route.path_format}", handler)
        for route in app.routes
        for handler in route.route_handlers
        for method in handler.http_methods
    ]

"""Taking seats, language and brightness, and what is said to who may not."""

from pathlib import Path

import pytest

from hanse.app.build import create_app
from hanse.app.house import House
from hanse.app.pages.visit import local
from hanse.app.settings import Settings
from tests.app.http.town import Town, furnish
from tests.app.pages.conftest import Visitor, orders_something, text

pytestmark = pytest.mark.anyio


async def test_each_seat_opens_its_own_first_page(town: Town) -> None:
    visitor = Visitor(town)
    for seat, first in (("shopper", "/"), ("shop", "/shop"), ("league", "/league")):
        assert (await visitor.send("/seat", seat=seat)).headers["location"] == first
        assert (await visitor.get(first)).status_code == 200


async def test_the_shops_seat_is_that_of_the_order_just_placed(town: Town, shopper: Visitor) -> None:
    await orders_something(shopper, "shp_2:prd_1")
    await shopper.sits("shop")
    page = await shopper.reads("/shop")
    assert "Kauppa 1" in page
    assert "your own order" in page
    await shopper.sits("shopper")
    assert "Planted Name per_ada" in await shopper.reads("/account")


async def test_the_choice_of_shops_begins_with_that_of_the_order(shopper: Visitor) -> None:
    await orders_something(shopper, "shp_2:prd_1")
    page = await shopper.reads("/shop/choose")
    assert page.index("Kauppa 1") < page.index("Kauppa 0")
    assert "your last order" in page


async def test_outside_a_demo_nobody_takes_a_seat(tmp_path: Path) -> None:
    house = House(Settings(folder=tmp_path))
    furnish(house)
    app = create_app(house)
    async with app.lifespan():
        visitor = Visitor(Town(house, app))
        assert (await visitor.send("/seat", seat="league")).status_code == 404
        assert (await visitor.get("/league")).status_code == 401
        assert 'name="seat"' not in (await visitor.get("/")).text


async def test_another_seats_page_offers_the_change(shopper: Visitor) -> None:
    answer = await shopper.get("/league")
    assert answer.status_code == 403
    assert "Change to the league’s seat" in text(answer)


async def test_a_request_from_another_site_is_refused(town: Town, shopper: Visitor) -> None:
    before = town.house.district.position
    answer = await shopper.client.post(
        "/basket/lines", data={"offer_id": "shp_1:prd_1", "pieces": "1"}, headers={"Origin": "http://evil.test"}
    )
    assert answer.status_code == 403
    assert town.house.district.position == before


async def test_language_and_brightness_are_kept(town: Town) -> None:
    visitor = Visitor(town)
    answer = await visitor.send("/preferences", locale="de", theme="dark", next="/browse?q=x")
    assert answer.headers["location"] == "/browse?q=x"
    page = await visitor.get("/")
    assert '<html lang="de" data-theme="dark">' in page.text
    assert "Die Läden um die Ecke" in text(page)


@pytest.mark.parametrize("path", ["//evil.test", "/\\evil.test", "https://evil.test", "evil", "/a\nb", ""])
def test_no_form_leads_to_another_site(path: str) -> None:
    assert local(path) == "/"


async def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(town: Town) -> None:
    visitor = Visitor(town)
    page = await visitor.get("/nothing")
    assert page.status_code == 404
    assert "There is nothing here" in text(page)
    problem = await visitor.get("/api/nothing")
    assert problem.headers["content-type"] == "application/problem+json"
    problem = await visitor.get("/nothing", Accept="application/json")
    assert problem.headers["content-type"] == "application/problem+json"


async def test_a_bug_is_a_page_that_says_nothing_of_its_inside(
    town: Town, shopper: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("hanse.app.pages.shopping._near", broken)
    answer = await shopper.get("/")
    assert answer.status_code == 500
    assert "Something broke" in text(answer)
    assert "secret inside" not in answer.text


async def test_htmx_is_told_the_reason_in_words(shopper: Visitor) -> None:
    answer = await shopper.click("/basket/lines", offer_id="off_gone", pieces="1")
    assert answer.status_code == 404
    assert answer.headers["x-reason"] == "This%20offer%20was%20taken%20off%3B%20please%20look%20for%20another%20one."


async def test_pages_carry_the_policy_and_are_kept_by_nobody(shopper: Visitor) -> None:
    answer = await shopper.get("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"

"""Every event has a sentence, every page its words; nothing raw is shown to people."""

import re

import pytest

from hanse.app import i18n
from hanse.app.pages import tell, wording
from hanse.events.dictionary import Kind, kinds
from tests.app.http.town import Town
from tests.app.pages.conftest import Visitor, orders_something

pytestmark = pytest.mark.anyio

RAW = re.compile(r"\b(?:prd|off|itm|per|shp|adr)_[0-9a-z]+")
PAGES = {
    "shopper": ("/", "/browse", "/products/prd_1", "/shops/shp_1", "/basket", "/orders", "/account"),
    "shop": ("/shop", "/shop/stock", "/shop/money", "/shop/choose"),
    "league": ("/league", "/league/shops", "/league/decisions"),
}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: str(kind.name))
async def test_every_event_is_told_in_words(kind: Kind) -> None:
    assert kind.cls in {*tell._TELLERS, *tell._PLAIN}


@pytest.mark.parametrize("locale", i18n.LOCALES)
@pytest.mark.parametrize("seat", PAGES)
async def test_no_page_shows_an_id_where_there_is_a_name(town: Town, shopper: Visitor, seat: str, locale: str) -> None:
    await orders_something(shopper)
    visitor = await Visitor(town).sits(seat, {"shopper": "per_ada", "shop": "shp_1"}.get(seat, ""))
    visitor.client.cookies.set("hanse_locale", locale)
    for path in PAGES[seat]:
        assert RAW.findall((await visitor.reads(path)).replace("Planted Name per_ada", "")) == [], path


@pytest.mark.parametrize("locale", i18n.LOCALES)
async def test_every_page_has_one_heading_and_ids_of_its_own(town: Town, shopper: Visitor, locale: str) -> None:
    await orders_something(shopper)
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="1")
    for seat, paths in PAGES.items():
        visitor = await Visitor(town).sits(seat, {"shopper": "per_ada", "shop": "shp_1"}.get(seat, ""))
        visitor.client.cookies.set("hanse_locale", locale)
        for path in paths:
            html = (await visitor.get(path)).text
            assert len(re.findall(r"<h1\b", html)) == 1, path
            ids = re.findall(r'\sid="([^"]+)"', html)
            assert sorted(ids) == sorted(set(ids)), path
            named = set(re.findall(r'(?:for|aria-controls|aria-labelledby|aria-describedby)="([\w-]+)"', html))
            assert named <= set(ids), path


def test_a_kind_of_shop_that_nobody_named_is_still_words() -> None:
    assert wording.shop_kind("bakery") == "Bakery"
    assert wording.shop_kind("bicycle_shop") == "Bicycle shop"

"""The tour of five minutes: a shopper buys, the shop hands over, the league reads the story."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow

Opens = Callable[..., Any]


def orders(shopper: Any, product_id: str, button: str) -> None:
    """Take the shopper's seat, put a product in and order."""
    shopper.goto("/")
    shopper.get_by_role("button", name="Be a shopper").click()
    shopper.goto(f"/products/{product_id}")
    shopper.get_by_role("button", name=button).click()
    shopper.get_by_text("is in the basket").wait_for()
    shopper.goto("/basket")
    shopper.get_by_role("button", name="Order and pay").click()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybodys_seat_in_five_minutes(opens: Opens, complaints: list[str], viewport: dict[str, int]) -> None:
    page = opens(viewport)
    page.goto("/")
    page.get_by_role("button", name="Be a shopper").click()
    page.get_by_role("heading", name="In stock near you", exact=True).wait_for()

    page.get_by_role("button", name="Add Whole milk to the basket").first.click()
    page.get_by_text("Whole milk is in the basket.").wait_for()
    assert page.locator("[data-basket-count]:visible").first.inner_text().startswith("1")

    page.goto("/basket")
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url(re.compile(r"/orders/ord_"))
    order = page.url
    page.get_by_text("Thank you! Your order is placed.").wait_for()

    page.get_by_role("button", name=re.compile("Take .*’s seat")).click()
    mine = page.locator(".ticket[data-mine]").first
    mine.get_by_text("your own order").wait_for()
    mine.get_by_role("button", name=re.compile("Accept")).click()
    page.get_by_role("button", name="It is packed").click()
    page.locator(".ticket[data-mine]").get_by_role("button", name=re.compile("Hand over")).first.click()
    page.get_by_text("Handed over. The money is on your account.").wait_for()
    page.goto("/shop/money")
    page.get_by_text("Commission on them").wait_for()
    assert page.get_by_role("cell", name=re.compile("Sale")).count() >= 1

    page.locator(".seats button[value=league]").click()
    page.get_by_role("heading", name="What happens now").wait_for()
    page.goto(f"/league/stories/{order.rsplit('/', 1)[1]}")
    page.get_by_text("Order closed: everything arrived").wait_for()
    assert page.get_by_text(re.compile(r"hanse/flows/order\.py:\d+")).count() >= 5
    assert complaints == []


def test_the_shopper_sees_the_order_move_without_reloading(opens: Opens, complaints: list[str]) -> None:
    shopper, shop = opens(), opens()
    orders(shopper, "prd_3", "Add to basket")
    shopper.wait_for_url(re.compile(r"/orders/ord_"))
    part_id = shopper.url.rsplit("/", 1)[1] + "-1"
    shop_id = shopper.locator(".part-head a").get_attribute("href").rsplit("/", 1)[1]

    shop.goto(f"/shops/{shop_id}")
    shop.get_by_role("button", name="Take this shop’s seat").click()
    shop.goto(f"/shop/parts/{part_id}")
    shop.get_by_role("button", name="Accept").click()
    shopper.locator(".part-head").get_by_text("Accepted").wait_for()
    shop.get_by_role("button", name="It is packed").click()
    shopper.get_by_text("It lies ready for you").wait_for()
    assert complaints == []


def test_the_counter_shows_a_new_order_by_itself(opens: Opens, complaints: list[str]) -> None:
    shopper, shop = opens(), opens()
    shop.goto("/shops/shp_2")
    shop.get_by_role("button", name="Take this shop’s seat").click()
    shop.get_by_role("heading", name="Orders").wait_for()
    before = shop.locator(".board-column").first.locator(".ticket").count()
    orders(shopper, "prd_2", "Add from Kauppa 1")
    shop.locator(".board-column").first.locator(".ticket").nth(before).wait_for()
    assert complaints == []


def test_the_league_can_hold_the_stream(opens: Opens, complaints: list[str]) -> None:
    page = opens()
    page.goto("/")
    page.get_by_role("button", name="Be the league").click()
    page.get_by_role("button", name="Pause").click()
    assert page.locator("#stream").get_attribute("data-paused") == ""
    page.get_by_role("button", name="Go on").click()
    assert page.locator("#stream").get_attribute("data-paused") is None
    assert complaints == []


def test_an_order_can_be_placed_without_scripts(opens: Opens, complaints: list[str]) -> None:
    page = opens(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("button", name="Be a shopper").click()
    page.goto("/products/prd_2")
    page.get_by_role("button", name="Add to basket").click()
    page.goto("/basket")
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url(re.compile(r"/orders/ord_"))
    assert page.get_by_text("Order placed").count() == 1
    assert complaints == []

from array import array
from collections.abc import Callable

import pytest

from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import Charter
from hanse.district.opening import opener
from hanse.district.writer import Writer
from hanse.journal.memory import MemoryJournal
from hanse.kernel.time import SECOND_US
from hanse.world.demo.scenario import (
    Baskets,
    Category,
    Department,
    Household,
    Map,
    Offer,
    Product,
    Scenario,
    Shop,
    Terms,
)

ALWAYS = (((0, 1440),),) * 7


class Wall:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_us = 1_795_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now_us

    def pass_us(self, micros: int) -> None:
        self.now_us += micros


def _shop(number: int) -> Shop:
    kinds = ("supermarket", "kiosk", "bakery")
    return Shop(
        f"n{number}",
        f"Shop {number}",
        kinds[number],
        "Katu",
        str(number),
        60.17 + number / 200,
        24.94,
        ALWAYS,
        False,
        "",
    )


def _product(number: int) -> Product:
    size = (0, 0, "") if number == 5 else (2, 330, "ml")
    return Product(f"p{number}", f"2{number:012d}", "cat", "Brand", f"Thing {number}", f"Ding {number}", *size, 250, 10)


def _household(number: int) -> Household:
    return Household(f"h{number}", "Aino", f"Name{number}", "+44 7700 900000", "Kuja", str(number), 60.171, 24.941)


@pytest.fixture
def tiny() -> Scenario:
    """Three shops, six products, four households, six baskets: a town that fits on a page."""
    baskets = ((0, ((0, 1), (1, 2))), (1, ((2, 1), (3, 1), (5, 1))), (2, ((4, 3),)), (3, ((0, 2), (4, 1), (5, 2))))
    lines = [line for _, of in baskets for line in of]
    ends, total = [], 0
    for _, of in baskets:
        total += len(of)
        ends.append(total)
    return Scenario(
        seed=1,
        shops=tuple(_shop(number) for number in range(3)),
        departments=(Department("dep", "Food", "Essen", "food"),),
        categories=(Category("cat", "dep", "Things", "Dinge", "thing", 1350, ("milk",)),),
        products=tuple(_product(number) for number in range(6)),
        offers=(
            *(Offer(0, product, 250 + product, 40) for product in range(4)),
            *(Offer(1, product, 300 + product, 30) for product in (0, 4)),
            *(Offer(2, product, 400 + product, 20) for product in (5,)),
        ),
        households=tuple(_household(number) for number in range(4)),
        map=Map((24.9, 60.1, 25.0, 60.2), {"streets": b"{}"}),
        terms=(Terms("Source", "what", "licence", "https://example.org"),),
        line_share=1.0,
        own_line_share=1.0,
        baskets=Baskets(
            households=array("H", [household for household, _ in baskets]),
            weekdays=array("B", [1, 3, 5, 7]),
            minutes=array("H", [600, 700, 1_000, 1_100]),
            ends=array("I", ends),
            products=array("H", [product for product, _ in lines]),
            packs=array("B", [packs for _, packs in lines]),
        ),
    )


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def new_writer() -> Callable[[Wall], Writer]:
    """Makes a writer of an empty district over a journal in memory."""

    def make(clock: Wall) -> Writer:
        return Writer(MemoryJournal(), opener(Charter(), views=VIEWS, flows=FLOWS), clock=clock)

    return make

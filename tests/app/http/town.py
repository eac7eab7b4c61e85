"""A small town on a real journal, and clients for everybody in it."""

import uuid
from typing import Any

import httpx
from litestar import Litestar

from hanse.app.auth import issue_token
from hanse.app.build import in_front
from hanse.app.house import House, now_us
from hanse.district.core import District
from hanse.district.jobs import Job
from hanse.district.writer import Writer
from hanse.events.market import ShopJoined
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments import service as payments
from hanse.kernel.geo import Place
from hanse.kernel.principal import Principal
from hanse.kernel.quantity import Quantity
from hanse.kernel.time import hours_of
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.people.members import service as members
from hanse.people.vault.store import Identity
from hanse.supply.stock import service as stock

ALWAYS = hours_of([[[0, 1440]]] * 7)
GOODS = (
    ("prd_1", "2000000000015", "Whole milk", "Vollmilch", "dairy", 199),
    ("prd_2", "2000000000022", "Rye bread", "Roggenbrot", "bread", 349),
    ("prd_3", "2000000000039", "Red apples", "Rote Äpfel", "fruit", 250),
)
SHOPS = ("shp_1", "shp_2")
PEOPLE = ("per_ada", "per_bob")


class Town:
    """The house, its application, and what tests ask of them."""

    def __init__(self, house: House, app: Litestar) -> None:
        self.house = house
        self.app = app

    def token(self, role: Any, id_: str = "") -> str:
        return issue_token(self.house.secret, Principal(role, id_), now_us=now_us())

    def client(self, role: Any = "public", id_: str = "", *, fast: bool = True) -> httpx.AsyncClient:
        """A program in somebody's name; `fast` goes through the front, as the server does."""
        headers = {} if role == "public" else {"Authorization": f"Bearer {self.token(role, id_)}"}
        served: Any = in_front(self.app) if fast else self.app
        transport = httpx.ASGITransport(app=served, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://hanse.test", headers=headers)

    async def command(self, command: Any, *arguments: Any) -> None:
        answer = await self.house.submit(Job(command, arguments, "test"))
        assert answer.kind == "ok", answer

    async def join(self, person_id: str, money_minor: int = 0) -> None:
        await self.command(join_member, person_id)
        await self.settle()
        if money_minor:
            await self.command(payments.top_up, person_id, money_minor)

    async def settle(self) -> None:
        """Wait until no step is owed."""
        for _ in range(1_000):
            if not self.house.writer.busy:
                return
            await self.command(look)
        raise AssertionError("steps are owed without end")

    def ledger_sum(self) -> int:
        return sum(account.balance_minor for account in self.house.district.view(Ledger).accounts.values())

    async def set_stock(self, item_id: str, on_hand: int) -> None:
        await self.command(stock.count, item_id.split("/")[0], [(item_id, on_hand)])


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def lines(*wanted: tuple[str, int]) -> dict[str, Any]:
    return {"lines": [{"offer_id": offer_id, "quantity": quantity} for offer_id, quantity in wanted]}


def join_member(district: District, person_id: str) -> None:
    members.join(district, person_id, locale="en")


def look(district: District) -> None:
    """A command that does nothing."""


def furnish(house: House) -> None:
    """Two shops, three products in each, ten units of everything, two members with 100.00 each."""
    do(house.writer, catalogue.list_products, [_product(*row[:5]) for row in GOODS])
    for number, shop_id in enumerate(SHOPS):
        joined = ShopJoined(
            shop_id, f"Kauppa {number}", "grocer", "Katu 1", Place(60.17, 24.94 + number / 100), ALWAYS, 500, 290, 15
        )
        do(house.writer, catalogue.join_shop, joined)
        offers = [
            Offer(f"{shop_id}:{row[0]}", shop_id, row[0], f"{shop_id}/{row[0]}", 1, row[5] + number, 1350)
            for row in GOODS
        ]
        do(house.writer, catalogue.set_offers, shop_id, offers)
        do(house.writer, stock.count, shop_id, [(offer.item_id, 10) for offer in offers])
    for person_id in PEOPLE:
        house.vault.put(person_id, {person_id: Identity(f"Planted Name {person_id}", "+358 40 0000000")})
        do(house.writer, join_member, person_id)
        do(house.writer, payments.top_up, person_id, 10_000)


def do(writer: Writer, command: Any, *arguments: Any) -> None:
    answers: list[Any] = []
    writer.submit(Job(command, arguments, "test"), answers.append)
    writer.run()
    assert answers[0].kind == "ok", answers[0]


def _product(product_id: str, gtin: str, title_en: str, title_de: str, category: str) -> Product:
    return Product(
        product_id, gtin, title_en, title_de, "Nordland", Quantity(1_000, "ml"), category, category, 1350, ()
    )

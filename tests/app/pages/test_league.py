"""The league's pages: now, the journal, stories, shops, decisions."""

import re
from urllib.parse import unquote

import pytest

from hanse.events.district import StepFailed
from hanse.finance.clearing.views import clearing_of
from hanse.finance.ledger.service import post
from hanse.flows.neighbours import declare
from hanse.kernel.values import Transfer
from tests.app.http.town import Town
from tests.app.pages.conftest import Visitor, orders_something, text

pytestmark = pytest.mark.anyio


async def test_now_counts_what_is_there(shopper: Visitor, league: Visitor) -> None:
    await orders_something(shopper)
    page = await league.reads("/league")
    for said in ("Open orders 1", "Closed orders 0", "Members 2", "Shops 2", "Offers 6", "None: no failed step"):
        assert said in page


async def test_a_trouble_is_settled_by_a_button(town: Town, league: Visitor) -> None:
    await town.command(lambda d: d.record(StepFailed("flows.order.close", 1, "ValueError: no")))
    assert "A step failed flows.order.close 1 1 ValueError: no Try again Put right by hand" in await league.reads(
        "/league"
    )
    page = str((await league.get("/league")).text)
    path = re.search(r'action="(/league/troubles/trb_[0-9a-f]+/dismiss)"', page)
    assert path is not None
    await league.send(path[1])
    assert "None: no failed step" in await league.reads("/league")


async def test_a_story_says_what_happened_why_and_where_in_the_code(
    town: Town, shopper: Visitor, shop: Visitor, league: Visitor
) -> None:
    order_id = await orders_something(shopper)
    for act in ("accept", "pick", "hand-over"):
        await shop.send(f"/shop/parts/{order_id}-1/{act}")
    await town.settle()
    page = await league.reads(f"/league/stories/{order_id}")
    for said in ("Order placed", "Kauppa 0 takes it on", "Money taken", "Order closed: everything arrived"):
        assert said in page
    assert re.search(r"hanse/flows/order\.py:\d+ because of", page)
    assert '"shopper_id": "per_ada"' in page


async def test_the_token_of_a_card_is_shown_to_nobody(town: Town, shopper: Visitor, league: Visitor) -> None:
    await shopper.send("/basket/lines", offer_id="shp_1:prd_1", pieces="1")
    await shopper.send("/basket/choice", payment="card")
    await shopper.send("/orders", key="k", card_token="tok_secret")
    order_id = str((await shopper.get("/orders")).text).partition("/orders/ord_")[2].partition('"')[0]
    assert "The card provider is asked" in await league.reads(f"/league/stories/ord_{order_id}")
    assert "tok_secret" not in await league.reads(f"/league/stories/ord_{order_id}")
    assert "tok_secret" not in await league.reads("/league/journal")


async def test_an_unknown_story_is_a_page_that_says_so(league: Visitor) -> None:
    answer = await league.get("/league/stories/ord_nothing")
    assert answer.status_code == 404
    assert "There is nothing here" in text(answer)


async def test_the_journal_is_filtered_by_event(shopper: Visitor, league: Visitor) -> None:
    await orders_something(shopper)
    page = await league.reads("/league/journal?name=market.order_placed")
    rows = page[page.index("No. When") :]
    assert rows.count("market.order_placed") == 1
    assert "people.member_joined" not in rows


async def test_decisions_are_honest_about_there_being_none(league: Visitor) -> None:
    assert "Nobody has decided anything yet" in await league.reads("/league/decisions")


async def test_shops_show_what_they_do(shopper: Visitor, league: Visitor) -> None:
    await orders_something(shopper)
    assert "Kauppa 0 Katu 1 Grocer 3 1 €0.00" in await league.reads("/league/shops")


async def test_a_neighbours_payment_is_booked_by_a_form_once(town: Town, league: Visitor) -> None:
    assert "They owe" not in await league.reads("/league")
    await town.command(declare, {"b": 5_000})
    await town.command(post, "t", "test", [Transfer("t", clearing_of("b"), "league/commission", 640)])
    page = str((await league.get("/league")).text)
    key = re.search(r'name="key" value="([^"]+-b)"', page)
    assert key is not None
    assert "b €0.00 €6.40 €0.00 €50.00" in await league.reads("/league")
    where = "/league/neighbours/b/payments"
    for _ in range(2):
        answer = await league.send(where, key=key[1], amount="5,00", reference="November")
        assert answer.headers["location"] == "/league"
    assert "b €0.00 €1.40 €0.00 €50.00" in await league.reads("/league")
    refused = {"1.41": "owes less than that", "none": "amount such as 3.49", "-1": "amount such as 3.49"}
    for amount, said in refused.items():
        answer = await league.send(where, key=f"k{amount}", amount=amount)
        assert said in unquote(answer.headers["set-cookie"])

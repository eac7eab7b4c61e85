"""An order for goods of another district: what each side records, and that both agree whatever comes between."""

import re
from typing import Any

import pytest

from hanse.district.jobs import origin_of
from hanse.district.messages import next_batch, send
from hanse.district.neighbours import Neighbours
from hanse.events.dictionary import kind_of
from hanse.finance.clearing.views import UNCLAIMED, owed_by_us, owed_to_us
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import COMMISSION, TOP_UPS
from hanse.flows import neighbours as flow
from hanse.flows import order as order_flow
from hanse.flows.neighbours import AskNeighbour, ask, ask_cancel, declare
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.errors import HanseError
from hanse.kernel.values import SeenWish, Transfer, Wish
from hanse.market.away import views as away_views
from hanse.market.away.views import Away, away_order, away_orders_of
from hanse.market.catalogue import service as catalogue
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders, from_story
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import Stock
from hanse.testing import Stage
from hanse.testing.league import deliver, exchange, league
from hanse.testing.town import MONEY_MINOR, captured, offer
from tests.flows.conftest import SALT, TEA, WALLET, Pair, balance

TAKEN = ["district.message_received", "market.away_order_taken"]


def names(town: Stage, after: int) -> list[str]:
    return [entry.name for entry in town.journal.read(after)]


# The way through


def test_from_the_click_in_one_district_to_the_ledger_of_both(pair: Pair) -> None:
    a, b = pair.a.district.position, pair.b.district.position
    assert pair.ask() == {
        "result": "asked",
        "order_id": pair.order_id,
        "group_id": pair.order_id,
        "total_minor": 500,
        "currency": "EUR",
    }
    asked = ["market.away_order_asked", "finance.transfers_posted", "district.message_sent"]
    assert names(pair.a, a) == asked
    assert len({e.time_us for e in pair.a.journal.read(a)}) == 1
    assert pair.a.view(Ledger).accounts[WALLET].held_minor == 500
    assert owed_by_us(pair.a.district, "b") == 500

    exchange(pair.towns)
    placed = ["market.order_placed", "district.message_sent", "district.message_received"]
    assert names(pair.b, b) == [*placed, "district.messages_acknowledged"]
    assert len({e.time_us for e in list(pair.b.journal.read(b))[:3]}) == 1
    assert names(pair.a, a + 3) == ["district.messages_acknowledged", *reversed(TAKEN)]
    assert pair.stages() == ["placed"]
    assert pair.b.view(Stock).items["mill/tea"].held == 2
    assert owed_to_us(pair.b.district, "a") == 500
    assert pair.clearing() == (0, 0)

    pair.fulfil()
    # The goods are the shopper's, and the money is on its way.
    assert pair.clearing() == (0, -500)
    exchange(pair.towns)
    assert (pair.stages(), pair.away().outcome) == (["settled"], "fulfilled")
    assert pair.clearing() == (500, -500)
    assert balance(pair.a, WALLET) == MONEY_MINOR - 500
    assert balance(pair.b, "shp_mill/sales") == 475
    assert balance(pair.b, COMMISSION) == 25
    pair.check()


def test_both_journals_tell_the_story_under_one_id(pair: Pair) -> None:
    pair.placed().fulfil()
    exchange(pair.towns)
    for town in (pair.a, pair.b):
        story = [entry.name for entry in town.journal.story(pair.order_id)]
        assert "district.message_sent" in story
        assert "district.message_received" in story
    placed = from_story(pair.b.journal.story(pair.order_id))
    assert placed is not None
    assert (placed.closed, placed.placed.shopper_id) == ("fulfilled", "ngh_a")


def test_who_the_shopper_is_is_not_told(pair: Pair) -> None:
    pair.placed().fulfil()
    exchange(pair.towns)
    told = "".join(entry.body for entry in pair.b.journal.read() if entry.story == pair.order_id)
    assert "per_ada" not in told


def test_the_shopper_sees_each_stage_as_it_is_told(pair: Pair) -> None:
    pair.placed()
    seen = []
    for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        pair.shop(command)
        exchange(pair.towns)
        seen += pair.stages()
    assert seen == ["accepted", "picked", "settled"]
    part = next(iter(pair.away().parts.values())).part
    assert (part.shop_name, part.promised_us) == (
        "shp_mill",
        pair.b.clock.now_us // 60_000_000 * 60_000_000 + 20 * 60_000_000,
    )


def test_less_picked_is_less_paid(pair: Pair) -> None:
    pair.placed(TEA, SALT)
    pair.fulfil(1, part=1)
    pair.shop(orders.end_part, part=2, why="refused", reason="quality")
    exchange(pair.towns)
    assert (pair.stages(), pair.away().outcome) == (["settled", "refused"], "partly")
    assert pair.clearing() == (250, -250)
    assert balance(pair.a, WALLET) == MONEY_MINOR - 250
    pair.check()


def test_what_the_shop_gives_back_goes_the_same_way_back(pair: Pair) -> None:
    pair.placed().fulfil()
    exchange(pair.towns)
    for cents in (100, 150):
        pair.b.do(
            payments.refund, captured(pair.b, f"{pair.order_id}-1"), goods_minor=cents, fee_minor=0, reason="quality"
        )
    exchange(pair.towns)
    assert pair.clearing() == (250, -250)
    assert balance(pair.a, WALLET) == MONEY_MINOR - 250
    assert next(iter(pair.away().parts.values())).refunded_minor == 250
    pair.check()


def test_money_for_an_order_that_is_long_forgotten_waits_to_be_claimed(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.placed().fulfil()
    exchange(pair.towns)
    forgotten = pair.order_id
    monkeypatch.setattr(away_views, "KEPT_US", 0)
    pair.placed().shop(orders.end_part, why="refused")
    pair.a.clock.forward(days=1)
    exchange(pair.towns)
    assert pair.a.view(Away).find(forgotten) is None
    pair.b.do(payments.refund, captured(pair.b, f"{forgotten}-1"), goods_minor=500, fee_minor=0, reason="quality")
    exchange(pair.towns)
    assert (pair.clearing(), balance(pair.a, UNCLAIMED)) == ((0, 0), 500)
    pair.check()


def test_money_for_a_wallet_that_is_full_waits_to_be_claimed(pair: Pair) -> None:
    pair.placed().fulfil()
    exchange(pair.towns)
    room = payments.WALLET_CEILING_MINOR - balance(pair.a, WALLET)
    pair.a.do(ledger.post, "top_x", "top_up", [Transfer("top_x", TOP_UPS, WALLET, room)])
    pair.b.do(payments.refund, captured(pair.b, f"{pair.order_id}-1"), goods_minor=500, fee_minor=0, reason="quality")
    exchange(pair.towns)
    assert balance(pair.a, UNCLAIMED) == 500
    pair.check()


def test_one_order_in_each_district_under_a_group_each_decided_for_itself(pair: Pair) -> None:
    here = pair.a.do(place, "per_ada", PlaceOrder((Wish("off_mill_tea", 1),)))["order_id"]
    assert pair.ask(group_id=here)["group_id"] == here
    exchange(pair.towns)
    pair.shop(orders.end_part, why="refused")
    exchange(pair.towns)
    assert pair.away().outcome == "unfulfilled"
    assert here in pair.a.view(Orders).open
    with pytest.raises(HanseError, match="one of your own"):
        pair.a.do(ask, "per_bo", "b", AskNeighbour((TEA,), group_id=here))


# Refusals of the neighbour


def refused(pair: Pair, *lines: SeenWish) -> tuple[str, dict[str, int]]:
    """What the neighbour says of an order; the money is free again and nothing is held."""
    pair.placed(*lines)
    assert pair.away().outcome == "refused"
    assert (pair.clearing(), balance(pair.a, WALLET)) == ((0, 0), MONEY_MINOR)
    pair.check()
    refusal = pair.away().refusal
    assert refusal is not None
    return refusal.why, refusal.offers


def test_what_is_sold_out_is_refused_and_noted_as_a_wish(pair: Pair) -> None:
    pair.b.do(stock.count, "shp_mill", [("mill/tea", 1)])
    assert refused(pair, TEA, SALT) == ("sold_out", {"off_mill_tea": 1})
    assert len(pair.b.entries("supply.stock_short")) == 1


def test_a_price_that_has_changed_is_refused_with_the_price_of_now(pair: Pair) -> None:
    pair.b.do(catalogue.set_offers, "shp_mill", [offer("shp_mill", "tea", price_minor=260)])
    assert refused(pair, SALT, TEA) == ("changed", {"off_mill_tea": 260})


def test_what_was_taken_off_or_is_another_shop_s_is_refused(pair: Pair) -> None:
    gone, other = SeenWish("off_gone", 1, "shp_mill", 5), SeenWish("off_quay_salt", 1, "shp_mill", 100)
    assert refused(pair, TEA, gone, other) == ("changed", {"off_gone": 0, "off_quay_salt": 0})
    assert refused(pair, gone) == ("changed", {"off_gone": 0})


def test_what_comes_too_late_is_refused(pair: Pair) -> None:
    pair.ask()
    pair.b.clock.forward(minutes=16)
    exchange(pair.towns)
    refusal = pair.away().refusal
    assert refusal is not None
    assert refusal.why == "late"
    pair.check()


def test_beyond_the_limit_nothing_is_begun_and_nothing_is_taken() -> None:
    pair = Pair(limit_minor=900)
    pair.placed()
    with pytest.raises(HanseError, match="as much as was agreed"):
        pair.ask()
    # The other side holds to its own limit, whatever this one says.
    pair.a.do(declare, {"b": 5_000})
    pair.placed()
    refusal = pair.away().refusal
    assert refusal is not None
    assert refusal.why == "limit"
    # What goes the other way makes room.
    back = pair.b.do(ask, "per_bo", "a", AskNeighbour((TEA,)))["order_id"]
    exchange(pair.towns)
    for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        pair.a.do(command, back, f"{back}-1")
    exchange(pair.towns)
    assert pair.clearing() == (-500, 500)
    pair.placed()
    assert pair.stages() == ["placed"]


def test_another_currency_is_refused(pair: Pair) -> None:
    pair.b.district.currency = "SEK"
    pair.placed()
    refusal = pair.away().refusal
    assert refusal is not None
    assert refusal.why == "currency"


# Refusals here


def test_too_little_money_is_a_result_and_nothing_is_asked(pair: Pair) -> None:
    before = pair.a.district.position
    rope = SeenWish("off_mill_rope", 11, "shp_mill", 999)
    assert pair.ask(rope) == {"result": "funds_short", "currency": "EUR", "short_minor": 11 * 999 - MONEY_MINOR}
    assert pair.a.district.position == before


@pytest.mark.parametrize(
    ("to", "lines", "code"),
    [
        ("x", (TEA,), "district.unknown_neighbour"),
        ("b", (TEA, TEA), "market.offer_twice"),
        ("b", (SeenWish("off_x", 10_000, "shp_x", 10**15),), "finance.total_too_large"),
    ],
)
def test_what_can_never_be_asked_is_an_error(pair: Pair, to: str, lines: tuple[SeenWish, ...], code: str) -> None:
    before = pair.a.district.position
    with pytest.raises(HanseError) as refusal:
        pair.a.do(ask, "per_ada", to, AskNeighbour(lines))
    assert (refusal.value.code, pair.a.district.position) == (code, before)


# Cancelling, and time


def test_a_cancellation_that_comes_in_time_wins(pair: Pair) -> None:
    pair.ask()
    pair.a.do(ask_cancel, pair.order_id)
    assert pair.away().cancelling == "asked"
    with pytest.raises(HanseError, match="wait for its answer"):
        pair.a.do(ask_cancel, pair.order_id)
    exchange(pair.towns)
    assert (pair.stages(), pair.away().outcome) == (["cancelled"], "unfulfilled")
    assert balance(pair.a, WALLET) == MONEY_MINOR
    pair.check()
    with pytest.raises(HanseError, match="come to its end"):
        pair.a.do(ask_cancel, pair.order_id)


def test_a_cancellation_that_comes_too_late_loses_and_the_shopper_hears_of_it(pair: Pair) -> None:
    pair.placed()
    pair.a.do(ask_cancel, pair.order_id)
    pair.shop(orders.accept_part)
    pair.shop(orders.pick_part)
    exchange(pair.towns)
    assert (pair.away().cancelling, pair.stages()) == ("refused", ["picked"])
    pair.shop(orders.hand_over_part)
    exchange(pair.towns)
    assert pair.away().outcome == "fulfilled"
    pair.check()


def test_a_cancellation_of_what_was_refused_meanwhile_changes_nothing(pair: Pair) -> None:
    pair.ask(SeenWish("off_gone", 1, "shp_mill", 5))
    pair.a.do(ask_cancel, pair.order_id)
    exchange(pair.towns)
    assert pair.away().outcome == "refused"
    pair.check()


def test_what_no_shop_takes_on_in_time_is_given_up_on_both_sides(pair: Pair) -> None:
    pair.placed()
    pair.b.clock.forward(hours=2)
    exchange(pair.towns)
    assert (pair.stages(), pair.away().outcome) == (["expired"], "unfulfilled")
    pair.check()


def test_an_unanswered_order_keeps_its_money_aside_however_long_it_takes(pair: Pair) -> None:
    pair.ask()
    pair.a.clock.forward(days=30)
    pair.a.settle()
    assert pair.a.view(Ledger).accounts[WALLET].held_minor == 500
    exchange(pair.towns)
    pair.shop(orders.end_part, why="refused")
    exchange(pair.towns)
    pair.check()


# A neighbour that does what it may not


def told_by_b(pair: Pair, message: Any) -> str:
    """Let B tell A something; why A does not take it."""
    pair.b.do(lambda d: send(d, "a", message, story=""))
    batch = next_batch(pair.b.district, "a")
    assert batch is not None
    return deliver(batch, pair.a).trouble


def test_who_takes_more_than_was_set_aside_is_parked(pair: Pair) -> None:
    pair.placed()
    trouble = told_by_b(pair, flow.PartMoved(pair.order_id, f"{pair.order_id}-1", "collected", 501))
    assert "Capture at most what is held" in trouble
    assert (balance(pair.a, WALLET), pair.clearing()) == (MONEY_MINOR, (0, 0))


def test_who_takes_on_other_than_was_asked_is_parked(pair: Pair) -> None:
    pair.ask()
    trouble = told_by_b(pair, flow.OrderTaken(pair.order_id, ()))
    assert "took on other than it was asked for" in trouble
    assert pair.away().parts == {}


def test_nobody_speaks_for_another() -> None:
    towns = league("a", "b", "c")
    order_id = towns["a"].do(ask, "per_ada", "b", AskNeighbour((TEA,)))["order_id"]
    towns["c"].do(lambda d: send(d, "a", flow.OrderRefused(order_id, "late"), story=""))
    batch = next_batch(towns["c"].district, "a")
    assert batch is not None
    assert "asked of another neighbour" in deliver(batch, towns["a"]).trouble
    towns["c"].do(lambda d: send(d, "b", flow.OrderAsked("ord_01jd3v7k2m00000a", "EUR", (TEA,), 10**17), story=""))
    batch = next_batch(towns["c"].district, "b")
    assert batch is not None
    assert "This id was not made there" in deliver(batch, towns["b"]).trouble
    exchange({tag: towns[tag] for tag in "ab"})
    assert away_order(towns["a"].district, order_id).outcome == ""


# What a shopper has


def test_a_shopper_s_latest_orders_come_newest_first(pair: Pair) -> None:
    asked = [pair.ask()["order_id"] for _ in range(3)]
    assert [order.asked.order_id for order in away_orders_of(pair.a.district, "per_ada")] == asked[::-1]
    assert list(away_orders_of(pair.a.district, "per_bo")) == []


# The table


def test_the_table_in_the_docstring_is_the_table_of_steps_and_what_they_record() -> None:
    told = re.findall(r"^([a-z_.]+\.[a-z_]+) +([a-z_]+) +([a-z_.]+)$", flow.__doc__ or "", re.MULTILINE)
    rows = [(kind_of(cls).name, step.__name__) for cls, step in flow.STEPS]
    rows += [(cls.kind(), hearer.__name__) for cls, hearer in flow.MESSAGES]
    assert {(when, do) for when, do, _ in told} == set(rows)
    steps = {origin_of(step): step.__name__ for _, step in flow.STEPS}
    heard = {origin_of(hearer): (cls.kind(), hearer.__name__) for cls, hearer in flow.MESSAGES}
    ran = set()
    for way in (
        test_less_picked_is_less_paid,
        test_what_the_shop_gives_back_goes_the_same_way_back,
        test_what_is_sold_out_is_refused_and_noted_as_a_wish,
        test_a_cancellation_that_comes_in_time_wins,
        test_a_cancellation_that_comes_too_late_loses_and_the_shopper_hears_of_it,
    ):
        pair = Pair()
        way(pair)
        for town in (pair.a, pair.b):
            entries = list(town.journal.read())
            at = {entry.position: entry.name for entry in entries}
            for entry in entries:
                if entry.origin in steps:
                    ran.add((at[entry.cause], steps[entry.origin], entry.name))
                elif entry.origin in heard and entry.name != "district.message_received":
                    ran.add((*heard[entry.origin], entry.name))
    assert ran == set(told)


def test_orders_of_the_own_shoppers_tell_nobody(pair: Pair) -> None:
    order_id = pair.b.do(order_flow.place, "per_bo", PlaceOrder((Wish("off_mill_tea", 1),)))["order_id"]
    pair.order_id = order_id
    pair.fulfil()
    assert pair.b.view(Neighbours).channels["a"].sent == 0

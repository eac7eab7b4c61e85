"""What the simulation found in the core, each alone and in its smallest form."""

import msgspec
import pytest

from hanse.district.effects import bring_back
from hanse.district.jobs import Job
from hanse.district.own import Owed
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import TOP_UPS, Payments, wallet_of
from hanse.flows.order import PlaceOrder, card_declined, card_paid, place
from hanse.kernel.errors import Conflict, InvalidInput
from hanse.kernel.values import Transfer, Wish
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders import service as orders
from hanse.market.orders.views import Orders
from hanse.testing import Stage, fill_wallet, small_town
from hanse.testing.town import captured, offer, product

ADA = "per_ada"
TWO_SHOPS = (Wish("off_mill_tea", 2), Wish("off_quay_tea", 2))
BY_CARD = PlaceOrder(TWO_SHOPS, payment="card", card_token="tok")


@pytest.fixture
def town() -> Stage:
    return small_town()


def by_card(town: Stage) -> str:
    """An order over two shops of 5.00 each, that waits for the card."""
    answer = town.do(place, ADA, BY_CARD)
    assert answer["result"] == "awaiting_payment"
    order_id: str = answer["order_id"]
    return order_id


def delivered(town: Stage, *, until: str = "settled") -> tuple[str, str]:
    """An order of 7.90 with delivery: handed over, or settled."""
    order_id = town.do(place, ADA, PlaceOrder((Wish("off_mill_tea", 2),), "delivery", "adr_ada"))["order_id"]
    part = order_id, f"{order_id}-1"
    for move in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        town.do(move, *part)
    if until == "settled":
        town.do(orders.deliver_part, *part)
    return part


def balance(town: Stage, account_id: str) -> tuple[int, int]:
    account = town.view(Ledger).accounts[account_id]
    return account.balance_minor, account.held_minor


def test_a_late_card_payment_holds_nothing_for_a_part_that_was_cancelled(town: Stage) -> None:
    order_id = by_card(town)
    town.do(orders.end_part, order_id, f"{order_id}-2", why="cancelled")
    town.do(card_paid, order_id, 1_000)
    assert set(town.view(Ledger).holds) == {f"{order_id}-1/goods"}
    assert [(e.amount_minor, e.reason) for e in town.events("finance.card_refund_asked")] == [
        (500, "the payment came too late")
    ]


def test_a_card_payment_after_the_whole_order_ended_in_the_same_turn_goes_back_whole(town: Stage) -> None:
    order_id = by_card(town)
    answers: list[object] = []
    town.submit(answers, card_declined, order_id, "no cover")  # type: ignore[arg-type]
    town.submit(answers, card_paid, order_id, 1_000)  # type: ignore[arg-type]
    town.writer.run()
    assert town.view(Ledger).holds == {}
    assert town.entries("finance.payment_held") == []
    assert [e.amount_minor for e in town.events("finance.card_refund_asked")] == [1_000]
    assert [e.outcome for e in town.events("market.order_closed")] == ["unfulfilled"]


def test_an_unpaid_order_expires_once(town: Stage) -> None:
    order_id = by_card(town)
    town.clock.forward(minutes=11)
    town.settle()
    names = [entry.name for entry in town.journal.story(order_id)]
    assert names.count("market.order_expired") == 1
    assert names.count("market.part_ended") == 2
    assert names.count("market.order_closed") == 1


def test_expiry_leaves_a_part_that_was_cancelled_before_as_it_is(town: Stage) -> None:
    order_id = by_card(town)
    town.do(orders.end_part, order_id, f"{order_id}-1", why="cancelled")
    town.clock.forward(minutes=11)
    town.settle()
    ends = [(e.part_id[-1], e.why) for e in town.events("market.part_ended")]
    assert ends == [("1", "cancelled"), ("2", "unpaid")]


def test_a_closed_order_awaits_no_card_payment(town: Stage) -> None:
    by_card(town)
    assert len(town.view(Payments).cards) == 1
    town.clock.forward(minutes=11)
    town.settle()
    assert town.view(Payments).cards == {}


def test_nothing_is_refunded_before_the_goods_have_arrived(town: Stage) -> None:
    _, part_id = delivered(town, until="handed over")
    before = town.district.position
    with pytest.raises(Conflict, match="Wait until the goods have arrived"):
        town.do(payments.refund, captured(town, part_id), goods_minor=500, fee_minor=0, reason="late")
    assert town.district.position == before


def test_a_whole_refund_gives_the_whole_commission_back(town: Stage) -> None:
    _, part_id = delivered(town)
    assert balance(town, "league/commission") == (25, 0)
    for amount_minor in (333, 1, 166):
        town.do(payments.refund, captured(town, part_id), goods_minor=amount_minor, fee_minor=0, reason="late")
    assert balance(town, "league/commission") == (0, 0)
    assert balance(town, "shp_mill/sales") == (0, 0)
    assert balance(town, "per_ada/wallet") == (10_000 - 290, 0)


def test_a_part_that_is_under_way_for_two_months_is_settled(town: Stage) -> None:
    order_id, part_id = delivered(town, until="handed over")
    town.clock.forward(days=61)
    delivered(town)
    town.do(orders.deliver_part, order_id, part_id)
    assert order_id not in town.view(Orders).open
    assert town.entries("district.step_failed") == []


def test_linked_transfers_end_a_hold_once(town: Stage) -> None:
    town.do(ledger.post, ADA, "deposit", [_hold("deposit", 500)])
    void = Transfer("deposit/void", wallet_of(ADA), "shp_mill/sales", 500, "void", "deposit")
    with pytest.raises(Conflict, match="no such hold"):
        town.do(ledger.post, ADA, "deposit", [void, void])
    assert balance(town, "per_ada/wallet") == (10_000, 500)
    assert town.writer.restarts == 0


def test_linked_transfers_make_a_hold_once(town: Stage) -> None:
    with pytest.raises(Conflict, match="exists already"):
        town.do(ledger.post, ADA, "deposit", [_hold("deposit", 500), _hold("deposit", 500)])
    assert balance(town, "per_ada/wallet") == (10_000, 0)


def test_a_transfer_that_ends_no_hold_names_none(town: Stage) -> None:
    transfer = Transfer("t", TOP_UPS, wallet_of(ADA), 5, hold_id="deposit")
    with pytest.raises(InvalidInput, match="Name the hold"):
        town.do(ledger.post, ADA, "top_up", [transfer])
    assert town.writer.restarts == 0


def test_a_hold_can_be_captured_when_nothing_else_is_left(town: Stage) -> None:
    town.do(ledger.post, ADA, "deposit", [_hold("deposit", 10_000)])
    capture = Transfer("deposit/capture", wallet_of(ADA), "shp_mill/sales", 10_000, "capture", "deposit")
    assert town.do(ledger.post, ADA, "deposit", [capture]) == 0
    assert balance(town, "per_ada/wallet") == (0, 0)


def test_linked_transfers_pass_a_ceiling_together_as_little_as_alone(town: Stage) -> None:
    half = 60_000_000
    moves = [Transfer(f"top_{n}", TOP_UPS, wallet_of(ADA), half) for n in range(2)]
    assert town.do(ledger.post, ADA, "top_up", moves) == 10_000 + 2 * half - 100_000_000
    assert balance(town, "per_ada/wallet") == (10_000, 0)


def test_a_hold_whose_name_was_used_before_lives_until_its_own_end(town: Stage) -> None:
    soon, late = town.clock() + 60_000_000, town.clock() + 3_600_000_000
    town.do(ledger.post, ADA, "deposit", [_hold("other", 100, until_us=soon - 1_000_000)])
    town.do(ledger.post, ADA, "deposit", [_hold("deposit", 500, until_us=soon)])
    town.do(ledger.post, ADA, "deposit", [Transfer("v", wallet_of(ADA), "shp_mill/sales", 500, "void", "deposit")])
    town.do(ledger.post, ADA, "deposit", [_hold("deposit", 500, until_us=late)])
    town.clock.forward(minutes=2)
    town.settle()
    assert set(town.view(Ledger).holds) == {"deposit"}
    town.clock.forward(hours=1)
    town.settle()
    assert town.view(Ledger).holds == {}
    assert town.entries("district.command_stopped") == []


def test_a_new_rate_of_tax_reaches_the_offers_that_are_on_sale(town: Stage) -> None:
    town.do(catalogue.list_products, [msgspec.structs.replace(product("tea"), vat_bp=2_550)])
    assert town.view(Catalogue).offers["off_mill_tea"].vat_bp == 2_550
    assert town.view(Catalogue).offers["off_mill_salt"].vat_bp == 1_350


def test_an_offer_is_found_under_its_present_product_only(town: Stage) -> None:
    other = msgspec.structs.replace(offer("shp_mill", "tea"), product_id="prd_rope")
    town.do(catalogue.set_offers, "shp_mill", [other])
    by_product = town.view(Catalogue).by_product
    assert "off_mill_tea" not in by_product["prd_tea"]
    assert "off_mill_tea" in by_product["prd_rope"]


def test_a_provider_that_answers_twice_is_heard_once(town: Stage) -> None:
    order_id = by_card(town)
    ((effect, asked),) = town.view(Owed).since_us.items()
    (position,) = asked
    for _ in range(2):
        town.do(bring_back, effect, position, Job(card_paid, (order_id, 1_000)))
    assert len(town.entries("finance.payment_held")) == 1
    assert len(town.entries("district.effect_answered")) == 1
    assert town.entries("finance.card_refund_asked") == []


def test_two_shops_may_draw_on_one_item_and_sell_it_once(town: Stage) -> None:
    shared = msgspec.structs.replace(offer("shp_quay", "tea"), item_id="mill/tea")
    town.do(catalogue.set_offers, "shp_quay", [shared])
    fill_wallet(town, ADA, 1_000_000)
    request = PlaceOrder((Wish("off_mill_tea", 11), Wish("off_quay_tea", 10)))
    assert town.do(place, ADA, request)["result"] == "sold_out"
    assert town.view(Orders).open == {}


def _hold(name: str, amount_minor: int, *, until_us: int = 0) -> Transfer:
    return Transfer(name, wallet_of(ADA), "shp_mill/sales", amount_minor, "hold", until_us=until_us)


def test_an_order_comes_to_no_more_than_the_ledger_can_move(town: Stage) -> None:
    town.do(catalogue.set_offers, "shp_mill", [offer("shp_mill", "tea", price_minor=10**15)])
    before = town.district.position
    with pytest.raises(InvalidInput, match="Order less"):
        town.do(place, ADA, PlaceOrder((Wish("off_mill_tea", 2),), payment="card", card_token="tok"))
    assert town.district.position == before


def test_a_piece_takes_no_more_units_than_a_snapshot_can_hold(town: Stage) -> None:
    vast = msgspec.structs.replace(offer("shp_mill", "tea"), units=10**22)
    with pytest.raises(InvalidInput, match="units a piece"):
        town.do(catalogue.set_offers, "shp_mill", [vast])
    assert town.view(Catalogue).offers["off_mill_tea"].units == 1

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from hanse.events.finance import AccountOpened, HoldsExpired, TransfersPosted
from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.views import Account, Ledger, Movement, account, shortfall
from hanse.finance.payments.views import TOP_UPS, wallet_of
from hanse.kernel.time import HOUR_US
from hanse.kernel.values import Transfer, TransferAction
from hanse.testing import START_US, given
from tests.conftest import WALLET_MINOR, Town, stand_up

ONE, TWO, CAPPED = wallet_of("per_1"), wallet_of("per_2"), "per_1/capped"


def move(amount: int, name: str = "t1", *, debit: str = ONE, credit: str = TWO) -> Transfer:
    return Transfer(name, debit, credit, amount)


def hold(amount: int, name: str = "h1", *, credit: str = TWO, until_us: int = 0) -> Transfer:
    return Transfer(name, ONE, credit, amount, "hold", until_us=until_us)


def end(action: TransferAction, amount: int, hold_id: str = "h1") -> Transfer:
    return Transfer(f"{hold_id}/{action}", ONE, TWO, amount, action, hold_id)


def post(town: Town, *transfers: Transfer) -> int:
    short: int = town.do(ledger.post, "sto_1", "test", transfers)
    return short


def open_capped(town: Town, ceiling: int) -> None:
    town.do(ledger.open_account, CAPPED, owner_id="per_1", kind="wallet", ceiling_minor=ceiling)


def test_a_transfer_moves_money_and_both_statements_say_so(town: Town) -> None:
    assert post(town, move(300)) == 0
    assert town.balances() == {TOP_UPS: -WALLET_MINOR, ONE: WALLET_MINOR - 300, TWO: 300}
    last = [account(town.district, one).recent[-1] for one in (ONE, TWO)]
    now_us = town.district.now_us
    assert last == [Movement(now_us, "t1", TWO, -300), Movement(now_us, "t1", ONE, 300)]
    with pytest.raises(AttributeError):
        last[0].amount_minor = 0  # type: ignore[misc]


def test_a_statement_keeps_its_latest_hundred_lines(town: Town) -> None:
    for n in range(200):
        post(town, move(1, f"t{n}"))
    kept = [[line.transfer_id for line in account(town.district, one).recent] for one in (ONE, TWO)]
    assert kept == [[f"t{n}" for n in range(first, 200)] for first in (100, 0)]


OPENED = tuple(AccountOpened(one, "per_1", "EUR", "wallet", None, None) for one in (ONE, TWO))


def test_accounts_transfers_and_ended_holds_are_recorded_as_they_were_asked_for() -> None:
    named = {"owner_id": "per_1", "kind": "wallet"}
    given().when(ledger.open_account, ONE, **named).expect(AccountOpened(ONE, "per_1", "EUR", "wallet", 0, None))
    given().when(ledger.open_account, ONE, **named, currency="JPY", floor_minor=-5, ceiling_minor=7).expect(
        AccountOpened(ONE, "per_1", "JPY", "wallet", -5, 7)
    )
    posted = TransfersPosted("sto_1", "test", (move(10**15), move(1, "t2")))
    given(*OPENED).when(ledger.post, "sto_1", "test", list(posted.transfers)).answers(0).expect(posted)


def test_two_hundred_holds_are_freed_a_turn() -> None:
    late = tuple(hold(n + 1, f"h{n:03}", until_us=START_US) for n in range(201))
    voids = [Transfer(f"{h.transfer_id}/expired", ONE, TWO, h.amount_minor, "void", h.transfer_id) for h in late]
    freed = [HoldsExpired(void.hold_id, (void,)) for void in voids[:200]]
    given(*OPENED, TransfersPosted("sto_1", "test", late)).when(ledger.expire).expect(*freed)


def test_linked_transfers_are_made_together_or_not_at_all(town: Town) -> None:
    before = town.state()
    assert post(town, move(9_000), move(1_001, "t2")) == 1
    assert town.state() == before
    assert post(town, move(9_000), move(1_000, "t2")) == 0


@pytest.mark.parametrize(
    ("links", "short"),
    [
        ([move(10_000), move(1, "t2", debit=CAPPED)], 1),  # the first takes exactly all that is there
        (
            [move(100, credit=CAPPED), move(3, "t2", debit=TWO, credit=ONE)],
            3,
        ),  # the first fills exactly up to the ceiling
        ([move(500), move(501, "t2", debit=TWO, credit=TOP_UPS)], 1),
        ([move(90, credit=CAPPED), move(20, "t2", debit=CAPPED), move(31, "t3", credit=CAPPED)], 1),
        ([hold(10), move(9_991)], 1),
    ],
)
def test_each_of_linked_transfers_counts_for_the_next(town: Town, links: list[Transfer], short: int) -> None:
    open_capped(town, 100)
    assert post(town, *links) == short


def test_what_ends_a_hold_hides_nothing_and_frees_nothing_for_its_link(town: Town) -> None:
    post(town, hold(10))
    assert post(town, end("void", 10), move(9_991)) == 1
    assert post(town, end("void", 10), move(9_990)) == 0


def test_a_transfer_may_be_named_as_a_hold_is(town: Town) -> None:
    post(town, hold(5))
    assert post(town, move(5, "h1")) == 0
    assert town.held() == {ONE: 5}


def test_what_comes_in_first_can_go_out_in_the_same_link(town: Town) -> None:
    assert post(town, move(500, "t2", debit=TWO, credit=ONE), move(500)) == 500
    assert post(town, move(500), move(500, "t2", debit=TWO, credit=ONE)) == 0
    assert town.balances()[ONE] == WALLET_MINOR


def test_a_hold_sets_aside_and_does_not_move(town: Town) -> None:
    assert post(town, hold(9_500)) == 0
    assert (town.balances()[ONE], town.held()) == (WALLET_MINOR, {ONE: 9_500})
    assert post(town, move(501)) == 1
    assert post(town, move(500)) == 0


@pytest.mark.parametrize(("captured", "left"), [(WALLET_MINOR, 0), (1, WALLET_MINOR - 1)])
def test_a_capture_moves_all_or_a_part_and_frees_the_rest(town: Town, captured: int, left: int) -> None:
    post(town, hold(WALLET_MINOR))
    assert post(town, end("capture", captured)) == 0
    assert (town.balances().get(ONE, 0), town.balances()[TWO], town.held()) == (left, captured, {})


def test_a_void_frees_all(town: Town) -> None:
    post(town, hold(WALLET_MINOR))
    assert post(town, end("void", WALLET_MINOR)) == 0
    assert (town.balances()[ONE], town.held()) == (WALLET_MINOR, {})


@pytest.mark.parametrize(
    ("transfers", "code"),
    [
        ([], "finance.no_transfers"),
        ([move(0)], "finance.bad_amount"),
        ([move(-5)], "finance.bad_amount"),
        ([move(10**15 + 1)], "finance.bad_amount"),
        ([move(5, credit="nobody")], "finance.unknown_account"),
        ([move(5, credit=ONE)], "finance.same_account"),
        ([move(5, credit="per_1/yen")], "finance.two_currencies"),
        ([hold(5)], "finance.held_already"),
        ([hold(5, "h2"), hold(5, "h2")], "finance.held_already"),
        ([end("capture", 101)], "finance.beyond_hold"),
        ([end("capture", 5, "h9")], "finance.no_hold"),
        ([end("capture", 50), end("void", 50)], "finance.no_hold"),
        ([Transfer("x", TWO, ONE, 5, "capture", "h1")], "finance.beyond_hold"),
        ([Transfer("x", ONE, TWO, 5, "post", "h1")], "finance.bad_transfer"),
        ([Transfer("x", ONE, TWO, 5, "capture")], "finance.bad_transfer"),
    ],
)
def test_what_makes_no_sense_is_refused(town: Town, transfers: list[Transfer], code: str) -> None:
    town.do(ledger.open_account, "per_1/yen", owner_id="per_1", kind="wallet", currency="JPY")
    post(town, hold(100))
    errors = [
        town.refuses(code, ledger.post, "sto_1", "test", transfers),
        town.refuses(code, ledger.post, "sto_1", "test", [move(1, "good"), *transfers] if transfers else []),
    ]
    details = {
        "finance.no_transfers": {"field": "transfers"},
        "finance.unknown_account": {"account_id": "nobody"},
        "finance.same_account": {"field": "credit"},
        "finance.two_currencies": {"field": "credit"},
        "finance.bad_transfer": {"field": "hold_id"},
    }
    if transfers:
        details["finance.bad_amount"] = {"field": "amount_minor", "value": transfers[0].amount_minor}
        details["finance.beyond_hold"] = details["finance.bad_amount"]
        details["finance.held_already"] = {"transfer_id": transfers[0].transfer_id}
        details["finance.no_hold"] = {"hold_id": transfers[0].hold_id}
    assert [error.details for error in errors] == [details[code]] * 2


def test_what_can_be_made_is_asked_of_accounts_that_exist(town: Town) -> None:
    for one in (move(5, credit="nobody"), move(5, debit="nobody")):
        assert town.refuses("finance.unknown_account", shortfall, [one]).details == {"account_id": "nobody"}


def test_a_ceiling_counts_what_is_there_what_is_coming_and_what_is_linked(town: Town) -> None:
    open_capped(town, 100)
    assert post(town, move(60, credit=CAPPED)) == 0
    assert post(town, hold(30, credit=CAPPED)) == 0
    assert post(town, move(11, credit=CAPPED)) == 1
    assert post(town, move(5, credit=CAPPED), move(6, "t2", credit=CAPPED)) == 1
    assert post(town, move(20, debit=CAPPED), move(30, "t2", credit=CAPPED)) == 0


def test_a_floor_may_be_below_zero_or_missing(town: Town) -> None:
    town.do(ledger.open_account, "per_1/credit", owner_id="per_1", kind="wallet", floor_minor=-500)
    assert post(town, move(501, debit="per_1/credit")) == 1
    assert post(town, move(500, debit="per_1/credit")) == 0
    assert account(town.district, TOP_UPS).room() is None
    assert account(town.district, "per_1/credit") == Account(
        "per_1/credit",
        "per_1",
        "EUR",
        "wallet",
        -500,
        None,
        -500,
        recent=[Movement(town.district.now_us, "t1", TWO, -500)],
    )


def test_an_account_is_opened_once_in_a_currency_that_exists(town: Town) -> None:
    assert town.records(ledger.open_account, ONE, owner_id="per_1", kind="wallet") == []
    town.refuses("kernel.bad_currency", ledger.open_account, "a", owner_id="per_1", kind="wallet", currency="€")


def test_holds_whose_time_is_over_are_freed_and_no_others(town: Town) -> None:
    soon, later = town.now_us + HOUR_US, town.now_us + 3 * HOUR_US
    post(town, hold(10, "late", until_us=later), hold(20, "soon", until_us=soon), hold(40, "never"))
    assert town.wait(HOUR_US - 1_000_000) == []
    assert town.wait(1_000_000) == ["finance.holds_expired"]
    assert set(town.district.view(Ledger).holds) == {"late", "never"}
    assert town.wait(9 * HOUR_US) == ["finance.holds_expired"]
    assert (town.held(), town.district.view(Ledger).ends) == ({ONE: 40}, [])
    assert town.wait(9 * HOUR_US) == []


def test_a_name_that_is_used_again_does_not_inherit_the_earlier_end(town: Town) -> None:
    first = hold(5, "first", until_us=town.now_us + HOUR_US // 2)  # its end stands before the other's
    post(town, first, hold(10, until_us=town.now_us + HOUR_US))
    post(town, end("void", 10))
    post(town, hold(10, until_us=town.now_us + 5 * HOUR_US))
    assert town.wait(2 * HOUR_US) == ["finance.holds_expired"]
    assert town.held() == {ONE: 10}
    assert town.wait(4 * HOUR_US) == ["finance.holds_expired"]
    post(town, hold(10, until_us=town.now_us + HOUR_US))
    post(town, end("void", 10))
    post(town, hold(10, until_us=town.now_us + HOUR_US))
    assert town.wait(2 * HOUR_US) == ["finance.holds_expired"]


AMOUNTS = st.integers(1, 6_000)
ACCOUNTS = st.sampled_from([ONE, TWO, CAPPED])


@settings(max_examples=60, deadline=None)
@whatever(st.lists(st.lists(st.tuples(ACCOUNTS, ACCOUNTS, AMOUNTS, st.booleans()), min_size=1, max_size=4), max_size=8))
def test_no_account_ever_passes_its_limits_and_all_sums_to_zero(links: list[list[tuple[str, str, int, bool]]]) -> None:
    town = stand_up(Town())
    open_capped(town, 4_000)
    for number, link in enumerate(links):
        transfers = [
            Transfer(f"t{number}-{n}", debit, credit, amount, "hold" if held else "post")
            for n, (debit, credit, amount, held) in enumerate(link)
            if debit != credit
        ]
        if transfers:
            short = shortfall(town.district, transfers)
            assert post(town, *transfers) == short
        for one in town.district.view(Ledger).accounts.values():
            room = one.room()
            assert room is None or room >= 0
            assert one.ceiling_minor is None or one.balance_minor <= one.ceiling_minor
    town.check()

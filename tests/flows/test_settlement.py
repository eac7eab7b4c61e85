"""A debt between districts is paid outside, and booked once on both sides."""

import pytest

from hanse.district.messages import send
from hanse.finance.clearing.views import BANK
from hanse.flows.settlement import DebtPaid, Standing, book, standings
from hanse.kernel.errors import HanseError
from hanse.testing.league import LIMIT_MINOR, exchange
from tests.flows.conftest import Pair, balance


@pytest.fixture
def owing(pair: Pair) -> Pair:
    """A owes B 5.00."""
    pair.placed().fulfil()
    exchange(pair.towns)
    return pair


def test_who_was_paid_books_it_and_who_paid_is_told(owing: Pair) -> None:
    before = owing.b.district.position
    payment_id = owing.b.do(book, "a", 300, reference="INV 7")
    story = [entry.name for entry in owing.b.journal.story(payment_id)]
    assert story == ["finance.transfers_posted", "district.message_sent"]
    assert len({entry.time_us for entry in owing.b.journal.read(before)}) == 1
    assert owing.clearing() == (500, -200)
    exchange(owing.towns)
    assert owing.clearing() == (200, -200)
    assert (balance(owing.a, BANK), balance(owing.b, BANK)) == (300, -300)
    assert [entry.name for entry in owing.a.journal.story(payment_id)] == [
        "finance.transfers_posted",
        "district.message_received",
    ]
    owing.b.do(book, "a", 200, reference="")
    exchange(owing.towns)
    assert owing.clearing() == (0, 0)
    owing.check()


def test_what_is_owed_is_told_of_each_neighbour(owing: Pair) -> None:
    owing.ask()
    assert standings(owing.a.district) == (Standing("b", 500, 500, 0, 0, LIMIT_MINOR, "EUR", 1, "", False),)
    exchange(owing.towns)
    assert standings(owing.b.district) == (Standing("a", 0, 0, 500, 500, LIMIT_MINOR, "EUR", 0, "", False),)


def test_a_debt_that_is_paid_makes_room_for_orders() -> None:
    small = Pair(limit_minor=500)
    small.placed().fulfil()
    exchange(small.towns)
    with pytest.raises(HanseError, match="as much as was agreed"):
        small.ask()
    small.b.do(book, "a", 500, reference="")
    exchange(small.towns)
    assert small.ask()["result"] == "asked"


@pytest.mark.parametrize(
    ("neighbour", "amount_minor", "reference", "code"),
    [
        ("a", 501, "", "finance.not_owed"),
        ("a", 0, "", "finance.bad_amount"),
        ("a", -1, "", "finance.bad_amount"),
        ("a", 1, "x" * 141, "finance.bad_reference"),
        ("a", 1, "two\nlines", "finance.bad_reference"),
        ("c", 1, "", "district.unknown_neighbour"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    owing: Pair, neighbour: str, amount_minor: int, reference: str, code: str
) -> None:
    before = owing.b.district.position
    with pytest.raises(HanseError) as refused:
        owing.b.do(book, neighbour, amount_minor, reference=reference)
    assert (refused.value.code, owing.b.district.position) == (code, before)


def test_who_owes_can_not_book_it(owing: Pair) -> None:
    with pytest.raises(HanseError) as refused:
        owing.a.do(book, "b", 1, reference="")
    assert (refused.value.code, refused.value.details) == ("finance.not_owed", {"owed_minor": 0})


def test_an_amount_that_is_none_is_not_heard(owing: Pair) -> None:
    owing.b.do(lambda district: send(district, "a", DebtPaid("pay_x", -5, ""), story="pay_x"))
    exchange(owing.towns)
    assert owing.clearing() == (500, -500)
    assert standings(owing.a.district)[0].trouble

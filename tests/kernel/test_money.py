from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.kernel.errors import InvalidInput
from hanse.kernel.money import (
    AMOUNT_MAX_MINOR,
    RATE_ONE_BP,
    check_currency,
    included_tax,
    minor_digits,
    share,
    split,
)

AMOUNTS = st.integers(-AMOUNT_MAX_MINOR, AMOUNT_MAX_MINOR)
RATES = st.integers(0, RATE_ONE_BP)


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_a_split_sums_exactly_and_no_part_is_a_minor_unit_off(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(
        abs(part - Fraction(amount * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True)
    )


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.data())
def test_splitting_off_more_never_gives_less(amount: int, whole: int, data: st.DataObject) -> None:
    less = data.draw(st.integers(0, whole))
    more = data.draw(st.integers(less, whole))
    assert split(amount, [less, whole - less])[0] <= split(amount, [more, whole - more])[0]


@given(AMOUNTS, RATES)
def test_a_share_is_as_large_for_a_debt_as_for_a_claim(amount: int, rate: int) -> None:
    assert share(-amount, rate) == -share(amount, rate)


@given(AMOUNTS, RATES)
def test_a_share_is_the_nearest_minor_unit(amount: int, rate: int) -> None:
    assert abs(share(amount, rate) - Fraction(amount * rate, RATE_ONE_BP)) <= Fraction(1, 2)


@given(st.integers(0, AMOUNT_MAX_MINOR), RATES)
def test_tax_on_the_net_amount_gives_the_gross_amount_again(gross: int, rate: int) -> None:
    net = gross - included_tax(gross, rate)
    assert abs(net + Fraction(net * rate, RATE_ONE_BP) - gross) <= 1


@pytest.mark.parametrize(("amount", "rate", "expected"), [(50, 100, 0), (150, 100, 2), (250, 100, 2), (-50, 100, 0)])
def test_half_a_minor_unit_goes_to_the_even_one(amount: int, rate: int, expected: int) -> None:
    assert share(amount, rate) == expected


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_that_divide_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(InvalidInput) as refused:
        split(100, weights)
    assert refused.value.code == "kernel.bad_weights"


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "E1R", "ÄÖÜ", ""])
def test_what_is_no_currency_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_currency(code)
    assert (refused.value.code, refused.value.details) == ("kernel.bad_currency", {"field": "currency"})


def test_currencies_know_their_digits() -> None:
    assert [minor_digits(check_currency(code)) for code in ("EUR", "JPY", "KWD")] == [2, 0, 3]

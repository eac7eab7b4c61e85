import pytest

from hanse.kernel.errors import InvalidInput
from hanse.world.demo import gtin


@pytest.mark.parametrize("number", ["4006381333931", "5901234123457"])
def test_check_digits_of_known_numbers(number: str) -> None:
    assert gtin.check_digit(number[:12]) == number[12]


def test_a_number_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput):
        gtin.in_store(1_000_000_000)

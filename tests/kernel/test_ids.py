import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.kernel.errors import InvalidInput
from hanse.kernel.ids import IdMaker, time_part


def test_ids_sort_as_they_were_made_within_and_across_turns() -> None:
    maker = IdMaker("hk1")
    made = []
    for now_us in (1_700_000_000_000_000, 1_700_000_000_000_001, 1_800_000_000_000_000):
        maker.begin(now_us)
        made += [maker.next("ord") for _ in range(3_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_shows_its_kind_its_time_and_its_district() -> None:
    maker = IdMaker("hk1")
    maker.begin(1_700_000_000_000_000)
    assert maker.next("ord") == f"ord_{time_part(1_700_000_000_000_000)}0000hk1"
    assert maker.next("dec") == f"dec_{time_part(1_700_000_000_000_000)}0001hk1"


def test_two_districts_at_one_moment_make_different_ids() -> None:
    here, there = IdMaker("a"), IdMaker("b")
    here.begin(1)
    there.begin(1)
    assert here.next("ord") != there.next("ord")


@given(st.integers(0, 32**11 - 1), st.integers(0, 32**11 - 1))
def test_the_time_part_sorts_as_the_microseconds_do(a: int, b: int) -> None:
    assert (time_part(a) < time_part(b)) == (a < b)


@pytest.mark.parametrize("tag", ["", "toolong", "HEL", "il", "a-b"])
def test_a_tag_that_could_be_misread_is_refused(tag: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        IdMaker(tag)
    assert refused.value.code == "kernel.bad_tag"

import pytest

from hanse.world.demo import hours


def test_days_and_ranges_of_days() -> None:
    week = hours.parse("Mo-Fr 07:00-21:00; Sa 08:00-18:00; Su 12:00-18:00")
    assert week == (((420, 1260),),) * 5 + (((480, 1080),), ((720, 1080),))


def test_rules_parted_by_a_comma() -> None:
    week = hours.parse("Mo-Fr 07:00-23:00, Sa 09:00-23:00, Su 10:00-23:00")
    assert week is not None
    assert (week[0], week[5], week[6]) == (((420, 1380),), ((540, 1380),), ((600, 1380),))


def test_several_spans_in_a_day() -> None:
    assert hours.parse("Tu 10:00-12:00,13:00-17:00") == ((), ((600, 720), (780, 1020)), (), (), (), (), ())


def test_round_the_clock() -> None:
    assert hours.parse("24/7") == (((0, 1440),),) * 7


def test_closing_after_midnight_is_counted_on() -> None:
    week = hours.parse("Fr-Sa 05:00-01:00")
    assert week is not None
    assert week[4] == ((300, 1500),)


def test_seasons_and_holidays_are_left_out() -> None:
    week = hours.parse("Sa 10:00-16:00; Mo-Fr 07:30-18:00; 2017 Jul 1 - 2017 Aug 8 Sa off; PH off")
    assert week == (((450, 1080),),) * 5 + (((600, 960),), ())


@pytest.mark.parametrize("text", ["", "Seasonal, only summer time", "sunrise-sunset", "PH off"])
def test_what_is_not_simple_is_not_guessed(text: str) -> None:
    assert hours.parse(text) is None

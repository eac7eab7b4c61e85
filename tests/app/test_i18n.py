"""Every text is there in every language, and figures are written as its readers write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from babel.messages.catalog import Message

from hanse.app import i18n

NOW = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
OTHERS = [locale for locale in i18n.LOCALES if locale != i18n.SOURCE]


@pytest.mark.parametrize("locale", OTHERS)
def test_every_text_is_translated(locale: str) -> None:
    known = i18n.catalogue(locale)
    missing = [text.id for text in i18n.collected() if text.id and not translated(known.get(text.id, text.context))]
    assert missing == []


@pytest.mark.parametrize("locale", OTHERS)
def test_no_catalogue_holds_what_nobody_says(locale: str) -> None:
    said = {forms(text)[0] for text in i18n.collected()}
    assert [forms(text)[0] for text in i18n.catalogue(locale) if forms(text)[0] not in said] == []


@pytest.mark.parametrize("locale", OTHERS)
def test_a_translation_fills_the_same_gaps_and_keeps_the_same_tags(locale: str) -> None:
    marks = re.compile(r"%\(\w+\)s|%%|</?\w+")
    for text in i18n.catalogue(locale):
        wanted = set(marks.findall(" ".join(forms(text))))
        if text.id:
            assert all(set(marks.findall(string)) == wanted for string in strings(text)), text.id


@pytest.mark.parametrize(
    ("cookie", "wish", "locale"),
    [
        ("de", "en", "de"),
        ("xx", "de", "de"),
        (None, "de-AT,de;q=0.9,en;q=0.8", "de"),
        (None, "fr;q=0.9, en;q=0.1, de;q=0.5", "de"),
        (None, "fi", "en"),
        (None, "*;q=broken,,;", "en"),
        (None, None, "en"),
    ],
)
def test_the_own_choice_comes_before_the_browsers_wish(cookie: str | None, wish: str | None, locale: str) -> None:
    assert i18n.negotiate(cookie, wish) == locale


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (349, "EUR", "€3.49", "3,49\xa0€"),
        (-5, "EUR", "-€0.05", "-0,05\xa0€"),
        (123456789, "EUR", "€1,234,567.89", "1.234.567,89\xa0€"),
        (1500, "JPY", "JP¥1,500", "1.500\xa0¥"),
        (12345, "KWD", "KWD12.345", "12,345\xa0KWD"),
    ],
)
def test_money_has_the_decimals_of_its_currency(minor: int, currency: str, english: str, german: str) -> None:
    assert i18n.money(minor, currency, "en") == english
    assert i18n.money(minor, currency, "de") == german


@pytest.mark.parametrize(
    ("minor", "amount", "unit", "expected"),
    [
        (349, 750, "g", (465, "kg")),
        (100, 300, "g", (333, "kg")),
        (1, 2000, "ml", (1, "l")),
        (329, 10, "piece", (33, "piece")),
        (0, 500, "g", (0, "kg")),
    ],
)
def test_a_unit_price_is_rounded_half_up(minor: int, amount: int, unit: str, expected: tuple[int, str]) -> None:
    assert i18n.unit_price(minor, amount, unit) == expected


def test_quantities_take_the_unit_that_reads_best() -> None:
    assert i18n.quantity(750, "g", "en") == "750 g"
    assert i18n.quantity(1500, "ml", "de") == "1,5 l"
    assert i18n.quantity(20000, "g", "en") == "20 kg"
    assert i18n.quantity(1250, "m", "en") == "1.2 km"
    assert i18n.quantity(1, "piece", "en") == "1 pc"
    assert i18n.quantity(6, "piece", "de") == "6 Stück"


def test_numbers_and_shares() -> None:
    assert i18n.number(1284, "de") == "1.284"
    assert i18n.number(1.25, "en", 1) == "1.2"
    assert i18n.number(3, "de", 2) == "3,00"
    assert i18n.percent(0.12, "de") == "12\xa0%"


def test_times_are_those_of_the_districts_zone_on_both_nights_of_change() -> None:
    zone = "Europe/Helsinki"
    spring = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert i18n.clock(spring, zone, "en") == "02:59"
    assert i18n.clock(spring + timedelta(minutes=1), zone, "en") == "04:00"
    autumn = datetime(2026, 10, 25, 0, 59, tzinfo=UTC)
    assert i18n.clock(autumn, zone, "de") == "03:59"
    assert i18n.clock(autumn + timedelta(minutes=1), zone, "de") == "03:00"
    assert i18n.day(datetime(2026, 11, 21, 22, 30, tzinfo=UTC), zone, "de") == "So., 22. Nov."
    assert i18n.clock(NOW, zone, "de", seconds=True) == "11:05:00"


def test_spans_and_distances_in_time() -> None:
    assert i18n.ago(NOW - timedelta(minutes=5), NOW, "de") == "vor 5 Minuten"
    assert i18n.ago(NOW + timedelta(minutes=20), NOW, "en") == "in 20 minutes"
    assert i18n.span(1500, "de") == "25 Min."


def forms(text: Message) -> tuple[str, ...]:
    return (text.id,) if isinstance(text.id, str) else tuple(text.id)


def strings(text: Message) -> tuple[str, ...]:
    return (text.string,) if isinstance(text.string, str) else tuple(text.string or ())


def translated(text: Message | None) -> bool:
    return text is not None and not text.fuzzy and any(strings(text)) and all(strings(text))


@pytest.mark.parametrize(
    ("hours", "english", "german"),
    [
        (-24, "yesterday 11:05", "gestern 11:05"),
        (0, "today 11:05", "heute 11:05"),
        (24, "tomorrow 11:05", "morgen 11:05"),
        (72, "Wed 25 Nov 11:05", "Mi., 25. Nov. 11:05"),
    ],
)
def test_a_moment_near_the_present_is_said_as_one_would(hours: int, english: str, german: str) -> None:
    now = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)
    at = now + timedelta(hours=hours)
    assert i18n.when(at, now, "Europe/Helsinki", "en") == english
    assert i18n.when(at, now, "Europe/Helsinki", "de") == german


def test_a_day_turns_at_midnight_of_the_district() -> None:
    now = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
    assert i18n.when(now + timedelta(hours=1), now, "Europe/Helsinki", "en") == "tomorrow 00:30"


def test_a_rate_keeps_its_tenths() -> None:
    assert i18n.rate(1350, "en") == "13.5%"
    assert i18n.rate(2550, "de") == "25,5\xa0%"
    assert i18n.rate(1000, "de") == "10\xa0%"


def test_the_week_begins_on_monday() -> None:
    assert i18n.weekdays("de")[0] == "Montag"
    assert len(i18n.weekdays("en")) == 7

"""Words and figures in a person's language: gettext catalogues, and CLDR forms of money, numbers and time.

Screen text is written in English and looked up in ``locale/<language>/LC_MESSAGES/messages.po``. Catalogues
are compiled in memory when first used, so that there is no compiled file to forget. To collect new texts and
bring the catalogues up to date: ``python frontend/catalogues.py``.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from babel.support import NullTranslations, Translations
from babel.units import format_unit

APP = Path(__file__).parent
SOURCE = "en"
LOCALES = ("en", "de")

# Which CLDR forms a language takes. English here is the English of Europe: day before month, 24 hours.
FORMS = {"en": "en_GB", "de": "de_DE"}

NOTE = "For translators:"
HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: Hanse\\n"
"Language: {locale}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

UNITS: dict[str, tuple[str, str]] = {  # unit → (its CLDR unit, the CLDR unit of a thousand of it)
    "g": ("mass-gram", "mass-kilogram"),
    "ml": ("volume-milliliter", "volume-liter"),
    "m": ("length-meter", "length-kilometer"),
}


def N_(message: str) -> str:  # noqa: N802  (the name that gettext tools look for)
    """Mark a text for the catalogue where it is written; a template translates it where it is shown."""
    return message


def negotiate(cookie: str | None, accept_language: str | None) -> str:
    """The language to answer in: the person's own choice, else the browser's wish, else English."""
    if cookie in LOCALES:
        return cookie
    wished = sorted(_wishes(accept_language or ""), key=lambda wish: -wish[1])
    found = negotiate_locale([name for name, _ in wished], LOCALES, sep="-")
    return found or SOURCE


@lru_cache(maxsize=len(LOCALES))
def translations(locale: str) -> NullTranslations:
    """The compiled catalogue of a language; for the source language it returns each text as written."""
    if locale == SOURCE:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(locale))
    compiled.seek(0)
    return Translations(compiled)


# A page says the same few prices and distances again and again, and forming one takes 50 µs.
@lru_cache(maxsize=16_384)
def money(minor: int, currency: str, locale: str) -> str:
    """An amount in minor units of an ISO 4217 currency, e.g. ``money(349, "EUR", "de")`` → ``3,49 €``."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=FORMS[locale])


def unit_price(minor: int, amount: int, unit: str) -> tuple[int, Literal["kg", "l", "piece"]]:
    """What a kilogram, a litre or a piece costs, as Directive 98/6/EC wants it shown beside the price.

    Parameters
    ----------
    minor : the selling price in minor units
    amount : how much is in the pack, at least 1
    unit : ``g``, ``ml`` or ``piece``

    Returns
    -------
    The price in minor units, rounded half up, and the unit that it is for.

    Examples
    --------
    >>> unit_price(349, 750, "g")
    (465, 'kg')
    >>> unit_price(199, 6, "piece")
    (33, 'piece')
    """
    base: dict[str, tuple[int, Literal["kg", "l", "piece"]]] = {
        "g": (1000, "kg"),
        "ml": (1000, "l"),
        "piece": (1, "piece"),
    }
    scale, per = base[unit]
    return (2 * minor * scale + amount) // (2 * amount), per


def number(value: int | float | Decimal, locale: str, decimals: int | None = None) -> str:
    """A number with the language's separators; with `decimals` exactly that many."""
    form = None if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(value, format=form, locale=FORMS[locale])


def percent(share: float, locale: str) -> str:
    """A share of 0–1 as a percentage."""
    return format_percent(share, locale=FORMS[locale])


def rate(basis_points: int, locale: str) -> str:
    """A rate in basis points as an exact percentage, e.g. ``rate(1350, "de")`` → ``13,5 %``."""
    return format_percent(Decimal(basis_points) / 10_000, locale=FORMS[locale], decimal_quantization=False)


@lru_cache(maxsize=16_384)
def quantity(amount: int, unit: str, locale: str) -> str:
    """A content or a distance in the unit that reads best: ``750 g``, ``1.5 l``, ``350 m``, ``6 pcs``."""
    if unit == "piece":
        word = translations(locale).ungettext("%(num)s pc", "%(num)s pcs", amount)
        return word % {"num": number(amount, locale)}
    small, large = UNITS[unit]
    if amount < 1000:
        return format_unit(amount, small, length="short", locale=FORMS[locale])
    value = Decimal(amount) / 1000
    shown = round(value, 1 if unit == "m" else 3).normalize()
    return format_unit(shown, large, length="short", locale=FORMS[locale])


def clock(at: datetime, zone: str, locale: str, seconds: bool = False) -> str:
    """The time of day in the district's zone, e.g. ``14:05``."""
    form = "HH:mm:ss" if seconds else "HH:mm"
    return format_time(at, form, tzinfo=ZoneInfo(zone), locale=FORMS[locale])


def day(at: datetime, zone: str, locale: str) -> str:
    """The day in the district's zone, e.g. ``Sun, 22 Nov`` or ``So., 22. Nov.``."""
    local = at.astimezone(ZoneInfo(zone))
    form = Locale.parse(FORMS[locale]).datetime_skeletons["MMMEd"].pattern
    return format_date(local, form, locale=FORMS[locale])


def moment(at: datetime, zone: str, locale: str) -> str:
    """Day and time in the district's zone, for receipts and stories."""
    return format_datetime(at, "medium", tzinfo=ZoneInfo(zone), locale=FORMS[locale])


def when(at: datetime, now: datetime, zone: str, locale: str) -> str:
    """A moment near the present as one would say it, e.g. ``today 14:30`` or ``Wed, 25 Nov 09:15``."""
    local = ZoneInfo(zone)
    days = (at.astimezone(local).date() - now.astimezone(local).date()).days
    gettext = translations(locale).gettext
    forms = {-1: gettext("yesterday %(time)s"), 0: gettext("today %(time)s"), 1: gettext("tomorrow %(time)s")}
    if days in forms:
        return forms[days] % {"time": clock(at, zone, locale)}
    return f"{day(at, zone, locale)} {clock(at, zone, locale)}"


def weekdays(locale: str) -> list[str]:
    """The days of the week in full, Monday first."""
    names = Locale.parse(FORMS[locale]).days["stand-alone"]["wide"]
    return [names[day] for day in range(7)]


def ago(at: datetime, now: datetime, locale: str) -> str:
    """How far `at` is from `now`, e.g. ``5 minutes ago`` or ``in 20 minutes``."""
    return format_timedelta(at - now, add_direction=True, threshold=1.1, locale=FORMS[locale])


def span(seconds: float, locale: str) -> str:
    """A length of time, e.g. ``25 min``."""
    return format_timedelta(timedelta(seconds=seconds), format="short", threshold=1.5, locale=FORMS[locale])


def catalogue(locale: str) -> Catalog:
    """The catalogue as its translators wrote it."""
    with catalogue_path(locale).open("rb") as file:
        return read_po(file, locale=locale)


def collected() -> Catalog:
    """Every text there is, from templates and Python."""
    texts = Catalog(fuzzy=False)
    options = {"templates/**.html": {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}}
    # `say` is how a handler asks for a text in the visitor's language.
    words = {**DEFAULT_KEYWORDS, "say": None, "say_many": (1, 2)}
    methods = [("templates/**.html", "jinja2"), ("**.py", "python")]
    for name, _, message, comments, context in extract_from_dir(APP, methods, options, words, (NOTE,)):
        texts.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return texts


def updated(locale: str) -> bytes:
    """A language's catalogue with every text there is and none that is gone, as its file should read."""
    known = catalogue(locale)
    known.update(collected(), no_fuzzy_matching=True)
    known.obsolete.clear()
    written = io.BytesIO()
    # No dates, line numbers or line breaks: a text that did not change makes no line in a commit.
    write_po(written, known, width=0, include_lineno=False, sort_by_file=True, omit_header=True)
    return HEADER.format(locale=locale, plural=known.plural_forms).encode() + written.getvalue()


def catalogue_path(locale: str) -> Path:
    """Where a language's catalogue lies."""
    return APP / "locale" / locale / "LC_MESSAGES" / "messages.po"


def _wishes(accept_language: str) -> list[tuple[str, float]]:
    wishes = []
    for part in accept_language.split(",")[:20]:
        name, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((name, float(quality or 1)))
        except ValueError:
            continue
    return wishes

import re
from collections import Counter

import polars as pl
import pytest

from hanse.kernel.errors import Unavailable
from hanse.world.demo import sources, tables
from hanse.world.demo.scenario import Scenario

# Words without a vowel or in capitals that are no abbreviations of the source, or are what the trade prints.
SHORT_FORMS = set("AA AAA C D E B L M XL BLT SPF LSF WC den".split())


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text))


def vocabulary(language: str) -> set[str]:
    texts = [getattr(row, language) for row in tables.goods()]
    texts += [getattr(option, language) for options in tables.variants().values() for option in options]
    vocabulary = set().union(*(words(text) for text in texts))
    return vocabulary | {word[0].upper() + word[1:] for word in vocabulary}


@pytest.fixture(scope="module")
def raw_labels() -> set[str]:
    try:
        raw = pl.read_parquet(sources.products_file(), columns=["product_category", "product_type"])
    except Unavailable as missing:
        pytest.skip(str(missing))
    return {label for column in raw.get_columns() for label in column.drop_nulls().unique()}


def test_every_word_of_every_title_is_in_the_checked_tables(scenario: Scenario) -> None:
    for language in ("english", "german"):
        known = vocabulary(language)
        for product in scenario.products:
            assert words(getattr(product, language)) <= known, product


def test_no_word_of_the_tables_is_an_abbreviation() -> None:
    for language in ("english", "german"):
        for word in vocabulary(language) - SHORT_FORMS:
            assert not (word.isupper() and len(word) > 1), word
            assert len(word) < 3 or re.search("[aeiouyäöüéèêôû]", word.casefold()), word


def test_no_raw_label_is_shown(scenario: Scenario, raw_labels: set[str]) -> None:
    for product in scenario.products:
        assert product.english not in raw_labels
        assert product.german not in raw_labels


def test_every_row_of_the_table_names_goods_that_the_source_has(raw_labels: set[str]) -> None:
    for good in tables.goods():
        assert good.product_type in raw_labels
        assert good.product_category in raw_labels | {"-"}


def test_every_good_has_a_title_in_both_languages() -> None:
    for good in tables.goods():
        assert bool(good.english) == bool(good.german), good
        assert good.english or tables.variants()[good.variants], good
        assert not good.variants or good.variants in tables.variants(), good


def test_variants_of_a_set_differ_in_both_languages() -> None:
    for name, options in tables.variants().items():
        assert len({option.english for option in options}) == len(options), name
        assert len({option.german for option in options}) == len(options), name


def test_titles_start_with_a_capital(scenario: Scenario) -> None:
    for product in scenario.products:
        assert product.english[0].isupper()
        assert product.german[0].isupper()


def test_what_looks_the_same_is_one_article(scenario: Scenario) -> None:
    looks = Counter(
        (p.category, p.brand, p.english, p.german, p.size_count, p.size_value, p.size_unit) for p in scenario.products
    )
    assert looks.most_common(1)[0][1] == 1

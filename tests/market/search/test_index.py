"""Finding products by words, in both languages, with mistakes, and after changes."""

import pytest

from hanse.kernel.quantity import Quantity
from hanse.market.catalogue.views import Product
from hanse.market.search.index import ProductIndex

ROWS = (
    ("prd_milk", "Whole milk", "Vollmilch", "Nordland", "dairy"),
    ("prd_bread", "Rye bread", "Roggenbrot", "Hovi", "bread"),
    ("prd_juice", "Apple juice", "Apfelsaft", "Nordland", "drink"),
    ("prd_cheese", "Cheese slices", "Käsescheiben", "Alpenhof", "dairy"),
    ("prd_apples", "Red apples", "Rote Äpfel", "", "fruit"),
)


def product(number: int, product_id: str, title_en: str, title_de: str, brand: str, category: str) -> Product:
    gtin = f"20000000{number:05d}"
    size = Quantity(1_000, "g")
    return Product(product_id, gtin, title_en, title_de, brand, size, category, category, 1350, ())


@pytest.fixture(scope="module")
def index() -> ProductIndex:
    made = ProductIndex()
    assert made.take_in(product(number, *row) for number, row in enumerate(ROWS)) == len(ROWS)
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("milk", ["prd_milk"]),
        ("MILK", ["prd_milk"]),
        ("whole mil", ["prd_milk"]),
        ("Vollmilch", ["prd_milk"]),
        ("milch", ["prd_milk"]),
        ("brot", ["prd_bread"]),
        ("breads", ["prd_bread"]),
        ("kase", ["prd_cheese"]),
        ("käse", ["prd_cheese"]),
        ("apple juice", ["prd_juice"]),
        ("juice apple", ["prd_juice"]),
        ("nordland juice", ["prd_juice"]),
        ("jiuce", ["prd_juice"]),
        ("2000000000003", ["prd_cheese"]),
        ("submarine", []),
        ("", []),
        ("  ...  ", []),
        ('"(*+-~^[]{}\\', []),
        ("AND OR NOT", []),
    ],
)
def test_words_mean_products(index: ProductIndex, text: str, found: list[str]) -> None:
    assert index.search(text, limit=10) == found


def test_all_that_match_are_found_up_to_the_limit(index: ProductIndex) -> None:
    assert set(index.search("apple", limit=10)) == {"prd_juice", "prd_apples"}
    assert len(index.search("apple", limit=1)) == 1


def test_very_many_words_are_no_harm(index: ProductIndex) -> None:
    assert index.search("milk " * 10_000, limit=10) == ["prd_milk"]
    assert index.search("x" * 100_000, limit=10) == []


def test_a_gtin_leads_to_its_product(index: ProductIndex) -> None:
    assert index.by_gtin("2000000000001") == "prd_bread"
    assert index.by_gtin("2000000000099") == ""


def test_a_product_that_changes_is_found_by_its_new_words_only() -> None:
    index = ProductIndex()
    index.take_in([product(0, "prd_1", "Whole milk", "Vollmilch", "", "dairy")])
    index.take_in([product(0, "prd_1", "Oat drink", "Haferdrink", "", "drink")])
    assert index.search("milk", limit=10) == []
    assert index.search("oat", limit=10) == ["prd_1"]

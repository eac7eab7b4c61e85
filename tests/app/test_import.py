import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.app.house import House
from hanse.app.settings import Settings
from hanse.app.shopfiles import COLUMNS
from hanse.kernel.quantity import Quantity
from hanse.market.catalogue.views import Catalogue
from hanse.supply.stock.views import Stock

Run = Callable[..., tuple[int, str, str]]


def opened(data: Path) -> House:
    house = House(Settings(folder=data))
    house.journal.close()
    house.vault.close()
    return house


def test_one_file_lists_prices_and_counts(run: Run, data: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "all.csv"
    sheet.write_bytes(
        "EAN;Bezeichnung;Kategorie;MwSt;Preis;Bestand;Inhalt;Farbe\n"
        "4006381333931;Käse;dairy;13,5;1.249,90;12;1,5 l;rot\n"
        "2000000000015;;;;2,49;9;;\n".encode("latin-1")
    )
    code, out, err = run("import", sheet, "--shop", "shp_1", "--data", data)
    assert (code, out) == (0, "shp_1: 1 products, 2 offers and 2 counts changed; the rest was so already.\n")
    assert "left out: farbe" in err
    district = opened(data).district
    cheese = district.view(Catalogue).products["prd_4006381333931"]
    assert (cheese.title_en, cheese.size, cheese.vat_bp) == ("Käse", Quantity(1_500, "ml"), 1_350)
    offers = district.view(Catalogue).offers
    assert offers["off_1_4006381333931"].price_minor == 124_990
    assert offers["off_1"].price_minor == 249
    assert {item: count.on_hand for item, count in district.view(Stock).items.items()} == {
        "itm_1": 9,
        "itm_1_4006381333931": 12,
    }


def test_a_second_import_of_the_same_changes_nothing(run: Run, data: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "offers.json"
    sheet.write_text('[{"gtin": "2000000000015", "price": 2.49, "on_hand": 7}]', encoding="utf-8")
    run("import", sheet, "--shop", "shp_1", "--data", data)
    position = opened(data).district.position
    assert "0 products, 0 offers and 0 counts" in run("import", sheet, "--shop", "shp_1", "--data", data)[1]
    assert opened(data).district.position == position


BAD = (
    "gtin,title,vat,category,price,on_hand\n"
    "2000000000015,,,,2.99,4\n"
    "4006381333932,,,,1.00,\n"
    "4006381333931,Pen,13.5,,1.005,2\n"
    "2000000000015,,,,3.99,\n"
    "4012345678901,,,,-1,1e99\n"
    ',"two\nlines",13.5,things,1,1\n'
    "5901234123457,,,,1,1\n"
    "5901234123457,a,b,c,d,e,f\n"
)


def test_every_fault_is_told_with_its_line_and_nothing_is_changed(run: Run, data: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "bad.csv"
    sheet.write_text(BAD, encoding="utf-8")
    position = opened(data).district.position
    code, _, err = run("import", sheet, "--shop", "shp_1", "--data", data)
    assert code == 2
    assert "nothing was changed" in err
    assert [re.match(r"bad\.csv:(\d+): ([\w ]+):", line).groups() for line in err.splitlines()[:-1]] == [  # type: ignore[union-attr]
        ("3", "gtin"),
        ("4", "price"),
        ("4", "category"),
        ("6", "price"),
        ("6", "on_hand"),
        ("7", "title"),
        ("7", "gtin"),
        ("10", "cells beyond the head"),
        ("5", "price"),
        ("9", "gtin"),
    ]
    assert opened(data).district.position == position


def test_what_is_right_can_be_brought_in_without_the_rest(run: Run, data: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "bad.csv"
    sheet.write_text(BAD, encoding="utf-8")
    code, out, _ = run("import", sheet, "--shop", "shp_1", "--data", data, "--skip-bad")
    assert (code, out) == (0, "shp_1: 0 products, 1 offers and 1 counts changed; the rest was so already.\n")
    assert opened(data).district.view(Catalogue).offers["off_1"].price_minor == 299


def test_a_shop_joins_and_brings_its_goods(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(
        json.dumps(
            {"name": "Leipomo", "kind": "bakery", "street": "Katu 2", "lat": 60.1, "lon": 24.9, "commission_bp": 700}
            | {"hours": [[[420, 1_080]]] * 5 + [[], []]}
        ),
        encoding="utf-8",
    )
    (tmp_path / "goods.csv").write_text("gtin,price\n2000000000015,2.20\n", encoding="utf-8")
    arguments = ["--shop", "shp_2", "--join", tmp_path / "shop.json", "--data", data]
    assert run("import", tmp_path / "goods.csv", *arguments)[0] == 0
    known = opened(data).district.view(Catalogue)
    assert known.shops["shp_2"].name == "Leipomo"
    assert known.offers["off_2_1"].price_minor == 220


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("a.csv", "colour,shape\nred,round\n", "names none of the columns"),
        ("a.json", '{"gtin": "1"}', "has to be a JSON array"),
        ("a.json", '[\n{"gtin": "2000000000015"},\n{"gtin" 1}]', "a.json:3:"),
        ("a.json", "[1]", "a.json:1: a row has to be an object"),
    ],
)
def test_a_file_that_is_none_is_refused(
    run: Run, data: Path, tmp_path: Path, name: str, body: str, sentence: str
) -> None:
    (tmp_path / name).write_text(body, encoding="utf-8")
    code, _, err = run("import", tmp_path / name, "--shop", "shp_1", "--data", data)
    assert (code, sentence in err) == (2, True)


def test_an_import_into_a_running_district_is_refused(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "goods.csv").write_text("gtin,price\n2000000000015,2.20\n", encoding="utf-8")
    house = House(Settings(folder=data))
    try:
        code, _, err = run("import", tmp_path / "goods.csv", "--shop", "shp_1", "--data", data)
        assert (code, "stop it first" in err) == (4, True)
    finally:
        house.journal.close()
        house.vault.close()


def test_an_import_for_an_unknown_shop_is_not_found(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "goods.csv").write_text("gtin,price\n2000000000015,2.20\n", encoding="utf-8")
    assert run("import", tmp_path / "goods.csv", "--shop", "shp_9", "--data", data)[0] == 3


def test_the_page_about_it_names_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/connect-a-shop.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in page] == []

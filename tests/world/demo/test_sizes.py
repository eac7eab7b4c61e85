import pytest

from hanse.world.demo.sizes import NO_SIZE, Size, label, metric, usual


@pytest.mark.parametrize(
    ("raw", "measure", "size"),
    [
        ("12 OZ", "ml", Size(1, 355, "ml")),
        ("12 OZ", "g", Size(1, 340, "g")),
        ("16 OZ", "g", Size(1, 450, "g")),
        ("1 LB", "g", Size(1, 450, "g")),
        ("5 LB", "g", Size(1, 2250, "g")),
        ("2 L", "ml", Size(1, 2000, "ml")),
        ("750 ML", "ml", Size(1, 750, "ml")),
        ("67.6 OZ", "ml", Size(1, 2000, "ml")),
        ("1 GA", "ml", Size(1, 3790, "ml")),
        ("HALF GAL", "ml", Size(1, 1890, "ml")),
        ("1 QT", "ml", Size(1, 946, "ml")),
        ("PT", "ml", Size(1, 473, "ml")),
        ("32 OZ", "ml", Size(1, 946, "ml")),
        ("64 OZ", "ml", Size(1, 1890, "ml")),
        ("13.5 FL OZ", "ml", Size(1, 399, "ml")),
        ("8 1/2 OZ", "g", Size(1, 240, "g")),
        ("3/4 OZ", "g", Size(1, 20, "g")),
        (".13 OZ", "g", Size(1, 4, "g")),
        ("10/6.75 OZ", "ml", Size(10, 200, "ml")),
        ("6 PK/8 OZ", "ml", Size(6, 237, "ml")),
        ("16.9 OZ/6 PK", "ml", Size(6, 500, "ml")),
        ("405.6 OZ", "ml", Size(24, 500, "ml")),
        ("8 CT/16.3 OZ", "g", Size(1, 460, "g")),
        ("3/3.5 OZ", "g", Size(3, 100, "g")),
        ("5-LB BAG", "g", Size(1, 2250, "g")),
        ("N   12 OZ", "g", Size(1, 340, "g")),
        ("(600) 4 LB", "g", Size(1, 1800, "g")),
        ("40 CT", "pc", Size(1, 40, "pc")),
        ("18 CT/QT", "pc", Size(1, 18, "pc")),
        ("1 DZ", "pc", Size(1, 12, "pc")),
        ("6 CT", "ml", Size(1, 6, "pc")),
        ("3 OZ", "pc", NO_SIZE),
        ("32 LOADS", "ml", NO_SIZE),
        ("50 SQ FT", "pc", NO_SIZE),
        ("CTN", "pc", NO_SIZE),
        ("", "g", NO_SIZE),
        (None, "g", NO_SIZE),
    ],
)
def test_a_raw_size_becomes_metric(raw: str | None, measure: str, size: Size) -> None:
    assert metric(raw, measure) == size


def test_usual_sizes_are_read_as_the_tables_write_them() -> None:
    assert usual("500g") == Size(1, 500, "g")
    assert usual("12x355ml") == Size(12, 355, "ml")
    assert usual("1kg") == Size(1, 1000, "g")
    assert usual("") == NO_SIZE


def test_labels_follow_the_language() -> None:
    assert label(1, 1890, "ml", german=True) == "1,89 l"
    assert label(6, 330, "ml") == "6 × 330 ml"
    assert label(1, 10, "pc", german=True) == "10 St."
    assert label(1, 0, "pc") == ""

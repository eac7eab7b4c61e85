import msgspec
import pytest

from hanse.journal.protocol import JournalFenced, JournalUnavailable
from hanse.kernel import errors
from hanse.kernel.chance import stream
from hanse.kernel.errors import HanseError, InvalidInput, must
from hanse.kernel.geo import Place, distance_m
from hanse.kernel.quantity import PIECES_MAX, Quantity, check_pieces, reference_price
from hanse.kernel.values import Wish


def test_distance_is_symmetric_zero_at_home_and_right_between_cities() -> None:
    helsinki, luebeck = Place(60.1699, 24.9384), Place(53.8655, 10.6866)
    assert distance_m(helsinki, helsinki) == 0
    assert distance_m(helsinki, luebeck) == distance_m(luebeck, helsinki)
    assert round(distance_m(helsinki, luebeck) / 1_000) == 1_108


def test_across_the_date_line_is_near() -> None:
    assert round(distance_m(Place(0, 179.5), Place(0, -179.5)) / 1_000) == 111


@pytest.mark.parametrize(
    ("lat", "lon", "field"), [(91, 0, "lat"), (0, -181, "lon"), (float("nan"), 0, "lat"), (0, float("inf"), "lon")]
)
def test_a_place_off_the_earth_is_refused(lat: float, lon: float, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Place(lat, lon)
    assert refused.value.details == {"field": field}


def test_reference_prices_are_per_kilogram_or_litre_and_pieces_have_none() -> None:
    assert reference_price(199, Quantity(500, "g")) == (398, "kg")
    assert reference_price(100, Quantity(330, "ml")) == (303, "l")
    assert reference_price(100, Quantity(1)) is None
    assert reference_price(100, Quantity(0, "g")) is None


@pytest.mark.parametrize("pieces", [0, -1, PIECES_MAX + 1])
def test_pieces_have_bounds_at_the_door_and_in_the_kernel(pieces: int) -> None:
    assert check_pieces(PIECES_MAX) == PIECES_MAX
    with pytest.raises(InvalidInput) as refused:
        check_pieces(pieces)
    assert refused.value.details == {"field": "quantity", "value": pieces}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"offer_id": "off_1", "quantity": pieces}, Wish)


def test_a_stream_repeats_itself_and_is_not_shifted_by_another() -> None:
    first = [stream(7, "shoppers").random() for _ in range(2)]
    assert first[0] == first[1]
    assert stream(7, "shoppers").random() != stream(8, "shoppers").random()
    assert round(stream(2026, "couriers").random(), 12) == 0.583549617995  # on every Python, for ever


def test_every_error_answers_as_one_of_six_kinds() -> None:
    kinds = {cls.kind for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, HanseError)}
    assert kinds == {
        "HanseError",
        "InvalidInput",
        "NotFound",
        "Conflict",
        "NotAllowed",
        "LimitExceeded",
        "Unavailable",
    }
    assert (JournalFenced.kind, JournalUnavailable.kind) == ("Conflict", "Unavailable")


def test_an_error_says_what_to_do_and_what_it_is_about() -> None:
    with pytest.raises(InvalidInput) as refused:
        must(0, "kernel.example", "Do that.", field="x", value=3)
    error = refused.value
    assert (error.code, error.message, str(error), error.details) == (
        "kernel.example",
        "Do that.",
        "Do that.",
        {"field": "x", "value": 3},
    )
    must(1, "kernel.example", "Never said.")

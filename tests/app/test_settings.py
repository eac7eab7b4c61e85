from pathlib import Path

import pytest

from hanse.app.settings import Settings, from_environment
from hanse.kernel.errors import InvalidInput


def test_what_was_chosen_goes_before_the_environment_and_that_before_the_default() -> None:
    said = {"HANSE_PORT": "9000", "HANSE_NAME": "quay", "HANSE_DATA": "/tests/only", "PATH": "/bin"}
    settings = from_environment(said, port=9_001, host=None)
    assert (settings.port, settings.name, settings.host) == (9_001, "quay", Settings().host)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"HANSE_PROT": "9000"}, "app.unknown_setting"),
        ({"HANSE_PORT": "many"}, "app.bad_setting"),
        ({"HANSE_DELIVERY_VAT_BP": "25500"}, "app.bad_setting"),
    ],
)
def test_what_does_not_fit_is_refused(said: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        from_environment(said)
    assert refused.value.code == code


def test_the_charter_has_the_rate_on_delivery() -> None:
    assert from_environment({"HANSE_DELIVERY_VAT_BP": "1900"}).charter().delivery_vat_bp == 1_900


def test_another_process_gets_the_same_settings_by_its_environment() -> None:
    settings = Settings(folder=Path("elsewhere"), port=0, demo=True, name="quay")
    assert from_environment(settings.environment()) == settings
    assert from_environment(Settings().environment()) == Settings()

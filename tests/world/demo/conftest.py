import pytest

from hanse.kernel.errors import Unavailable
from hanse.world.demo import build
from hanse.world.demo.scenario import Scenario


@pytest.fixture(scope="session")
def progress() -> list[tuple[str, float]]:
    return []


@pytest.fixture(scope="session")
def scenario(progress: list[tuple[str, float]]) -> Scenario:
    try:
        return build.scenario(1, progress=lambda stage, share: progress.append((stage, share)))
    except Unavailable as missing:
        pytest.skip(f"the demo's data packages are not installed: {missing}")

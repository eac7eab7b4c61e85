"""Every page of the manual that tells steps is walked: its blocks are run, its outputs are compared."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs/how-to"

WALKED: tuple[str, ...] = ("back-up-and-restore.md", "connect-a-shop.md", "join-districts.md", "runbook.md")
"""The pages whose every step is run."""


@pytest.mark.slow
@pytest.mark.parametrize("page", WALKED)
def test_every_step_of_a_page_does_what_the_page_says(page: str, tmp_path: Path) -> None:
    found = walk(HOW_TO / page, tmp_path / "folder")
    assert found.fault == ""
    assert found.run > 0

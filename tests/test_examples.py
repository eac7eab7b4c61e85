import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LAST_LINES = {
    "journal_with_sql": "after tampering: the entries 2 to 2 are not those that were committed",
    "ledger": "15:13 11500",
    "one_order": "league/commission 25",
    "opening_hours": "2026-03-29T04:05+03:00 → 2026-03-30T08:00+03:00",
    "own_flow": "per_hinnerk Moin! greet people in their own language",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_as_it_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.splitlines()[-1] == LAST_LINES[path.stem]


def test_every_example_is_named_here() -> None:
    assert [path.stem for path in EXAMPLES] == sorted(LAST_LINES)

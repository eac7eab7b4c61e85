"""The import contracts hold, and each catches the import that it is there to catch."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
NAMES = {contract["id"]: contract["name"] for contract in CONTRACTS}

# A small house in the shape of the large one, so that a contract is tried where a context has yet to be built.
HOUSE = {
    f"hanse/{folder}/__init__.py": ""
    for folder in [
        *["kernel", "numerics", "events", "journal", "compute", "district", "flows", "app", "world", "testing"],
        *["supply", "supply/stock", "supply/forecast", "market", "market/orders"],
    ]
} | {
    "hanse/__init__.py": "",
    "hanse/supply/stock/service.py": "from hanse.district import *\nfrom hanse.supply.stock.engine import *\n",
    "hanse/supply/stock/engine.py": "from hanse.kernel import *\nfrom hanse.supply.forecast.engine import *\n",
    "hanse/supply/forecast/engine.py": "from hanse.numerics import *\nimport math\n",
    "hanse/market/orders/views.py": "from hanse.events import *\n",
    "hanse/market/web.py": "import litestar\n",
    "hanse/flows/order.py": "from hanse.supply.stock.service import *\nfrom hanse.market.orders.views import *\n",
    "hanse/app/build.py": "from hanse.flows.order import *\nfrom hanse.market.web import *\n",
    "hanse/world/shoppers.py": "from hanse.app.build import *\n",
}

FAULTS = [
    ("layers", "hanse/kernel/money.py", "from hanse.events import market\n"),
    ("layers", "hanse/supply/stock/views.py", "from hanse.market.orders import views\n"),
    ("layers", "hanse/app/cli.py", "from hanse.world import shoppers\n"),
    ("layers", "hanse/testing/checks.py", "from hanse.world import shoppers\n"),
    ("layers", "hanse/district/writer.py", "from hanse.supply.stock import service\n"),
    ("layers", "hanse/tools/__init__.py", ""),
    ("engines", "hanse/supply/forecast/engine.py", "from hanse.events import *\n"),
    ("engines", "hanse/supply/forecast/engine.py", "from hanse.supply.stock.service import *\n"),
    ("engine-doors", "hanse/flows/order.py", "from hanse.supply.stock.engine import *\n"),
    ("engine-doors", "hanse/app/pages.py", "from hanse.supply.stock.engine import *\n"),
    ("no-web-below", "hanse/supply/stock/service.py", "import litestar\n"),
    ("no-cycles", "hanse/supply/forecast/engine.py", "from hanse.supply.stock.engine import *\n"),
]


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def build(house: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (house / path).parent.mkdir(parents=True, exist_ok=True)
        (house / path).write_text(text, encoding="utf-8")
    (house / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")


def test_the_repository_keeps_its_contracts() -> None:
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout


def test_a_house_of_the_right_shape_keeps_all_contracts(tmp_path: Path) -> None:
    build(tmp_path, HOUSE)
    answer = lint(tmp_path)
    assert answer.returncode == 0, answer.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in answer.stdout


@pytest.mark.parametrize(("contract", "path", "line"), FAULTS, ids=[f"{c}-{p}" for c, p, _ in FAULTS])
def test_a_bad_import_breaks_its_contract(contract: str, path: str, line: str, tmp_path: Path) -> None:
    build(tmp_path, HOUSE | {path: HOUSE.get(path, "") + line})
    answer = lint(tmp_path)
    assert answer.returncode == 1, answer.stdout
    assert f"{NAMES[contract]} BROKEN" in " ".join(answer.stdout.split())


def test_the_app_has_one_door_to_engines(tmp_path: Path) -> None:
    build(
        tmp_path,
        HOUSE
        | {"hanse/app/http/engines.py": "from hanse.supply.stock.engine import *\n", "hanse/app/http/__init__.py": ""},
    )
    answer = lint(tmp_path)
    assert answer.returncode == 0, answer.stdout

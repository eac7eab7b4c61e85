"""Every rule of tidy is kept here, and catches what it is there to catch."""

from pathlib import Path

import pytest

from tools import tidy

ROOT = Path(__file__).parents[2]

CARD = '"""Stock.\n\nQuestion: a\nEngine: b\nMethod: c\nReads: d\nRecords: e\nLimits: f\nNot for: g\n"""\n'
DICTIONARY = "@stored('supply.stock_counted')\nclass StockCounted(Event): ...\n"

# One planted fault for each rule: where, what, and the line on which it must be found.
FAULTS = {
    "banned-names": ("hanse/supply/utils.py", "", 1),
    "context-init": ("hanse/supply/__init__.py", '"""Supply."""\nfrom hanse.supply import stock\n', 2),
    "capability-card": ("hanse/supply/stock/__init__.py", CARD.replace("Limits: f\n", ""), 1),
    "doors-only": (
        "hanse/flows/order.py",
        "from hanse.supply.stock import service\nfrom hanse.supply.stock import solve\n",
        2,
    ),
    "event-names": ("hanse/events/supply.py", "@stored('supply.count_stock')\nclass CountStock(Event): ...\n", 1),
    "free-event-names": ("hanse/supply/stock/views.py", "NAME = 'supply.stock_counted'\n", 1),
    "exact-money": ("hanse/kernel/values.py", "class Line:\n    price_minor: float\n", 2),
    "engine-imports": ("hanse/supply/stock/engine.py", "import math\nimport litestar\n", 2),
    "pure": ("hanse/kernel/chance.py", "import random\nx = random.Random(7)\ny = random.random()\n", 3),
    "no-print": ("hanse/flows/order.py", "print('hello')\n", 1),
    "no-leftovers": ("hanse/flows/order.py", "x = 1  # FIX" + "ME\n", 1),
    "blind-except": ("hanse/flows/order.py", "try:\n    x = 1\nexcept Exception:\n    x = 2\n", 3),
    "no-sleep-in-tests": ("tests/test_order.py", "import time\ntime.sleep(1)\n", 2),
    "no-mocks": ("tests/test_order.py", "from unittest.mock import Mock\n", 1),
    "no-machine-paths": ("docs/notes.md", "see /" + "home/ada/hanse\n", 1),
    "no-registry-hosts": ("docs/notes.md", "from pypi" + ".org\n", 1),
    "gettext": ("hanse/app/templates/page.html", "{# a note #}\n<p>{{ _('Basket') }}</p>\n<p>Your basket</p>\n", 3),
    "docs-links": ("docs/notes.md", "[here](nowhere.md)\n", 1),
}

# What looks like a fault and is none.
INNOCENT = {
    "hanse/supply/__init__.py": '"""Supply: what there is."""\n',
    "hanse/supply/stock/__init__.py": CARD,
    "hanse/supply/stock/engine.py": "import math\nimport numpy as np\nrng = np.random.default_rng(7)\n",
    "hanse/events/supply.py": DICTIONARY,
    "hanse/events/market.py": "@stored('market.part_handed_over')\nclass PartHandedOver(Event): ...\n",
    "hanse/flows/order.py": "try:\n    x = 1\nexcept Exception:  # any answer will do\n    x = 2\n",
    "hanse/district/steps.py": "raise Conflict('supply.stock_counted', 'Count again.')\n",
    "hanse/journal/sqlite.py": "try:\n    x = 1\nexcept BaseException:\n    raise\n",
    "hanse/app/cli.py": "print('hello')\ntotal_minor: dict[str, int] = {}\n",
    "hanse/app/templates/page.html": (
        '<{{ tag }} class="button"{% if wide %} data-wide{% endif %}></{{ tag }}>\n'
        '{% macro rest(id) %} id="{{ id }}" required{% endmacro %}\n'
        "<title>Hanse</title>\n{% trans n=3 %}three pieces{% endtrans %}\n"
        '<a title="{{ _(\'Basket\') }}" class="wide">{{ price }} €</a>\n<script>let basket = 1</script>\n'
    ),
    "hanse/people/vault/__init__.py": CARD + "from hanse.people.vault.store import Vault\n",
    "hanse/people/vault/store.py": "class Vault: ...\n",
    "hanse/app/house.py": "from hanse.people.vault import Vault\nfrom hanse.people import web\n",
    "docs/notes.md": "# A note\n[up](#a-note) [here](notes.md) `[not a link](nowhere.md)` [web](https://example.org)\n",
}


def plant(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def test_the_repository_is_tidy() -> None:
    assert [str(finding) for finding in tidy.check(ROOT)] == []


def test_each_rule_has_a_planted_fault() -> None:
    assert [rule.name for rule in tidy.RULES] == list(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_its_rule_alone(name: str, tmp_path: Path) -> None:
    path, text, line = FAULTS[name]
    plant(tmp_path, {"hanse/events/supply.py": DICTIONARY, "hanse/supply/stock/engine.py": ""})
    plant(tmp_path, {path: text})
    found = [(finding.rule.name, finding.path, finding.line) for finding in tidy.check(tmp_path)]
    assert found == [(name, path, line)]


def test_what_only_looks_like_a_fault_is_left_alone(tmp_path: Path) -> None:
    plant(tmp_path, INNOCENT)
    assert [str(finding) for finding in tidy.check(tmp_path)] == []


def test_a_finding_says_where_why_and_what_to_do(tmp_path: Path) -> None:
    plant(tmp_path, {"hanse/flows/order.py": "print('hello')\n"})
    (finding,) = tidy.check(tmp_path)
    assert str(finding) == (
        "hanse/flows/order.py:1: [no-print] print()\n    A library that prints cannot be used in a server or a pipe. "
        "Return the text, or print in hanse/app/cli."
    )


def test_a_long_file_is_asked_about_and_fails_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {"hanse/flows/order.py": "x = 1\n" * 401})
    assert tidy.long_files(tmp_path) == [("hanse/flows/order.py", 401)]
    assert tidy.main(tmp_path) == 0

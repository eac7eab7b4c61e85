"""The mutation runner: which changes it makes, how they are planted, and a sample of what it is for."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tools.mutants import CAPABILITIES, Row, sample, table
from tools.mutation.changes import Mutant, mutants_of
from tools.mutation.planting import replace_code

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("code", "operator", "changed"),
    [
        ("a < b", "comparison", ["a <= b", "a >= b"]),
        ("0 < a <= b", "comparison", ["0 <= a <= b", "0 >= a <= b", "0 < a < b", "0 < a > b"]),
        ("a == b", "comparison", ["a != b"]),
        ("a is not None", "comparison", ["a is None"]),
        ("a is None", "constant", []),
        ("a not  in b", "comparison", ["a in b"]),
        ("(a + b) * c", "arithmetic", ["(a - b) * c", "(a + b) // c"]),
        ("-a", "sign or not dropped", ["a"]),
        ("not a.b(c)", "sign or not dropped", ["a.b(c)"]),
        ("a and b and c", "boolean", ["a or b and c", "a and b or c"]),
        ("a or b", "operand dropped", ["(a)", "(b)"]),
        ("A | B", "operand dropped", ["A", "B"]),
        ("a if b else c", "condition", ["a if True else c", "a if False else c"]),
        ("[a for a in b if c]", "condition", ["[a for a in b if True]", "[a for a in b if False]"]),
        ("[a for a in b if c]", "loop never runs", ["[a for a in () if c]"]),
        ("0", "constant", ["1", "-1"]),
        ("True", "constant", ["False"]),
        ("None", "constant", ["0"]),
        ("'a'", "constant", ["'a~'"]),
        ("b'a'", "constant", ["b'a~'"]),
        ("f'{a}/b'", "constant", ["f'/b'", "f'{a}/b~'"]),
        ("f(a, b, c)", "arguments swapped", ["f(a, c, b)", "f(b, a, c)"]),
        ("f(a, k=b)", "argument dropped", ["f(k=b)", "f(a)"]),
        ("max(a, b)", "arguments swapped", []),
        ("max(a, b)", "opposite call", ["min(a, b)"]),
        ("a.popleft()", "opposite call", ["a.pop()"]),
        ("a[b:c:d]", "slice", ["a[:c:d]", "a[b::d]", "a[b:c:]"]),
        ("{a: b, c: d}", "entry dropped", ["{a: b}", "{c: d}"]),
    ],
)
def test_what_becomes_of_an_expression(code: str, operator: str, changed: list[str]) -> None:
    source = f"x = {code}".encode()
    found = [m.applied(source).decode() for m in mutants_of("m", source) if m.operator == operator]
    assert sorted(found) == sorted(f"x = {one}" for one in changed)


@pytest.mark.parametrize(
    ("body", "operator", "changed"),
    [
        ("a.b = c", "statement dropped", ["pass"]),
        ("f(a)\nraise a", "statement dropped", ["pass\nraise a", "f(a)\npass"]),
        ("a += b", "arithmetic", ["a -= b", "a = b"]),
        ("if a: return b\nreturn c", "statement dropped", ["if a: pass\nreturn c"]),
        ("return a", "result", ["return None"]),
        ("if a: b()", "condition", ["if True: b()", "if False: b()"]),
        ("while a: b()", "condition", ["while False: b()"]),
        ("for a in b: c()", "loop never runs", ["for a in (): c()"]),
        ("for a in b: break", "break or continue", ["for a in b: continue"]),
        ("for a in b: continue", "break or continue", ["for a in b: break"]),
        ("'''What it does.'''", "statement dropped", []),
        ("a: int", "statement dropped", []),
        ("match a:\n  case 'b': pass", "constant", ["match a:\n  case 'b~': pass"]),
        ("try: a()\nexcept f(b): pass", "argument dropped", ["try: a()\nexcept f(): pass"]),
    ],
)
def test_what_becomes_of_a_statement(body: str, operator: str, changed: list[str]) -> None:
    source = indented(body)
    found = [mutant for mutant in mutants_of("m", source) if mutant.operator == operator]
    assert sorted(mutant.applied(source) for mutant in found) == sorted(map(indented, changed))
    assert {(mutant.scope, mutant.inside) for mutant in found} <= {("do", True)}


def indented(body: str) -> bytes:
    return ("def do():\n    " + body.replace("\n", "\n    ")).encode()


def test_around_functions_decorators_defaults_and_class_options_change_and_names_of_types_do_not() -> None:
    source = b"""
from a import b
__all__ = ["A"]
Either: TypeAlias = A | B
class A(S, frozen=True):
    n: Literal["x"] = 0
    @folds(B, C)
    def do(self, k: A | B = None) -> Literal["x"]: ...
"""
    found = {(m.scope, source[m.start : m.end].decode(), m.text) for m in mutants_of("m", source)}
    assert found == {
        ("A", "True", "False"),
        ("A", "0", "1"),
        ("A", "0", "-1"),
        ("A.do", "@folds(B, C)", ""),
        ("A.do", "folds(B, C)", "folds(B)"),
        ("A.do", "folds(B, C)", "folds(C)"),
        ("A.do", "None", "0"),
    }


def test_a_change_is_planted_into_the_function_that_others_know_already(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"""
class A:
    @property
    def two(self): return 1 + 1
    def three(self): return [n for n in (3,)][0]
def outer():
    kept = 4
    def inner(): return kept
    return inner
four = outer()
"""
    module = ModuleType("planted")
    exec(compile(source, "planted.py", "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "planted", module)
    known, four = module.A(), module.four
    mutants = {source[m.start : m.end]: m for m in mutants_of("planted", source) if m.operator != "constant"}
    assert replace_code(mutants[b"+"], source)
    assert replace_code(mutants[b"(3,)"], source)
    assert known.two == 0
    with pytest.raises(IndexError):
        known.three()
    assert replace_code(mutants[b"kept"], source)
    assert (four(), module.outer()()) == (4, None)
    elsewhere = mutants[b"+"]._replace(scope="A.none")
    assert not replace_code(elsewhere, source)


def test_the_same_sources_have_the_same_sample_and_others_another() -> None:
    mutants = [Mutant("m", "o", "s", True, (n, n), n, n, "") for n in range(1_000)]
    one, again, other = (sample(mutants, 20, {"m": source}) for source in (b"a", b"a", b"b"))
    assert one == again
    assert one != other
    assert sample(mutants[:5], 20, {"m": b"a"}) != []


def test_equivalent_mutants_do_not_count_and_what_timed_out_was_noticed() -> None:
    row = Row("supply.stock", mutants=11, killed=7, timeouts=1, survived=2, equivalent=1)
    assert row.score == 0.8
    assert table([row]).splitlines()[-1] == "| supply.stock | 11 | 7 | 1 | 2 | 1 | 80.0% |"


@pytest.mark.slow
def test_every_change_is_still_python() -> None:
    for module in (name for names in CAPABILITIES.values() for name in names):
        source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_bytes()
        for mutant in mutants_of(module, source):
            compile(mutant.applied(source), module, "exec", dont_inherit=True)


TRIED = """
import os
from pathlib import Path
from tools.mutation.changes import mutants_of
from tools.mutation.touching import survey
from tools.mutation.trying import Proving, try_all

source = Path("shop.py").read_bytes()
proving = Proving({"shop": source}, ["test_shop.py"], survey({"shop": Path("shop.py")}, ["test_shop.py"]), 2)
for mutant, outcome in try_all(mutants_of("shop", source), proving, lambda done: None).items():
    print(source[mutant.start : mutant.end].decode(), mutant.text, outcome, sep=" / ")
"""


@pytest.mark.slow
def test_what_tests_notice_is_killed_what_runs_on_times_out_and_the_rest_survives(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\nmarkers = ['slow']\npythonpath = ['.']\n")
    (tmp_path / "shop.py").write_text("RATE = 2\ndef price(n):\n    while n < 3:\n        n += RATE\n    return n\n")
    (tmp_path / "test_shop.py").write_text("import shop\n\ndef test_price():\n    assert shop.price(0) >= 4\n")
    done = subprocess.run(
        [sys.executable, "-c", TRIED],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            "2 / 3 / killed",
            "2 / 1 / killed",
            "n < 3 / False / killed",
            "< / <= / survived",
            "< / >= / killed",
            "3 / 4 / survived",
            "3 / 2 / killed",
            "n += RATE / pass / timeout",
            "+= / -= / timeout",
            "+= / = / timeout",
            "n / None / killed",
        ]
    )


@pytest.mark.slow
def test_a_sample_of_the_mutants_is_killed_but_for_those_that_are_known_to_be_equivalent() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.mutants", "--sample", "150"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

"""Every small change that can be made to a module's source, one at a time.

A loop's condition is made false but never true, for that would only run for ever; the arguments of `min` and `max`
are not swapped, for that changes nothing.
"""

import ast
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from tools.mutation.places import Decorator, Head, Place, children, places

__all__ = ["Mutant", "mutants_of"]


class Mutant(NamedTuple):
    """One change: the bytes from `start` to `end` of a module's source become `text`.

    `scope` is the function that it lies in, `inside` whether in the body of one; `lines` are those of the statement.
    """

    module: str
    operator: str
    scope: str
    inside: bool
    lines: tuple[int, int]
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        """The source with this change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


class _Edit(NamedTuple):
    operator: str
    start: int
    end: int
    text: str


def mutants_of(module: str, source: bytes) -> list[Mutant]:
    """All changes to a source, in its order."""
    text = _Text(source)
    found: dict[tuple[int, int, str], Mutant] = {}
    for place in places(ast.parse(source).body, "", "", inside=False):
        for edit in text.edits(place):
            where = edit.start, edit.end, edit.text
            found.setdefault(where, Mutant(module, edit.operator, place.scope, place.inside, place.lines, *where))
    return sorted(found.values(), key=lambda mutant: (mutant.start, mutant.end))


# What changes there are

_COMPARED: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
_COMPUTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
_OPPOSITES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "popleft": "pop",
    "appendleft": "append",
    "extendleft": "extend",
}
_COMMUTATIVE = ("min", "max")


class _Text:
    """A source as bytes, and the edits that can be made to its nodes."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._kinds: dict[type[ast.AST], Callable[..., Iterator[_Edit]]] = {
            ast.Compare: self._comparison,
            ast.BinOp: self._arithmetic,
            ast.AugAssign: self._in_place,
            ast.UnaryOp: self._sign,
            ast.BoolOp: self._junction,
            ast.IfExp: self._choice,
            ast.comprehension: self._comprehension,
            ast.Constant: self._constant,
            ast.JoinedStr: self._text,
            ast.Call: self._call,
            ast.Slice: self._slice,
            ast.Dict: self._entries,
            ast.Return: self._result,
            ast.Yield: self._result,
            Decorator: self._decorator,
            Head: self._condition,
        }

    def edits(self, place: Place) -> Iterator[_Edit]:
        """All edits at a place."""
        for node in place.nodes:
            if place.inside and isinstance(node, ast.stmt):
                yield from self._removal(node, last=place.last)
            yield from self._within(node)

    def _within(self, node: ast.AST) -> Iterator[_Edit]:
        kind = self._kinds.get(type(node))
        if kind is not None:
            yield from kind(node)
        for child in children(node):
            yield from self._within(child)

    def _span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node lies in the source."""
        placed: ast.expr = node  # type: ignore[assignment]  # whatever else is asked for has a place too
        first = self._lines[placed.lineno - 1] + placed.col_offset
        return first, self._lines[(placed.end_lineno or 0) - 1] + (placed.end_col_offset or 0)

    def _put(self, operator: str, node: ast.AST, text: str) -> _Edit:
        return _Edit(operator, *self._span(node), text)

    def _of(self, node: ast.expr) -> str:
        """A node's own text, safe to stand anywhere."""
        first, end = self._span(node)
        text = self._source[first:end].decode()
        return text if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) else f"({text})"

    def _between(self, operator: str, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[_Edit]:
        """Another operator between two operands."""
        first, end = self._span(left)[1], self._span(right)[0]
        found = re.search(re.escape(old).replace(r"\ ", r"\s+").encode(), self._source[first:end])
        if found:
            yield _Edit(operator, first + found.start(), first + found.end(), new)

    def _comparison(self, node: ast.Compare) -> Iterator[_Edit]:
        operands = [node.left, *node.comparators]
        for operation, (left, right) in zip(node.ops, pairwise(operands), strict=True):
            old, others = _COMPARED[type(operation)]
            for new in others:
                yield from self._between("comparison", left, right, old, new)

    def _arithmetic(self, node: ast.BinOp) -> Iterator[_Edit]:
        if isinstance(node.op, ast.BitOr | ast.BitAnd):
            for operand in (node.left, node.right):
                yield self._put("operand dropped", node, self._of(operand))
        else:
            yield from self._between("arithmetic", node.left, node.right, *_COMPUTED[type(node.op)])

    def _in_place(self, node: ast.AugAssign) -> Iterator[_Edit]:
        if type(node.op) in _COMPUTED:
            old, new = _COMPUTED[type(node.op)]
            for other in (f"{new}=", "="):
                yield from self._between("arithmetic", node.target, node.value, f"{old}=", other)

    def _sign(self, node: ast.UnaryOp) -> Iterator[_Edit]:
        yield self._put("sign or not dropped", node, self._of(node.operand))

    def _junction(self, node: ast.BoolOp) -> Iterator[_Edit]:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            yield from self._between("boolean", left, right, old, new)
        for one in node.values:
            rest = [value for value in node.values if value is not one]
            kept = ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]
            yield self._put("operand dropped", node, f"({ast.unparse(kept)})")

    def _choice(self, node: ast.IfExp) -> Iterator[_Edit]:
        yield from self._always(node.test)

    def _always(self, test: ast.expr) -> Iterator[_Edit]:
        for text in ("True", "False"):
            yield self._put("condition", test, text)

    def _condition(self, node: Head) -> Iterator[_Edit]:
        head = node.of
        if isinstance(head, ast.If):
            yield from self._always(head.test)
        elif isinstance(head, ast.While):
            yield self._put("condition", head.test, "False")
        elif isinstance(head, ast.For):
            yield self._put("loop never runs", head.iter, "()")

    def _comprehension(self, node: ast.comprehension) -> Iterator[_Edit]:
        yield self._put("loop never runs", node.iter, "()")
        for test in node.ifs:
            yield from self._always(test)

    def _constant(self, node: ast.Constant) -> Iterator[_Edit]:
        value = node.value
        if isinstance(value, bool):
            yield self._put("constant", node, str(not value))
        elif isinstance(value, int | float):
            for other in (value + 1, value - 1):
                yield self._put("constant", node, repr(other))
        elif isinstance(value, str):
            yield self._put("constant", node, repr(value + "~"))
        elif isinstance(value, bytes):
            yield self._put("constant", node, repr(value + b"~"))
        elif value is None:
            yield self._put("constant", node, "0")

    def _text(self, node: ast.JoinedStr) -> Iterator[_Edit]:
        for place, part in enumerate(node.values):
            other = [ast.Constant(f"{part.value!s}~")] if isinstance(part, ast.Constant) else []
            values = [*node.values[:place], *other, *node.values[place + 1 :]]
            yield self._put("constant", node, ast.unparse(ast.JoinedStr(values)))

    def _call(self, node: ast.Call) -> Iterator[_Edit]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for place in range(len(node.args) - 1 if name not in _COMMUTATIVE else 0):
            one, other = node.args[place : place + 2]
            swapped = [*node.args[:place], other, one, *node.args[place + 2 :]]
            yield self._put("arguments swapped", node, ast.unparse(ast.Call(node.func, swapped, node.keywords)))
        if node.args:
            yield self._put("argument dropped", node, ast.unparse(ast.Call(node.func, node.args[:-1], node.keywords)))
        for keyword in node.keywords:
            rest = [other for other in node.keywords if other is not keyword]
            yield self._put("argument dropped", node, ast.unparse(ast.Call(node.func, node.args, rest)))
        if name in _OPPOSITES:
            end = self._span(node.func)[1]
            yield _Edit("opposite call", end - len(name), end, _OPPOSITES[name])

    def _slice(self, node: ast.Slice) -> Iterator[_Edit]:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                yield self._put("slice", part, "")

    def _entries(self, node: ast.Dict) -> Iterator[_Edit]:
        for place in range(len(node.keys)):
            keys = [key for n, key in enumerate(node.keys) if n != place]
            values = [value for n, value in enumerate(node.values) if n != place]
            yield self._put("entry dropped", node, ast.unparse(ast.Dict(keys, values)))

    def _result(self, node: ast.Return | ast.Yield) -> Iterator[_Edit]:
        if node.value is not None:
            yield self._put("result", node.value, "None")

    def _decorator(self, node: Decorator) -> Iterator[_Edit]:
        value = node.value
        first, end = self._span(value)
        yield _Edit("decorator dropped", self._source.rindex(b"@", 0, first), end, "")
        if isinstance(value, ast.Call):
            for one in value.args:
                rest = [other for other in value.args if other is not one]
                yield self._put("argument dropped", value, ast.unparse(ast.Call(value.func, rest, value.keywords)))

    def _removal(self, node: ast.stmt, *, last: bool) -> Iterator[_Edit]:
        if isinstance(node, ast.Break | ast.Continue):
            yield self._put("break or continue", node, "continue" if isinstance(node, ast.Break) else "break")
        # A function's last return made None is the same as none at all.
        if not isinstance(node, ast.Return) or not last:
            yield self._put("statement dropped", node, "pass")

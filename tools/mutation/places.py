"""Where a source can be changed: its statements and the heads of them, with the nodes in each that decide something.

Left out are imports, annotations, docstrings and `__all__`, which decide nothing when the program runs.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["Decorator", "Head", "Place", "children", "places"]


class Place(NamedTuple):
    """A statement, or the head of one, with the nodes in it that can be changed."""

    scope: str
    inside: bool
    lines: tuple[int, int]
    nodes: Sequence[ast.AST]
    last: bool = False


def places(body: Sequence[ast.stmt], prefix: str, scope: str, *, inside: bool, whole: bool = False) -> Iterator[Place]:
    """The places in a body; `whole`: it is all of a function."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass | ast.Global) or _is_silent(statement):
            continue
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            name = scope if inside else prefix + statement.name
            defaults = [*statement.args.defaults, *(d for d in statement.args.kw_defaults if d is not None)]
            yield Place(name, inside, _head(statement), [*map(Decorator, statement.decorator_list), *defaults])
            yield from places(statement.body, "", name, inside=True, whole=True)
        elif isinstance(statement, ast.ClassDef):
            head = [*map(Decorator, statement.decorator_list), *statement.keywords]
            yield Place(statement.name, inside, _head(statement), head)
            yield from places(statement.body, f"{prefix}{statement.name}.", scope, inside=inside)
        else:
            yield from _parts(statement, prefix, scope, inside=inside, last=whole and statement is body[-1])


def _parts(statement: ast.stmt, prefix: str, scope: str, *, inside: bool, last: bool) -> Iterator[Place]:
    """A statement's own expressions, then the statements in it."""
    bodies = [value for _, value in ast.iter_fields(statement) if _is_body(value)]
    own = [statement] if not bodies else [Head(statement)]
    yield Place(scope or prefix.rstrip("."), inside, _head(statement), own, last)
    for body in bodies:
        for one in body:
            if isinstance(one, ast.stmt):
                yield from places([one], prefix, scope, inside=inside)
            elif isinstance(one, ast.ExceptHandler | ast.match_case):
                head = [one.type] if isinstance(one, ast.ExceptHandler) else [one.pattern, one.guard]
                lines = _head(statement) if isinstance(one, ast.match_case) else (one.lineno, one.lineno)
                yield Place(scope, inside, lines, [node for node in head if node is not None])
                yield from places(one.body, prefix, scope, inside=inside)


class Decorator(ast.AST):
    """Marks an expression as a decorator."""

    def __init__(self, value: ast.expr) -> None:
        super().__init__()
        self.value = value


class Head(ast.AST):
    """The part of a compound statement above its body."""

    def __init__(self, of: ast.stmt) -> None:
        super().__init__()
        self.of = of


def _is_silent(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]) == "__all__"
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None or ast.unparse(statement.annotation) == "TypeAlias"
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_body(value: object) -> bool:
    return (
        isinstance(value, list) and bool(value) and isinstance(value[0], ast.stmt | ast.ExceptHandler | ast.match_case)
    )


def _head(statement: ast.stmt) -> tuple[int, int]:
    body = getattr(statement, "body", None)
    first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))])
    last = body[0] if body else None
    if last is None:
        return first, statement.end_lineno or first
    line = last.pattern.lineno if isinstance(last, ast.match_case) else last.lineno
    return first, max(first, line - 1)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes within a node that can be changed: no annotations, no parts of an f-string, no body of a statement."""
    if isinstance(node, Head):
        yield from (child for child in ast.iter_child_nodes(node.of) if not _is_own(child))
        return
    if isinstance(node, Decorator):
        # In which order a decorator's arguments stand, and how they are called, is its own affair.
        yield from (*node.value.args, *node.value.keywords) if isinstance(node.value, ast.Call) else ()
        return
    if isinstance(node, ast.JoinedStr):
        return
    identity = isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot)
    annotation = getattr(node, "annotation", None)
    for child in ast.iter_child_nodes(node):
        # Whether something is None or not is turned round already.
        if child is not annotation and not (identity and isinstance(child, ast.Constant)):
            yield child


def _is_own(child: ast.AST) -> bool:
    return isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)

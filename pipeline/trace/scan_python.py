"""Python source -> its flag literals, read with the interpreter's own parser; nothing is imported or run.

Raises SyntaxError or ValueError for source that this Python cannot parse.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pipeline.trace.literals import DECLARING, LOOKING, SPAWNING, Literal, flag_in


def literals_of(source: bytes, file: str) -> list[Literal]:
    """The literals in source order; ``file`` is how the file is named in them."""
    return list(_visit(ast.parse(source, file), file))


def _visit(top: ast.AST, file: str) -> Iterator[Literal]:
    # Nodes with the program that is started around them; a stack, since long sums nest deeper than Python recurses.
    waiting: list[tuple[ast.AST, str | None]] = [(top, None)]
    while waiting:
        node, program = waiting.pop()
        if isinstance(node, (ast.Constant, ast.JoinedStr)):
            flag = _flag(node)
            if flag is not None:
                yield Literal(flag=flag, file=file, line=node.lineno, program=program)
        if isinstance(node, ast.Call):
            name = _called(node.func)
            if name in DECLARING or name in LOOKING:
                waiting.append((node.func, program))
                continue
            if name in SPAWNING:
                program = _program(node) or program
        waiting += [(child, program) for child in reversed(list(_children(node)))]


def _flag(node: ast.Constant | ast.JoinedStr) -> str | None:
    if isinstance(node, ast.Constant):
        return flag_in(node.value) if isinstance(node.value, str) else None
    head = node.values[0] if node.values else None
    if isinstance(head, ast.Constant) and isinstance(head.value, str):
        return flag_in(head.value, goes_on=len(node.values) > 1)
    return None


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        # A string that is a statement is documentation; one in a template was looked at with it.
        said = isinstance(node, ast.Expr) and isinstance(child, (ast.Constant, ast.JoinedStr))
        part = isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)
        looked_for = isinstance(node, (ast.Compare, ast.MatchValue)) and isinstance(
            child, (ast.Constant, ast.Tuple, ast.List, ast.Set)
        )
        if not (said or part or looked_for):
            yield child


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _program(call: ast.Call) -> str | None:
    first: ast.AST | None = call.args[0] if call.args else None
    if isinstance(first, (ast.List, ast.Tuple)):
        first = first.elts[0] if first.elts else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("-"):
        return first.value
    return None

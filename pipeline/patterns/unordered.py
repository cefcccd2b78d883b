"""What comes in no order, and where its order is seen: sets and folders' listings, in loops and in what keeps an order.

It sees what stands at the place itself: a set that has a name is not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

_SETS = frozenset({"set", "frozenset"})
_LISTINGS = frozenset({"iterdir", "glob", "rglob", "iglob", "listdir", "scandir"})
# As these are imported; other functions have the names of the rest.
_BY_NAME = _SETS | {"glob", "iglob", "listdir", "scandir"}
_VIEWS = frozenset({"keys", "items"})
_KEEP = frozenset({"list", "tuple", "enumerate", "iter", "dict", "zip", "map", "filter", "reversed", "str", "repr"})
_TAKE_IN = frozenset({"join", "extend", "writelines"})
# Whatever order these are given, what they make of it is the same.
_FORGET = frozenset({"sorted", "set", "frozenset", "any", "all", "sum", "min", "max", "len"})


def seen(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each place that sees the order of what has none."""
    yield from _walk(tree, forgotten=False)


def _walk(node: ast.AST, *, forgotten: bool) -> Iterator[tuple[int, str]]:
    """``forgotten``: the order of what ``node`` makes is not seen by what is around it."""
    for each in _ordered(node, forgotten=forgotten):
        if _unordered(each):
            yield each.lineno, ast.unparse(each)
    forgets = isinstance(node, ast.Call) and _called(node) in _FORGET
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, forgotten=forgets and isinstance(child, ast.GeneratorExp | ast.ListComp))


def _ordered(node: ast.AST, *, forgotten: bool) -> list[ast.expr]:
    """What is gone through in its order here."""
    match node:
        case ast.For(iter=value) | ast.AsyncFor(iter=value):
            return [value]
        case ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
            return [] if forgotten else [one.iter for one in node.generators]
        case ast.Starred(value=value) | ast.YieldFrom(value=value) | ast.FormattedValue(value=value):
            return [value]
        case ast.Assign(targets=targets, value=value):
            return [value] if any(isinstance(one, ast.Tuple | ast.List) for one in targets) else []
        case ast.Call(func=ast.Attribute() | ast.Name()):
            takes = _TAKE_IN if isinstance(node.func, ast.Attribute) else _KEEP
            return list(node.args) if _called(node) in takes else []
    return []


def _unordered(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return any(_unordered(one) or _is_view(one) for one in (node.left, node.right))
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _BY_NAME
    of_os = isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in ("os.walk", "os.fwalk")
    return of_os or _called(node) in _LISTINGS


def _is_view(node: ast.expr) -> bool:
    """A dictionary's keys or items: in order by themselves, but a set once they are combined."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")

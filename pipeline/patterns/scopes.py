"""What a name means where it stands: followed through imports, and hidden by a function's own names.

Not looked at are annotations, of which nothing comes, and the names of a class beside its imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

# What stands for what: `now` for `time.time`.
Known = dict[str, str]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def of_module(tree: ast.Module, builtin: Iterable[str]) -> Known:
    """What names mean in a module: its imports, and what is built in and not bound to something else."""
    bound, imported = _names(tree.body)
    return {name: name for name in builtin if name not in bound} | imported


def children(node: ast.AST, known: Known) -> Iterator[tuple[ast.AST, Known]]:
    """What a node consists of, with what names mean there."""
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        outside = [*arguments.defaults, *(one for one in arguments.kw_defaults if one)]
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        if not isinstance(node, ast.Lambda):
            outside += node.decorator_list
        yield from ((one, known) for one in outside)
        inner = _inside(known, body, {one.arg for one in ast.walk(arguments) if isinstance(one, ast.arg)})
        yield from ((one, inner) for one in body)
    elif isinstance(node, _COMPREHENSIONS):
        own = {name for one in node.generators for name in _names([one.target])[0]}
        inner = {name: said for name, said in known.items() if name not in own}
        yield from ((one, inner) for one in ast.iter_child_nodes(node))
    elif isinstance(node, ast.ClassDef):
        yield from ((one, known) for one in (*node.decorator_list, *node.bases, *node.keywords))
        inner = known | _names(node.body)[1]
        yield from ((one, inner) for one in node.body)
    elif isinstance(node, ast.AnnAssign):
        yield from ((one, known) for one in (node.target, node.value) if one is not None)
    else:
        yield from ((one, known) for one in ast.iter_child_nodes(node))


def _inside(known: Known, body: Iterable[ast.AST], arguments: set[str]) -> Known:
    bound, imported = _names(body)
    return {name: said for name, said in known.items() if name not in bound | arguments} | imported


def _names(body: Iterable[ast.AST]) -> tuple[set[str], Known]:
    """What a scope binds by itself, and what it imports; a name that it declares to be another's is none of its own."""
    bound, others, imported, waiting = set[str](), set[str](), Known(), list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
            continue
        if isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            others.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imported |= _imported(node)
        waiting += ast.iter_child_nodes(node)
    return bound - others, imported


def _imported(node: ast.Import | ast.ImportFrom) -> Known:
    if isinstance(node, ast.Import):
        tops = {one.name.partition(".")[0] for one in node.names if not one.asname}
        return {name: name for name in tops} | {one.asname: one.name for one in node.names if one.asname}
    if not node.module or node.level:
        return {}
    return {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}

"""``canonical-json``: a file that gets JSON and nothing else is written by the canonical writer.

``path.write_text(json.dumps(value))`` and ``with open(path, "w") as stream: json.dump(value, stream)`` become
``canonical.write(path, canonical.encode(value))``. What only lays the text out (indent, separators, a newline behind
it) is dropped, sorted keys stay sorted; anything else that is said to ``json`` or ``open`` leaves the place as it is.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pipeline.patterns.codemods.base import (
    LIBRARY,
    Codemod,
    ParentNodeProvider,
    call,
    comments,
    cst,
    literal,
    matchers,
    only,
)

_LAYOUT = frozenset({"indent", "ensure_ascii", "separators", "sort_keys"})
_OPENED = frozenset({"mode", "encoding", "newline"})
_UTF8 = frozenset({"utf-8", "utf8", "utf_8"})
_NAMED_FIRST = frozenset({"builtins.open", "io.open", "pathlib.Path.open"})
_OS_ERRORS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, OSError)
)
_OWN = frozenset({"self", "cls"})
_Node = TypeVar("_Node", bound=cst.CSTNode)


class _Written(NamedTuple):
    """JSON text of ``value``; ``said`` is the function that makes it."""

    value: cst.BaseExpression
    said: cst.BaseExpression


class CanonicalJson(Codemod):
    """JSON files are written by the canonical writer."""

    words = ("dump",)

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr:  # noqa: N802 - LibCST's name
        place = original_node.value
        if not (_method(place, "write_text") and isinstance(place, cst.Call) and place.args):
            return updated_node
        text, *options = place.args
        written = None if text.keyword or text.star else self._dumps(text.value)
        if written is None or not _as_utf8(options, _OPENED - {"mode"}):
            return updated_node
        assert isinstance(place.func, cst.Attribute)  # noqa: S101 - it is a method
        new = cst.Expr(_write(place.func.value, written.value))
        return self._instead(original_node, new, written, wrapped=False) or updated_node

    def leave_With(  # noqa: N802
        self, original_node: cst.With, updated_node: cst.With
    ) -> cst.With | cst.SimpleStatementLine:
        opened = self._opened(original_node)
        if opened is None:
            return updated_node
        path, stream = opened
        lines = _statements(original_node.body)
        first = lines[0] if lines else None
        written = self._content(first, stream) if isinstance(first, cst.Expr) else None
        if written is None or first is None or not all(_ends_line(one, stream) for one in lines[1:]):
            return updated_node
        if _names(written.value, stream) or _names(path, stream) or self._used_elsewhere(original_node, stream):
            return updated_node
        wrap = self._of(original_node) in ("builtins.open", "io.open") and not self._is_path(path)
        place: cst.BaseExpression = cst.Call(cst.Name("Path"), [cst.Arg(path)]) if wrap else path
        body = original_node.body.body[0]
        above = body.leading_lines if isinstance(body, cst.SimpleStatementLine) else ()
        behind = body.trailing_whitespace if isinstance(body, cst.SimpleStatementLine) else cst.TrailingWhitespace()
        new = cst.SimpleStatementLine(
            [cst.Expr(_write(place, written.value))],
            leading_lines=[*original_node.leading_lines, *above],
            trailing_whitespace=behind,
        )
        return self._instead(original_node, new, written, wrapped=wrap) or updated_node

    def _instead(self, old: cst.CSTNode, new: _Node, written: _Written, *, wrapped: bool) -> _Node | None:
        """The new place and its imports; None where a comment or another meaning of a name is in the way."""
        if comments(old) != comments(new) or not self.free(old, "canonical", self.library) or self._awaited(old):
            return None
        if wrapped:
            if not self.free(old, "Path", "pathlib"):
                return None
            self.use("pathlib", "Path", ())
        self.use(self.library, "canonical", [written.said])
        return new

    def _awaited(self, node: cst.CSTNode) -> bool:
        """Whether somebody waits for an OSError here, which this library's writer turns into an error of its own."""
        if self.library != LIBRARY:
            return False
        below, above = node, self.get_metadata(ParentNodeProvider, node, None)
        while above is not None and not isinstance(above, cst.FunctionDef | cst.ClassDef):
            if isinstance(above, cst.Try | cst.TryStar) and below is above.body:
                awaited = {name for one in above.handlers if one.type for name in _all_names(one.type)}
                if awaited & _OS_ERRORS:
                    return True
            below, above = above, self.get_metadata(ParentNodeProvider, above, None)
        return False

    def _dumps(self, node: cst.BaseExpression) -> _Written | None:
        """What a text is the JSON of; a newline may stand behind it."""
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            return self._dumps(node.left) if literal(node.right) == "\n" else None
        if not (isinstance(node, cst.Call) and self.meaning(node.func) == "json.dumps" and node.args):
            return None
        return _laid_out(node.func, node.args[0], node.args[1:])

    def _content(self, line: cst.Expr, stream: str) -> _Written | None:
        """What a statement writes into the stream as JSON."""
        place = line.value
        if not isinstance(place, cst.Call):
            return None
        if _written_to(place, stream) and len(place.args) == 1 and not place.args[0].star:
            return self._dumps(place.args[0].value)
        if self.meaning(place.func) != "json.dump" or len(place.args) < 2:  # noqa: PLR2004 - a value and a stream
            return None
        value, into, *layout = place.args
        if into.keyword or not (isinstance(into.value, cst.Name) and into.value.value == stream):
            return None
        return _laid_out(place.func, value, layout)

    def _opened(self, node: cst.With) -> tuple[cst.BaseExpression, str] | None:
        """The path that is opened for text alone, and what the stream is called."""
        if len(node.items) != 1 or node.asynchronous is not None:
            return None
        [item] = node.items
        opening, name = item.item, item.asname and item.asname.name
        if not (isinstance(opening, cst.Call) and isinstance(name, cst.Name)):
            return None
        options = list(opening.args)
        if self._of(node) in _NAMED_FIRST:
            if not options or options[0].keyword or options[0].star or _is_open(options[0].value):
                return None
            path = options.pop(0).value
        elif _method(opening, "open") and isinstance(opening.func, cst.Attribute):
            path = opening.func.value
        else:
            return None
        if options and options[0].keyword is None and not options[0].star:
            options[0] = options[0].with_changes(keyword=cst.Name("mode"))
        modes = [literal(one.value) for one in options if one.keyword and one.keyword.value == "mode"]
        if modes not in (["w"], ["wt"]) or not _as_utf8(options, _OPENED):
            return None
        return path, name.value

    def _of(self, node: cst.With) -> str | None:
        opening = node.items[0].item
        return self.meaning(opening.func) if isinstance(opening, cst.Call) else None

    def _is_path(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Call) and self.meaning(node.func) == "pathlib.Path"

    def _used_elsewhere(self, node: cst.With, stream: str) -> bool:
        """Whether the stream is named where no ``with`` of that name is around: closed, but perhaps asked something."""
        for access in self.scope(node).accesses[stream]:
            above: cst.CSTNode | None = access.node
            while above is not None and not (isinstance(above, cst.With) and _binds(above, stream)):
                above = self.get_metadata(ParentNodeProvider, above, None)
            if above is None:
                return True
        return False


def _all_names(node: cst.CSTNode) -> set[str]:
    return {one.value for one in matchers.findall(node, matchers.Name()) if isinstance(one, cst.Name)}


def _write(path: cst.BaseExpression, value: cst.BaseExpression) -> cst.Call:
    return call("canonical", "write", path, call("canonical", "encode", value))


def _laid_out(said: cst.BaseExpression, value: cst.Arg, layout: Sequence[cst.Arg]) -> _Written | None:
    if value.keyword or value.star or not only(layout, _LAYOUT):
        return None
    keys = [literal(one.value) for one in layout if one.keyword and one.keyword.value == "sort_keys"]
    if keys in ([], [False]):
        return _Written(value.value, said)
    return _Written(call("canonical", "sorted_keys", value.value), said) if keys == [True] else None


def _as_utf8(options: Sequence[cst.Arg], allowed: frozenset[str]) -> bool:
    """Whether all options are of these, and the text becomes UTF-8 with its newlines as they are."""
    said = {one.keyword.value: literal(one.value) for one in options if one.keyword}
    encoding, newline = said.get("encoding", "utf-8"), said.get("newline")
    plain = isinstance(encoding, str) and encoding.lower() in _UTF8 and newline in (None, "", "\n")
    return plain and only(options, allowed)


def _method(node: cst.CSTNode, name: str) -> bool:
    """A call of something's method of this name; one of the class's own may do anything."""
    if not (isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == name):
        return False
    return not (isinstance(node.func.value, cst.Name) and node.func.value.value in _OWN)


def _is_open(node: cst.BaseExpression) -> bool:
    """Whether it is the number of a file that is open, which is no path."""
    return isinstance(node, cst.Integer) or _method(node, "fileno")


def _written_to(node: cst.CSTNode, stream: str) -> bool:
    if not (_method(node, "write") and isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)):
        return False
    return isinstance(node.func.value, cst.Name) and node.func.value.value == stream


def _ends_line(line: cst.BaseSmallStatement, stream: str) -> bool:
    if not (isinstance(line, cst.Expr) and isinstance(line.value, cst.Call) and _written_to(line.value, stream)):
        return False
    return [literal(one.value) for one in line.value.args] == ["\n"]


def _statements(body: cst.BaseSuite) -> list[cst.BaseSmallStatement]:
    """The simple statements of a block; none where there is another kind."""
    found: list[cst.BaseSmallStatement] = []
    for one in body.body:
        if isinstance(one, cst.SimpleStatementLine):
            found += one.body
        elif isinstance(one, cst.BaseSmallStatement):
            found.append(one)
        else:
            return []
    return found


def _binds(node: cst.With, name: str) -> bool:
    bound = (item.asname.name for item in node.items if item.asname)
    return any(isinstance(one, cst.Name) and one.value == name for one in bound)


def _names(node: cst.CSTNode, name: str) -> Sequence[cst.CSTNode]:
    return matchers.findall(node, matchers.Name(value=name))

"""JavaScript and TypeScript source -> its flag literals, read with tree-sitter; nothing is run.

Needs the optional packages of the extra ``scan``; raises UsageError where they are not installed. The parser
recovers from what it cannot read: ``literals_of`` says whether it had to.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.trace.literals import DECLARING, LOOKING, SPAWNING, Literal, flag_in

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Query

SUFFIXES = {
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".ts": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".tsx": "tsx",
}
"""File name endings, and the grammar that reads such files."""

_STRINGS = "[(string) (template_string)] @text"
# What sets or asks for a property of a page's style: its names begin with two hyphens too.
_STYLING = frozenset({"setProperty", "getPropertyValue", "removeProperty", "registerProperty"})
_COMPARING = frozenset({"==", "===", "!=", "!==", "in"})
# Between a string and the comparison it is part of.
_TRANSPARENT = frozenset({"parenthesized_expression", "array", "as_expression", "satisfies_expression"})


def literals_of(source: bytes, file: str) -> tuple[list[Literal], bool]:
    """The literals in source order, and whether all of the file could be read."""
    parser, strings = _reader(SUFFIXES[file[file.rindex(".") :]])
    from tree_sitter import QueryCursor  # it is there: the reader would have said so

    tree = parser.parse(source)
    found = []
    for node in QueryCursor(strings).captures(tree.root_node).get("text", ()):
        flag = _flag(node)
        if flag is None:
            continue
        program = _program(_around(node))
        if program != _NO_FLAG:
            literal = Literal(flag=flag, file=file, line=node.start_point[0] + 1, program=program)
            found.append((node.start_byte, literal))
    found.sort(key=lambda one: one[0])
    return [literal for _, literal in found], not tree.root_node.has_error


@cache
def _reader(grammar: str) -> tuple[Parser, Query]:
    try:
        import tree_sitter_javascript
        import tree_sitter_typescript
        from tree_sitter import Language, Parser, Query
    except ImportError:
        raise UsageError(
            "JavaScript and TypeScript are read with tree-sitter, which is not installed",
            remedy="install cli-parity with its extra `scan`",
        ) from None
    languages: dict[str, Any] = {
        "javascript": tree_sitter_javascript.language,
        "typescript": tree_sitter_typescript.language_typescript,
        "tsx": tree_sitter_typescript.language_tsx,
    }
    language = Language(languages[grammar]())
    return Parser(language), Query(language, _STRINGS)


def _flag(node: Node) -> str | None:
    substitution = next((child for child in node.named_children if child.type == "template_substitution"), None)
    end = substitution.start_byte if substitution else node.end_byte - 1
    text = (node.text or b"")[1 : end - node.start_byte]
    if not text.startswith(b"-"):
        return None
    return flag_in(text.decode("utf-8", "replace"), goes_on=substitution is not None)


_NO_FLAG = "\0"


def _around(node: Node) -> Iterator[tuple[Node, Node]]:
    """What a node stands in, from the inside out, each with the part of it that leads to the node."""
    inner, outer = node, node.parent
    while outer is not None:
        yield outer, inner
        inner, outer = outer, outer.parent


def _program(around: Iterator[tuple[Node, Node]]) -> str | None:
    """The program that is started around a literal, if a constant says which; ``_NO_FLAG`` where it is no flag."""
    near = True
    for outer, inner in around:
        if near and _says_nothing(outer, inner):
            return _NO_FLAG
        near = near and outer.type in _TRANSPARENT
        if outer.type == "jsx_attribute" and (outer.named_children[0].text or b"") == b"style":
            return _NO_FLAG
        if outer.type in ("call_expression", "new_expression") and inner.type == "arguments":
            name = _called(outer)
            if name in DECLARING or name in LOOKING or name in _STYLING:
                return _NO_FLAG
            if name in SPAWNING and (program := _first_word(inner)) is not None:
                return program
    return None


def _says_nothing(outer: Node, inner: Node) -> bool:
    """Whether a string that stands there is not passed on: compared, a type, or a statement of its own."""
    if outer.type == "binary_expression":
        operator = outer.child_by_field_name("operator")
        return operator is not None and operator.type in _COMPARING
    if outer.type == "switch_case":
        value = outer.child_by_field_name("value")
        return value is not None and value.id == inner.id
    if outer.type == "member_expression":  # ["--x", "--y"].includes(word)
        name = outer.child_by_field_name("property")
        return name is not None and (name.text or b"").decode("utf-8", "replace") in LOOKING
    return outer.type in ("literal_type", "expression_statement")


def _called(call: Node) -> str:
    func = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    name = func.child_by_field_name("property") or func if func else None
    return (name.text or b"").decode("utf-8", "replace") if name else ""


def _first_word(arguments: Node) -> str | None:
    first = next((one for one in arguments.named_children if one.type != "comment"), None)
    if first is None or first.type != "string":
        return None
    text = (first.text or b"")[1:-1].decode("utf-8", "replace")
    return None if text.startswith("-") else text

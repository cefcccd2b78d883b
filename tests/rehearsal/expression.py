"""GitHub's expressions, as far as our workflows use them: text with ``${{ … }}`` -> a value.

Contexts, indexes, literals, ``! && || == !=``, brackets, and the functions that the caller gives. Refuses all else, and a
name that a context does not have: GitHub would quietly take it for nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>&&|\|\||==|!=|[!().,\[\]]))"
)
_INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_LITERALS = {"true": True, "false": False, "null": None}
STATUS = ("always", "success", "failure", "cancelled")


class Refused(Exception):
    """The workflow uses what the rehearsal does not know."""


class Lenient(dict[str, Any]):
    """A context whose names are not all known beforehand: what is not there is nothing, as at GitHub."""


@dataclass
class Scope:
    """``contexts`` by name, and ``functions`` of values."""

    contexts: Mapping[str, Any]
    functions: Mapping[str, Callable[..., Any]]

    def text(self, template: object) -> str:
        """A template as text."""
        return as_text(self.value(template))

    def value(self, template: object) -> Any:
        """A template that is one expression and no more has its value; any other is text."""
        if not isinstance(template, str):
            return template
        whole = _INSIDE.fullmatch(template.strip())
        if whole and "${{" not in whole[1]:
            return self.evaluate(whole[1])
        return _INSIDE.sub(lambda found: as_text(self.evaluate(found[1])), template)

    def holds(self, condition: str | None) -> bool:
        """An ``if``: without a function of status it holds only while all is well."""
        if condition is None:
            return bool(self.functions["success"]())
        inner = _INSIDE.fullmatch(condition.strip())
        source = inner[1] if inner else condition
        held = truthy(self.evaluate(source))
        asks = any(re.search(rf"\b{name}\s*\(", source) for name in STATUS)
        return held and (asks or bool(self.functions["success"]()))

    def evaluate(self, source: str) -> Any:
        return _Parser(source, self).whole()


class _Parser:
    def __init__(self, source: str, scope: Scope) -> None:
        self._source, self._scope, self._at = source, scope, 0
        self._tokens: list[tuple[str, str]] = []
        position, source = 0, source.rstrip()
        while position < len(source):
            found = _TOKEN.match(source, position)
            if found is None:
                raise Refused(f"cannot read {source[position:]!r} in {self._source!r}")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            position = found.end()

    def whole(self) -> Any:
        value = self._either()
        if self._at < len(self._tokens):
            raise Refused(f"cannot read {self._tokens[self._at][1]!r} in {self._source!r}")
        return value

    def _next(self, *wanted: str) -> str | None:
        if self._at < len(self._tokens) and self._tokens[self._at] in {("sign", sign) for sign in wanted}:
            self._at += 1
            return self._tokens[self._at - 1][1]
        return None

    def _need(self, sign: str) -> None:
        if not self._next(sign):
            raise Refused(f"{sign!r} is missing in {self._source!r}")

    def _either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value if truthy(value) else other
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._next("&&"):
            other = self._equal()
            value = other if truthy(value) else value
        return value

    def _equal(self) -> Any:
        value = self._unary()
        while sign := self._next("==", "!="):
            value = same(value, self._unary()) == (sign == "==")
        return value

    def _unary(self) -> Any:
        return not truthy(self._unary()) if self._next("!") else self._postfix()

    def _postfix(self) -> Any:
        value, said = self._primary()
        while sign := self._next(".", "["):
            if sign == "[":
                key = self._either()
                self._need("]")
            else:
                key = self._name()
            said = f"{said}.{key}"
            value = self._member(value, key, said)
        return value

    def _member(self, value: Any, key: Any, said: str) -> Any:
        if isinstance(value, Mapping):
            if key in value:
                return value[key]
            if isinstance(value, Lenient):
                return None
            raise Refused(f"there is no {said}; there are {', '.join(map(str, value)) or 'none'}")
        if value is None:
            return None
        raise Refused(f"{said} has no members")

    def _name(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind != "name":
            raise Refused(f"a name is missing in {self._source!r}")
        self._at += 1
        return text

    def _primary(self) -> tuple[Any, str]:
        if self._next("("):
            value = self._either()
            self._need(")")
            return value, "()"
        if self._at >= len(self._tokens):
            raise Refused(f"{self._source!r} ends too soon")
        kind, text = self._tokens[self._at]
        if kind == "sign":
            raise Refused(f"cannot read {text!r} in {self._source!r}")
        self._at += 1
        if kind == "string":
            return text[1:-1].replace("''", "'"), text
        if kind == "number":
            return float(text), text
        if self._next("("):
            return self._call(text), text
        if text in _LITERALS:
            return _LITERALS[text], text
        if text not in self._scope.contexts:
            raise Refused(f"the context {text!r} is not known here: {self._source.strip()!r}")
        return self._scope.contexts[text], text

    def _call(self, name: str) -> Any:
        values = []
        while not self._next(")"):
            values.append(self._either())
            if not self._next(","):
                self._need(")")
                break
        if name not in self._scope.functions:
            raise Refused(f"the function {name!r} is not known here: {self._source.strip()!r}")
        return self._scope.functions[name](*values)


def truthy(value: Any) -> bool:
    return value not in (None, False, "", 0) and not (isinstance(value, float) and math.isnan(value))


def same(one: Any, other: Any) -> bool:
    """GitHub's equality: text without regard to case; different kinds as numbers."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if type(one) is type(other):
        return bool(one == other)
    return _number(one) == _number(other)


def _number(value: Any) -> float:
    try:
        return float(value or 0) if not isinstance(value, Mapping | list) else math.nan
    except ValueError:
        return math.nan


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping | list):
        raise Refused(f"{value!r} stands where text is wanted")
    return str(value)

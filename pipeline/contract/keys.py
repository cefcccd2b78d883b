"""Every key that a RULES.json may hold, with what may stand there: nothing in it is ignored in silence.

The tree of keys is made of the rules that stages honour (``contract.honoured``: their types, and the words that a
type knows) and of the keys that decide nothing (``contract.inert``). A document in; RulesInvalid out of the first
key, in document order, that is unknown or that asks for something else than this version does. What is of a wrong
type where a stage honours it is left to the types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import product
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
import orjson

from pipeline.contract.exclusions import Exclusion
from pipeline.contract.honoured import Rules
from pipeline.contract.inert import COMMENTS, INERT, OUTSIDE, TEXT, Inert
from pipeline.errors import RulesInvalid

# What is longer, or would break a line, is quoted and cut.
_SHOWN = 60
_PLAIN = re.compile(rf"[\w-]{{1,{_SHOWN}}}", re.ASCII)


class _Refusal(NamedTuple):
    """``below`` leads from the key to what is wrong in its value."""

    problem: str
    remedy: str
    below: str = ""


_Judge = Callable[[Any], _Refusal | None]


@dataclass(slots=True)
class _Key:
    """``inside`` are the keys of the object that may stand there; ``judge`` sees every other value."""

    judge: _Judge
    inside: dict[str, _Key] = field(default_factory=dict)


def check_keys(document: Any, where: object) -> None:
    """Raise RulesInvalid for a key that nothing knows, or a value that is not what is done; ``where`` is the file."""
    _check(document, _TREE, "$", where)


def may_repeat(key: str) -> bool:
    """Whether a key may stand twice in an object, as real files have it: only where it is documentation."""
    return key in _DECORATIVE


def near_words(word: str, known: Iterable[str]) -> list[str]:
    """The known word that was probably meant, if there is one."""
    import difflib  # slow to import, and rarely needed

    return difflib.get_close_matches(word, list(known), 1)


def _check(value: Any, key: _Key, path: str, where: object) -> None:
    if isinstance(value, dict) and key.inside:
        for name, child in value.items():
            place = f"{path}.{name}" if _PLAIN.fullmatch(name) else f"{path}[{_text(name)}]"
            known = key.inside.get(name) or _COMMENTS.get(name)
            if known is None:
                near = near_words(name, key.inside)
                advice = f"{near[0]} is one: is that meant?" if near else "remove it, or write it under notes"
                raise RulesInvalid(f"{place}: there is no such rule", where=where, remedy=advice)
            _check(child, known, place, where)
    elif refusal := key.judge(value):
        raise RulesInvalid(f"{path}{refusal.below}: {refusal.problem}", where=where, remedy=refusal.remedy)


# -- what may stand at a key ------------------------------------------------------------------------


def _typed(_value: Any) -> None:
    """The types judge it."""


def _object(_value: Any) -> _Refusal:
    return _Refusal("is no object", "write an object, or leave the key out")


def _asserted(truth: Any, value: Any) -> _Refusal | None:
    if type(value) is type(truth) and value == truth:
        return None
    return _Refusal(
        f"asks for {_text(value)}, this version does {_text(truth)}", f"write {_text(truth)}, or leave the key out"
    )


def _commented(kind: Inert, value: Any) -> _Refusal | None:
    single = str | bool if kind is OUTSIDE else str
    if isinstance(value, single):
        return None
    if kind in (TEXT, OUTSIDE) and isinstance(value, list) and all(isinstance(one, single) for one in value):
        return None
    return _Refusal(f"is not {kind}", "it is documentation: correct it, or leave the key out")


def _among(words: Sequence[str], value: Any) -> _Refusal | None:
    """One of the words, or a list that holds each at most once; what is no text is left to the types."""
    known = f"known are {', '.join(word or '(an empty text)' for word in words)}"
    if not isinstance(value, list):
        unknown = isinstance(value, str) and value not in words
        return _Refusal(f"{_text(value)} is unknown", known) if unknown else None
    for index, word in enumerate(value):
        if isinstance(word, str) and word not in words:
            return _Refusal(f"{_text(word)} is unknown here", known, f"[{index}]")
        if word in value[:index]:
            return _Refusal(f"{_text(word)} stands twice", "name it once", f"[{index}]")
    return None


def _text(value: Any) -> str:
    """A JSON value for a message."""
    shown = orjson.dumps(value).decode()
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


# -- the tree of keys -------------------------------------------------------------------------------


def _honoured(type_: Any) -> _Key:
    if get_origin(type_) is UnionType:
        type_ = next(one for one in get_args(type_) if one is not NoneType)
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return _Key(_typed, {one.name: _honoured(one.type) for one in msgspec.structs.fields(type_)})
    words = _words(type_)
    if len(words) == 1:
        return _Key(partial(_asserted, words[0]))
    return _Key(partial(_among, words) if words else _typed)


def _words(type_: Any) -> Sequence[Any]:
    """The words that a type knows; none where any text (or something else) may stand."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Literal:
        return arguments
    if origin is Annotated:
        return next((meta.extra["words"] for meta in arguments[1:] if meta.extra), ()) or _words(arguments[0])
    if origin is tuple:
        return _words(arguments[0])
    return tuple(type_) if isinstance(type_, type) and issubclass(type_, Enum) else ()


def _whole() -> _Key:
    tree = _honoured(Rules)
    for pattern, truth in INERT.items():
        judge = partial(_commented if isinstance(truth, Inert) else _asserted, truth)
        for way in product(*(part.split("|") for part in pattern.split("."))):
            key = tree
            for name in way:
                key = key.inside.setdefault(name, _Key(_object))
            key.judge = judge
    return tree


def _judged(tree: _Key) -> Iterator[tuple[str, bool]]:
    """The name of every key, and whether it is documentation."""
    for name, key in tree.inside.items():
        yield name, isinstance(key.judge, partial) and key.judge.func is _commented
        yield from _judged(key)


_COMMENTS = dict.fromkeys(COMMENTS, _Key(partial(_commented, TEXT)))
_TREE = _whole()
_DECIDING = {name for name, documents in _judged(_TREE) if not documents}.union(Exclusion.__struct_fields__)
_DECORATIVE = {*COMMENTS, *(name for name, _ in _judged(_TREE))} - _DECIDING

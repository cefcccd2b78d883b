"""A usage line whose placeholders are bare words -> its positionals (argparse, optparse, click).

``file``, ``[file]``, ``file [file ...]``, ``[file ...]``, ``{a,b} ...``, ``SRC ...``, ``[NAMES]...``, ``(a | --b B)``.
Flags and what they take are skipped, and so are words that stand for all flags. Total.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from pipeline.helptext.placeholder import choices_of
from pipeline.helptext.usage import Slot, after_path, words
from pipeline.surface.units import Arg, Path

_CLOSES = {"[": "]", "(": ")"}
ALL_FLAGS = re.compile(r"(?:.*[\s_-])?(?:options?|flags?)$", re.IGNORECASE)
_DEEPEST = 4
REST = "..."


def behind(line: Sequence[str], program: str, path: Path) -> Sequence[str]:
    """The words behind ``program path…``; on another command's page those from the first bracket on."""
    rest = after_path(line, program, path)
    if rest is not None:
        return rest
    return line[next((place for place, word in enumerate(line) if word[0] in "[({<-"), len(line)) :]


def operands(line: Sequence[str], takes: Mapping[str, int], *, required: bool = True, depth: int = 0) -> list[Slot]:
    """The positionals among the words behind the command path, in order, each name once.

    ``takes`` says how many words stand behind each flag when it is spelled without brackets; one that is not
    known takes one word. A ``...`` that stands alone is a slot of that name.
    """
    found: dict[str, Slot] = {}
    pending = 0
    optional = False  # beside a bar
    for word in line:
        body = word.removesuffix("...")
        inner = body[1:-1].strip() if len(body) > 1 and _CLOSES.get(body[0]) == body[-1] else None
        if word.startswith("-"):
            pending = 0 if "=" in word else takes.get(word, 1)
        elif pending:
            pending -= 1
        elif word == "|":
            optional = True
            if found:
                last = next(reversed(found))
                found[last] = found[last]._replace(required=False)
            continue
        elif inner is not None:
            inside = required and not optional and body[0] == "("
            for slot in _bracketed(inner, takes, required=inside, depth=depth):
                _add(found, slot._replace(variadic=slot.variadic or word != body, bare=False))
        elif not body:
            _add(found, Slot(REST, False, True))
        elif not ALL_FLAGS.match(_name(body)):
            _add(found, Slot(_name(body), required and not optional, word != body, bare=body[0] not in "<{"))
        optional = False
    return list(found.values())


def _bracketed(inner: str, takes: Mapping[str, int], *, required: bool, depth: int) -> list[Slot]:
    inside = words(inner)
    if depth > _DEEPEST or not inside or (inside[0].startswith("-") and "|" not in inside):
        return []
    alternatives: list[list[str]] = [[]]
    for word in inside:
        alternatives[-1].append(word) if word != "|" else alternatives.append([])
    alone = required and len(alternatives) == 1
    return [slot for each in alternatives for slot in operands(each, takes, required=alone, depth=depth + 1)]


def _add(found: dict[str, Slot], slot: Slot) -> None:
    """A name that is there already takes several words: ``file [file ...]``, ``x x``."""
    before = found.get(slot.name)
    found[slot.name] = slot if before is None else before._replace(variadic=True)


def _name(body: str) -> str:
    """A placeholder without its brackets; ``{a,b}`` has no other name than its values."""
    name = body[1:-1] if body[:1] == "<" and body[-1:] == ">" else body
    return name.rstrip("!")


def args(calls: Sequence[Sequence[Slot]], listed: Mapping[str, Arg], span: str | None) -> list[Arg]:
    """The args of several calls, by name. What is listed brings its description; ``span`` is of what is inferred.

    An arg is required when every call requires it; one that is listed, and no call names, is taken as given.
    A ``...`` that is not listed says that the arg before it may be repeated.
    """
    calls = [_repeated(call) if REST not in listed else call for call in calls]
    order = list(dict.fromkeys([*(slot.name for call in calls for slot in call), *listed]))
    found = []
    for position, name in enumerate(order):
        spelled = [slot for call in calls for slot in call if slot.name == name]
        arg = listed.get(name) or Arg(
            name=name,
            required=True,
            variadic=False,
            possible_values=choices_of(name),
            note="inferred from usage",
            span=span,
        )
        if spelled:
            arg = replace(
                arg,
                required=len(spelled) == len(calls) and all(slot.required for slot in spelled),
                variadic=any(slot.variadic for slot in spelled),
            )
        found.append(replace(arg, name=arg.name.strip("{}"), position=position))
    return sorted(found, key=lambda arg: arg.name)


def _repeated(call: Sequence[Slot]) -> list[Slot]:
    found: list[Slot] = []
    for slot in call:
        if slot.name != REST:
            found.append(slot)
        elif found:
            found[-1] = found[-1]._replace(variadic=True)
    return found

"""Calls of a CLI as far as a surface can judge them: which words it takes, and the smallest call that uses a unit.

No parser of a framework: only what a surface states counts (which flags there are, whether they take a value and which
ones, how many positionals). What is only there with features switched on is not taken by default.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.history.sides import Facts, Surface
from pipeline.surface.units import Path

ANYTHING = "parity"
_SHORT = len("-x")
_VALUES = (
    (re.compile(r"=|ENV_?VAR\b|header", re.IGNORECASE), "a=1"),
    (re.compile(r"url|addr|origin|endpoint", re.IGNORECASE), "http://localhost:1"),
    (re.compile(r"json|schema", re.IGNORECASE), "{}"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """Words of a command, then flags with their values, then positionals."""

    path: Path
    flags: tuple[tuple[str, str | None], ...] = ()
    args: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        return (*self.path, *(word for flag in self.flags for word in _spelled(*flag)), *self.args)

    def using(self, name: str, value: str | None) -> Call:
        """The same with this flag first."""
        return replace(self, flags=((name, value), *(flag for flag in self.flags if flag[0] != name)))


def _spelled(name: str, value: str | None) -> tuple[str, ...]:
    if value is None:
        return (name,)
    if name.startswith("--"):
        return (f"{name}={value}",)
    return (f"{name}{value}",) if len(name) == _SHORT else (name, value)


def offers(facts: Facts, on: str | None, *, surely: bool) -> bool:
    """Whether a target has the unit without any feature; ``surely``: not if no oracle could tell."""
    if facts.get("feature_gated") or (surely and facts.get("state") == "unknown"):
        return False
    having = facts.get("available_on")
    return having is None or on is None or on in having


def names_of(key: str, facts: Facts) -> tuple[str, ...]:
    """All spellings of a flag, or of a command's last token."""
    return tuple(facts.get("names", (key,)))


def named(units: Mapping[str, Facts], name: str) -> tuple[str, Facts] | None:
    """The unit that has this name, with its key."""
    if name in units:
        return name, units[name]
    return next(((key, facts) for key, facts in units.items() if name in facts.get("names", ())), None)


@dataclass(frozen=True, slots=True)
class Judge:
    """What one target of a surface takes."""

    surface: Surface
    on: str | None
    surely: bool = False

    def takes(self, call: Call) -> bool:
        """Whether the surface takes the whole call."""
        node, rest = self.find(call.path)
        if rest and rest[0] in self.surface.commands[node].pseudo:
            return bool(rest[1:]) and not self.find((*node, *rest[1:]))[1] and not call.flags
        if self.surface.commands[node].unread:
            return not self.surely
        return self._takes_flags(node, call.flags) and self._takes_args(node, (*rest, *call.args))

    def find(self, words: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
        """The command that words name, and those left over."""
        node: Path = ()
        for at, word in enumerate(words):
            below = self._below(node, word)
            if below is None:
                return node, tuple(words[at:])
            node = below
        return node, ()

    def read(self, words: Sequence[str]) -> Call:
        """Words as a call: those of the command, then its flags with their values, and what is left as positionals."""
        leading = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        node, rest = self.find(words[:leading])
        known = self.surface.effective(node)
        flags, args, waiting = [], list(rest), list(words[leading:])
        while waiting:
            word = waiting.pop(0)
            if not word.startswith("-"):
                args.append(word)
                continue
            name, given, value = word.partition("=")
            if not word.startswith("--") and name not in known and len(word) > _SHORT:
                name, given, value = word[:_SHORT], "=", word[_SHORT:]
            found = named(known, name)
            needs_one = found is not None and found[1].get("value") == "required" and not given
            if needs_one and waiting and not waiting[0].startswith("-"):
                given, value = "=", waiting.pop(0)
            flags.append((name, value if given else None))
        return Call(node, tuple(flags), tuple(args))

    def is_complete(self, call: Call) -> bool:
        """Whether everything is there that the command requires."""
        given = {found[0] for name, _ in call.flags if (found := named(self.surface.effective(call.path), name))}
        flags = self.surface.effective(call.path).items()
        args = sum(1 for _, facts in self.args(call.path) if facts.get("required"))
        return args <= len(call.args) and all(key in given for key, facts in flags if facts.get("required"))

    def _below(self, node: Path, word: str) -> Path | None:
        for token, path in self.surface.children.get(node, {}).items():
            facts = self.surface.commands[path].facts
            if word in names_of(token, facts) and self._has(facts):
                return path
        return None

    def _takes_flags(self, node: Path, flags: Sequence[tuple[str, str | None]]) -> bool:
        known = {key: facts for key, facts in self.surface.effective(node).items() if self._has(facts)}
        given: Counter[str] = Counter()
        for name, value in flags:
            found = named(known, name)
            if found is None or not _takes_value(found[1], value):
                return False
            given[found[0]] += 1
        once = all(count == 1 or known[key].get("repeatable") for key, count in given.items())
        return once and all(key in given for key, facts in known.items() if facts.get("required"))

    def _takes_args(self, node: Path, words: Sequence[str]) -> bool:
        args = self.args(node)
        least = sum(1 for _, facts in args if facts.get("required"))
        if len(words) < least or (len(words) > len(args) and not any(facts.get("variadic") for _, facts in args)):
            return False
        # Behind a variadic one nobody can say which word is whose.
        certain = next((at for at, (_, facts) in enumerate(args) if facts.get("variadic")), len(args))
        return all(
            _in_values(facts, word) for (_, facts), word in zip(args[: certain + 1], words[: certain + 1], strict=False)
        )

    def args(self, node: Path) -> list[tuple[str, Facts]]:
        """The positionals in the order in which they are given."""
        units = self.surface.commands[node].args.items()
        return sorted(
            ((name, facts) for name, facts in units if self._has(facts)),
            key=lambda unit: (unit[1].get("position", len(units)), unit[0]),
        )

    def least(self, path: Path, *, through: str | None = None) -> Call:
        """The smallest call of a command: what is required, and the positionals up to the one named ``through``."""
        flags = tuple(
            (key, value_for(facts)) for key, facts in self.surface.effective(path).items() if facts.get("required")
        )
        args = self.args(path)
        names = [name for name, _ in args]
        upto = names.index(through) if through in names else -1
        given = [value_for(facts, name) for at, (name, facts) in enumerate(args) if at <= upto or facts.get("required")]
        return Call(path, flags, tuple(str(value) for value in given))

    def _has(self, facts: Facts) -> bool:
        return offers(facts, self.on, surely=self.surely)


def _takes_value(facts: Facts, value: str | None) -> bool:
    if value is None:
        return facts.get("value") != "required"
    return facts.get("value") != "none" and _in_values(facts, value)


def _in_values(facts: Facts, word: str) -> bool:
    values = list(listed(facts))
    return not values or word in values


def listed(facts: Facts) -> Iterator[str]:
    """The possible values."""
    for value in facts.get("possible_values", ()):
        yield value["name"]


def value_for(facts: Facts, name: str = "") -> str | None:
    """A value of the right kind, as far as its list or its name tells; None for a flag that needs none."""
    if facts.get("value") in ("none", "optional"):
        return None
    first: Any = next(listed(facts), None)
    told = f"{name} {facts.get('value_name', '')}"
    return first or next((value for kind, value in _VALUES if kind.search(told)), "1")

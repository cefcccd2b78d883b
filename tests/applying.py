"""A diff's findings applied to the surface before, and read the other way round.

``plain`` is a surface with everything that findings leave to their context written out: the targets of each unit, and
all its names.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any

from pipeline.history.rules import BY_CODE
from pipeline.history.sides import Surface
from pipeline.surface.diff import Finding

Plain = dict[tuple[str, ...], dict[str, Any]]
INHERITED = {"inherited_from_root": True}
_WHOLE = ("command-added", "command-removed", "command-merged", "command-split")


def plain(surface: Surface) -> Plain:
    return {
        path: _command(
            path,
            {
                **command.facts,
                "flags": [{"key": key, **facts} for key, facts in command.flags.items()],
                "args": [{"name": name, **facts} for name, facts in command.args.items()],
                "inherited_from_root": sorted(command.inherited),
            },
            surface.targets,
        )
        for path, command in surface.commands.items()
    }


def _command(path: tuple[str, ...], told: dict[str, Any], targets: Iterable[str]) -> dict[str, Any]:
    parts = ("flags", "args", "inherited_from_root", "path")
    own = _unit(" ".join(path[-1:]), {key: value for key, value in told.items() if key not in parts}, targets)
    return {
        **own,
        "flags": {one["key"]: _unit(one["key"], _without(one, "key"), own["on"]) for one in told.get("flags", ())},
        "args": {one["name"]: _unit(one["name"], _without(one, "name"), own["on"]) for one in told.get("args", ())},
        "inherited": set(told.get("inherited_from_root", ())),
    }


def _unit(key: str, facts: dict[str, Any], reach: Iterable[str]) -> dict[str, Any]:
    return {
        "on": set(facts.get("available_on", reach)),
        "names": {key, *facts.get("names", ())},
        "facts": copy.deepcopy(_without(facts, "available_on", "names")),
    }


def _without(facts: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key not in keys}


class Applied:
    """The surface before as it becomes by one finding after the other; ``result`` is what should be the one after."""

    def __init__(self, before: Surface, findings: list[Finding]) -> None:
        self._targets = before.targets
        self._then = plain(before)
        self._now = copy.deepcopy(self._then)
        self._findings = findings
        self._tokens = {one.path: one.after for one in findings if one.code == "command-renamed"}
        self._keys = {
            (one.path, one.key or one.name): one.after
            for one in findings
            if one.code in ("flag-renamed", "arg-renamed")
        }

    def result(self) -> Plain:
        whole = [one for one in self._findings if one.code in _WHOLE]
        for one in whole:
            for told in one.before if isinstance(one.before, list) else ():
                del self._now[tuple(told["path"])]
        for path in list(self._now):
            self._change(path)
        result = {self.moved(path): command for path, command in self._now.items()}
        self._now = result
        for one in whole:
            self._rearrange(one)
        for one in self._findings:
            if one.code == "command-name-reassigned":
                result[(*self.moved(one.path[:-1]), one.after)]["names"].add(one.value)
        self._roots(result)
        return result

    def moved(self, path: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._tokens.get(path[: at + 1], token) for at, token in enumerate(path))

    def key(self, path: tuple[str, ...], key: str) -> str:
        return self._keys.get((path, key), key)

    def _rearrange(self, one: Finding) -> None:
        above = one.path[:-1]
        for told in one.after if isinstance(one.after, list) else ():
            self._now[tuple(told["path"])] = _command(tuple(told["path"]), told, self._targets)
        if one.code == "command-merged":
            self._now[(*self.moved(above), one.after)]["names"].add(one.path[-1])
        if one.code == "command-split":
            # ``before`` is a name of the side before, below a command that may be called otherwise now.
            source = next(path for path in self._then if self.moved(path[:-1]) == above and path[-1:] == (one.before,))
            if self.moved(source) in self._now:
                self._now[self.moved(source)]["names"].discard(one.path[-1])

    def _change(self, path: tuple[str, ...]) -> None:
        command, found = self._now[path], [one for one in self._findings if one.path == path and one.code not in _WHOLE]
        before = set(command["on"])
        _alter(command, [one for one in found if one.unit == "command"], set(), set())
        came, went = command["on"] - before, before - command["on"]
        for kind in ("flag", "arg"):
            units = command[f"{kind}s"]
            mine = [one for one in found if one.unit == kind]
            for key, unit in units.items():
                about = [one for one in mine if (one.key or one.name) == key]
                _alter(unit, about, came, went)
            units = {self.key(path, key): unit for key, unit in units.items()}
            command[f"{kind}s"] = units
            for one in mine:
                self._place(path, command, units, one)

    def _place(self, path: Any, command: dict[str, Any], units: dict[str, Any], one: Finding) -> None:  # noqa: C901
        """Whether a flag or arg is there at all, and whose it is."""
        key = one.key or one.name or ""
        now = self.key(path, key)
        code, gone = one.code.removeprefix("required-"), one.before == INHERITED
        if code in (
            "flag-removed",
            "arg-removed",
            "flag-merged",
            "flag-moved-to-root",
            "flag-became-global",
            "flag-joined",
        ):
            if gone:
                command["inherited"].discard(key)
            else:
                units.pop(now, None)
        if code in (
            "flag-added",
            "arg-added",
            "flag-split",
            "flag-moved-to-command",
            "flag-became-local",
            "flag-set-apart",
        ):
            if one.after == INHERITED:
                command["inherited"].add(key)
            else:
                units[now] = _unit(now, one.after, command["on"])
        if code in ("flag-became-global", "flag-joined"):
            command["inherited"].add(now)
        if code in ("flag-became-local", "flag-set-apart"):
            command["inherited"].discard(key)
        if code == "flag-merged" and one.after in units:
            units[one.after]["names"].add(key)
        if code == "flag-split":
            source = self.key(path, one.before)
            if source in units:
                units[source]["names"].discard(key)
        if code == "flag-name-reassigned" and one.after in units:
            units[one.after]["names"].add(one.value)

    def _roots(self, result: Plain) -> None:
        """What happens to a command because something happens to the root."""
        root = result[()]
        renamed = {key: name for (path, key), name in self._keys.items() if path == () and key.startswith("-")}
        new = {
            tuple(told["path"])
            for one in self._findings
            if one.code in ("command-added", "command-split")
            for told in one.after
        }
        for one in self._findings:
            if one.code in ("flag-became-global", "flag-moved-to-root"):
                key = self.key(one.path, one.key or "")
                root["flags"][key] = _unit(key, one.after, root["on"])
            if one.code in ("flag-became-local", "flag-moved-to-command"):
                root["flags"].pop(one.key, None)
        for path, command in result.items():
            if path and path not in new:
                command["inherited"] = {renamed.get(key, key) for key in command["inherited"]}
                for one in self._findings:
                    if one.path == () and one.code in ("flag-added", "required-flag-added", "flag-split"):
                        having = one.inherited_by
                        if having is None or path in having:
                            command["inherited"].add(one.key)
            command["inherited"] &= set(root["flags"])


def _alter(  # noqa: C901, PLR0912 - one case for each kind of fact
    unit: dict[str, Any],
    findings: list[Finding],
    came: set[str],
    went: set[str],
) -> None:
    unit["on"] = (unit["on"] | came) - went
    facts = unit["facts"]
    for one in findings:
        rule = BY_CODE[one.code]
        values = {value["name"]: value for value in facts.get("possible_values", ())}
        if one.code.startswith("platform-"):
            unit["on"] = set(one.after)
        elif one.code.endswith("-name-lost"):
            unit["names"].discard(one.value)
        elif one.code.endswith("-name-gained"):
            unit["names"].add(one.value)
        elif one.code == "arg-renamed":
            unit["names"] = {one.after}
        elif one.code.endswith("-name-reassigned"):
            unit["names"].discard(one.value)
        elif one.code == "value-removed":
            del values[one.value]
        elif one.code == "value-added" or (one.code == "about-changed" and one.value):
            values[one.value] = {"name": one.value, **({"about": one.after} if one.after else {})}
        elif one.code in ("values-listed", "values-unlisted"):
            _put(facts, rule.field, one.after)
            continue
        elif rule.when and isinstance(one.after, dict):
            for name in ("value", "value_name", "possible_values"):
                _put(facts, name, one.after.get(name))
            continue
        elif rule.when:
            _put(facts, rule.field, one.after)
        if values or one.code == "value-removed":  # others follow: a list does not become empty
            facts["possible_values"] = [values[name] for name in sorted(values)]


def beside_applied(before: Surface, findings: Iterable[Finding], on: dict[str, set[str]]) -> Any:
    """What there is besides the command line, as it becomes; ``on`` are the targets of each kind that count."""
    now = beside(before, on)
    for one in findings:
        if one.unit not in on:
            continue
        for target in on[one.unit] if one.targets is None else one.targets:
            names = now[one.unit][target]
            if one.code.endswith("-added"):
                names[one.name] = dict(one.after or {})
            elif one.code.endswith("-removed"):
                assert names.pop(one.name) == (one.before or {})
            else:
                names[one.name][BY_CODE[one.code].field] = one.after
    return now


def beside(surface: Surface, on: dict[str, set[str]]) -> Any:
    return {
        kind: {target: {name: dict(facts) for name, facts in surface.beside[kind][target].items()} for target in having}
        for kind, having in on.items()
    }


def told_on(before: Surface, after: Surface) -> dict[str, set[str]]:
    """The targets that both tell a kind on."""
    return {kind: set(before.beside[kind]) & set(after.beside[kind]) for kind in before.beside.keys() & after.beside}


def _put(facts: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        facts.pop(name, None)
    else:
        facts[name] = copy.deepcopy(value)


def mirrored(findings: list[Finding], before: Surface) -> list[str]:
    """The findings of the other direction, as far as they say the same."""
    applied = Applied(before, findings)
    told = []
    for one in findings:
        rule = BY_CODE[one.code]
        path = one.path if one.code in _WHOLE else applied.moved(one.path)
        key = one.key or one.name
        if one.code.endswith("-name-reassigned") and one.unit == "flag":
            key = one.after
        elif one.code.endswith("-name-reassigned"):
            path = (*path[:-1], one.after)
        elif key and not (one.code.endswith(("-removed", "-added", "-merged", "-split")) and rule.field == "names"):
            key = applied.key(one.path, key)
        told.append(line(rule.mirror, one, path, key, one.after, one.before))
    return sorted(told)


def lines(findings: Iterable[Finding]) -> list[str]:
    return sorted(line(one.code, one, one.path, one.key or one.name, one.before, one.after) for one in findings)


def line(code: str, one: Finding, path: Any, key: str | None, before: Any, after: Any) -> str:
    said = (one.unit, list(path), key, one.value, before, after, one.inherited_by)
    return f"{code} {json.dumps(said, sort_keys=True)}"

"""A diff as one page: what breaks first, with the call that shows it, each command once; then what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from pipeline.history.beside import KINDS
from pipeline.history.beside_page import compared_in_words, lines
from pipeline.history.markdown import code_span
from pipeline.history.rule import BREAKING, COMPATIBLE, INFORMATIVE, RISKY, SEVERITIES
from pipeline.history.rules import BY_CODE
from pipeline.surface.diff import Diff, Finding

_TITLES = {
    BREAKING: "Breaking: a call that worked is refused",
    RISKY: "Risky: a call may mean something else, or is about to break",
    COMPATIBLE: "Compatible: what is new, and what more is taken",
    INFORMATIVE: "Informative: what help says",
}
_STATES = {
    "confirmed": "taken before and refused after by the real binaries",
    "refuted": "the real binaries say otherwise",
    "untried": "by the two surfaces; not tried on binaries",
}
_RECALLED = "Told by the timeline: of texts, defaults and environment variables nothing is known."
_LONGEST = 60


def render(diff: Diff, program: str) -> str:
    """The page as Markdown. Values and texts that are long stand in the JSON file only."""
    counts = {severity: [one for one in diff.findings if one.severity == severity] for severity in SEVERITIES}
    page = [
        f"# {program} {diff.before.version} → {diff.after.version}",
        "",
        f"Compared on {', '.join(diff.targets)}." if diff.targets else "No target was read of both versions.",
        *(
            ["Told by the timeline: of texts, defaults and environment variables nothing is known."]
            if diff.told_by
            else []
        ),
        *compared_in_words(diff),
        "The codes stand in docs/differences.md; what is left out here stands in the JSON file.",
        "",
        "| severity | findings | witnesses confirmed | refuted | untried |",
        "|---|---:|---:|---:|---:|",
    ]
    for severity, findings in counts.items():
        states = [one.witness.state for one in findings if one.witness]
        tried = " | ".join(str(states.count(state)) if states else "" for state in ("confirmed", "refuted", "untried"))
        page.append(f"| {severity} | {len(findings)} | {tried} |")
    for severity, findings in counts.items():
        if findings:
            told = _each if severity in (BREAKING, RISKY) else _together
            of_commands = [one for one in findings if one.unit not in KINDS]
            others = [one for one in findings if one.unit in KINDS]
            page += ["", f"## {_TITLES[severity]}", "", *told(of_commands, program), *_beside(others)]
    return "\n".join((*page, ""))


def _each(findings: Sequence[Finding], program: str) -> Iterator[str]:
    """One item for each finding, below its command."""
    for path, group in groupby(findings, key=lambda one: one.path):
        yield f"- {code_span(' '.join((program, *path)))}"
        for one in group:
            yield f"  - {_named(one)}{BY_CODE[one.code].summary} (`{one.code}`){_change(one)}{_around(one)}"
            if one.witness:
                yield f"    - {code_span(' '.join((program, *one.witness.argv)))}: {_STATES[one.witness.state]}"


def _together(findings: Sequence[Finding], program: str) -> Iterator[str]:
    """One item for each code, with all units of a command in a row."""
    for code, group in groupby(sorted(findings, key=lambda one: one.code), key=lambda one: one.code):
        rule, found = BY_CODE[code], list(group)
        yield f"- {rule.summary} (`{code}`)"
        if rule.units == ("command",):
            commands = (f"{_command(one, program)}{_change(one)}{_around(one)}" for one in found)
            yield f"  - {', '.join(commands)}"
            continue
        for path, units in groupby(found, key=lambda one: one.path):
            row = ", ".join(f"{_unit(one)}{_change(one)}{_around(one)}" for one in units)
            yield f"  - {code_span(' '.join((program, *path)))}: {row}"


def _beside(findings: Sequence[Finding]) -> Iterator[str]:
    for code, line in lines(findings):
        yield from (f"- {BY_CODE[code].summary} (`{code}`)", f"  - {line}")


def _command(one: Finding, program: str) -> str:
    return code_span(" ".join((program, *one.path))) + (f": {code_span(one.value)}" if one.value else "")


def _unit(one: Finding) -> str:
    name = one.key or one.name or ""
    if one.value and BY_CODE[one.code].field in ("possible_values", "about"):
        return code_span(f"{name}={one.value}" if one.unit == "flag" else f"{name} {one.value}")
    return code_span(f"{name} {one.value or ''}".strip()) if name or one.value else "(the command)"


def _named(one: Finding) -> str:
    return f"{_unit(one)}: " if one.key or one.name or one.value else ""


def _change(one: Finding) -> str:
    """Both values, where they are short and say more than the code does."""
    if one.code.endswith(("-split", "-merged")):
        return (
            f" It was one of {code_span(one.before)}'s."
            if one.code.endswith("-split")
            else f" See {code_span(one.after)}."
        )
    if BY_CODE[one.code].field in ("about", "available_on", "place") or one.before is one.after is None:
        return ""
    sides = [_said(value) for value in (one.before, one.after)]
    if any(side is None for side in sides):
        return ""
    return f" {sides[0]} → {sides[1]}"


def _said(value: Any) -> str | None:
    """A value in few words; None for one that takes many."""
    if value is None:
        return "(nothing)"
    short = isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) <= _LONGEST
    return code_span(str(value)) if short else None


def _around(one: Finding) -> str:
    """Where it holds, what goes along with it."""
    said = []
    if one.targets is not None:
        said.append(f"on {', '.join(one.targets)}")
    if one.inherited_by:
        said.append(f"also of {', '.join(code_span(' '.join(path)) for path in one.inherited_by)}")
    elif one.with_it and one.unit == "flag":
        said.append("also of every command")
    if one.with_it and one.unit == "command":
        counts = [(one.with_it.commands, "command"), (one.with_it.flags, "flag"), (one.with_it.args, "arg")]
        told = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
        said.append(f"with {' and '.join(told)}")
    return f" ({'; '.join(said)})" if said else ""

"""Annotations of GitHub's workflows: a command for each finding on standard output, and one for the whole.

GitHub shows the first ten of each level of a step; the most severe ones stand first.
"""

from __future__ import annotations

from pipeline.faces.model import Finding, Overview

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(overview: Overview) -> str:
    counted = ", ".join(f"{name} {count}" for name, count in overview.counts.items())
    title = _value(f"{overview.program} {overview.version}")
    lines = [*map(_annotation, overview.findings), f"::notice title={title}::{_text(f'{overview.verdict} {counted}')}"]
    return "\n".join((*lines, ""))


def _annotation(finding: Finding) -> str:
    place = finding.place
    # What is said of a file as a whole is shown at its first line.
    words = f"file={_value(place.file)},line={place.line or 1},title={_value(finding.rule)}"
    return f"::{_COMMANDS[finding.level]} {words}::{_text(finding.text)}"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")

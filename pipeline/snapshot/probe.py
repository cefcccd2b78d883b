"""What a binary says of itself besides help: its version and its list of features.

Text in -> fields of the snapshot out. What cannot be had is a sentence that says why, and no error: whether it
matters is the caller's to judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.contract.agent import FeatureProbe
from pipeline.errors import BinaryOutputTooLarge, BinaryTimeout
from pipeline.snapshot.calls import Caller
from pipeline.surface.units import Shape

_SEMVER = re.compile(r"\d+\.\d+\.\d+((?:[-+][0-9A-Za-z.-]+)*)")
_TWO_PARTS = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.]|[-+]?[0-9A-Za-z])")
_CHANNEL = re.compile(r"(?<![a-z])(alpha|beta|nightly|rc|dev)(?![a-z])")
# A word of digits alone is a date or a build number, one of letters alone may be a word ("defaced").
_COMMIT = re.compile(r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,40}\b")
# Columns stand a tab or two spaces apart (both seen); a stage may have several words ("under development").
_FEATURE = re.compile(r"(\S+)(?:\s{2,}|\t)(\S.*?)(?:\s{2,}|\t)(true|false)")


@dataclass(frozen=True, slots=True)
class Version:
    """``output`` is the first line as printed; ``channel`` is there when ``semantic`` is."""

    output: str
    semantic: str | None = None
    channel: str | None = None
    commit: str | None = None


class Feature(Shape, frozen=True, kw_only=True):
    """One line of the list; ``effective`` says whether it is on by default."""

    effective: bool
    name: str
    stage: str


def ask_version(caller: Caller, program: str) -> Version | str:
    """Run ``--version``: the version, or why there is none (the same words on every machine)."""
    try:
        answer = caller.ask("--version")
    except BinaryTimeout:
        return f"no answer within {caller.limits.seconds_per_call:g} s"
    except BinaryOutputTooLarge:
        return f"more than {caller.limits.output_bytes} bytes"
    if answer.exit_code:
        return f"exit code {answer.exit_code}"
    return read_version(answer.text, program) if answer.text else "prints nothing"


def read_version(text: str, program: str = "") -> Version:
    """The parts of a ``--version`` text, from its first line, or the first that begins with the program's name
    (an interpreter's version may stand above it). A later line counts only for what that one lacks."""
    lines = text.strip().splitlines()
    own = (line for line in lines if program and line.lower().startswith(program.lower()))
    output = next(own, lines[0]).rstrip()
    commit = _COMMIT.search(output) or _COMMIT.search(text)
    version = _SEMVER.search(output) or _SEMVER.search(text)
    if version is None:
        # Python packages may leave out a last part that is 0, and mean the same.
        short = _TWO_PARTS.search(output)
        return Version(output, short and f"{short[0]}.0", "stable" if short else None, commit and commit[0])
    channel = _CHANNEL.search(version[1].lower())
    return Version(output, version[0], channel[1] if channel else "stable", commit and commit[0])


def ask_features(caller: Caller, probe: FeatureProbe) -> tuple[Feature, ...] | str:
    """The features by name, or why they cannot be had (command words and reason, the same on every machine)."""
    command, limits = " ".join(probe.list), caller.limits
    try:
        answer = caller.ask(*probe.list)
    except BinaryTimeout:
        return f"{command}: no answer within {limits.seconds_per_call:g} s"
    except BinaryOutputTooLarge:
        return f"{command}: more than {limits.output_bytes} bytes"
    if answer.exit_code:
        return f"{command}: exit code {answer.exit_code}"
    return read_features(answer.text) or f"{command}: lists no feature"


def read_features(text: str) -> tuple[Feature, ...]:
    """The lines that are a feature (name, stage, true or false), sorted by name; other lines are left."""
    rows = (_FEATURE.fullmatch(line.strip()) for line in text.splitlines())
    found = (Feature(effective=row[3] == "true", name=row[1], stage=row[2]) for row in rows if row)
    return tuple(sorted(found, key=lambda feature: feature.name))

"""What models answer: JSON that has to fit the schema that went with the question; findings, the most severe first."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec

from pipeline.canonical import Json
from pipeline.errors import AnswerUnfit, TurnRefused
from pipeline.runs.manifest import Severity
from pipeline.surface.units import Shape

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_QUOTED = 300
_REMEDY = "look at the turn's events, say the goal more precisely, and resume the run"


class Finding(Shape, frozen=True, kw_only=True):
    """What a reviewer found. ``file`` is the repository's path, ``line`` a line there."""

    severity: Severity
    file: str
    line: int
    text: str


class _Review(msgspec.Struct):
    findings: tuple[Finding, ...]


def fitting(text: str, schema: dict[str, Any]) -> Json:
    """The answer. Raises AnswerUnfit, and TurnRefused where the model says that it declines."""
    from jsonschema import Draft202012Validator, SchemaError  # it takes 100 ms

    if not text.strip():
        raise AnswerUnfit("the turn ended without an answer: the model declined, or said nothing", remedy=_REMEDY)
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise AnswerUnfit(f"the answer is not JSON ({error}): {_short(text)}", remedy=_REMEDY) from None
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise AnswerUnfit(
            f"the role's schema is none: {error.message[:_QUOTED]}", remedy="correct it in the goal's settings"
        ) from None
    problem = next(Draft202012Validator(schema).iter_errors(answer), None)
    if problem is not None:
        raise AnswerUnfit(
            f"the answer does not fit the schema: {problem.json_path}: {problem.message[:_QUOTED]}", remedy=_REMEDY
        )
    if not isinstance(answer, dict):
        raise AnswerUnfit(f"the answer is no object: {_short(text)}", remedy=_REMEDY)
    if refusal := answer.get("refusal"):
        raise TurnRefused(f"the model declined: {_short(str(refusal))}", remedy="say the goal otherwise in a new run")
    return answer


def findings_of(answer: Json) -> tuple[Finding, ...]:
    """A reviewer's findings, by severity, file and line. Raises AnswerUnfit."""
    try:
        found = msgspec.convert(answer, _Review).findings
    except msgspec.ValidationError as error:
        raise AnswerUnfit(f"the answer holds no findings: {error}", remedy=_REMEDY) from None
    return tuple(sorted(found, key=lambda one: (_SEVERITIES.index(one.severity), one.file, one.line, one.text)))


def counted(findings: tuple[Finding, ...]) -> dict[Severity, int]:
    """How many there are of each severity, with those of which there is none."""
    return {severity: sum(one.severity == severity for one in findings) for severity in _SEVERITIES}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED]}…"

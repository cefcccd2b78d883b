"""What models answer: JSON that has to fit the schema that went with the question; findings, the most severe first."""

from __future__ import annotations

from typing import Any, get_args

import jsonschema_rs
import msgspec
import orjson

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


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Raises ValueError for what is no schema; one that lies elsewhere is none."""
    return jsonschema_rs.Draft202012Validator(schema, retriever=_nowhere)


def _nowhere(uri: str) -> Any:
    raise ValueError(f"{uri} is not in the schema")


def fitting(text: str, schema: dict[str, Any]) -> Json:
    """The answer. Raises AnswerUnfit, and TurnRefused where the model says that it declines."""
    if not text.strip():
        raise AnswerUnfit("the turn ended without an answer: the model declined, or said nothing", remedy=_REMEDY)
    try:
        answer = orjson.loads(text)
    except ValueError as error:
        raise AnswerUnfit(f"the answer is not JSON ({error}): {_short(text)}", remedy=_REMEDY) from None
    problem = next(validator(schema).iter_errors(answer), None)
    if problem is not None:
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in problem.instance_path)
        raise AnswerUnfit(f"the answer does not fit the schema: ${place}: {problem.message[:_QUOTED]}", remedy=_REMEDY)
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

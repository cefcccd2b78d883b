"""What a binary tells offline besides its command line, read from the JSON Schemas that one of its commands writes.

Commands as they were read, and the agent's probe in -> surfaces out, with what went wrong. Only a command that the
binary itself shows or completes is run; a version that lacks it has no such surface, and that is no omission.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import orjson

from pipeline.contract.agent import SurfaceProbe, SurfaceReading
from pipeline.errors import BinaryOutputTooLarge, BinaryTimeout
from pipeline.snapshot.calls import Caller
from pipeline.snapshot.probe import Feature as ListedFeature
from pipeline.surface.surfaces import Feature, Surfaces
from pipeline.surface.units import Command, Path, flag_names

Files = Mapping[str, bytes]


class _Method(msgspec.Struct, frozen=True):
    enum: tuple[str, ...] = ()
    const: str | None = None


class _Properties(msgspec.Struct, frozen=True):
    method: _Method


class _Alternative(msgspec.Struct, frozen=True):
    properties: _Properties


class _Requests(msgspec.Struct, frozen=True, rename={"alternatives": "oneOf"}):
    alternatives: tuple[_Alternative, ...]


def ask_surfaces(
    caller: Caller, probe: SurfaceProbe, commands: Mapping[Path, Command], listed: Iterable[ListedFeature]
) -> tuple[Surfaces, list[str]]:
    """The surfaces (``listed`` are the features that are known already), and what could not be had, as omissions."""
    features = tuple(Feature(name=one.name, stage=one.stage, default=one.effective) for one in listed) or None
    words = next((words for words in probe.ask if _has(commands, words)), None)
    if words is None:
        return Surfaces(features=features), []
    readings = {name: one for name in ("rpc_methods", "hook_events") if (one := getattr(probe, name))}
    files = _written(caller, words, [one.file for one in readings.values()])
    if isinstance(files, str):
        return Surfaces(features=features), [f"surfaces: {' '.join(words)}: {files}"]
    found: dict[str, Any] = {}
    omissions = []
    for name, reading in readings.items():
        try:
            found[name] = tuple(sorted(set(_names(files, reading)))) or None
        except (ValueError, RecursionError, msgspec.ValidationError):
            omissions.append(f"surfaces: {name}: {reading.file} has another shape than {reading.reader}")
    return Surfaces(features=features, **found), omissions


def _has(commands: Mapping[Path, Command], words: tuple[str, ...]) -> bool:
    at = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    command = commands.get(words[:at])
    known = {name for flag in command.flags or () for name in flag_names(flag)} if command else set()
    return command is not None and known.issuperset(word for word in words[at:] if word.startswith("-"))


def _written(caller: Caller, words: tuple[str, ...], patterns: list[str]) -> Files | str:
    """The files that a call writes, by name; or why there are none, in the same words on every machine."""
    try:
        answer, files = caller.collect(
            *words, wanted=lambda name: any(fnmatchcase(name, pattern) for pattern in patterns)
        )
    except BinaryTimeout:
        return f"no answer within {caller.limits.seconds_per_call:g} s"
    except BinaryOutputTooLarge:
        return f"more than {caller.limits.output_bytes} bytes"
    return f"exit code {answer.exit_code}" if answer.exit_code else files


def _names(files: Files, reading: SurfaceReading) -> Iterator[str]:
    for name in sorted(files):
        if fnmatchcase(name, reading.file):
            if reading.reader == "methods":
                yield from _methods(files[name])
            elif values := _values(orjson.loads(files[name]), reading.name):
                yield from (f"{one[:1].upper()}{one[1:]}" if reading.capital else one for one in values)


def _methods(raw: bytes) -> Iterator[str]:
    for one in msgspec.json.decode(raw, type=_Requests).alternatives:
        yield from filter(None, (*one.properties.method.enum, one.properties.method.const))


def _values(document: Any, name: str) -> tuple[str, ...]:
    """The values of the first definition of a name, however deep it lies; none where there is no such."""
    if not isinstance(document, dict):
        return ()
    if name in document:
        return msgspec.convert(document[name], _Method).enum
    return next((found for inner in document.values() if (found := _values(inner, name))), ())

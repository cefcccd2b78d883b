"""Queues of commands: data in the repository's ``pyproject.toml``, else the data that comes with the library."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.canonical import read_bytes
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.runs.manifest import Command
from pipeline.surface.units import Shape

_DEFAULT = "queues.toml"
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)
# What is shorter is found in ordinary text by chance.
_SHORTEST = 8


class Queued(Shape, frozen=True, kw_only=True):
    """A command as data says it. ``guardrail`` marks one whose outcome is told in the summary."""

    id: str
    argv: tuple[str, ...]
    guardrail: bool = False


def queue(repository: Path, name: str) -> tuple[Queued, ...]:
    """The commands of a queue. Raises UsageError for an unknown name, ArtifactInvalid for data that is no queue."""
    own = repository / "pyproject.toml"
    tables = _parsed(read_bytes(own), own).get("tool", {}).get("parity", {}).get("runs", {}) if own.is_file() else {}
    where: object = own
    if name not in tables:
        where = resources.files("pipeline.runs") / _DEFAULT
        tables = _parsed(where.read_bytes(), where)
    if name not in tables:
        raise UsageError(
            f"there is no queue {name!r}", where=own, remedy=f"write [[tool.parity.runs.{name}]], or use diagnostics"
        )
    found = canonical.convert(tables[name], tuple[Queued, ...], where, f"runs.{name}")
    for each in found:
        if not each.argv or not each.argv[0]:
            raise ArtifactInvalid(f"the command {each.id!r} has no words", where=where, remedy="write its argv")
    return found


def typed(lines: Iterable[str]) -> tuple[Queued, ...]:
    """Commands as a person types them; no shell reads them. Raises UsageError."""
    found = []
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"not a command: {line!r} ({error})", remedy="close its quotes") from None
        if not words:
            raise UsageError("an empty command", remedy="write a program and its arguments")
        found.append(Queued(id=Path(words[0]).name, argv=tuple(words)))
    return tuple(found)


def commands(queued: Sequence[Queued], repository: Path) -> tuple[Command, ...]:
    """The commands as a manifest holds them. Raises UsageError for none, and for one that spells a secret."""
    if not queued:
        raise UsageError("there is nothing to run", remedy="name a queue or give --command")
    secrets = secrets_of(os.environ)
    for each in queued:
        for word in each.argv:
            if name := next((name for value, name in secrets.items() if value in word), None):
                raise UsageError(
                    f"the command {each.id!r} spells the value of ${name}, and a manifest is no place for it",
                    remedy=f"let the command read ${name} itself",
                )
    return tuple(
        Command(
            index=index,
            id=each.id,
            argv=tuple(_placeless(word, repository) for word in each.argv),
            status="pending",
            guardrail=each.guardrail,
        )
        for index, each in enumerate(queued, 1)
    )


def placed(argv: Iterable[str], repository: Path) -> list[str]:
    """The words as they are run here."""
    return [word.replace("{python}", sys.executable).replace("{repository}", str(repository)) for word in argv]


def secrets_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Values of variables that are named like secrets, with the names."""
    return {value: name for name, value in environ.items() if _SECRET.search(name) and len(value) >= _SHORTEST}


def redacted(text: str, secrets: Mapping[str, str]) -> str:
    """``text`` with the names of variables in place of their values, the longest first."""
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, f"[${secrets[value]}]")
    return text


def _placeless(word: str, repository: Path) -> str:
    return word.replace(str(repository), "{repository}").replace(sys.executable, "{python}")


def _parsed(raw: bytes, where: object) -> dict[str, Any]:
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArtifactInvalid(f"not valid TOML: {error}", where=where, remedy="correct that line") from None

"""Queues of commands: data in the repository's ``pyproject.toml``, else the data that comes with the library."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

from pipeline import canonical
from pipeline.declared import NAME, declared
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.process.secrets import secrets_of
from pipeline.runs.manifest import Command
from pipeline.surface.units import Shape
from pipeline.toml import parsed

_DEFAULT = "queues.toml"


class Queued(Shape, frozen=True, kw_only=True):
    """A command as data says it. ``guardrail`` marks one whose outcome is told in the summary."""

    id: str
    argv: tuple[str, ...]
    guardrail: bool = False


def queue(repository: Path, name: str) -> tuple[Queued, ...]:
    """The commands of a queue. Raises UsageError for an unknown name, ArtifactInvalid for data that is no queue."""
    own, tables = repository / NAME, declared(repository, "runs")
    where: object = own
    if name not in tables:
        where = resources.files("pipeline.runs") / _DEFAULT
        tables = parsed(where.read_bytes(), where)
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
    for each in queued:
        for word in (each.id, *each.argv):
            keepable(f"the command {each.id!r}", word)
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


def keepable(what: str, text: str) -> str:
    """Return ``text`` if a manifest may hold it. Raises UsageError for one that spells a secret, or is not UTF-8."""
    if name := next((name for value, name in secrets_of(os.environ).items() if value in text), None):
        raise UsageError(
            f"{what} spells the value of ${name}, and a manifest is no place for it",
            remedy=f"say ${name} instead; a command reads it by itself",
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{what} is not UTF-8", remedy="write it in UTF-8") from None
    return text


def placed(argv: Iterable[str], repository: Path) -> list[str]:
    """The words as they are run here."""
    return [word.replace("{python}", sys.executable).replace("{repository}", str(repository)) for word in argv]


def _placeless(word: str, repository: Path) -> str:
    return word.replace(str(repository), "{repository}").replace(sys.executable, "{python}")

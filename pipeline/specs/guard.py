"""The guard: does the code's change come with a change of a spec, and was every spec reviewed of late?

An override with a reason lifts the first of these alone; a run records the reason in its manifest.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline import canonical, clock
from pipeline.errors import ArtifactMissing, ParityError, UsageError
from pipeline.specs.changes import changed_files
from pipeline.specs.front import REMEDY, Front, read_front
from pipeline.specs.index import index_bytes, spec_paths
from pipeline.specs.settings import Settings

# What runs leave, which lies below none of the rooms that specs know.
_RUNS = ".runs"
# How many changed files a finding names.
_NAMED = 5


class Finding(NamedTuple):
    """What is not as it shall be; ``path`` is the repository's."""

    code: str
    path: str
    message: str


class Verdict(NamedTuple):
    """What the guard found, and what an override lifted."""

    findings: tuple[Finding, ...]
    lifted: tuple[Finding, ...]


def guard(repository: Path, settings: Settings, *, base: str | None = None, override: str | None = None) -> Verdict:
    """Raises UsageError for an override without a reason and as ``changed_files`` does, EpochMissing for no epoch."""
    if override is not None and not override.strip():
        raise UsageError("an override needs a reason", remedy="say why the specs need no change")
    untold = list(_untold(changed_files(repository, base), repository, settings))
    found = [*_specs(repository, settings)]
    if override is None:
        found += untold
    return Verdict(tuple(sorted(found)), tuple(untold if override is not None else ()))


def _untold(changed: list[str], repository: Path, settings: Settings) -> Iterator[Finding]:
    """Code that was changed, where no spec was."""
    code = [name for name in changed if any(_below(name, one) for one in settings.code)]
    specs = {path.relative_to(repository).as_posix() for path in spec_paths(repository, settings)}
    told = any(name in specs or name == settings.index for name in changed)
    if code and not told:
        more = f" and {len(code) - _NAMED} more" if len(code) > _NAMED else ""
        yield Finding("spec-not-changed", code[0], f"changed without a spec: {', '.join(code[:_NAMED])}{more}")


def _below(name: str, prefix: str) -> bool:
    """What runs leave is nobody's code, wherever it lies."""
    path = PurePosixPath(name)
    return _RUNS not in path.parts and path.is_relative_to(PurePosixPath(prefix))


def _specs(repository: Path, settings: Settings) -> Iterator[Finding]:
    today, fronts = _today(), list[tuple[Path, Front]]()
    seen: dict[str, str] = {}
    whole = True
    for path in spec_paths(repository, settings):
        name = path.relative_to(repository).as_posix()
        try:
            front = read_front(path)
        except ParityError as error:
            whole = False
            yield Finding("spec-unreadable", name, f"{error.problem}; {REMEDY}")
            continue
        fronts.append((path, front))
        if first := seen.get(front.id):
            yield Finding("spec-id-twice", name, f"{front.id!r} is also the id of {first}")
        seen.setdefault(front.id, name)
        yield from _reviewed(name, front, today, settings.days)
    if whole:
        yield from _index(repository, settings, fronts)


def _reviewed(name: str, front: Front, today: datetime.date, days: int) -> Iterator[Finding]:
    age = (today - front.last_review).days
    if age < 0:
        yield Finding("spec-review-in-future", name, f"last_review is {front.last_review}, and today is {today}")
    elif age > days and front.status == "active":
        yield Finding("spec-review-old", name, f"last reviewed {age} days ago; at most {days} are allowed")


def _index(repository: Path, settings: Settings, fronts: list[tuple[Path, Front]]) -> Iterator[Finding]:
    path = repository / settings.index
    try:
        fresh = canonical.read_bytes(path) == index_bytes(repository, iter(fronts))
    except ArtifactMissing:
        fresh = not fronts
    except ParityError as error:
        yield Finding("spec-index-stale", settings.index, error.problem)
        return
    if not fresh:
        yield Finding("spec-index-stale", settings.index, "differs from the specs; `parity specs index` writes it")


def _today() -> datetime.date:
    """The epoch's day, or the day itself where nobody gives one."""
    epoch = clock.environment_epoch()
    if epoch is None:
        return clock.wall().date()
    return datetime.date.fromisoformat(clock.timestamp(epoch, {})[:10])

"""Where a run lies: ``.runs/<task>/<kind>/<run-id>/``, and the pointer to it in ``.runs/local-mcp/<run-id>/``.

Names become parts of a path: what they may hold is what keeps them inside ``.runs``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import canonical
from pipeline.errors import FileUnreadable, RunRefused, UsageError, WriteFailed
from pipeline.transaction.tree import remove

RUNS, POINTERS = ".runs", "local-mcp"
RUNNER = "pipeline.runs.runner"
_COMPAT = "compat.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
# How much of a name that is none is told.
_SHOWN = 100
_SLUG = re.compile(r"[^a-z0-9]+")


def check_name(what: str, name: str) -> str:
    """Return ``name`` if it may name a folder; raises UsageError otherwise."""
    if not _NAME.fullmatch(name) or name == POINTERS:
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        raise UsageError(f"{shown!r} is not a {what}", remedy="use letters, digits, - and _, at most 80 of them")
    return name


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder, and what lies in it."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def runner_words(self) -> tuple[str, str]:
        """What tells the process that carries this run out from any other: it was called with these words."""
        return RUNNER, str(self.path)

    @property
    def task_folder(self) -> Path:
        return self.path.parent.parent

    @property
    def pointer(self) -> Path:
        return self.task_folder.parent / POINTERS / self.run_id

    @property
    def repository(self) -> Path:
        return self.task_folder.parent.parent

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def heartbeat(self) -> Path:
        return self.path / "heartbeat.json"

    @property
    def log(self) -> Path:
        return self.path / "runner.log"

    @property
    def token(self) -> Path:
        return self.path / ".resume-token"

    @property
    def lock(self) -> Path:
        return self.path / ".lock"

    @property
    def cancelled(self) -> Path:
        return self.path / "cancel.json"

    @property
    def diff(self) -> Path:
        return self.path / "diff.patch"

    @property
    def diff_after(self) -> Path:
        return self.path / "diff-after.patch"

    def shown(self, path: Path) -> str:
        """A path as people and records of the repository name it."""
        return path.relative_to(self.repository).as_posix()


def numbered(kind: str, index: int, identifier: str, attempt: int) -> str:
    """The name of a command's file, such as ``errors/02-lint.json``; a later attempt says its number."""
    return f"{kind}/{named(index, identifier, attempt)}"


def named(index: int, identifier: str, attempt: int = 1) -> str:
    """The same without its folder."""
    slug = _SLUG.sub("-", identifier.lower()).strip("-")[:60] or "command"
    return f"{index:02d}-{slug}{f'.{attempt}' if attempt > 1 else ''}.json"


def find(repository: Path, run_id: str) -> RunFolder:
    """Raises UsageError for a name that is none, RunRefused where there is no such run, or several."""
    check_name("run id", run_id)
    found = [path for path in (repository / RUNS).glob(f"*/*/{run_id}") if path.parent.parent.name != POINTERS]
    if not found:
        raise RunRefused(
            f"there is no run {run_id}", where=repository / RUNS, remedy="`parity runs list` names those there are"
        )
    if len(found) > 1:
        raise RunRefused(
            f"{len(found)} runs have the id {run_id}",
            where=repository / RUNS,
            remedy=f"move all but one away: {', '.join(sorted(RunFolder(path).shown(path) for path in found))}",
        )
    return RunFolder(found[0])


def every(repository: Path) -> Iterator[RunFolder]:
    """All runs of a repository, oldest first."""
    found = []
    for task in _folders(repository / RUNS):
        if Path(task).name != POINTERS:
            found += [Path(run) for kind in _folders(task) for run in _folders(kind)]
    yield from map(RunFolder, sorted(found, key=lambda path: (path.name, str(path))))


def _folders(path: Path | str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise FileUnreadable(problem, where=path, remedy="a folder that you may read has to be there") from None


def create(repository: Path, task: str, kind: str, now: datetime) -> RunFolder:
    """A new folder with its pointer; nothing is left where either cannot be written. Raises WriteFailed."""
    check_name("task", task)
    check_name("kind", kind)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    folder = RunFolder(repository.resolve() / RUNS / task / kind / run_id)
    try:
        folder.path.mkdir(parents=True)
        folder.pointer.mkdir(parents=True)
        # Locks and tokens start with a dot: who commits runs must not commit those.
        ignored = folder.task_folder.parent / ".gitignore"
        if not ignored.exists():
            canonical.write(ignored, b".*\n!.gitignore\n")
        point(folder)
    except (OSError, WriteFailed) as error:
        discard(folder)
        problem = error.problem if isinstance(error, WriteFailed) else f"cannot be written: {error.strerror or error}"
        raise WriteFailed(
            problem, where=repository / RUNS, remedy="free some space or fix the permissions; nothing was begun"
        ) from None
    return folder


def discard(folder: RunFolder) -> None:
    """Remove a run that did not begin, as far as that can be done."""
    for path in (folder.path, folder.pointer):
        with contextlib.suppress(OSError):
            remove(path)


def point(folder: RunFolder) -> None:
    """Write what leads from a run's pointer to its folder. Raises WriteFailed."""
    target = Path(os.path.relpath(folder.manifest, folder.pointer)).as_posix()
    try:
        (folder.pointer / "manifest.json").unlink(missing_ok=True)
        (folder.pointer / "manifest.json").symlink_to(target)
        pointer = "link"
    except OSError:
        # Where links are not permitted, a file says what the link would.
        canonical.write(folder.pointer / "manifest.json", canonical.encode({"redirect_to": target}))
        pointer = "stub"
    told = {"artifact_root": Path(target).parent.as_posix(), "manifest": target, "pointer": pointer}
    canonical.write(folder.pointer / _COMPAT, canonical.encode(told))


def is_pointed_to(folder: RunFolder) -> bool:
    """Whether ``point`` has done all of its work."""
    return (folder.pointer / _COMPAT).is_file()

"""Runs of an earlier layout brought into today's: looked at first, then moved, one folder in one step.

Earlier runs lie in ``.runs/local-mcp/<run-id>/`` itself, or in ``.runs/<task>/<kind>/<run-id>/`` with a manifest of
another shape, which held the token and the repository's place. The old manifest stays beside the new one without
these. A migration that was cut off is gone on with by the next one.
"""

from __future__ import annotations

import datetime
import hashlib
import shlex
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.errors import ArtifactInvalid, ParityError, RunRefused
from pipeline.process import detached
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import POINTERS, RUNS, RunFolder, check_name, every, is_pointed_to, point
from pipeline.runs.journal import held, moment
from pipeline.runs.manifest import INTERVAL, STALE, Attempt, Command, Manifest, Outcome, State, Workspace

KEPT = "legacy-manifest.json"
_PLACES_AND_TOKENS = frozenset({"resume_token", "repo_root", "artifact_root", "compat_path", "runner_log", "script"})


class Moved(NamedTuple):
    """What was, or would be, done with one run."""

    run_id: str
    status: Literal["planned", "migrated", "skipped", "error"]
    source: str
    destination: str
    problem: str | None = None


class _OldCommand(msgspec.Struct):
    command: str
    status: str = "pending"
    index: int = 0
    started_at: str | None = None
    completed_at: str | None = None
    exit_code: int | None = None
    response_file: str | None = None
    summary: str | None = None
    error_file: str | None = None


class _Old(msgspec.Struct):
    run_id: str
    status: str
    started_at: str
    commands: list[_OldCommand]
    task_id: str | None = None
    updated_at: str | None = None
    completed_at: str | None = None
    status_detail: str | None = None
    approval_policy: str | None = None
    timeout_seconds: float | None = None
    runner_pid: int | None = None
    resume_token: str | None = None


def migrate(repository: Path, *, task: str, apply: bool = False, only: str | None = None) -> list[Moved]:
    """Plan every move, or make it. ``task`` is for runs that name none. What cannot be moved is left and told."""
    check_name("task", task)
    repository = repository.resolve()
    return [
        _moved(repository, source, task, apply=apply)
        for source in list(_sources(repository))
        if only is None or source.name == only
    ]


def _sources(repository: Path) -> Iterator[Path]:
    """Folders of runs that are not where, or not as, they should be."""
    pointers = repository / RUNS / POINTERS
    for path in sorted(pointers.iterdir()) if pointers.is_dir() else ():
        manifest = path / "manifest.json"
        if manifest.is_file() and not manifest.is_symlink() and not _is_stub(manifest):
            yield path
    for folder in every(repository):
        if folder.manifest.is_file() and (_is_old(folder.manifest) or not is_pointed_to(folder)):
            yield folder.path


def _document(path: Path) -> Any:
    try:
        return canonical.read_json(path)
    except ParityError:
        return None


def _is_stub(path: Path) -> bool:
    found = _document(path)
    return isinstance(found, dict) and "redirect_to" in found


def _is_old(path: Path) -> bool:
    found = _document(path)
    return isinstance(found, dict) and "schema_version" not in found


def _moved(repository: Path, source: Path, task: str, *, apply: bool) -> Moved:
    old = RunFolder(source)
    shown, destination = source.relative_to(repository).as_posix(), ""
    try:
        check_name("run id", source.name)
        document = canonical.read_json(old.manifest)
        if not isinstance(document, dict):
            raise ArtifactInvalid("the manifest is no JSON object", where=old.manifest)
        if "schema_version" in document:
            found, kind = shapes.read(old.manifest), None
        else:
            before = canonical.convert(document, _Old, old.manifest)
            if before.runner_pid and detached.started(before.runner_pid) and before.status == "in_progress":
                return Moved(source.name, "skipped", shown, shown, "a process with its runner's id is alive")
            found, kind = converted(before, task), "mcp"
        in_place = source.parent.name != POINTERS
        new = old if in_place else RunFolder(repository / RUNS / found.task / (kind or found.kind) / source.name)
        destination = new.path.relative_to(repository).as_posix()
        if not in_place and new.path.exists():
            raise RunRefused("there is another run of that name", where=destination, remedy="move one of them away")
        if not apply:
            return Moved(source.name, "planned", shown, destination)
        _apply(old, new, document, found)
    except (ParityError, OSError) as error:
        return Moved(source.name, "error", shown, destination, str(error))
    return Moved(source.name, "migrated", shown, destination)


def _apply(old: RunFolder, new: RunFolder, document: Json, found: Manifest) -> None:
    new.path.parent.mkdir(parents=True, exist_ok=True)
    with held(old):
        if "schema_version" not in document:
            kept = {key: value for key, value in document.items() if key not in _PLACES_AND_TOKENS}
            canonical.write(old.path / KEPT, canonical.encode(kept))
            found = msgspec.structs.replace(found, task=new.task_folder.name, kind=new.path.parent.name)
            canonical.write(old.manifest, shapes.encode(found))
    if old.path != new.path:
        old.path.rename(new.path)
    if not is_pointed_to(new):
        new.pointer.mkdir(parents=True, exist_ok=True)
        point(new)


def converted(old: _Old, task: str) -> Manifest:
    """An earlier manifest as one of today's. Who had not ended has failed: nobody carries it out any more."""
    status = old.status if old.status in ("succeeded", "failed", "cancelled") else "failed"
    outcome: Outcome = status if status == old.status else "interrupted"  # type: ignore[assignment]
    ended = old.completed_at or old.updated_at or old.started_at
    commands = tuple(_command(each, index) for index, each in enumerate(old.commands, 1))
    return Manifest(
        schema_version=1,
        generator=f"cli-parity {version('cli-parity')}",
        run_id=old.run_id,
        task=check_name("task", old.task_id or task),
        kind="mcp",
        status=status,  # type: ignore[arg-type]
        status_detail=old.status_detail if status == old.status else "interrupted",
        created_at=_moment(old.started_at),
        updated_at=moment(),
        completed_at=_moment(ended),
        transport="mcp",
        approval_policy=old.approval_policy or "never",
        timeout_seconds=old.timeout_seconds or 3600.0,
        heartbeat_interval_seconds=INTERVAL,
        heartbeat_stale_after_seconds=STALE,
        token_sha256=hashlib.sha256((old.resume_token or "").encode()).hexdigest() if old.resume_token else "",
        workspace=Workspace(),
        commands=commands,
        attempts=(
            Attempt(
                number=1,
                pid=old.runner_pid or 0,
                pid_started=0.0,
                started_at=_moment(old.started_at),
                outcome=outcome,
                ended_at=_moment(ended),
            ),
        ),
        guardrail="missing",
        summary=("Note: migrated from an earlier layout; what it does not say is not known.",),
        log="runner.log",
    )


def _command(old: _OldCommand, index: int) -> Command:
    try:
        words = shlex.split(old.command)
    except ValueError:  # a line that only a shell reads
        words = ["sh", "-c", old.command]
    status: State = old.status if old.status in get_args(State) else "skipped"  # type: ignore[assignment]
    return Command(
        index=index,
        id=Path(words[0]).name if words else "command",
        argv=tuple(words),
        status="cancelled" if status == "running" else status,
        attempt=1 if old.started_at else None,
        started_at=_moment(old.started_at) if old.started_at else None,
        completed_at=_moment(old.completed_at) if old.completed_at else None,
        exit_code=old.exit_code,
        summary=old.summary,
        response_file=_inside(old.response_file),
        error_file=_inside(old.error_file),
    )


def _inside(path: str | None) -> str | None:
    """A file of the run's folder by its place there; earlier manifests named the repository's."""
    if path is None:
        return None
    parts = Path(path).parts
    return "/".join(parts[-2:] if parts[-2:-1] == ("errors",) else parts[-1:])


def _moment(text: str) -> str:
    """A time in today's spelling. Raises ArtifactInvalid."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ArtifactInvalid(f"{text!r} is no time", remedy="correct it in the run's manifest") from None
    return found.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""A run reviewed from its folder alone: what is missing for that, and the page that says all of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import msgspec

from pipeline import canonical
from pipeline.errors import ParityError
from pipeline.runs.folder import RunFolder
from pipeline.runs.goals import page as goal
from pipeline.runs.journal import Response
from pipeline.runs.manifest import Command, Manifest

_ENDS = 40
_RAN = frozenset({"succeeded", "failed"})


class _Error(msgspec.Struct):
    """What a page needs of an error's file."""

    run_id: str
    command_id: str
    reason: str
    details: dict[str, object]


def lacks(folder: RunFolder, manifest: Manifest) -> Iterator[str]:
    """What a reviewer would miss: what the manifest promises and is not there, or says something else."""
    if not folder.log.is_file():
        yield "the log"
    if manifest.workspace.revision is None:
        yield "the revision that it ran on"
    elif manifest.workspace.changed is None:
        yield "what was not committed"
    for name in (manifest.workspace.diff, manifest.workspace.diff_after):
        if name and not (folder.path / name).is_file():
            yield name
    if manifest.transport != "local" and manifest.agent is None:
        yield "the agent's version"
    for command in manifest.commands:
        if command.status in _RAN:
            yield from _lacks(folder, command)
    yield from goal.lacks(folder.path, manifest)


def _lacks(folder: RunFolder, command: Command) -> Iterator[str]:
    if command.response_file:
        try:
            response = canonical.read(folder.path / command.response_file, Response)
        except ParityError:
            yield command.response_file
        else:
            if (response.command_id, response.exit_code) != (command.id, command.exit_code):
                yield f"{command.response_file} that agrees with the manifest"
    elif command.status == "succeeded":
        yield f"the response of {command.id}"
    if command.status == "failed":
        try:
            read_error(folder, command)
        except ParityError:
            yield f"why {command.id} failed"


def read_error(folder: RunFolder, command: Command) -> _Error:
    """Raises ArtifactMissing, ArtifactInvalid."""
    path = folder.path / (command.error_file or f"errors/{command.index:02d}")
    return canonical.decode(canonical.read_bytes(path), _Error, path)


def page(folder: RunFolder, manifest: Manifest) -> str:
    """One run as Markdown: what was run, on what, with which versions, what failed and why."""
    return "".join(f"{_visible(line)}\n" for line in _page(folder, manifest))


def _visible(line: str) -> str:
    """What a terminal would obey stands as its escape: the output of a command is not to be trusted."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in line)


def _page(folder: RunFolder, manifest: Manifest) -> Iterator[str]:
    yield f"# Run {manifest.run_id}: {manifest.status}"
    yield ""
    yield from (f"- {line}" for line in manifest.summary)
    yield ""
    yield from _facts(manifest)
    yield from goal.section(folder.path, manifest)
    yield ""
    yield from ("| # | command | status | seconds | attempt | evidence |", "|---|---|---|---|---|---|")
    for each in manifest.commands:
        seconds = "" if each.duration_seconds is None else f"{each.duration_seconds:g}"
        evidence = ", ".join(f"[{name}]({name})" for name in (each.response_file, each.error_file) if name)
        words = shlex.join(each.argv).replace("|", "\\|").replace("\n", " ").replace("`", "'")
        yield f"| {each.index} | {each.id}: `{words}` | {each.status} | {seconds} | {each.attempt or ''} | {evidence} |"
    yield from ("", "## Attempts", "")
    for attempt in manifest.attempts:
        yield f"- {attempt.number}: {attempt.started_at} to {attempt.ended_at or 'now'}, {attempt.outcome}"
    for command in manifest.commands:
        if command.status == "failed":
            yield from _failure(folder, command)
    for path in sorted(folder.path.glob("errors/00-*.json")):
        yield from ("", f"## The runner failed: [{path.name}](errors/{path.name})")
    missing = list(lacks(folder, manifest))
    yield from ("", "## What a reviewer misses", "")
    yield from (f"- {one}" for one in missing or ["nothing"])


def _facts(manifest: Manifest) -> Iterator[str]:
    agent, space = manifest.agent, manifest.workspace
    yield f"- task {manifest.task}, {manifest.kind}, made by {manifest.generator}"
    by = f"{agent.name} {agent.version} (sha256 {agent.sha256})" if agent else "no agent"
    allowed = f"sandbox {manifest.sandbox or 'none'}, permission profile {manifest.permission_profile or 'none'}"
    yield f"- carried out by {manifest.transport}, {by}; {allowed}"
    limits = f"{manifest.timeout_seconds:g} s for each command, approval policy {manifest.approval_policy}"
    yield f"- {limits}"
    changed = f"with what is not committed ([{space.diff}]({space.diff}))" if space.diff else "all committed"
    if space.changed is None:
        changed = "and what is not committed git could not say"
    yield f"- on revision {space.revision or 'unknown'}, {changed if space.revision else 'not in git'}"
    if space.diff_after:
        yield f"- the commands changed files: [{space.diff_after}]({space.diff_after})"
    guard = f"; overridden: {manifest.guardrail_override}" if manifest.guardrail_override else ""
    yield f"- guardrail: {manifest.guardrail}{guard}"


def _failure(folder: RunFolder, command: Command) -> Iterator[str]:
    yield from ("", f"## {command.id} failed", "")
    try:
        error = read_error(folder, command)
    except ParityError as problem:
        yield str(problem)
        return
    yield f"Reason: {error.reason}."
    for key, value in error.details.items():
        if isinstance(value, str) and value.strip():
            lines = value.strip("\n").splitlines()[-_ENDS:]
            yield from ("", f"{key}:", "", *(f"    {line}" for line in lines))
        elif value not in ("", None):
            yield f"- {key}: {value}"

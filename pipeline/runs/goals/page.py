"""A goal for its reviewer: what was asked, what the patch changes, what was found, who applied it; what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ParityError
from pipeline.runs.goals.answers import Finding
from pipeline.runs.goals.evidence import ANSWER, EVENTS, PROMPT, TURN
from pipeline.runs.manifest import Goal, Manifest

_SHOWN = 500


def section(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The part of a run's page that is about its goal; nothing where it has none. ``folder`` is the run's."""
    goal = manifest.goal
    if goal is None:
        return
    yield from ("", "## Goal", "", *(f"> {line}" for line in goal.text.splitlines()), "")
    yield f"- from revision {goal.base}, by the roles of [{goal.settings}]({goal.settings})"
    if goal.patch:
        yield f"- [{goal.patch}]({goal.patch}) (sha256 {goal.patch_sha256}) changes:"
        yield from (f"  - `{_cell(name)}`" for name in goal.changed)
    else:
        yield "- no patch"
    for one in manifest.commands:
        if one.evidence:
            yield f"- {one.id}: [{one.evidence}]({one.evidence}){_said(folder / one.evidence / ANSWER)}"
    if goal.findings_file:
        yield from ("", "| severity | where | finding |", "|---|---|---|")
        try:
            findings = canonical.read(folder / goal.findings_file, tuple[Finding, ...])
        except ParityError as error:
            yield f"| | | {_cell(str(error))} |"
        else:
            yield from (f"| {one.severity} | `{_cell(one.file)}:{one.line}` | {_cell(one.text)} |" for one in findings)
    for approval in manifest.approvals:
        despite = f" despite: {'; '.join(approval.despite)}" if approval.despite else ""
        yield from ("", f"{approval.outcome.capitalize()} by {approval.by}, {approval.at}: {approval.reason}{despite}")


def lacks(folder: Path, manifest: Manifest) -> Iterator[str]:
    """What a reviewer of the goal would miss."""
    goal = manifest.goal
    if goal is None:
        return
    for name in (goal.settings, goal.findings_file):
        if name and not (folder / name).is_file():
            yield name
    if goal.patch and not _intact(folder, goal):
        yield f"{goal.patch} as the builder made it"
    for one in manifest.commands:
        if one.role not in (None, "tester") and one.status == "succeeded":
            yield from (
                f"{one.evidence}/{name}"
                for name in (PROMPT, EVENTS, TURN)
                if not (folder / (one.evidence or "steps") / name).is_file()
            )


def _intact(folder: Path, goal: Goal) -> bool:
    try:
        return hashlib.sha256(canonical.read_bytes(folder / (goal.patch or ""))).hexdigest() == goal.patch_sha256
    except ParityError:
        return False


def _said(answer: Path) -> str:
    """What a role says of its work in a few words, where its answer has some."""
    try:
        document = canonical.read_json(answer)
    except ParityError:
        return ""
    said = document.get("summary") if isinstance(document, dict) else None
    return f": {' '.join(said.split())[:_SHOWN]}" if isinstance(said, str) and said.strip() else ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("`", "'").split())

"""Bringing a goal's patch into the working tree: only when somebody asks, and not against what its evidence says.

What stands against it (tests that failed or did not run, a critical finding, a review that is not there, a link that
leads out of the repository) can be overridden; a patch that is not the builder's, or does not apply, cannot. Who
applied it, when, why and despite what stands in the manifest. Whoever is cut off in it calls it again.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.errors import BinaryError, ParityError, RunRefused, UsageError
from pipeline.process.git import APPLY, git
from pipeline.runs import manifest as shapes
from pipeline.runs.begin import note
from pipeline.runs.folder import RunFolder
from pipeline.runs.goals.landing import Landing
from pipeline.runs.goals.links import leading_out
from pipeline.runs.journal import Journal, held, moment
from pipeline.runs.manifest import ENDED, Approval, Manifest
from pipeline.runs.queue import keepable


def apply(folder: RunFolder, *, reason: str, by: str | None = None, override: bool = False) -> Manifest:
    """Apply the patch and return the manifest. Every refusal stands in the run's log, and changes nothing.

    Raises UsageError without a reason or for one that no manifest may hold, RunRefused.
    """
    try:
        if not reason.strip():
            raise UsageError("an approval needs a reason", remedy="say why the patch may get into the working tree")
        by = by or who(folder.repository)
        for what, text in (("the reason", reason), ("the name", by)):
            keepable(what, text)
        with held(folder):
            journal = Journal(folder, shapes.read(folder.manifest))
            _apply(journal, reason, by, override=override)
    except ParityError as error:
        note(folder, f"apply refused: {error}")
        raise
    note(folder, f"applied by {journal.now.approvals[-1].by}: {reason}")
    return journal.now


def who(repository: Path) -> str:
    """The name of whoever works here, as git knows it, else the system."""
    with contextlib.suppress(BinaryError):
        if name := git(repository, "config", "user.name").decode("utf-8", "replace").strip():
            return name
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return "somebody"


def against(manifest: Manifest) -> Iterator[str]:
    """What of a run's evidence stands against its patch."""
    for one in manifest.commands:
        if one.role == "tester" and one.status != "succeeded":
            yield f"the test `{one.id}` {'failed' if one.status == 'failed' else 'did not run'}" + (
                f" ({one.summary})" if one.summary else ""
            )
        if one.role == "reviewer" and one.status != "succeeded":
            yield "nobody has reviewed it"
    findings = manifest.goal.findings if manifest.goal else None
    if findings and (count := findings.get("critical", 0)):
        yield f"the reviewer found {count} critical"


def _apply(journal: Journal, reason: str, by: str, *, override: bool) -> None:
    folder, now = journal.folder, journal.now
    shown = folder.shown(folder.path)
    patch = _patch(folder, now)
    if any(one.outcome == "applied" for one in now.approvals):
        raise RunRefused("the patch was applied already", where=shown, remedy="`parity runs show` says by whom")
    outward = (f"the link {one} leads out of the repository" for one in leading_out(canonical.read_bytes(patch)))
    despite = (*against(now), *outward)
    if despite and not override:
        raise RunRefused(
            f"the patch may not be applied: {'; '.join(despite)}",
            where=shown,
            remedy="if it shall be all the same, --override",
        )
    landing = Landing(folder)
    cut_off = bool(now.approvals) and now.approvals[-1].outcome == "approved"
    if cut_off and landing.path.is_dir():
        landing.finish()
    elif not cut_off or not _applies(folder, patch, "--reverse"):
        # Else whoever applied it died before that could be said.
        if problem := _problem(folder, patch):
            raise RunRefused(
                f"the patch does not apply to the working tree as it is now: {problem}",
                where=shown,
                remedy=f"bring the tree back to {now.goal.base[:12] if now.goal else 'its base'}, or start a new goal",
            )
        landing.prepare(patch)
        approval = Approval(by=by, at=moment(), outcome="approved", reason=reason, despite=despite)
        journal.write(approvals=(*now.approvals, approval))
        landing.finish()
    *before, last = journal.now.approvals
    journal.write(approvals=(*before, msgspec.structs.replace(last, outcome="applied")))


def _patch(folder: RunFolder, manifest: Manifest) -> Path:
    """The patch, if it is there to be applied. Raises RunRefused, ArtifactMissing."""
    goal, shown = manifest.goal, folder.shown(folder.path)
    if goal is None:
        raise RunRefused("the run has no goal, and so no patch", where=shown, remedy="name a run of kind goal")
    if manifest.status not in ENDED:
        raise RunRefused("the run has not ended", where=shown, remedy="wait for it, or resume it")
    if goal.patch is None or not any(one.role == "builder" and one.status == "succeeded" for one in manifest.commands):
        raise RunRefused(
            "no builder has made a patch", where=shown, remedy="`parity runs show` says why; resume the run"
        )
    path = folder.path / goal.patch
    if hashlib.sha256(canonical.read_bytes(path)).hexdigest() != goal.patch_sha256:
        raise RunRefused(
            "it is not the patch that was tested and reviewed", where=folder.shown(path), remedy="restore it"
        )
    return path


def _applies(folder: RunFolder, patch: Path, *how: str) -> bool:
    return _problem(folder, patch, *how) is None


def _problem(folder: RunFolder, patch: Path, *how: str) -> str | None:
    try:
        git(folder.repository, *APPLY, "--check", *how, patch)
    except BinaryError as error:
        return error.problem
    return None

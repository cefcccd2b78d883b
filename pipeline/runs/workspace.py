"""What a run's commands work on, told by git: the revision, and all that is not committed, new files too.

Nothing in the repository changes: files that git does not know yet are looked at through an index of our own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pipeline import canonical
from pipeline.errors import BinaryError, BinaryOutputTooLarge
from pipeline.process.git import DIFF, git_call
from pipeline.process.secrets import secrets_of
from pipeline.runs.folder import RUNS, RunFolder
from pipeline.runs.manifest import Workspace

_LARGEST = 16 << 20
_OURS = f":(exclude){RUNS}"


def observe(folder: RunFolder) -> Workspace:
    """Write ``diff.patch`` where something is not committed, and say what the run begins with."""
    revision = _git(folder, "rev-parse", "--verify", "-q", "HEAD")
    if revision is None or not revision.strip():
        return Workspace()
    began = revision.decode("ascii").strip()
    patch = _patch(folder, began)
    if patch:
        canonical.write(folder.diff, patch)
    changed = None if patch is None else bool(patch)
    return Workspace(revision=began, changed=changed, diff=folder.diff.name if patch else None)


def observe_after(folder: RunFolder, before: Workspace) -> Workspace:
    """The same with ``diff-after.patch`` where the commands have changed something, also by a commit of their own."""
    if before.revision is None:
        return before
    patch = _patch(folder, before.revision)
    known = canonical.read_bytes(folder.diff) if before.diff else b""
    if patch is None or patch == known:
        return before
    # Nothing is left where the commands undid what was there: that is a difference too.
    canonical.write(folder.diff_after, patch)
    return Workspace(
        revision=before.revision, changed=before.changed, diff=before.diff, diff_after=folder.diff_after.name
    )


def _patch(folder: RunFolder, began: str) -> bytes | None:
    """The difference to the revision that the run began with; None where git cannot say it."""
    index = folder.path / ".index"
    try:
        there = _git(folder, "rev-parse", "--git-path", "index")
        own = folder.repository / os.fsdecode((there or b"").rstrip(b"\r\n"))
        if own.is_file():
            # With its time: by that git knows what may have changed since without looking different.
            shutil.copy2(own, index)
        # Git adds what it can: a repository without a commit, in this one, keeps it from nothing else.
        if _git(folder, "add", "--intent-to-add", "--ignore-errors", "--all", "--", ".", _OURS, index=index) is None:
            return None
        patch = _git(folder, *DIFF, began, "--", ".", _OURS, index=index)
        for value, name in secrets_of(os.environ).items():
            patch = patch and patch.replace(value.encode("utf-8", "surrogateescape"), f"[${name}]".encode())
        return patch
    except BinaryOutputTooLarge:
        return b"# more than %d bytes are not committed; they are not kept here\n" % _LARGEST
    finally:
        index.unlink(missing_ok=True)
        index.with_name(".index.lock").unlink(missing_ok=True)


def _git(folder: RunFolder, *words: str, index: Path | None = None) -> bytes | None:
    try:
        done = git_call(folder.repository, *words, index=index, largest=_LARGEST)
    except BinaryOutputTooLarge:
        raise
    except BinaryError:
        return None
    return done.stdout if done.returncode == 0 or (words[0] == "add" and done.returncode == 1) else None

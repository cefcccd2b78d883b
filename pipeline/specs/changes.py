"""Which files a change touches, told by git: those of the branch, and what is not committed, new files too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.process.git import git_call

VARIABLE = "BASE_SHA"
# The first of them that there is; without any, it is the last commit that is looked at.
_MAINS = ("origin/main", "origin/HEAD", "main")


def changed_files(repository: Path, base: str | None = None) -> list[str]:
    """Paths of the repository that differ from where the branch began, by name.

    ``base`` is a revision, else the environment's BASE_SHA, else origin/main, origin/HEAD or main. Where nothing
    differs from that (on the main branch itself), it is the last commit that is looked at. Raises UsageError for a base
    that git does not know, for a history that is cut off, and for a folder that is no repository; BinaryMissing where
    there is no git.
    """
    head = git_call(repository, "rev-parse", "--verify", "-q", "HEAD^{commit}")
    if head.returncode:
        said = head.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        problem = f"there is no commit to compare with{f': {said}' if said else ''}"
        raise UsageError(
            problem, where=repository, remedy="commit something in it first" if not said else "repair that"
        )
    start = _start(repository, base or os.environ.get(VARIABLE) or None)
    found = {*_names(repository, "diff", "--name-only", start), *_new(repository)}
    if not found and _known(repository, "HEAD~1"):
        found = set(_names(repository, "diff", "--name-only", "HEAD~1", "HEAD"))
    elif not found and git_call(repository, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        raise UsageError(
            "the history is cut off, so nothing can be compared", where=repository, remedy="fetch all of the history"
        )
    return sorted(found)


def _start(repository: Path, base: str | None) -> str:
    """Where the branch left its base; HEAD where there is none to be compared with."""
    if base is None:
        base = next((name for name in _MAINS if _known(repository, name)), None)
        if base is None:
            return "HEAD"
    elif base.startswith("-") or not _known(repository, base):
        raise UsageError(
            f"git knows no commit {base!r}", where=repository, remedy="fetch all of the history, or name another base"
        )
    shared = git_call(repository, "merge-base", base, "HEAD")
    return shared.stdout.decode("ascii").strip() if shared.returncode == 0 else base


def _new(repository: Path) -> Iterator[str]:
    yield from _names(repository, "ls-files", "--others", "--exclude-standard")


def _known(repository: Path, revision: str) -> bool:
    return git_call(repository, "rev-parse", "--verify", "-q", f"{revision}^{{commit}}").returncode == 0


def _names(repository: Path, verb: str, *words: str) -> Iterator[str]:
    # A file that moved away is a change of where it was.
    options = ("--no-renames", "--no-ext-diff", "--relative") if verb == "diff" else ()
    done = git_call(repository, verb, "-z", *options, *words)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise UsageError(f"git cannot tell what has changed: {said}", where=repository, remedy="repair the repository")
    yield from (os.fsdecode(name) for name in done.stdout.split(b"\0") if name)

"""Calls of git that must not depend on what a user has configured, or on who calls."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import BinaryFailed
from pipeline.process.call import Completed, run

_SECONDS = 300.0
_LARGEST = 64 << 20
# What a hook of git's, calling us, would have set.
_OURS_NOT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
_SETTINGS = (
    *("-c", "core.quotePath=true"),
    *("-c", "core.safecrlf=false"),
    *("-c", "core.fsmonitor=false"),
    # A hook of the repository would run what somebody else wrote.
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "advice.addEmbeddedRepo=false"),
)
# Without a word about blanks, and whatever the configuration says of them.
APPLY = ("apply", "--whitespace=nowarn")
# A difference that reads the same whatever the user's configuration says of colours, prefixes and renames.
DIFF = (
    *("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--binary", "--submodule=short"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)


def git_call(
    folder: Path, *words: str | Path, index: Path | None = None, work_tree: Path | None = None, largest: int = _LARGEST
) -> Completed:
    """Run git in a folder, whatever it returns; what it prints is at most ``largest`` bytes.

    ``index`` takes the place of the repository's own. With a ``work_tree`` git works in that folder, which need not
    belong to the repository of ``folder``. Raises BinaryError.
    """
    env = {name: value for name, value in os.environ.items() if name not in _OURS_NOT}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    if work_tree is not None:
        there = git(folder, "rev-parse", "--absolute-git-dir").rstrip(b"\r\n")
        env |= {"GIT_DIR": os.fsdecode(there), "GIT_WORK_TREE": str(work_tree)}
    where = work_tree or folder
    return run(("git", *_SETTINGS, *words), env=env, cwd=where, seconds=_SECONDS, max_bytes=largest)


def git(folder: Path, *words: str | Path, index: Path | None = None, work_tree: Path | None = None) -> bytes:
    """What git prints. Raises BinaryFailed with the first line that it complains with, and BinaryError."""
    done = git_call(folder, *words, index=index, work_tree=work_tree)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        verb = words[2] if words[0] == "-c" else words[0]
        raise BinaryFailed(f"`git {verb}`: {said[0]}", remedy="bring the repository into a state that git accepts")
    return done.stdout

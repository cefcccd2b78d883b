"""Calls of git that must not depend on what a user has configured, or on who calls."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import BinaryFailed
from pipeline.process import run

_SECONDS = 300.0
_LARGEST = 64 << 20
# What a hook of git's, calling us, would have set.
_OURS_NOT = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
_SETTINGS = (
    *("-c", "core.quotePath=true"),
    *("-c", "core.safecrlf=false"),
    *("-c", "core.fsmonitor=false"),
    # A hook of the repository would run what the builder wrote.
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "advice.addEmbeddedRepo=false"),
)


def git(folder: Path, *words: str | Path, index: Path | None = None) -> bytes:
    """What git prints. Raises BinaryFailed with the first line that it complains with, and BinaryError."""
    env = {name: value for name, value in os.environ.items() if name not in _OURS_NOT}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    done = run(("git", *_SETTINGS, *words), env=env, cwd=folder, seconds=_SECONDS, max_bytes=_LARGEST)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise BinaryFailed(f"`git {words[0]}`: {said[0]}", remedy="bring the repository into a state that git accepts")
    return done.stdout

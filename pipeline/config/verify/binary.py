"""The target's program: as it was acquired, and whether it is the one that is asked about."""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path

from pipeline.acquire.store import cached_binary
from pipeline.contract.folder import open_folder
from pipeline.errors import IdentityMismatch
from pipeline.process import clean_environment, run
from pipeline.snapshot.probe import read_version

_SECONDS = 60.0
_BYTES = 1 << 16


def acquired(root: Path, version: str) -> Path | None:
    """The program of a version that runs on this machine, from the cache; None if it was not acquired."""
    folder = open_folder(root)
    for row in folder.lock().rows:
        here = row.target.startswith(f"{platform.machine()}-") and sys.platform in row.target
        if row.version == version and here and (started := cached_binary(folder.require_agent(), row)):
            return started.path
    return None


def require_version(binary: Path, agent: str, version: str) -> None:
    """Evidence of a version comes from that version alone.

    Raises IdentityMismatch where the program says another one or none, BinaryError where it cannot be started.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "tmp").mkdir()
        done = run(
            [str(binary.absolute()), "--version"],
            env=clean_environment(home, {}),
            cwd=home,
            seconds=_SECONDS,
            max_bytes=_BYTES,
        )
    text = done.stdout.decode("utf-8", "replace").strip()
    said = read_version(text, agent).semantic if text and not done.returncode else None
    if said != version:
        remedy = f"name the program of {version}, or plan for its own version (--target-version)"
        told = f"it says it is {said}" if said else "it says no version"
        raise IdentityMismatch(f"{told}, and the plan is for {agent} {version}", where=binary, remedy=remedy)

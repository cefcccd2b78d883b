"""Whether a program is the one that is asked about: evidence of a version comes from that version alone."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from pipeline.errors import IdentityMismatch
from pipeline.process import clean_environment, run

_SECONDS = 60.0
_BYTES = 1 << 16
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.-]+)*")


def require_version(binary: Path, agent: str, version: str) -> None:
    """Raises IdentityMismatch where the program says another version or none, BinaryError where it does not start."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "tmp").mkdir()
        words = [str(binary.absolute()), "--version"]
        done = run(words, env=clean_environment(home, {}), cwd=home, seconds=_SECONDS, max_bytes=_BYTES)
    said = _VERSION.search(done.stdout.decode("utf-8", "replace")) if not done.returncode else None
    if said is None or said[0] != version:
        remedy = f"name the program of {version}, or plan for its own version (--target-version)"
        told = f"it says it is {said[0]}" if said else "it says no version"
        raise IdentityMismatch(f"{told}, and the plan is for {agent} {version}", where=binary, remedy=remedy)

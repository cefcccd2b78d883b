"""Temporary checkouts: the files that a commit of this one would hold, built by the real doit in its own process."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.lifecycle.matrix import write_matrix

REPOSITORY = Path(__file__).resolve().parents[1]
AGENT = "codex"
# A test sets these itself where it wants them; what the developer's shell says must not decide a result.
_UNSET = ("SOURCE_DATE_EPOCH", "DOIT_CONFIG", "PYTHONPATH", "PYTHONUNBUFFERED", "COLUMNS")
# The locks of folders that are soon gone do not belong into the developer's cache.
_CACHE = Path(tempfile.gettempdir()) / "cli-parity-tests"


@cache
def committed_files() -> tuple[str, ...]:
    """Paths that git tracks, or would after `git add --all`; relative, with forward slashes."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    found = subprocess.run(listing, cwd=REPOSITORY, check=True, capture_output=True, timeout=300).stdout
    names = sorted(set(found.decode("utf-8").split("\0")) - {""})
    return tuple(name for name in names if (REPOSITORY / name).is_file())


def environment(**changes: str) -> dict[str, str]:
    """The process environment without what could steer a build and without the user's cache, and with ``changes``."""
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "CLI_PARITY_CACHE": str(_CACHE), **changes}


@dataclass(frozen=True)
class Run:
    """What a finished process said."""

    code: int
    out: str
    err: str

    @property
    def executed(self) -> list[str]:
        """The tasks that doit ran, in order: it prints ``.  name`` for each."""
        return [line[1:].strip() for line in self.out.splitlines() if line.startswith(". ")]

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Checkout:
    """One copy, and what is done with it."""

    path: Path

    @property
    def root(self) -> Path:
        """The folder of the agent."""
        return self.path / "cli_manifests" / AGENT

    def doit(self, *words: str, cwd: Path | None = None, umask: int = -1, **variables: str) -> Run:
        """Run `python -m doit …`; never raises for an exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "doit", *words],
            cwd=cwd or self.path,
            env=environment(**variables),
            umask=umask,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def digests(self) -> dict[str, str]:
        """Path → SHA-256 of every file but doit's own record."""
        files = (path for path in self.path.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {
            path.relative_to(self.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
            if not path.name.startswith(".doit.db")
        }

    def copy(self, to: Path) -> Checkout:
        """The same files with the same times, and doit's record of them: as built here, it is fresh there."""
        shutil.copytree(self.path, to)
        return Checkout(to)

    def clone(self, to: Path) -> Checkout:
        """As git would make it: contents only, no record of earlier builds."""
        return _clone(self.path, self.digests(), to)


def fresh_checkout(to: Path) -> Checkout:
    """A clone of this repository as it would be committed now, with one agent: the others are built the same way."""
    others = tuple(
        f"cli_manifests/{folder.name}/" for folder in (REPOSITORY / "cli_manifests").iterdir() if folder.name != AGENT
    )
    checkout = _clone(REPOSITORY, (name for name in committed_files() if not name.startswith(others)), to)
    write_matrix(to / "cli_manifests")  # that of one agent
    return checkout


def _clone(source: Path, names: Iterable[str], to: Path) -> Checkout:
    for name in names:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, to / name)
    return Checkout(to)

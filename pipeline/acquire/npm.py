"""The npm client: what the registry says about a package, and the package itself (see ``client``).

A spec is ``<name>@<exact version>``. Raises DownloadFailed when npm is missing, fails or takes too long,
IntegrityMismatch when npm itself refuses what it got or the registry publishes no strong digest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.acquire.client import FETCH_SECONDS, QUERY_SECONDS, failed, largest_file, run, without_addresses
from pipeline.errors import DownloadFailed, IntegrityMismatch
from pipeline.progress import Progress

# On Windows a plain `npm` is also there, a shell script that cannot be spawned.
_PROGRAM = "npm.cmd" if os.name == "nt" else "npm"
_OPTIONS = ("--json", "--loglevel=error", "--no-progress", "--no-update-notifier")


class Answer(NamedTuple):
    """One call of npm. ``code`` is npm's error code (``E404``), empty when it succeeded or gave none."""

    ok: bool
    value: Any
    code: str
    reason: str


def integrity(spec: str, folder: Path) -> str | None:
    """The sha512 integrity (SRI) that the registry publishes for ``spec``; None when there is no such package."""
    answer = _npm("view", spec, ("dist.integrity",), folder, QUERY_SECONDS)
    if answer.code == "E404":
        return None
    if not answer.ok:
        raise _failed("view", spec, answer)
    hashes = answer.value.split() if isinstance(answer.value, str) else []
    strong = next((item for item in hashes if item.startswith("sha512-")), None)
    if strong is None:
        raise IntegrityMismatch(
            f"the registry publishes no sha512 integrity, only {answer.value!r}",
            where=spec,
            remedy="without it the package cannot be pinned; use another registry or version",
        )
    return strong


def versions(name: str, folder: Path) -> list[str]:
    """All versions of a package that the registry lists; none when there is no such package."""
    answer = _npm("view", name, ("versions",), folder, QUERY_SECONDS)
    if answer.code == "E404":
        return []
    if not answer.ok:
        raise _failed("view", name, answer)
    # npm prints a list of one as the one.
    listed = [answer.value] if isinstance(answer.value, str) else answer.value
    return [str(version) for version in listed or ()]


def publish_epoch(spec: str, folder: Path) -> int | None:
    """When the registry says that ``spec`` was published; None when it does not say."""
    name, _, version = spec.rpartition("@")
    answer = _npm("view", name, ("time",), folder, QUERY_SECONDS)
    if not answer.ok:
        raise _failed("view", spec, answer)
    text = answer.value.get(version) if isinstance(answer.value, dict) else None
    try:
        return int(datetime.fromisoformat(str(text)).timestamp())
    except ValueError:
        return None


def fetch(spec: str, folder: Path, progress: Progress) -> Path:
    """Download ``spec`` into the empty ``folder`` and return the tarball's path."""
    # npm's own cache would keep a copy of each tarball for ever, and it is where the bytes arrive first:
    # a cache inside the folder goes away with it and shows how far the download is.
    options = ("--pack-destination", str(folder), "--cache", str(folder / "npm"), "--ignore-scripts")
    with progress.transfer(spec, lambda: largest_file(folder)):
        answer = _npm("pack", spec, options, folder, FETCH_SECONDS)
        if not answer.ok:
            raise _failed("pack", spec, answer)
    # Looked for rather than taken from the answer: npm 7 and 8 misname the file of a scoped package there.
    tarballs = sorted(folder.glob("*.tgz"))
    if len(tarballs) != 1:
        raise DownloadFailed(
            f"npm pack left {len(tarballs)} tarballs where one was expected",
            where=spec,
            remedy="run it by hand to see why, or update npm",
        )
    return tarballs[0]


def install(spec: str, folder: Path, downloads: Path) -> None:
    """Install below ``folder`` what the package-lock.json in it pins; npm holds each package against its digest.

    No package's script runs. ``spec`` is what it is called in an error, ``downloads`` a folder for what npm keeps.
    """
    options = ("--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--engine-strict=false")
    answer = _call(("ci", *options, "--cache", str(downloads / "npm")), spec, folder, FETCH_SECONDS)
    if not answer.ok:
        raise _failed("ci", spec, answer)


def _npm(verb: str, spec: str, rest: Sequence[str], folder: Path, seconds: float) -> Answer:
    return _call((verb, spec, *rest), spec, folder, seconds)


def _call(command: Sequence[str], spec: str, folder: Path, seconds: float) -> Answer:
    words = (*command, *_OPTIONS)
    done = run(_PROGRAM, words, spec=spec, folder=folder, seconds=seconds, install="install Node.js, which brings npm")
    try:
        value = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        value = None
    if done.returncode == 0:
        return Answer(ok=True, value=value, code="", reason="")
    code, reason = _why(value, done.stderr)
    return Answer(ok=False, value=None, code=code, reason=f"exit {done.returncode}: {reason or 'no reason given'}")


def _why(value: Any, stderr: bytes) -> tuple[str, str]:
    """npm's error code and its reason in one line, without addresses."""
    error = value.get("error") if isinstance(value, dict) else None
    fields = error if isinstance(error, dict) else {}
    code, summary = str(fields.get("code") or ""), str(fields.get("summary") or "")
    if not summary:
        lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
        # npm's very last line only says where its debug log lies.
        told = [line for line in lines if line and "A complete log of this run" not in line]
        summary = told[-1] if told else ""
    return code, f"{code} {without_addresses(summary)}".strip()


def _failed(verb: str, spec: str, answer: Answer) -> DownloadFailed | IntegrityMismatch:
    if answer.code == "EINTEGRITY":
        return IntegrityMismatch(
            f"npm {verb} refused what it downloaded ({answer.reason})",
            where=spec,
            remedy="run the task again; if it stays, the registry serves another package than it publishes",
        )
    return failed(f"npm {verb}", spec, answer.reason)

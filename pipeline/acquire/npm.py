"""The npm client: what the registry says about a package, and the package itself.

Everything goes through the user's own npm, with the user's own configuration, so that mirrors, proxies
and credentials are npm's business. A spec is ``<name>@<exact version>``. Raises DownloadFailed when npm is
missing, fails or takes too long, IntegrityMismatch when npm itself refuses what it got; messages never
repeat addresses, which may be private.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline import process
from pipeline.acquire.progress import Progress
from pipeline.errors import BinaryError, BinaryTimeout, DownloadFailed, EpochMissing, IntegrityMismatch

_OPTIONS = ("--json", "--loglevel=error", "--no-progress", "--no-update-notifier")
_QUERY_SECONDS = 120.0
_PACK_SECONDS = 3600.0
_OUTPUT_BYTES = 32_000_000

_ADDRESSES = re.compile(
    r"""[A-Za-z][A-Za-z0-9+.-]*://\S+            # URL
      | \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b     # IPv4
      | \b(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::\d+)?\b(?!/)  # host name
    """,
    re.VERBOSE,
)


class Answer(NamedTuple):
    """One call of npm. ``code`` is npm's error code (``E404``), empty when it succeeded or gave none."""

    ok: bool
    value: Any
    code: str
    reason: str


def integrity(spec: str, folder: Path) -> str | None:
    """The sha512 integrity (SRI) that the registry publishes for ``spec``; None when there is no such package."""
    answer = _npm("view", spec, ("dist.integrity",), folder, _QUERY_SECONDS)
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


def publish_epoch(spec: str, folder: Path) -> int:
    """When the registry says that ``spec`` was published, in whole seconds since 1970.

    Raises EpochMissing when it does not say.
    """
    name, _, version = spec.rpartition("@")
    answer = _npm("view", name, ("time",), folder, _QUERY_SECONDS)
    if not answer.ok:
        raise _failed("view", spec, answer)
    text = answer.value.get(version) if isinstance(answer.value, dict) else None
    try:
        return int(datetime.fromisoformat(str(text)).timestamp())
    except ValueError:
        raise EpochMissing(
            f"the registry gives no publish time ({text!r})",
            where=spec,
            remedy="lock it from a registry that does: the version's artifacts are stamped with it",
        ) from None


def pack(spec: str, folder: Path, progress: Progress) -> Path:
    """Download ``spec`` into the empty ``folder`` and return the tarball's path."""
    # npm's own cache would keep a copy of each tarball for ever, and it is where the bytes arrive first:
    # a cache inside the folder goes away with it and shows how far the download is.
    options = ("--pack-destination", str(folder), "--cache", str(folder / "npm"), "--ignore-scripts")
    with progress.transfer(spec, lambda: _largest(folder)):
        answer = _npm("pack", spec, options, folder, _PACK_SECONDS)
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


def _npm(verb: str, spec: str, rest: Sequence[str], folder: Path, seconds: float) -> Answer:
    # On Windows a plain `npm` is also there, a shell script that cannot be spawned.
    program = shutil.which("npm.cmd" if os.name == "nt" else "npm")
    if program is None:
        raise DownloadFailed(
            "npm, which fetches packages, is not on the PATH",
            where=spec,
            remedy="install Node.js, which brings npm, then run the task again",
        )
    try:
        done = process.run(
            [program, verb, spec, *rest, *_OPTIONS],
            env=dict(os.environ),
            cwd=folder,
            seconds=seconds,
            max_bytes=_OUTPUT_BYTES,
        )
    except BinaryTimeout:
        raise DownloadFailed(
            f"npm {verb} did not end within {seconds:g} s",
            where=spec,
            remedy="check the connection, then run the task again",
        ) from None
    except BinaryError as error:
        raise DownloadFailed(error.problem, where=spec, remedy="reinstall or update npm") from None
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
    text = _ADDRESSES.sub("<address>", " ".join(summary.split()))
    return code, f"{code} {text}".strip()


def _failed(verb: str, spec: str, answer: Answer) -> DownloadFailed | IntegrityMismatch:
    if answer.code == "EINTEGRITY":
        return IntegrityMismatch(
            f"npm {verb} refused what it downloaded ({answer.reason})",
            where=spec,
            remedy="run the task again; if it stays, the registry serves another package than it publishes",
        )
    return DownloadFailed(
        f"npm {verb} failed ({answer.reason})",
        where=spec,
        remedy="check the connection and npm's registry setting, then run the task again",
    )


def _largest(folder: Path) -> int:
    """The size of the biggest file below ``folder``: the tarball, wherever npm has it at the moment."""
    biggest = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                biggest = max(biggest, Path(parent, name).stat().st_size)
            except OSError:  # npm moves it while we look
                continue
    return biggest

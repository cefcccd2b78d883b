"""The pip client: what the index says about a distribution, its wheel, and what it stands on (see ``client``).

A spec is ``<name>==<version>``, followed by ``--platform <tag>`` for the wheel of another system or by
``--no-binary <name>`` for its source archive: the words that pip itself takes. Every call speaks for the
running interpreter, whichever one pip belongs to. Raises DownloadFailed when pip is missing, fails or takes too
long, or when this Python is not one that the distribution runs on; IntegrityMismatch when what came is not what
is pinned, or cannot be pinned.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import canonical
from pipeline.acquire.client import FETCH_SECONDS, QUERY_SECONDS, failed, largest_file, run, without_addresses
from pipeline.errors import DownloadFailed, IntegrityMismatch
from pipeline.process import Completed
from pipeline.progress import Progress

# `--python` came with pip 22.3, the report with 22.2.
_INSTALL = "install pip 22.3 or newer"
# `index` prints nothing when it is quiet, and has no progress bar.
_SPEAKING = ("--disable-pip-version-check", "--no-input", "--no-color")
_OPTIONS = (*_SPEAKING, "--quiet", "--progress-bar", "off")
_LISTED = re.compile(r"^Available versions: (.+)$", re.MULTILINE)
_ABSENT = "No matching distribution found"
_UNREACHABLE = "Retrying ("
# pip lists every version that there is.
_VERSIONS = re.compile(r" \(from versions: [^)]*\)")
_OTHER_PYTHON = re.compile(r"(\S+) Requires-Python ([^;]+)")


class Distribution(NamedTuple):
    """One of the distributions that pip would install. ``sha256`` is that of the wheel or source archive."""

    name: str
    version: str
    sha256: str
    is_wheel: bool


def integrity(spec: str, folder: Path) -> str | None:
    """The sha256 (SRI) that the index gives for the spec's wheel; None when there is no such wheel."""
    # pip takes another platform only if it is told to install outside of its own.
    outside = ("--target", folder / "nowhere") if "--platform" in spec else ()
    found = _resolve(spec, ("--no-deps", "--only-binary=:all:", *outside), folder, QUERY_SECONDS)
    if not found:
        return None
    return "sha256-" + base64.b64encode(bytes.fromhex(found[0].sha256)).decode("ascii")


def versions(name: str, folder: Path) -> list[str]:
    """The releases of a distribution that run on this interpreter, no pre-releases; ``0.28`` as ``0.28.0``."""
    done = _call("index", ("versions", name), name, folder, QUERY_SECONDS, options=_SPEAKING)
    reason = _why(done, name)
    if _ABSENT in reason and _UNREACHABLE not in reason:
        return []
    if reason:
        raise failed("pip index versions", name, reason)
    listed = _LISTED.search(done.stdout.decode("utf-8", "replace"))
    found = listed[1].split(", ") if listed else []
    return [version + ".0" * (2 - version.count(".")) for version in found]


def publish_epoch(_spec: str, _folder: Path) -> int | None:
    """None: pip (up to 26.3, the newest tried) tells nobody when a file was uploaded."""
    return None


def fetch(spec: str, folder: Path, progress: Progress) -> Path:
    """Download the spec's wheel (or source archive, if it asks for that) below ``folder`` and return its path."""
    there = folder / "wheel"
    words = ("--no-deps", "--only-binary=:all:", "--dest", str(there), *spec.split())
    with progress.transfer(spec, lambda: largest_file(there)):
        reason = _pip("download", words, spec, folder, FETCH_SECONDS)
    if reason:
        raise failed("pip download", spec, reason)
    wheels = sorted(path for path in there.glob("*") if path.name.endswith((".whl", ".tar.gz")))
    if len(wheels) != 1:
        raise DownloadFailed(
            f"pip download left {len(wheels)} wheels where one was expected",
            where=spec,
            remedy="run it by hand to see why, or update pip",
        )
    return wheels[0]


def resolve(spec: str, requires: Sequence[str], folder: Path) -> list[Distribution]:
    """The distribution and all that it needs on this interpreter, by name; a source archive where there is no wheel.

    ``requires`` are requirements that hold besides its own.
    """
    found = _resolve(spec, ("--prefer-binary", *requires), folder, FETCH_SECONDS)
    if found is None:
        raise DownloadFailed(
            "something that it needs is not published for this system and Python",
            where=spec,
            remedy="run `pip install --dry-run` for it by hand to see what",
        )
    return sorted(found)


def install(requirements: Path, python: Path, spec: str, folder: Path) -> None:
    """Install exactly what ``requirements`` lists, by digest, into the environment of ``python``."""
    # Absolute: pip works in a folder of its own, and a task names the agent's folder from the checkout.
    words = ("--require-hashes", "--no-deps", "--only-binary=:all:", "--requirement", requirements.absolute())
    reason = _pip("install", words, spec, folder, FETCH_SECONDS, python.absolute())
    if "DO NOT MATCH THE HASHES" in reason:
        raise IntegrityMismatch(
            "the index serves a distribution whose sha256 is not the pinned one",
            where=requirements,
            remedy="a published file never changes: find out which of the two is right before you lock anew",
        )
    if reason:
        raise failed("pip install", spec, reason)


def _resolve(spec: str, options: Sequence[str | Path], folder: Path, seconds: float) -> list[Distribution] | None:
    """What pip would install; None when it finds nothing that fits."""
    report = folder / "report.json"
    words = ("--dry-run", "--ignore-installed", *options, "--report", report, *spec.split())
    reason = _pip("install", words, spec, folder, seconds)
    if _ABSENT in reason and _UNREACHABLE not in reason:
        return None
    if reason:
        raise failed("pip install --dry-run", spec, reason)
    return [_distribution(entry, spec) for entry in canonical.read_json(report)["install"]]


def _distribution(entry: Any, spec: str) -> Distribution:
    metadata, download = entry["metadata"], entry["download_info"]
    sha256 = download.get("archive_info", {}).get("hashes", {}).get("sha256")
    if sha256 is None or entry["is_direct"]:
        raise IntegrityMismatch(
            f"the index gives no sha256 for {metadata['name']} {metadata['version']}",
            where=spec,
            remedy="without it the package cannot be pinned; use another index or version",
        )
    path = download["url"].partition("#")[0]
    # Names as PEP 503 compares them: indexes and metadata spell them differently.
    name = re.sub(r"[-_.]+", "-", metadata["name"]).lower()
    return Distribution(name, metadata["version"], sha256, path.endswith(".whl"))


def _pip(
    verb: str, words: Sequence[str | Path], spec: str, folder: Path, seconds: float, python: Path | None = None
) -> str:
    """Run pip for ``python`` (default: the running interpreter); why it failed in one line, empty if it did not."""
    return _why(_call(verb, words, spec, folder, seconds, python), spec)


def _call(
    verb: str,
    words: Sequence[str | Path],
    spec: str,
    folder: Path,
    seconds: float,
    python: Path | None = None,
    options: Sequence[str] = _OPTIONS,
) -> Completed:
    call = ("--python", python or sys.executable, verb, *options, *words)
    return run("pip", call, spec=spec, folder=folder, seconds=seconds, install=_INSTALL)


def _why(done: Completed, spec: str) -> str:
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    _refuse_other_python(lines, spec)
    told = [line for line in lines if line.startswith("ERROR:")] or lines[-1:]
    retried = [line for line in lines if _UNREACHABLE in line][-1:]
    reason = _VERSIONS.sub("", without_addresses(" ".join((*retried, *told))))
    return f"exit {done.returncode}: {reason or 'no reason given'}"


def _refuse_other_python(lines: Sequence[str], spec: str) -> None:
    version = spec.partition(" ")[0].partition("==")[2]
    ignored = next((line for line in lines if "require a different python version" in line), "")
    for other, wanted in _OTHER_PYTHON.findall(ignored.rpartition("version: ")[2]):
        if _same_release(other, version):
            raise DownloadFailed(
                f"it needs Python {wanted.strip()}, this is {sys.version_info.major}.{sys.version_info.minor}",
                where=spec,
                remedy="run the task with such a Python",
            )


def _same_release(one: str, other: str) -> bool:
    """Whether two versions are the same release, as the index compares them: ``0.28`` is ``0.28.0``."""
    return re.sub(r"(\.0)+$", "", one) == re.sub(r"(\.0)+$", "", other)

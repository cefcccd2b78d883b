"""Every artifact's path, once. Nothing here reads or writes.

``Root`` is one agent's folder; the shape below it is fixed (SEMANTICS 1.4), so that a folder which another
tool made is read the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from pipeline.errors import UsageError

MANIFESTS = "cli_manifests"
MATRIX = "support_matrix"
POINTERS = ("latest_supported", "latest_validated")

PAGE = "help.txt"

# Names that Windows gives to devices, whatever follows the first dot.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)

# Version and target become parts of a path: what they may hold is what keeps them inside the root.
_NUMBER = "(?:0|[1-9][0-9]*)"
_PRE = f"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PRE}(?:\.{_PRE})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_TARGET = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
_WRAPPER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# What stands beside the targets' own files.
_RESERVED = {"union", "any", "all"}


def check_version(version: str) -> str:
    """Return ``version`` if it may name a folder; raises UsageError otherwise."""
    if not _VERSION.fullmatch(version):
        raise UsageError(f"{version!r} is not a version", remedy="write it as MAJOR.MINOR.PATCH, without a leading v")
    return version


def check_target(target: str) -> str:
    """Return ``target`` if it may name a file; raises UsageError otherwise."""
    if not is_target(target):
        raise UsageError(
            f"{target!r} is not a target", remedy="write a target triple such as x86_64-unknown-linux-musl"
        )
    return target


def is_version(text: object) -> bool:
    """Whether ``text`` may name the folder of a version."""
    return isinstance(text, str) and bool(_VERSION.fullmatch(text))


def is_target(text: object) -> bool:
    """Whether ``text`` may name the file of a target."""
    if not isinstance(text, str) or not _TARGET.fullmatch(text):
        return False
    return text.lower() not in _RESERVED and not _DEVICE.fullmatch(text)


def is_wrapper(name: str) -> bool:
    """Whether ``name`` may name the folder of a foreign wrapper."""
    return bool(_WRAPPER.fullmatch(name)) and not _DEVICE.fullmatch(name)


@dataclass(frozen=True, slots=True)
class Root:
    """One agent's folder, for example ``cli_manifests/codex``."""

    path: Path

    @property
    def agent(self) -> Path:
        return self.path / "agent.toml"

    @property
    def rules(self) -> Path:
        return self.path / "RULES.json"

    @property
    def schema(self) -> Path:
        return self.path / "SCHEMA.json"

    @property
    def metadata_schema(self) -> Path:
        return self.path / "VERSION_METADATA_SCHEMA.json"

    @property
    def supplement(self) -> Path:
        return self.path / "supplement" / "commands.json"

    @property
    def lock(self) -> Path:
        return self.path / "artifacts.lock.json"

    def requirements(self, version: str, target: str) -> Path:
        """What a Python application stands on, pinned: pip's requirements file."""
        return self.path / "requirements" / check_version(version) / f"{check_target(target)}.txt"

    @property
    def min_supported(self) -> Path:
        return self.path / "min_supported.txt"

    @property
    def latest_validated(self) -> Path:
        return self.path / "latest_validated.txt"

    @property
    def current(self) -> Path:
        return self.path / "current.json"

    @property
    def wrapper_coverage(self) -> Path:
        return self.path / "wrapper_coverage.json"

    @property
    def timeline(self) -> Path:
        return self.path / "timeline.json"

    @property
    def surfaces(self) -> Path:
        return self.path / "surfaces.json"

    def pointer(self, kind: str, target: str) -> Path:
        return self.path / "pointers" / kind / f"{check_target(target)}.txt"

    def snapshots(self, version: str) -> Path:
        return self.path / "snapshots" / check_version(version)

    def snapshot(self, version: str, target: str) -> Path:
        return self.snapshots(version) / f"{check_target(target)}.json"

    def union(self, version: str) -> Path:
        return self.snapshots(version) / "union.json"

    def reports(self, version: str) -> Path:
        return self.path / "reports" / check_version(version)

    def report(self, version: str, mode: str, suffix: str = ".json") -> Path:
        """``mode`` is ``any``, ``all`` or a target; ``suffix`` is ``.json`` or ``.md``."""
        return self.reports(version) / f"coverage.{mode}{suffix}"

    def metadata(self, version: str) -> Path:
        return self.path / "versions" / f"{check_version(version)}.json"

    @property
    def diffs(self) -> Path:
        """The folder of the diffs between versions."""
        return self.path / "diffs"

    def diff(self, before: str, after: str, suffix: str = ".json") -> Path:
        """``suffix`` is ``.json`` or ``.md``, or ``.trials.json`` for the record of what binaries said of it."""
        return self.diffs / f"{check_version(before)}..{check_version(after)}{suffix}"

    def raw_help(self, version: str, target: str) -> Path:
        return self.path / "raw_help" / check_version(version) / check_target(target)

    @property
    def wrappers(self) -> Path:
        """The folder of the foreign wrappers that are traced."""
        return self.path / "wrappers"

    def wrapper(self, name: str) -> WrapperRoot:
        """The folder of one foreign wrapper."""
        if not is_wrapper(name):
            raise UsageError(
                f"{name!r} is not a wrapper's name", remedy="write small letters and digits, with hyphens between them"
            )
        return WrapperRoot(self.wrappers / name)

    def wrapper_names(self) -> list[str]:
        """The foreign wrappers that have a folder, by name."""
        if not self.wrappers.is_dir():
            return []
        return sorted(p.name for p in self.wrappers.iterdir() if p.is_dir() and is_wrapper(p.name))

    def versions(self) -> list[str]:
        """The versions that have a snapshot folder, oldest first."""
        folder = self.path / "snapshots"
        if not folder.is_dir():
            return []
        return in_order(p.name for p in sorted(folder.iterdir()) if p.is_dir() and is_version(p.name))

    def neighbours(self) -> list[tuple[str, str]]:
        """Each version that has a snapshot folder with the next one, oldest first: what is compared."""
        return list(pairwise(self.versions()))

    def targets(self, version: str) -> list[str]:
        """The targets that have a snapshot of ``version``, by name."""
        folder = self.snapshots(version)
        if not folder.is_dir():
            return []
        return sorted(p.stem for p in folder.glob("*.json") if is_target(p.stem))


@dataclass(frozen=True, slots=True)
class WrapperRoot(Root):
    """A foreign wrapper's folder: its own lock, requirements, coverage and reports stand as in an agent's folder."""

    @property
    def description(self) -> Path:
        return self.path / "wrapper.toml"

    @property
    def answers(self) -> Path:
        return self.path / "answers.json"

    @property
    def evidence(self) -> Path:
        return self.path / "evidence.json"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"


def workspace_of(root: Path) -> Path | None:
    """The folder that holds an agent's folder, if the support matrix of several agents is kept there.

    So it is where a matrix lies, and in a checkout of this project (which has a build) where one has to lie.
    """
    parent = root.resolve().parent
    in_checkout = parent.name == MANIFESTS and (parent.parent / "dodo.py").is_file()
    return parent if in_checkout or (parent / MATRIX).is_dir() else None


def version_key(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    """Sort key in semver order (a pre-release before its release; build metadata does not count)."""
    core, _, pre = version.partition("+")[0].partition("-")
    parts = tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in pre.split(".")) if pre else ()
    return tuple(int(n) for n in core.split(".")), not pre, parts


def in_order(versions: Iterable[str]) -> list[str]:
    """Versions, oldest first; those that differ in build metadata alone by their text."""
    return sorted(versions, key=lambda version: (version_key(version), version))


def witnesses(version: str, read: Sequence[str]) -> tuple[str, ...]:
    """Who speaks for a version, of those that were read, oldest first: itself, else the nearest before and after it."""
    if version in read:
        return (version,)
    key = version_key(version)
    before = [one for one in read if version_key(one) <= key]
    after = [one for one in read if version_key(one) > key]
    return (*before[-1:], *after[:1])


def help_page(folder: Path, command: tuple[str, ...]) -> Path:
    """The raw help page of one command below ``raw_help/<version>/<target>``, the same on every system."""
    return folder.joinpath(*(("commands", *map(safe_token, command)) if command else ()), PAGE)


def safe_token(token: str) -> str:
    """``token`` as a file name on any system: percent-escapes for what one of them refuses, reversible."""
    name = quote(token, safe=" +@,=!#$&'()[]{};")
    if name.endswith((".", " ")):
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    if _DEVICE.fullmatch(name) or name == PAGE:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    return name


def relative(path: Path, base: Path) -> str:
    """``path`` below ``base`` with forward slashes on every system."""
    return path.relative_to(base).as_posix()

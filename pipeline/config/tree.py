"""The files of a tree that matter, and how they are read: bounded, as text, never through a link that leaves.

What cannot be read is a finding with the file's path; the walk goes on. Folders whose names a mapping skips are not
entered, links are followed only where they stay within the tree and do not lead back to where the walk came from.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline import canonical
from pipeline.config.values import Finding, Severity
from pipeline.errors import ArtifactError, ArtifactMissing, FileUnreadable

# A file of instructions or settings; what is larger is inventoried by its digest and not understood.
LARGEST_TEXT = 1 << 20
# What stands in the root of a repository.
_REPOSITORY = ".git"


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the tree: ``path`` relative to it, ``link`` the text of the first link on the way to it."""

    path: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A file that could be read: its text, without a byte order mark, and the digest of its bytes."""

    text: str
    sha256: str


def finding(
    code: str, path: str, message: str, remedy: str, place: str | None = None, severity: Severity = "error"
) -> Finding:
    return Finding(code=code, severity=severity, path=path, place=place, message=message, remedy=remedy)


@dataclass(frozen=True, slots=True)
class Tree:
    """A repository's folder. Raises ArtifactMissing where there is none."""

    root: Path

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise ArtifactMissing("no such folder", where=self.root, remedy="name the folder of a repository")

    def walk(
        self, skip: Sequence[str], elsewhere: Sequence[str] = (), folder: str = ""
    ) -> tuple[list[Found], list[Finding]]:
        """Every file, by path, and what is wrong with links.

        ``skip`` are names of folders that are not entered, ``elsewhere`` those that are entered below ``folder`` alone.
        """
        found: list[Found] = []
        findings: list[Finding] = []
        base = self.root.resolve()
        names = {"": frozenset((*skip, *elsewhere)), f"{folder}/": frozenset(skip)}
        self._enter("", base, (base,), None, names, found, findings)
        return sorted(found, key=lambda one: one.path), findings

    def _enter(
        self,
        below: str,
        folder: Path,
        above: tuple[Path, ...],
        link: str | None,
        skip: dict[str, frozenset[str]],
        found: list[Found],
        findings: list[Finding],
    ) -> None:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            problem = f"the folder cannot be listed: {error.strerror}"
            findings.append(finding("folder-unreadable", below or ".", problem, "fix its permissions"))
            return
        for entry in entries:
            path = below + entry.name
            text, place = link, Path(entry.path)
            wrong: tuple[str, str] | None = None
            if not _portable(entry.name):
                told = "the name cannot be written as text"
                findings.append(finding("name-unreadable", ascii(path), told, "rename the file"))
                continue
            if entry.is_symlink():
                text, place, wrong = self._followed(entry, above)
            if wrong:
                remedy = "replace the link by what it shall show, or remove it"
                findings.append(finding(wrong[0], path, wrong[1], remedy))
                continue
            if place.is_dir() and os.path.lexists(place / _REPOSITORY):
                told = "it is a repository of its own, a submodule or a worktree, and is not looked into"
                findings.append(finding("repository-inside", path, told, "carry it over by itself", severity="note"))
            elif place.is_dir():
                if entry.name not in skip[max(top for top in skip if path.startswith(top))]:
                    self._enter(f"{path}/", place, (*above, place.resolve()), text, skip, found, findings)
            else:
                found.append(Found(path, text))

    def _followed(
        self, entry: os.DirEntry[str], above: tuple[Path, ...]
    ) -> tuple[str | None, Path, tuple[str, str] | None]:
        """The link's text and where it leads, or what is wrong with it."""
        text = Path(entry.path).readlink().as_posix()
        try:
            place = Path(entry.path).resolve(strict=True)
        except (OSError, RuntimeError):
            # Which of the two it is, systems tell differently.
            looping = os.path.lexists(Path(entry.path).parent / text)
            if looping:
                return text, Path(entry.path), ("link-loops", f"the link to {text!r} leads in a circle")
            return text, Path(entry.path), ("link-dangling", f"the link to {text!r} leads nowhere")
        if not place.is_relative_to(above[0]):
            return "", place, ("link-leaves-tree", "the link leads out of the repository")
        if place in above:
            return text, place, ("link-loops", f"the link to {text!r} leads back to a folder that it is in")
        return text, place, None

    def read(self, path: str) -> Text | Finding:
        """A file as text."""
        raw = self.read_bytes(path)
        if isinstance(raw, Finding):
            return raw
        digest = hashlib.sha256(raw).hexdigest()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            problem = f"byte {error.start} is not UTF-8"
            return finding("not-utf-8", path, problem, "save the file as UTF-8", f"line {line}")
        return Text(text.replace("\r\n", "\n"), digest)

    def read_bytes(self, path: str, largest: int = LARGEST_TEXT) -> bytes | Finding:
        try:
            return canonical.read_bytes(self.root / path, largest)
        except FileUnreadable as error:
            code = "file-too-large" if "bytes" in error.problem else "file-unreadable"
            return finding(code, path, f"the file {error.problem}", "put a readable file there, or remove it")
        except ArtifactError as error:
            return finding("file-unreadable", path, error.problem, "put a readable file there, or remove it")

    def digest(self, path: str) -> str | Finding:
        """SHA-256 of a file of any size."""
        try:
            return canonical.sha256_of(self.root / path)
        except ArtifactError as error:
            return finding("file-unreadable", path, error.problem, "put a readable file there, or remove it")

    def holds(self, path: Path) -> bool:
        """Whether a path, links followed, is within the tree."""
        return path.resolve().is_relative_to(self.root.resolve())


def matches(path: str, patterns: Sequence[str]) -> bool:
    """Whether a path fits one of the patterns: ``*`` and ``?`` within a name, ``**/`` for any folders."""
    return any(_pattern(pattern).fullmatch(path) for pattern in patterns)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    words = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _portable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def matching(found: Sequence[Found], patterns: Sequence[str]) -> Iterator[Found]:
    """The files that fit one of the patterns, in order."""
    return (one for one in found if matches(one.path, patterns))

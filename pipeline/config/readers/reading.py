"""What all readers share: where they read from, and what they give."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.config.mapping import Domain, Mapping
from pipeline.config.tree import Found, Text, Tree
from pipeline.config.values import Field, Finding, Item


@dataclass(slots=True)
class Reading:
    """One domain being read: its row, its mapping, the tree, all files of the tree, and what was found so far."""

    domain: Domain
    mapping: Mapping
    tree: Tree
    files: dict[str, Found]
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _places: list[str] = field(default_factory=list)
    _linked: list[str] | None = None

    def places(self, below: str) -> Iterator[str]:
        """The files and folders of the tree whose paths begin so, in order."""
        if not self._places:
            self._places = sorted({one for path in self.files for one in _with_folders(path)})
        for place in self._places[bisect_left(self._places, below) :]:
            if not place.startswith(below):
                return
            yield place

    def linked(self) -> list[str]:
        """The files and folders of the tree that links lead to, by the links' paths, in order."""
        if self._linked is None:
            places = {one for path, found in self.files.items() if found.link for one in _with_folders(path)}
            self._linked = sorted(one for one in places if self.real(one) != one)
        return self._linked

    def real(self, path: str) -> str | None:
        """Where a path leads to within the tree, links followed; None where it leads out."""
        root = self.tree.root.resolve()
        place = (root / path).resolve()
        return place.relative_to(root).as_posix() if place.is_relative_to(root) else None

    def text(self, one: Found) -> Text | None:
        """A file's text; None, and a finding, where there is none."""
        read = self.tree.read(one.path)
        if isinstance(read, Finding):
            self.findings.append(read)
            return None
        return read

    def digest(self, path: str) -> str | None:
        read = self.tree.digest(path)
        if isinstance(read, Finding):
            self.findings.append(read)
            return None
        return read

    def unread(self, one: Found) -> None:
        """A file that is there and could not be understood: an item that a person must look at."""
        if digest := self.digest(one.path):
            self.add(one, one.path, digest, [Field(name="unread", kind="unread", place="line 1", value=None)])

    def add(self, one: Found, name: str, digest: str, fields: Iterable[Field], part: str | None = None) -> None:
        self.items.append(
            Item(
                id=f"{self.domain.id}:{one.path}" + (f"#{part}" if part else ""),
                domain=self.domain.id,
                name=name,
                path=one.path,
                sha256=digest,
                required=self.domain.required,
                link=one.link,
                fields=tuple(_unique(fields)),
            )
        )


def _with_folders(path: str) -> Iterator[str]:
    while path:
        yield path
        path = posixpath.dirname(path)


def _unique(fields: Iterable[Field]) -> Iterable[Field]:
    """Fields with names of their own: what stands there twice is told apart by a number."""
    seen: dict[str, int] = {}
    for one in fields:
        count = seen[one.name] = seen.get(one.name, 0) + 1
        yield (
            one if count == 1 else Field(name=f"{one.name} ({count})", kind=one.kind, place=one.place, value=one.value)
        )


def entry(name: str, kind: str, place: str, value: Any) -> Field:
    return Field(name=name, kind=kind, place=place, value=value)

"""The values of config parity: findings, items with their fields, and the inventory that holds them.

An item is a file, or a named part of one (a server of a servers file); a field is the smallest thing of it that is
decided on. ``kind`` is a field's place in the vocabulary of its reader, which the rules of a mapping match
(``deny.command.prefix``); ``place`` is a line (``line 3``) or an RFC 6901 pointer within the item's file.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import Shape

Severity = Literal["error", "warning", "note"]
Scope = Literal["project", "personal"]


class Finding(Shape, frozen=True, kw_only=True):
    """One thing of a tree that is not as it should be. ``path`` is relative to the tree, with forward slashes."""

    code: str
    severity: Severity
    path: str
    place: str | None = None
    message: str
    remedy: str

    def order(self) -> tuple[str, str, str, str]:
        return (self.path, self.place or "", self.code, self.message)


class Field(Shape, frozen=True, kw_only=True):
    """``name`` is unique within the item; ``value`` is what stands there, as JSON."""

    name: str
    kind: str
    place: str
    value: Any


class Item(Shape, frozen=True, kw_only=True):
    """``id`` is ``domain:path`` or ``domain:path#name``; ``sha256`` is of the file's bytes.

    ``link`` is the text of a symbolic link that stands at ``path`` or above it, within the tree.
    """

    id: str
    domain: str
    name: str
    path: str
    sha256: Sha256
    required: bool
    link: str | None = None
    fields: tuple[Field, ...] = ()

    def values(self, kind: str) -> list[Any]:
        """The values of the fields of one kind, in order."""
        return [field.value for field in self.fields if field.kind == kind]


class Personal(Shape, frozen=True, kw_only=True):
    """A file that is somebody's own: named, never read."""

    path: str


class Present(Shape, frozen=True, kw_only=True):
    """A file at one of the target's places, which somebody else made; ``link`` as in ``Item``."""

    path: str
    sha256: Sha256
    link: str | None = None


class Count(Shape, frozen=True, kw_only=True):
    """How many there are of a domain: items, files that they come from, and fields."""

    domain: str
    items: int
    files: int
    fields: int


class Inventory(Shape, frozen=True, kw_only=True):
    """``inventory.json``: everything of a tree that its source agent reads, ordered by domain and path."""

    inventory_schema_version: Literal[1]
    mapping: str
    tree: str
    generated_at: Annotated[str, Meta(description="RFC 3339, UTC.")]
    counts: tuple[Count, ...]
    items: tuple[Item, ...]
    personal: tuple[Personal, ...] = ()
    present: tuple[Present, ...] = ()
    findings: tuple[Finding, ...] = ()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, by file, place, code and message."""
    return tuple(sorted(set(findings), key=Finding.order))

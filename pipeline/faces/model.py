"""The model that all faces show: the lists of a report, its queue, what a new version breaks, and findings with places.

Everything that a face prints is text on one line already: what cannot be printed stands escaped (``words.visible``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from pipeline.questions.affects import Hit
from pipeline.questions.asked import OWN
from pipeline.questions.queue import Queue
from pipeline.report.build import ALWAYS
from pipeline.surface.diff import Diff
from pipeline.surface.report import Deltas
from pipeline.surface.units import Path, fields_of

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


class Place(NamedTuple):
    """A line of a file, with forward slashes; ``line`` None is the file as a whole.

    ``package`` names the published package that the file is in; without one it is in this repository.
    """

    file: str
    line: int | None = None
    package: str | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Entry(NamedTuple):
    """A unit in one of the report's lists. ``unit`` is a flag's key or an arg's name; "" is the command itself.

    ``words`` are what a person would type, ``said`` is what the report says besides.
    """

    list: str
    path: Path
    unit: str
    words: str
    said: str


class Finding(NamedTuple):
    """One thing to look at. ``rule`` is a stable id, ``title`` what the rule is about.

    ``list`` is the report's list that it comes from, "" for what changed; ``path`` and ``unit`` as in an ``Entry``.
    ``fingerprint`` is made of the rule and of what it is about, not of lines and versions: it stays the same as long
    as the finding does.
    """

    rule: str
    title: str
    level: Level
    list: str
    path: Path
    unit: str
    words: str
    message: str
    advice: str
    place: Place
    fingerprint: str

    @property
    def text(self) -> str:
        """Message and advice, of which each is a line."""
        return "\n".join(filter(None, (self.message, self.advice)))


@dataclass(frozen=True, kw_only=True)
class Overview:
    """One version of an agent against one wrapper.

    ``report`` holds the bytes of the committed report, ``entries`` its lists. ``diff`` is that from ``against`` to
    ``version``, and ``hits`` what of it meets each wrapper's claims, by the wrapper's name; where there is no version
    to compare with there is neither. Findings are most severe first, then by place.
    """

    agent: str
    program: str
    wrapper: str
    wrapper_version: str | None
    version: str
    against: str | None
    targets: tuple[str, ...]
    report: bytes
    entries: tuple[Entry, ...]
    queue: Queue
    diff: Diff | None
    hits: Mapping[str, Sequence[Hit]]
    findings: tuple[Finding, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """List → its number of units, in the report's order; what is missing always, else what holds something."""
        held = Counter(entry.list for entry in self.entries)
        return {name: held[name] for name in fields_of(Deltas) if held[name] or name in ALWAYS}

    @property
    def to_do(self) -> tuple[Finding, ...]:
        """The findings about what is missing."""
        return tuple(finding for finding in self.findings if finding.list.startswith("missing_"))

    @property
    def claims(self) -> tuple[Finding, ...]:
        """All others: about what the wrapper uses."""
        return tuple(finding for finding in self.findings if not finding.list.startswith("missing_"))

    @property
    def missing(self) -> int:
        return sum(self.counts[name] for name in ALWAYS)

    @property
    def levels(self) -> dict[Level, int]:
        """Level → its number of findings."""
        held = Counter(finding.level for finding in self.findings)
        return {level: held[level] for level in LEVELS}

    @property
    def fine(self) -> bool:
        """Whether nothing is missing and no finding is an error."""
        return not self.missing and not self.levels["error"]

    @property
    def named(self) -> str:
        """The wrapper with its version, for people."""
        name = "our wrapper" if self.wrapper == OWN else self.wrapper
        return f"{name} {self.wrapper_version}" if self.wrapper_version else name

    @property
    def verdict(self) -> str:
        """One sentence."""
        new = sum(item.new for item in self.queue.items)
        since = f", {new} of them new since {self.queue.against}" if self.missing and self.queue.against else ""
        lacks = f"lacks {units(self.missing)}" if self.missing else "lacks nothing"
        return f"{self.program} {self.version}: {self.named} {lacks}{since}{self._broken}."

    @property
    def _broken(self) -> str:
        if self.diff is None:
            return ""
        broken = [hit.certain for hit in self.hits.get(self.wrapper, ()) if hit.breaks]
        told = [
            f"{say} {broken.count(sure)}" for say, sure in (("breaks", True), ("may break", False)) if sure in broken
        ]
        return f"; what changed since {self.against} {' and '.join(told) or 'breaks none'} of its claims"


def units(count: int) -> str:
    return f"{count} unit" if count == 1 else f"{count} units"

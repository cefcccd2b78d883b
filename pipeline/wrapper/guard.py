"""Refuse, before anything is spawned, what a version of the CLI does not have.

Known are the versions that were read. For one between two of them both neighbours are asked, for one beyond them the
nearest: what none of these has is refused, what one of them has is let through, because then only the binary itself
knows, and its parser refuses an unknown word before it does anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from pipeline import canonical
from pipeline.errors import CapabilityMissing
from pipeline.history import Unit
from pipeline.layout import check_version, witnesses
from pipeline.wrapper.capabilities import Capabilities, Range
from pipeline.wrapper.declare import Line, Use

TABLE = "capabilities.json"


class Guard:
    """Answers for one wrapper's table."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._read = capabilities.versions
        self._tool = capabilities.tool
        self._order = {version: at for at, version in enumerate(capabilities.versions)}
        self._had = {
            Unit(tuple(row.path), row.key or row.name or "", row.value or ""): row.ranges for row in capabilities.units
        }

    @classmethod
    def of(cls, wrapper: str) -> Guard:
        """The guard of a wrapper of this library, from the table that lies beside its declarations."""
        table = resources.files(f"pipeline.wrapper.{wrapper}") / TABLE
        return cls(canonical.convert(canonical.loads(table.read_bytes(), table), Capabilities, table))

    def check(self, line: Line, version: str) -> None:
        """Raise CapabilityMissing for the first unit or value that ``version`` lacks, UsageError for no version."""
        speaking = witnesses(check_version(version), self._read)
        for use in line.used:
            for value in ("", *use.values):
                having = self._had.get(Unit(use.path, use.slot.key if use.slot else "", value))
                if having is not None and not any(self._holds(having, one) for one in speaking):
                    raise _missing(self._tool, version, use, value, having)

    def _holds(self, ranges: Sequence[Range], version: str) -> bool:
        at = self._order[version]
        return any(self._order[one.first] <= at <= self._order[one.last] for one in ranges)


def _missing(tool: str, version: str, use: Use, value: str, having: Sequence[Range]) -> CapabilityMissing:
    words = " ".join((*use.path, *((use.slot.key,) if use.slot else ()), *((value,) if value else ()))) or "(root)"
    ranges = (one.first if one.first == one.last else f"{one.first} to {one.last}" for one in having)
    known = f"known to have it: {', '.join(ranges)}" if having else "no version that was read has it"
    return CapabilityMissing(
        f"{tool} {version} does not have `{words}`; {known}",
        where=use.slot.field if use.slot else None,
        remedy="leave it out, or run a version that has it",
    )

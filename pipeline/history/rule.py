"""One rule of a diff, and how rules are written down: in pairs that mirror each other, or alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.history.witnesses import Shown
from pipeline.surface.diff import Severity

BREAKING: Severity = "breaking"
RISKY: Severity = "risky"
COMPATIBLE: Severity = "compatible"
INFORMATIVE: Severity = "informative"
SEVERITIES = (BREAKING, RISKY, COMPATIBLE, INFORMATIVE)

When = Callable[[Any, Any], bool]
Units = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One code. ``field`` is the fact that ``when`` compares (before, after).

    Without a ``when`` the rule looks at which units there are, by their names. ``shown`` yields the calls of which one
    must be taken before and refused after.
    """

    code: str
    severity: Severity
    units: Units
    field: str
    mirror: str
    summary: str
    when: When | None = None
    shown: Shown | None = None


def came(before: Any, after: Any) -> bool:
    return not before and bool(after)


def went(before: Any, after: Any) -> bool:
    return bool(before) and not after


def differs(before: Any, after: Any) -> bool:
    return bool(before != after)


def both_differ(before: Any, after: Any) -> bool:
    return before is not None and after is not None and bool(before != after)


def appears(before: Any, after: Any) -> bool:
    return before is None and after is not None


def disappears(before: Any, after: Any) -> bool:
    return before is not None and after is None


def other_or_gone(before: Any, after: Any) -> bool:
    return before is not None and bool(before != after)


def other_or_new(before: Any, after: Any) -> bool:
    return after is not None and bool(before != after)


def from_to(one: str, other: str) -> When:
    return lambda before, after: (before, after) == (one, other)


def two_ways(
    units: Units,
    field: str,
    one: tuple[str, Severity, str, When, Shown | None],
    other: tuple[str, Severity, str, When, Shown | None],
) -> Iterator[Rule]:
    """Two rules that mirror each other: (code, severity, summary, when, shown)."""
    for this, that in ((one, other), (other, one)):
        code, severity, summary, when, shown = this
        yield Rule(code, severity, units, field, that[0], summary, when, shown)


def there(
    units: Units,
    one: tuple[str, Severity, str, Shown | None],
    other: tuple[str, Severity, str, Shown | None],
    field: str = "names",
) -> Iterator[Rule]:
    """The same for rules that look at which units there are."""
    for this, that in ((one, other), (other, one)):
        code, severity, summary, shown = this
        yield Rule(code, severity, units, field, that[0], summary, shown=shown)


def alone(units: Units, field: str, code: str, severity: Severity, summary: str, when: When | None = None) -> Rule:
    return Rule(code, severity, units, field, code, summary, when)

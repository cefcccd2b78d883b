"""What there is to look at, as findings: one for each missing unit, each claim that nothing answers to, each hit.

Their rules are few and stable. What a new version breaks has the code of the diff's rule, after ``diff-``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.faces.model import LEVELS, Finding, Level
from pipeline.faces.places import CLAIMED, Places
from pipeline.faces.words import typed, visible
from pipeline.history.rules import BY_CODE
from pipeline.questions.affects import Hit
from pipeline.questions.needs import GUARDED
from pipeline.questions.queue import Item, Queue
from pipeline.surface.units import Path

RULES = {
    "missing-command": "The wrapper lacks a command.",
    "missing-flag": "The wrapper lacks a flag.",
    "missing-arg": "The wrapper lacks an arg.",
    "claims-removed": "The wrapper uses what this version does not have any more.",
    "claims-unseen": "The wrapper uses what no version that was read has.",
    "claims-hidden": "The wrapper uses what this version accepts and does not show: often the step before a removal.",
}
_GUARDED = " The wrapper guards it."
_SEVERITIES: dict[str, Level] = {"high": "error", "medium": "warning", "low": "note"}


class Findings:
    """Makes the findings about one wrapper; ``subject`` names agent and wrapper, for the fingerprints."""

    def __init__(self, program: str, subject: tuple[str, str], places: Places) -> None:
        self._program = program
        self._subject = subject
        self._places = places

    def all(self, queue: Queue, lists: Json, hits: Sequence[Hit]) -> tuple[Finding, ...]:
        """Most severe first; of one level what changed, claims in the report's order, then the queue's.

        ``lists`` are a report's deltas.
        """
        found = [*map(self._hit, hits), *self._claims(lists), *map(self._missing, queue.items)]
        return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))

    def _missing(self, item: Item) -> Finding:
        kind = kind_of(item.unit)
        age = "new" if item.new else f"in {item.age} versions"
        return self._finding(
            f"missing-{kind}",
            _SEVERITIES[item.severity],
            f"missing_{kind}s",
            item.path,
            item.unit,
            f"is not covered ({age}, since {item.since})",
            advice=visible(item.suggestion),
        )

    def _claims(self, lists: Json) -> Iterator[Finding]:
        for name, entries in lists.items():
            for entry in entries if name.startswith(("wrapper_only_", "hidden_")) else ():
                rule, said = _claim(name, entry)
                guarded, claimed = entry.get("note") == GUARDED, entry.get("wrapper_level") in CLAIMED
                dead = claimed and not guarded
                # Of what is hidden, only what a wrapper uses as if it were always there is worth a word.
                if rule is None or (rule == "claims-hidden" and not dead):
                    continue
                level: Level = "error" if dead and rule != "claims-hidden" else "note"
                note = _GUARDED if guarded else "" if claimed else f" Its level is {visible(entry['wrapper_level'])}."
                path, unit = tuple(entry["path"]), entry.get("key") or entry.get("name") or ""
                yield self._finding(rule, level, name, path, unit, f"{said}.{note}")

    def _hit(self, hit: Hit) -> Finding:
        finding, witness = hit.finding, hit.finding.witness
        value = f" ({visible(finding.value)})" if finding.value else ""
        return self._finding(
            f"diff-{finding.code}",
            "note" if hit.guarded else "error" if hit.breaks and hit.certain else "warning",
            "",
            tuple(finding.path),
            finding.key or finding.name or "",
            f"{BY_CODE[finding.code].summary}{value}{_GUARDED if hit.guarded else ''}",
            advice=f"{witness.state}: {typed(self._program, witness.argv, '')}" if witness else "",
            about=(finding.value or "", *(finding.targets or ())),
        )

    def _finding(
        self,
        rule: str,
        level: Level,
        list_: str,
        path: Path,
        unit: str,
        said: str,
        *,
        advice: str = "",
        about: tuple[str, ...] = (),
    ) -> Finding:
        words = typed(self._program, path, unit)
        named = canonical.encode([rule, *self._subject, path, unit, *about])
        return Finding(
            rule=rule,
            title=RULES.get(rule) or BY_CODE[rule.removeprefix("diff-")].summary,
            level=level,
            list=list_,
            path=path,
            unit=unit,
            words=words,
            message=f"{words} {said}" if list_ else f"{words}: {said}",
            advice=advice,
            place=self._places.of(path, unit),
            fingerprint=hashlib.sha256(named).hexdigest(),
        )


def kind_of(unit: str) -> str:
    return "command" if not unit else "flag" if unit.startswith("-") else "arg"


def _claim(name: str, entry: Json) -> tuple[str | None, str]:
    """The rule that a claim breaks, and what is said of it."""
    if name.startswith("hidden_"):
        return "claims-hidden", "is accepted and not shown"
    status = entry.get("upstream_status")
    if status == "removed":
        return "claims-removed", f"was last seen in {entry.get('upstream_last')}"
    return ("claims-unseen", "was never seen") if status == "never_seen" else (None, "")

"""Does a new version break *this* wrapper: the diff of two versions joined with what the wrapper emits.

A change counts if the wrapper claims the unit, the command that a new requirement stands on, or a command at or below
one that is gone. A flag that is claimed at the root counts on every command that is claimed, as a union means it. What
a wrapper guards it refuses itself for versions that lack it: told, and not counted as broken. Which values a wrapper
passes is known of declared enumerations, which are guarded value by value; of others nobody knows: a value that is gone
breaks a wrapper if it passes that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.canonical import Json
from pipeline.history import Unit
from pipeline.history.beside import KINDS
from pipeline.questions.needs import GUARDED
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level
from pipeline.surface.diff import Diff, Finding

_CLAIMED = (Level.EXPLICIT, Level.PASSTHROUGH)
_MATTERS = ("breaking", "risky")
_OF_VALUES = ("value-removed", "values-listed")
_Claim = CoveredCommand | CoveredFlag | CoveredArg
_Path = tuple[str, ...]


class Hit(NamedTuple):
    """One finding that meets a claim. ``places`` are lines of the wrapper's source, where they are known.

    ``guarded``: the wrapper knows that not every version has the unit.
    """

    finding: Finding
    level: str
    guarded: bool
    places: tuple[str, ...]

    @property
    def certain(self) -> bool:
        """Whether it is known that the wrapper does what the finding is about; of values it is not."""
        return self.finding.code not in _OF_VALUES

    @property
    def breaks(self) -> bool:
        return self.finding.severity == "breaking" and not self.guarded


def affects(
    diff: Diff, coverage: Sequence[CoveredCommand], choices: Mapping[Unit, Collection[str]] | None = None
) -> list[Hit]:
    """Breaking and risky findings about what the wrapper claims, in the order of the diff.

    ``choices`` are the values of the flags and args of which no other can be passed, each guarded.
    """
    claims, known = _Claims(coverage), choices or {}
    hits = []
    for finding in diff.findings:
        claim = claims.met(finding) if finding.severity in _MATTERS else None
        values = known.get(Unit(tuple(finding.path), finding.key or finding.name or ""))
        by_value = values is not None and finding.code in _OF_VALUES
        if claim is None or (by_value and finding.value and finding.value not in (values or ())):
            continue
        places = tuple(f"{one.file}:{one.line}" for one in claim.evidence or () if one.file)
        hits.append(Hit(finding, claim.level, by_value or claim.note == GUARDED, places))
    return hits


def as_json(diff: Diff, hits: Sequence[Hit]) -> Json:
    """``breaks`` says whether anything does; each hit is the diff's finding with what the wrapper says of it."""
    from pipeline import canonical

    return {
        "before": diff.before.version,
        "after": diff.after.version,
        "breaks": any(hit.breaks for hit in hits),
        "hits": [
            {
                "breaks": hit.breaks,
                "level": hit.level,
                **({"guarded": True} if hit.guarded else {}),
                **({} if hit.certain else {"certain": False}),
                **({"places": hit.places} if hit.places else {}),
                "finding": canonical.loads(canonical.encode(hit.finding), "finding"),
            }
            for hit in hits
        ],
    }


def in_words(diff: Diff, hits: Sequence[Hit], program: str) -> str:
    """What breaks first, then what is guarded or only risky."""
    broken = [hit for hit in hits if hit.breaks]
    verdict = f"breaks {len(broken)} claims" if broken else "breaks nothing"
    lines = [f"{diff.before.version} to {diff.after.version} {verdict} of this wrapper"]
    for hit in sorted(hits, key=lambda hit: (not hit.breaks, hit.finding.severity != "breaking")):
        finding = hit.finding
        named = finding.key or finding.name
        words = " ".join((program, *finding.path, *((named,) if named else ())))
        said = "guarded" if hit.guarded else "risky" if not hit.breaks else "breaks" if hit.certain else "may break"
        value = f" {finding.value}" if finding.value else ""
        places = f"  ({', '.join(hit.places)})" if hit.places else ""
        lines.append(f"  {said:<9} {words}: {finding.code}{value}{places}")
        if hit.breaks and finding.witness:
            lines.append(f"            {finding.witness.state}: {' '.join((program, *finding.witness.argv))}")
    return "\n".join((*lines, ""))


class _Claims:
    def __init__(self, coverage: Sequence[CoveredCommand]) -> None:
        self._commands: dict[_Path, CoveredCommand] = {}
        self._units: dict[tuple[_Path, str], _Claim] = {}
        for entry in coverage:
            path = tuple(entry.path)
            if entry.level in _CLAIMED:
                self._commands[path] = entry
            for key, one in _named(entry):
                if one.level in _CLAIMED:
                    self._units[path, key] = one

    def met(self, finding: Finding) -> _Claim | None:
        """The claim that a finding is about; None where the wrapper claims nothing of it.

        Claims are of the command line: which methods, events and features a wrapper rests on is not known.
        """
        if finding.unit in KINDS:
            return None
        path, unit = tuple(finding.path), finding.key or finding.name or ""
        if not unit:
            below = (claim for at, claim in sorted(self._commands.items()) if at[: len(path)] == path)
            return next(below, None)
        if (path, unit) in self._units:
            return self._units[path, unit]
        # Nobody claims a unit that is new: what it demands falls on whoever calls the command.
        if finding.code.endswith("-added") and finding.severity == "breaking":
            return self._commands.get(path)
        return self._units.get(((), unit)) if path in self._commands else None


def _named(entry: CoveredCommand) -> Iterator[tuple[str, _Claim]]:
    yield from ((flag.key, flag) for flag in entry.flags or ())
    yield from ((arg.name, arg) for arg in entry.args or ())

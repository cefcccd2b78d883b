"""The contract of a generated coverage: what a wrapper's own declarations may not say.

A manifest that somebody else wrote is normalised as it is; one that is derived here has to earn it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contract.rules import Rules
from pipeline.errors import CoverageRefused
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Manifest
from pipeline.wrapper.derive import GUARDED

_REASONED = (Level.PASSTHROUGH, Level.INTENTIONALLY_UNSUPPORTED)
_Entry = CoveredCommand | CoveredFlag | CoveredArg
_Identity = tuple[str, tuple[str, ...], str]


def check_generated(manifest: Manifest, rules: Rules, where: object) -> None:
    """Raise CoverageRefused, naming ``where`` and the unit, unless the manifest keeps the contract.

    It holds something; no entry has a scope; what is passed through or left out on purpose has a reason, a guarded
    unit says exactly ``capability-guarded`` and anything else says nothing; and no unit is excluded by the rules.
    """
    if not manifest.coverage:
        raise CoverageRefused("nothing is covered", where=where, remedy="declare at least one command")
    excluded = {one.identity for one in rules.parity_exclusions.units}
    for identity, entry in _entries(manifest):
        kind, path, key = identity
        if problem := _problem(entry) or (identity in excluded and "is excluded by RULES.json, and emitted"):
            unit = " ".join((*path, key)).strip() or "(root)"
            raise CoverageRefused(
                f"{kind} {unit} {problem}", where=where, remedy="correct the declaration, or the exclusion"
            )


def _problem(entry: _Entry) -> str | None:
    if entry.scope is not None:
        return "has a scope: what a wrapper emits does not depend on the platform"
    if entry.level in _REASONED:
        return None if (entry.note or "").strip() else f"is {entry.level} without a note that says why"
    if entry.note not in (None, GUARDED):
        return f"is {entry.level} with the note {entry.note!r}: only {GUARDED!r} or nothing is said of it"
    return None


def _entries(manifest: Manifest) -> Iterator[tuple[_Identity, _Entry]]:
    for command in manifest.coverage:
        path = tuple(command.path)
        yield ("command", path, ""), command
        for flag in command.flags or ():
            yield ("flag", path, flag.key), flag
        for arg in command.args or ():
            yield ("arg", path, arg.name), arg

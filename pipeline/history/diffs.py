"""The diff stage: the unions of two versions, and what binaries said of its witnesses, in; its JSON and page out.

No clock and no binary: what a trial heard is a file of its own, which counts for the very binaries that the unions were
read from and for no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace as replaced
from pathlib import Path

from msgspec.structs import replace

from pipeline import canonical
from pipeline.errors import UsageError
from pipeline.history.beside import beside_known, compared_surfaces
from pipeline.history.build import read_timeline
from pipeline.history.diff import difference, narrowed, order
from pipeline.history.page import render
from pipeline.history.reading import read_surface
from pipeline.history.recalled import recalled
from pipeline.history.rule import RISKY
from pipeline.history.sides import Surface
from pipeline.history.surfaces import read_surfaces
from pipeline.layout import Root, check_version, in_order, is_version
from pipeline.surface.diff import Argv, Diff, Finding, Side, Trial, Trials, Witness


def diff_bytes(root: Root, before: str, after: str, *, program: str = "") -> dict[Path, bytes]:
    """The two files of a diff by path, as the unions and the trial's record give them.

    Raises what ``unions`` raises, and ArtifactInvalid for a record that cannot be read.
    """
    diff = diff_of(*unions(root, before, after), recorded(root, before, after))
    return {
        root.diff(before, after): canonical.encode(diff),
        root.diff(before, after, ".md"): render(diff, program or diff.tool).encode("utf-8"),
    }


def diff_of(before: Surface, after: Surface, trials: Trials | None = None) -> Diff:
    """The diff of two surfaces; ``trials`` of other binaries do not count."""
    heard = trials.trials if trials and is_about(trials, before, after) else ()
    one, other = narrowed(before, after)
    return Diff(
        diff_schema_version=1,
        tool=after.tool,
        before=Side(version=before.version, union_sha256=before.sha256),
        after=Side(version=after.version, union_sha256=after.sha256),
        told_by="timeline" if before.is_recalled or after.is_recalled else None,
        targets=one.targets,
        surfaces=tuple(compared_surfaces(one, other)) or None,
        findings=tuple(tried(difference(one, other), heard)),
    )


def surfaces(root: Root, before: str, after: str) -> tuple[Surface, Surface]:
    """Two versions as their unions have them; both as the timeline tells them, where a union is not kept.

    Raises UsageError for a version that was not read, and names the nearest that were.
    """
    versions = check_version(before), check_version(after)
    if all(root.union(version).exists() for version in versions) or not root.timeline.exists():
        return unions(root, before, after)
    timeline = read_timeline(root.timeline)
    read = [one.version for one in timeline.versions]
    for version in versions:
        if version not in read:
            raise _missing(f"{version} was not read, as far as {root.timeline} tells", version, read)
    known = read_surfaces(root.surfaces) if root.surfaces.exists() else {}
    one, other = (replaced(recalled(timeline, version), beside=beside_known(known, version)) for version in versions)
    return one, other


def unions(root: Root, before: str, after: str) -> tuple[Surface, Surface]:
    """The unions of two versions. Raises UsageError where one is not there, and names the nearest that are."""
    for version in (check_version(before), check_version(after)):
        if not root.union(version).exists():
            there = [one for one in root.versions() if root.union(one).exists()]
            raise _missing(f"there is no union of {version} in {root.path}", version, there)
    one, other = (read_surface(root.union(version), version) for version in (before, after))
    return one, other


def _missing(problem: str, version: str, there: Sequence[str]) -> UsageError:
    near = nearest(version, there)
    remedy = f"the nearest: {', '.join(near)}" if near else "take snapshots and run the union stage first"
    return UsageError(problem, remedy=remedy)


def nearest(version: str, there: Sequence[str]) -> list[str]:
    """The last version before one that is not there, and the first after it."""
    ordered = in_order({*there, version})
    at = ordered.index(version)
    return [*ordered[max(at - 1, 0) : at], *ordered[at + 1 : at + 2]]


def recorded(root: Root, before: str, after: str) -> Trials | None:
    """What binaries said of the witnesses of a diff; None where nobody asked. Raises ArtifactInvalid."""
    path = root.diff(before, after, ".trials.json")
    return canonical.read(path, Trials) if path.exists() else None


def is_about(trials: Trials, before: Surface, after: Surface) -> bool:
    """Whether a record is of the binaries that the two were read from."""
    digests = before.binaries.get(trials.target), after.binaries.get(trials.target)
    return digests == (trials.before_sha256, trials.after_sha256)


def tried(findings: Sequence[Finding], trials: Sequence[Trial]) -> list[Finding]:
    """The findings with what was heard of their witnesses; one that is refuted is only risky."""
    heard = {trial.argv: trial for trial in trials}
    return sorted((_tried(finding, heard.get(argv_of(finding))) for finding in findings), key=order)


def _tried(finding: Finding, trial: Trial | None) -> Finding:
    if finding.witness is None or trial is None or None in (trial.before, trial.after):
        return finding
    if (trial.before, trial.after) == ("accepted", "rejected"):
        return replace(finding, witness=Witness(argv=finding.witness.argv, state="confirmed"))
    return replace(finding, severity=RISKY, witness=Witness(argv=finding.witness.argv, state="refuted"))


def argv_of(finding: Finding) -> Argv:
    """The witness's words; none where there is no witness."""
    return finding.witness.argv if finding.witness else ()


def witnesses_of(findings: Sequence[Finding]) -> list[Argv]:
    """Every witness once, in order of words: that of a trial's record."""
    return sorted({finding.witness.argv for finding in findings if finding.witness})


def diff_files(root: Root) -> Iterator[tuple[Path, tuple[str, str] | None]]:
    """Every file in the folder of diffs, with the versions that its name says it is of; None for any other name."""
    for path in sorted(root.diffs.iterdir()) if root.diffs.is_dir() else ():
        stem = next((path.name.removesuffix(end) for end in SUFFIXES if path.name.endswith(end)), "")
        before, between, after = stem.partition("..")
        yield path, (before, after) if between and is_version(before) and is_version(after) else None


SUFFIXES = (".trials.json", ".json", ".md")

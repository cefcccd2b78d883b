"""The model of a version and a wrapper, from what is committed: the report, the timeline, two unions, the coverages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.folder import open_folder
from pipeline.errors import ArtifactMissing
from pipeline.faces.findings import Findings
from pipeline.faces.model import Entry, Overview, Place
from pipeline.faces.places import Places, Spoken, declarations, literals
from pipeline.faces.words import typed, visible
from pipeline.history.diffs import diff_of, recorded, surfaces
from pipeline.layout import MANIFESTS, relative, version_key
from pipeline.questions.affects import Hit, affects
from pipeline.questions.asked import OWN, Asked
from pipeline.questions.queue import Queue
from pipeline.report.elsewhere import in_words
from pipeline.surface.coverage import CoveredCommand
from pipeline.surface.diff import Diff
from pipeline.surface.report import Report
from pipeline.trace.described import open_wrapper


def gather(
    agent: Asked, *, version: str | None = None, against: str | None = None, wrapper: str | None = None
) -> Overview:
    """``version`` None is the newest that is reported on, ``against`` None the one before it, ``wrapper`` None ours.

    Raises UsageError for what is not there, ArtifactMissing and ArtifactInvalid for files.
    """
    wrapper = wrapper or OWN
    reports = agent.reports(wrapper)
    version = version or max(reports, key=version_key)
    against = against or before(agent, version)
    queue = agent.queue(wrapper, version, against)
    diff = _diff(agent, against, version) if against else None
    coverages = dict(agent.coverages())
    hits = {one: affects(diff, said, agent.choices(one)) for one, said in coverages.items()} if diff else {}
    return overview_of(
        canonical.read_bytes(reports[version]),
        reports[version],
        subject=Subject(agent.root.path.resolve().name, agent.program, wrapper),
        queue=queue,
        diff=diff,
        hits=hits,
        places=places(agent, wrapper, coverages.get(wrapper, ())),
    )


class Subject(NamedTuple):
    """What is shown: an agent, its program as it is typed, and a wrapper by its name."""

    agent: str
    program: str
    wrapper: str


def overview_of(
    raw: bytes,
    where: object,
    *,
    subject: Subject,
    queue: Queue,
    diff: Diff | None,
    hits: Mapping[str, Sequence[Hit]],
    places: Places,
) -> Overview:
    """The model, from the bytes of a report (of the file ``where``) and what belongs to it.

    Raises ArtifactInvalid for bytes that are no report.
    """
    document = canonical.loads(raw, where)
    inputs = canonical.convert(document, Report, where).inputs
    agent, program, wrapper = subject
    findings = Findings(program, (agent, wrapper), places)
    return Overview(
        agent=visible(agent),
        program=visible(program),
        wrapper=wrapper,
        wrapper_version=visible(inputs.wrapper.wrapper_version or "") or None,
        version=inputs.upstream.semantic_version,
        against=diff.before.version if diff else None,
        targets=tuple(inputs.upstream.targets),
        report=raw,
        entries=tuple(_entries(program, document["deltas"])),
        queue=queue,
        diff=diff,
        hits=hits,
        findings=findings.all(queue, document["deltas"], hits.get(wrapper, ())),
    )


def places(agent: Asked, wrapper: str, coverage: Sequence[CoveredCommand]) -> Places:
    """Where a wrapper speaks of its units. Paths begin in the repository, wherever it lies."""
    root = agent.root
    path = (root if wrapper == OWN else root.wrapper(wrapper)).wrapper_coverage
    base = Path(root.path.resolve().name)
    if root.path.resolve().parent.name == MANIFESTS:
        base = MANIFESTS / base
    return Places(_spoken(agent, wrapper, coverage), Place((base / relative(path, root.path)).as_posix()))


def _spoken(agent: Asked, wrapper: str, coverage: Sequence[CoveredCommand]) -> Spoken:
    folder = open_folder(agent.root.path)
    if wrapper == OWN:
        own = folder.agent and folder.agent.wrapper
        return declarations(own.name) if own else literals(coverage, OWN)
    package = wrapper
    with contextlib.suppress(ArtifactMissing):
        package = open_wrapper(folder, wrapper)[1].package.spec
    return literals(coverage, visible(package))


def before(agent: Asked, version: str) -> str | None:
    """The version before that has a union."""
    unions = [one for one in agent.root.versions() if agent.root.union(one).exists()]
    return max((one for one in unions if version_key(one) < version_key(version)), key=version_key, default=None)


def _diff(agent: Asked, before: str, after: str) -> Diff:
    return diff_of(*surfaces(agent.root, before, after), recorded(agent.root, before, after))


def _entries(program: str, deltas: Mapping[str, Sequence[Json]]) -> Iterator[Entry]:
    for name, entries in deltas.items():
        for entry in entries:
            path, unit = tuple(entry["path"]), entry.get("key") or entry.get("name") or ""
            said = (entry.get("note"), in_words(entry).strip(" ()"))
            yield Entry(name, path, unit, typed(program, path, unit), visible("; ".join(filter(None, said))))

"""What an agent's folder says of its versions, and the rows of the support matrix that follow from it.

A version is one that has metadata: one that retention pruned keeps its rows, without a report. A pointer that is
not there or not well-formed promotes nothing; that is for the checks of pointers to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.layout import POINTERS, Root
from pipeline.lifecycle.matrix_views import Metadata, Reported, read_metadata, read_report, read_targets
from pipeline.lifecycle.pointers import read_pointer
from pipeline.surface.matrix import Key, MatrixRow, PointerPromotion, Support

WAIVED = "backend report includes intentionally unsupported surface outside unified support"
WRAPPER_ONLY = "backend report includes backend-only surface outside unified support"
OMITTED = "current root snapshot omits this target"

# By whether the target's pointers name the version, in the order of POINTERS.
_PROMOTIONS = {
    (False, False): PointerPromotion.NONE,
    (True, False): PointerPromotion.LATEST_SUPPORTED,
    (False, True): PointerPromotion.LATEST_VALIDATED,
    (True, True): PointerPromotion.LATEST_SUPPORTED_AND_VALIDATED,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One agent's folder. Reports are read when a row first needs them, and once."""

    root: Root
    targets: tuple[str, ...]
    omitted: frozenset[tuple[str, str]]
    metadata: Mapping[str, Metadata]
    pointers: Mapping[str, tuple[str | None, ...]]
    _reports: dict[tuple[str, str], Reported | None] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Root) -> Evidence:
        """Raises ArtifactError if a file other than a report cannot be read or contradicts itself."""
        targets, omitted = read_targets(root)
        pointers = {
            target: tuple(read_pointer(root.pointer(kind, target)).value for kind in POINTERS) for target in targets
        }
        return cls(root, targets, omitted, read_metadata(root), pointers)

    @property
    def agent(self) -> str:
        return self.root.path.name

    def row_keys(self) -> Iterator[Key]:
        """Every version on every expected target."""
        for version in self.metadata:
            for target in self.targets:
                yield Key(self.agent, version, target)

    def row(self, key: Key) -> MatrixRow:
        """Raises ArtifactInvalid if a report that the row rests on cannot be read."""
        manifest = Support.SUPPORTED if self.metadata[key.version].supports(key.target) else Support.UNSUPPORTED
        backend, notes = _weigh(self._report(key.version, key.target))
        if (key.version, key.target) in self.omitted:
            notes = (*notes, OMITTED)
        supported, validated = (version == key.version for version in self.pointers[key.target])
        return MatrixRow(
            agent=key.agent,
            version=key.version,
            target=key.target,
            manifest_support=manifest,
            backend_support=backend,
            uaa_support=_unify(manifest, backend, notes),
            pointer_promotion=_PROMOTIONS[supported, validated],
            evidence_notes=notes,
        )

    def _report(self, version: str, target: str) -> Reported | None:
        """The target's own report, else the first general one that is about it."""
        if own := self._read(version, target):
            return own
        general = filter(None, (self._read(version, mode) for mode in ("any", "all")))
        return next((one for one in general if not one.targets or target in one.targets), None)

    def _read(self, version: str, mode: str) -> Reported | None:
        if (version, mode) not in self._reports:
            self._reports[version, mode] = read_report(self.root.report(version, mode))
        return self._reports[version, mode]


def _weigh(report: Reported | None) -> tuple[Support, tuple[str, ...]]:
    """What the wrapper supports by a report, and what is noted about it."""
    if report is None:
        return Support.UNSUPPORTED, ()
    notes = tuple(note for note, said in ((WAIVED, report.waived), (WRAPPER_ONLY, report.wrapper_only)) if said)
    if report.missing:
        return Support.UNSUPPORTED, notes
    return (Support.PARTIAL if notes else Support.SUPPORTED), notes


def _unify(manifest: Support, backend: Support, notes: tuple[str, ...]) -> Support:
    if Support.UNSUPPORTED in (manifest, backend):
        return Support.UNSUPPORTED
    return Support.PARTIAL if backend is Support.PARTIAL or notes else Support.SUPPORTED

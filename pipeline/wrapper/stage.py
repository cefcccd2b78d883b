"""The wrapper-coverage stage: a wrapper's own declarations (or a manifest file) in, canonical bytes out."""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.surface.coverage import Manifest
from pipeline.wrapper.manifest import normalise
from pipeline.wrapper.policy import check_generated
from pipeline.wrapper.registry import wrapper


def coverage_bytes(source: str | Path, rules: Rules, *, generated_at: str, wrapper_version: str | None = None) -> bytes:
    """The canonical ``wrapper_coverage.json`` of a wrapper named by a string, or of a manifest file.

    A version that the manifest itself states counts where none is given. Raises UsageError for a wrapper
    that is not here, CoverageRefused if its declarations break the contract of generated coverage, ArtifactInvalid
    and RulesInvalid for a manifest that cannot be normalised.
    """
    if isinstance(source, Path):
        manifest = canonical.read(source, Manifest)
    else:
        manifest = wrapper(source).coverage()
        check_generated(manifest, rules, f"wrapper {source}")
    return canonical.encode(
        normalise(
            manifest,
            rules,
            generated_at=generated_at,
            wrapper_version=wrapper_version or manifest.wrapper_version,
            where=source,
        )
    )

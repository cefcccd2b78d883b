"""``surfaces.json``: what every version offers besides its command line, from the unions.

A memory, as the timeline is: what it says of versions whose snapshots are gone is kept. A version has what any of its
targets has.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.layout import Root, in_order
from pipeline.surface.surfaces import Feature, KnownSurfaces, Surfaces, UnionName, UnionSurfaces


class _Union(msgspec.Struct, frozen=True):
    surfaces: UnionSurfaces | None = None


def surfaces_bytes(root: Root, *, tool: str) -> bytes:
    """The file as a build writes it. Raises ArtifactMissing and ArtifactInvalid for a union that cannot be read."""
    there = root.versions()
    kept = read_surfaces(root.surfaces) if root.surfaces.exists() else {}
    found = {version: one for version, one in kept.items() if version not in there}
    for version in there:
        path = root.union(version)
        union = canonical.decode(canonical.read_bytes(path), _Union, path)
        if union.surfaces is not None:
            found[version] = _of(union.surfaces)
    ordered = {version: found[version] for version in in_order(found)}
    return canonical.encode(KnownSurfaces(surfaces_schema_version=1, tool=tool, versions=ordered))


def read_surfaces(path: Path) -> dict[str, Surfaces]:
    """By version, oldest first. Raises ArtifactMissing and ArtifactInvalid."""
    return canonical.read(path, KnownSurfaces).versions


def _of(union: UnionSurfaces) -> Surfaces:
    features = union.features or ()
    return Surfaces(
        features=tuple(Feature(name=one.name, stage=one.stage, default=one.default) for one in features) or None,
        rpc_methods=_names(union.rpc_methods),
        hook_events=_names(union.hook_events),
    )


def _names(units: tuple[UnionName, ...] | None) -> tuple[str, ...] | None:
    return tuple(one.name for one in units or ()) or None

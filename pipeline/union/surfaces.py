"""The surfaces of a version over its targets: who has each feature, method and event, and where features differ.

Order is by name; the canonical target speaks for the fields of a feature, as it does for those of a flag.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.canonical import Json
from pipeline.surface.surfaces import Feature, Surfaces
from pipeline.surface.units import fields_of
from pipeline.union.read import Source

_COMPARED = tuple(field for field in fields_of(Feature) if field != "name")


def merged_surfaces(sources: Mapping[str, Source], required: str) -> Json | None:
    """The block of a union; None where no snapshot tells of any. ``sources`` are in the order of the targets."""
    told = {target: source.head["surfaces"] for target, source in sources.items() if "surfaces" in source.head}
    if not told:
        return None
    merged = {kind: _merged(kind, told, required) for kind in fields_of(Surfaces)}
    return {kind: units for kind, units in merged.items() if units}


def _merged(kind: str, told: Mapping[str, Json], required: str) -> list[Json]:
    units: dict[str, dict[str, Json]] = {}
    for target, surfaces in told.items():
        for one in surfaces.get(kind, ()):
            unit = one if isinstance(one, dict) else {"name": one}
            units.setdefault(unit["name"], {})[target] = unit
    return [_unit(said, required) for _, said in sorted(units.items())]


def _unit(said: Mapping[str, Json], required: str) -> Json:
    speaker = said.get(required) or next(iter(said.values()))
    conflicts = [
        {"field": field, "values_by_target": {target: one[field] for target, one in sorted(said.items())}}
        for field in _COMPARED
        if field in speaker and len({one[field] for one in said.values()}) > 1
    ]
    return {**speaker, "available_on": list(said), **({"conflicts": conflicts} if conflicts else {})}

"""What each version has besides its command line, as a page's data: small, for there are hundreds of names.

    versions   those that were read, oldest first
    stages     texts
    names      [[kind, name, [one number for each version]]]

A number says: -1 the version does not tell the kind, 0 it does not have the name, 1 it has it; of a feature 2 and more,
twice the place of its stage, and one more where it is on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.canonical import Json
from pipeline.questions.surfaces import units_of
from pipeline.surface.surfaces import Feature, Surfaces

# Kind → field of ``Surfaces``.
KINDS: Mapping[str, str] = {"method": "rpc_methods", "event": "hook_events", "feature": "features"}
_UNTOLD, _NOT, _HAS, _FEATURE = -1, 0, 1, 2


def beside_data(known: Mapping[str, Surfaces]) -> Json:
    """``known`` is by version, oldest first."""
    stages: dict[str, int] = {}
    return {
        "versions": list(known),
        "names": [[kind, *found] for kind, field in KINDS.items() for found in _names(known, field, stages)],
        "stages": list(stages),
    }


def _names(known: Mapping[str, Surfaces], field: str, stages: dict[str, int]) -> Iterator[tuple[str, list[int]]]:
    told = [units_of(surfaces, field) for surfaces in known.values()]
    for name in sorted({name for units in told for name in units or ()}):
        yield name, [_UNTOLD if units is None else _number(units, name, stages) for units in told]


def _number(units: Mapping[str, Feature | None], name: str, stages: dict[str, int]) -> int:
    if name not in units:
        return _NOT
    feature = units[name]
    if feature is None:
        return _HAS
    return _FEATURE + 2 * stages.setdefault(feature.stage, len(stages)) + feature.default

"""What is known of a method, a hook event or a feature: in which of the versions that were read it is, and how.

``surfaces.json`` in, bounds out, as of a command (``pipeline.questions.explain``): the versions between two that were
read are not judged, and one that does not tell a kind at all says nothing of any of its names.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from pipeline.canonical import Json
from pipeline.errors import UsageError
from pipeline.layout import in_order
from pipeline.questions.explained import apart, bounds, life_in_words
from pipeline.questions.lives import Life
from pipeline.surface.surfaces import Feature, Surfaces

# Form of a predicate (``pipeline.questions.predicates``) → the surface that it asks for.
FORMS: Mapping[str, str] = {"rpc": "rpc_methods", "hook_event": "hook_events", "feature": "features"}
_NEAREST = 3


class ExplainedName(NamedTuple):
    """``facts`` are of a feature: when it is ``on`` where nobody switches it, and when in which stage.

    ``untold`` are the versions that were read and do not tell the kind. ``came_when_it_went`` are names that hold
    this one or are a part of it, and were not there before.
    """

    predicate: str
    lives: tuple[Life, ...]
    facts: tuple[tuple[str, tuple[Life, ...]], ...]
    untold: tuple[str, ...]
    came_when_it_went: tuple[str, ...]


def is_of_a_surface(words: str) -> bool:
    """Whether it is a predicate of one of the forms here."""
    return words.partition(":")[0] in FORMS and ":" in words


def explain_name(known: Mapping[str, Surfaces], predicate: str) -> ExplainedName:
    """Explain ``rpc:thread/start``, ``hook_event:Stop`` or ``feature:hooks``.

    Raises UsageError for a name that no version has, with the nearest.
    """
    form, _, name = predicate.partition(":")
    by_version = {version: units_of(known[version], FORMS[form]) for version in in_order(known)}
    told = {version: found for version, found in by_version.items() if found is not None}
    units = {version: found[name] for version, found in told.items() if name in found}
    if not units:
        raise _unknown(told, predicate)
    versions, facts = list(told), dict[str, set[str]]()
    for version, one in units.items():
        for word in ("on" if one.default else "off", one.stage) if one else ():
            facts.setdefault(word, set()).add(version)
    lives = _lives(versions, units)
    gone = lives[-1].before
    came = sorted(told[gone].keys() - told[lives[-1].last].keys()) if gone else []
    return ExplainedName(
        predicate=predicate,
        lives=lives,
        facts=tuple((word, _lives(versions, having)) for word, having in facts.items()),
        untold=tuple(version for version in by_version if version not in told),
        came_when_it_went=tuple(one for one in came if one in name or name in one),
    )


def as_json(explained: ExplainedName) -> Json:
    """The answer as a JSON object; optional keys are absent where there is nothing to say."""
    found: Json = {"predicate": explained.predicate, "spans": [bounds(life) for life in explained.lives]}
    if explained.facts:
        found["facts"] = [{"name": name, "spans": [bounds(life) for life in lives]} for name, lives in explained.facts]
    for key in ("untold", "came_when_it_went"):
        if told := getattr(explained, key):
            found[key] = told
    return found


def in_words(explained: ExplainedName, program: str) -> str:
    """The answer for people."""
    lines = [f"{program} {explained.predicate}", *(f"  {life_in_words(life)}" for life in explained.lives)]
    if explained.facts:
        lines.append("  " + ", ".join(name + apart(lives, explained.lives) for name, lives in explained.facts))
    if explained.untold:
        lines.append(f"  not known of {', '.join(explained.untold)}: what was read there does not tell")
    if explained.came_when_it_went:
        lines.append(f"  came when it went: {', '.join(explained.came_when_it_went)}")
    return "\n".join((*lines, ""))


def units_of(surfaces: Surfaces, field: str) -> dict[str, Feature | None] | None:
    """What a version has of one kind, by name; None where it does not tell the kind."""
    units: tuple[str | Feature, ...] | None = getattr(surfaces, field)
    if units is None:
        return None
    return dict((one.name, one) if isinstance(one, Feature) else (one, None) for one in units)


def _lives(versions: Sequence[str], having: Collection[str]) -> tuple[Life, ...]:
    """The runs of versions that have something, each with the neighbours that have it not."""
    found, start = [], 0
    for held, group in groupby(versions, key=lambda version: version in having):
        run = list(group)
        end = start + len(run)
        if held:
            after = versions[start - 1] if start else None
            before = versions[end] if end < len(versions) else None
            found.append(Life(run[0], run[-1], None, None, after, before))
        start = end
    return tuple(found)


def _unknown(told: Mapping[str, Mapping[str, object]], predicate: str) -> UsageError:
    form, _, name = predicate.partition(":")
    names = sorted({one for units in told.values() for one in units})
    near = difflib.get_close_matches(name, names, _NEAREST, 0.5)
    looked_at = ", ".join(told) or "none tells any"
    remedy = f"the nearest: {', '.join(f'{form}:{one}' for one in near)}" if near else "look at surfaces.json"
    return UsageError(f"no version that was looked at ({looked_at}) has {predicate}", remedy=remedy)

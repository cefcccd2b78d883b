"""What is known of a unit, in words and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.canonical import Json
from pipeline.questions.explain import Explained, Used
from pipeline.questions.lives import Life


def as_json(explained: Explained, used: Sequence[Used] = (), about: str | None = None) -> Json:
    """The answer as a JSON object; optional keys are absent where there is nothing to say."""
    found: Json = {"path": explained.path}
    if explained.unit:
        found["flag" if explained.unit.startswith("-") else "arg"] = explained.unit
    if explained.value:
        found["value"] = explained.value
    if about:
        found["about"] = about
    found["spans"] = [bounds(life) for life in explained.lives]
    for key, named in (("facts", explained.facts), ("values", explained.values)):
        if named:
            found[key] = [{"name": name, "spans": [bounds(life) for life in lives]} for name, lives in named]
    for key in ("now_named", "still_of", "came_when_it_went"):
        if told := getattr(explained, key):
            found[key] = told
    if used:
        found["used_by"] = [
            {
                "wrapper": one.wrapper,
                "level": one.level,
                **({"note": one.note} if one.note else {}),
                **({"places": one.places} if one.places else {}),
            }
            for one in used
        ]
    return found


def in_words(explained: Explained, program: str, used: Sequence[Used] = (), about: str | None = None) -> str:
    """The answer for people."""
    lines = [" ".join((program, *explained.path, *filter(None, (explained.unit, explained.value))))]
    if about:
        lines += [f"  {line}" for line in about.splitlines() if line.strip()]
    lines += [f"  {life_in_words(life)}" for life in explained.lives]
    same = explained.lives
    if explained.facts:
        lines.append("  " + ", ".join(name + apart(lives, same) for name, lives in explained.facts))
    if explained.values:
        lines.append("  values: " + ", ".join(name + apart(lives, same) for name, lives in explained.values))
    if explained.now_named:
        lines.append(f"  the name is now one of {explained.now_named}'s")
    if explained.still_of:
        commands = (" ".join((program, *path)) for path in explained.still_of)
        lines.append(f"  there was still: {', '.join(f'{command} {explained.unit}' for command in commands)}")
    if explained.came_when_it_went:
        lines.append(f"  came when it went: {', '.join(explained.came_when_it_went)}")
    for one in used:
        places = f" ({', '.join(one.places)})" if one.places else ""
        lines.append(f"  used by {one.wrapper}: {one.level}{places}")
    return "\n".join((*lines, ""))


def life_in_words(life: Life) -> str:
    """``visible since 0.147.0 (not so in 0.125.0), still in 0.169.0``, and the like."""
    since = f"since {life.first}" + (f" (not so in {life.after})" if life.after else ", the first that was looked at")
    until = f"until {life.last} (not so in {life.before})" if life.before else f"still in {life.last}"
    on = f", on {', '.join(life.targets)} only" if life.targets else ""
    return f"{life.state or 'there'} {since}, {until}{on}"


def apart(found: Sequence[Life], same: Sequence[Life]) -> str:
    """When, where it is not as long as the unit itself."""
    if (found[0].first, found[-1].last) == (same[0].first, same[-1].last):
        return ""
    own = (life.first if life.first == life.last else f"{life.first} to {life.last}" for life in found)
    return f" ({'; '.join(own)})"


def bounds(life: Life) -> Json:
    """A life as a JSON object."""
    found: Json = {"first": life.first, "last": life.last}
    for key in ("after", "before", "state", "targets"):
        if value := getattr(life, key):
            found[key] = value
    return found

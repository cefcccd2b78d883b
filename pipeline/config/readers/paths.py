"""Paths and patterns of permission rules, as a profile of the target takes them.

A profile follows no link: what it takes away by a link's name, it does not take away, or it refuses to start. So what
lies behind links of the tree is named by where it really is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.config.readers.reading import Reading
from pipeline.config.tree import finding, matches

# Characters that no reader of patterns takes for anything else.
_PATH = re.compile(r"[\w.@+,=~*?/ ()'&#%;-]+")
_GLOB = re.compile(r"[*?\[]")
_MOST = 100
_BRACES = re.compile(r"\{([^{},]*(?:,[^{},]*)+)\}")


def unread_file(reading: Reading, kind: str, spec: str) -> tuple[str, dict[str, Any]]:
    """A path that must not be read. ``files`` are the paths of the profile, where they are not those that are spelled.

    What leads out of the tree, or cannot be written in a profile, is ``odd``.
    """
    paths = target_paths(spec)
    names = list(_real(reading, paths))
    if not paths or None in names:
        return f"{kind}.odd", {"path": spec}
    return kind, {"path": spec} if names == list(paths) else {"path": spec, "files": list(dict.fromkeys(names))}


def _real(reading: Reading, paths: Sequence[str]) -> Iterator[str | None]:
    """The paths with links followed, and what fits the patterns behind links; None for what leads out."""
    for path in paths:
        if path.startswith("~/"):
            yield path
        elif not is_pattern(path):
            yield _followed(reading, path)
        else:
            yield path
            yield from _behind_links(reading, path)


def _followed(reading: Reading, path: str) -> str | None:
    plain = path.removesuffix("/**")
    real = reading.real(plain)
    return None if real is None else f"{real}{path.removeprefix(plain)}"


def _behind_links(reading: Reading, pattern: str) -> Iterator[str]:
    last = ""
    for place in reading.linked():
        if not (last and place.startswith(f"{last}/")) and matches(place, (pattern,)):
            last = place
            if real := reading.real(place):
                yield real


def written_file(reading: Reading, kind: str, spec: str) -> tuple[str, dict[str, Any]]:
    """A path that must not be written: a profile knows names and whole folders, so a pattern is the files that fit it.

    ``files`` are those, a hundred at most, and for a bare name also the one in the root, whether or not it is there.
    """
    paths = target_paths(spec)
    patterns = [path for path in paths if is_pattern(path)]
    if not patterns:
        return unread_file(reading, kind, spec)
    if any(path.startswith("~/") for path in patterns):
        return f"{kind}.odd", {"path": spec}
    wanted = [path.removesuffix("/**") for path in patterns]
    plain = [path.removeprefix("**/") for path in wanted if not _GLOB.search(path.removeprefix("**/"))]
    named = sorted({path for one in wanted for path in reading.places(_beginning(one)) if matches(path, (one,))})
    spelled = dict.fromkeys([*(path for path in paths if path not in patterns), *plain, *named])
    names = list(dict.fromkeys(real for one in spelled if (real := _followed(reading, one))))
    if len(names) > _MOST:
        message = f"{len(names)} files fit {spec}: {_MOST} become read-only, of the others only patches are stopped"
        remedy = "name a folder that holds them"
        reading.findings.append(finding("files-too-many", reading.domain.patterns[0], message, remedy, None, "warning"))
    return f"{kind}.glob", {"path": spec, "files": names[:_MOST]}


def is_pattern(path: str) -> bool:
    """Whether a path is more than a name, or a whole folder."""
    return _GLOB.search(path.removesuffix("/**")) is not None


def _beginning(pattern: str) -> str:
    """What every path that fits a pattern begins with."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def target_paths(spec: str) -> tuple[str, ...]:
    """A path or pattern as a profile takes it, relative to the workspace or to the home; none if it cannot take it.

    A bare name is meant at any depth; ``./x`` and ``/x`` are meant at the root. ``{a,b}`` is both: whoever writes it
    means that, also where the source takes the braces for letters.
    """
    found = _BRACES.search(spec)
    if found is None:
        path = _target_path(spec)
        return (path,) if path else ()
    each = [target_paths(spec[: found.start()] + one + spec[found.end() :]) for one in found[1].split(",")]
    return tuple(dict.fromkeys(path for paths in each for path in paths)) if all(each) else ()


def _target_path(spec: str) -> str:
    home, rest = ("~/", spec[2:]) if spec.startswith("~/") else ("", spec)
    bare = "/" not in rest.rstrip("/")
    plain = posixpath.normpath(rest.strip("/")) if rest.strip("/") else ""
    if not plain or plain == "." or plain.startswith(("..", "~")) or not _PATH.fullmatch(plain):
        return ""
    if rest.endswith("/"):
        plain = f"{plain}/**"
    return f"{home}{plain}" if home or not bare else f"**/{plain}"

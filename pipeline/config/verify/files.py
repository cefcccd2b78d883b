"""Checks of files that are taken away: each is tried in the sandbox, beside one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tomlkit
from msgspec.structs import replace

from pipeline.config.emit.output import Emission
from pipeline.config.emit.policy import taken_away
from pipeline.config.verify.evidence import Check, judged
from pipeline.config.verify.stand import Stand

# How many of the files that fit one pattern are tried.
_SOME = 3
CONTROL = "parity-control.txt"


def file_checks(made: Stand, emission: Emission) -> Iterator[Check]:
    """Each file that is taken away is tried in the sandbox, beside one that is not."""
    probes = list(file_probes(emission))
    if not probes:
        return
    control = _tried(made, "file-control", ("cat", CONTROL), allowed=True)
    yield control
    for write, name, path in probes:
        place = _place(made, path)
        shown = str(place) if path.startswith("~/") else place.relative_to(made.repo).as_posix()
        action = ("cat", shown) if write == "file-deny" else ("touch", shown)
        tried = _tried(made, f"file-rule:{name}", action, allowed=False)
        # Where nothing may be read, a refusal says nothing.
        yield replace(tried, status="fail", observed="the control failed") if control.status == "fail" else tried


def file_probes(emission: Emission) -> Iterator[tuple[str, str, str]]:
    """(what is taken away, by which field, a path for which that holds) of each rule on files.

    Of the files that fit a pattern, some.
    """
    for item in emission.items("permissions"):
        for write, one in emission.writes(item, "file-deny", "file-read", "file-glob"):
            paths = taken_away(one.value)
            for path in paths[:_SOME] if write == "file-glob" else paths:
                yield write, f"{one.name}{f': {path}' if len(paths) > 1 else ''}", sample_of(path)


def lay_probes(made: Stand, emission: Emission) -> None:
    """Make a file for each rule on files, before anything is asked.

    The program's sandbox makes what is missing for a moment; two of its helpers at once get in each other's way.
    """
    paths = {path for _, _, path in file_probes(emission)}
    # What lies deeper comes first: of two paths, one may be a folder that the other lies in.
    for path in (CONTROL, *sorted(paths, key=lambda path: (-path.count("/"), path))):
        place = _place(made, path)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("probe\n", encoding="utf-8", newline="\n")


def _place(made: Stand, path: str) -> Path:
    """Where a probe is tried; in a folder, a file of it: that a folder itself is no file says nothing."""
    place = made.home / path[2:] if path.startswith("~/") else made.repo / path
    return place / CONTROL if place.is_dir() else place


def sample_of(pattern: str) -> str:
    """A path that a pattern fits."""
    return pattern.replace("**/", "").replace("**", "probe").replace("*", "probe").replace("?", "p")


def _tried(made: Stand, name: str, action: tuple[str, ...], *, allowed: bool) -> Check:
    target = made.job.mapping.target
    words = made.words((*target.calls.sandbox, *action), profile=_profile(made))
    code = made.ask(words).returncode if made.sandbox else None
    return judged(
        name,
        "permissions",
        command=made.spelled(words),
        expected="exit code 0" if allowed else "another exit code than 0",
        observed="the machine has no sandbox for it" if code is None else f"exit code {code}",
        passed=None if code is None else (code == 0) == allowed,
    )


def _profile(made: Stand) -> str:
    """The profile that the repository's config puts in force; the workspace's where it names none."""
    target = made.job.mapping.target
    try:
        config = tomlkit.parse((made.repo / target.config).read_bytes().decode()).unwrap()
    except (OSError, ValueError):
        config = {}
    return str(config.get("default_permissions", target.extends["default"]))

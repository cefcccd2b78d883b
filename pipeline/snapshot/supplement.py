"""Supplements: commands that help does not show, added by hand, each leaving a trace.

Commands and a supplement in -> commands and the paths that it added out. An item counts on the systems it
names, on all when it names none.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from pipeline.surface.snapshot import Supplement
from pipeline.surface.units import Command, Path


def add_supplement(
    commands: Mapping[Path, Command], supplement: Supplement, system: str
) -> tuple[dict[Path, Command], list[Path]]:
    """The commands with those that the supplement adds on ``system`` (linux, macos, windows).

    A command that is there already keeps what help says of it and takes over ``platforms``.
    """
    found = dict(commands)
    applied = []
    for item in supplement.commands:
        if item.platforms is not None and system not in item.platforms:
            continue
        command = found.get(item.path, Command(path=item.path))
        found[item.path] = replace(command, platforms=item.platforms) if item.platforms else command
        applied.append(item.path)
    return found, applied

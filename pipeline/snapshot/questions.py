"""What to ask the second and third witness about, and which commands to visit besides the listed ones. Pure.

What help shows, what completion tells and what is watched in -> units to probe and paths to visit out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pipeline.contract.agent import Unit
from pipeline.oracle import Probe, Testimony, Told
from pipeline.surface.units import Command, Flag, Path, flag_names, key_of

# Every page has them or is asked by them: no news, and clap tells them even where they are disabled.
EVERYWHERE = frozenset({"--help", "-h", "--version", "-V"})


def unlisted(
    testimony: Testimony | None,
    commands: Mapping[Path, Command],
    verdicts: Mapping[Unit, Probe],
    pseudo_commands: Collection[str] = (),
) -> tuple[Path, ...]:
    """The commands that help does not list and that exist: to be visited, parents first."""
    told = () if testimony is None else testimony.commands
    accepted = [path for (path, flag), probe in verdicts.items() if flag is None and probe.verdict == "accepted"]
    known = {_first_names(path, commands) for path in commands}
    found = {_first_names(path, commands) for path in (*told, *accepted) if not set(path) & set(pseudo_commands)}
    return tuple(sorted(found - known, key=lambda path: (len(path), path)))


def doubted(
    commands: Mapping[Path, Command], testimony: Testimony | None, watch: Iterable[Unit] = ()
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Commands and flags to probe: what is watched and not shown, and what an exhaustive completion does not know."""
    paths: list[Path] = []
    flags: list[tuple[Path, str]] = []
    for path, flag in watch:
        command = commands.get(path)
        if command is None:
            paths.append(path)
        elif flag and with_name(flag, command.flags or ()) is None:
            flags.append((path, flag))
    if testimony is not None and testimony.exhaustive:
        for path, command in commands.items():
            told = testimony.find(path)
            if told is None and path and command.help_sha256 is None and testimony.find(path[:-1]):
                paths.append(path)
            if told is not None:
                flags += ((path, key_of(flag)) for flag in command.flags or () if is_untold(flag, told))
    return paths, flags


def is_untold(flag: Flag, told: Told) -> bool:
    names = set(flag_names(flag))
    return not names & EVERYWHERE and not any(names & set(fact.names) for fact in told.flags)


def with_name(name: str, flags: Iterable[Flag]) -> Flag | None:
    return next((flag for flag in flags if name in flag_names(flag)), None)


def _first_names(path: Path, commands: Mapping[Path, Command]) -> Path:
    """The path with every alias that help tells replaced by the command's first name."""
    known: Path = ()
    for token in path:
        here = (*known, token)
        if here not in commands:
            here = next(
                (
                    other
                    for other, command in commands.items()
                    if other and other[:-1] == known and token in (command.aliases or ())
                ),
                here,
            )
        known = here
    return known

"""The surface of a cobra CLI as it completes itself: ``program __complete <path> <word>``.

Ask -> Truth. Completion leaves out what is hidden or deprecated, and cannot say whether a flag takes a value:
those fields are None. A command's page shows fewer flags than completion offers where the inherited ones stand
at the root only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from benchmarks.fidelity.truth import Path, TrueCommand, TrueFlag, Truth

Ask = Callable[..., str]

# The last line of an answer: `:4`, a sum of directives.
_DIRECTIVE = re.compile(r":\d+")
_HELP = {"--help", "-h"}
# How many of the offered words are asked about before they are taken for arguments.
_ENOUGH = 12


def read_cobra(ask: Ask) -> Truth:
    """Walk the whole tree. ``ask(*words)`` gives the standard output of the program."""
    return tuple(_walk(cache(ask), ()))


def _walk(ask: Ask, path: Path, *, helped: bool = False) -> Iterator[TrueCommand]:
    """``helped`` says that the command above offers --help, so that every command below it should."""
    own = _flags(ask, path)
    names = sorted({name.rstrip("=") for name in own})
    # Where --help is gone, the command reads its own flags or hands them on.
    told = bool(_HELP & set(names)) or not helped
    yield TrueCommand(path=path, flags=tuple(TrueFlag(names=(name,)) for name in names) if told else None)
    offered = [name for name in _offers(ask("__complete", *path, "")) if not name.startswith("-") and name != "help"]
    # A command's arguments are offered in the same way. An argument changes nothing about the flags; of a
    # group's commands at least one has flags that the group has not, or another text for --help.
    if any(_flags(ask, (*path, name)) != own for name in offered[:_ENOUGH]):
        for name in offered:
            yield from _walk(ask, (*path, name), helped=bool(_HELP & set(names)))


def _flags(ask: Ask, path: Path) -> dict[str, str]:
    found = _offers(ask("__complete", *path, "-"))
    if not _HELP & set(found):
        # Cobra offers required flags alone until they are given; everything else only then.
        given = [f"{name.rstrip('=')}=1" for name in found if name.startswith("--")]
        found |= _offers(ask("__complete", *path, *given, "-"))
    return {name: about for name, about in found.items() if name.startswith("-")}


def _offers(answer: str) -> dict[str, str]:
    lines = [line.partition("\t") for line in answer.splitlines() if line and not _DIRECTIVE.fullmatch(line)]
    return {name: about for name, _, about in lines if not name.startswith("_activeHelp_")}

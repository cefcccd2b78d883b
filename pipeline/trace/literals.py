"""A flag that stands in source code: what counts as one, and how it is told where it stands.

A literal is a whole string, or what stands before the first value of a template, that looks like a flag. Prose,
names that are only begun (``--no-`` + name) and what is merely looked for (``"--x" in argv``) are none.
"""

from __future__ import annotations

import re

from pipeline.surface.units import Shape

# A name ends in a letter or digit: what ends in a hyphen is put together at run time.
_FLAG = re.compile(r"(-{1,2}[A-Za-z](?:[\w.-]*\w)?)(=.*)?", re.DOTALL)
_SHORT = re.compile(r"-[A-Za-z]")

# Calls whose arguments say what the wrapper's own command line looks like.
DECLARING = frozenset({"add_argument", "add_option", "option", "Option", "requiredOption", "addOption"})
# Calls that look a word up. What is looked for is not passed on.
LOOKING = frozenset(
    {"startswith", "endswith", "index", "find", "count", "remove", "discard"}
    | {"startsWith", "endsWith", "indexOf", "lastIndexOf", "includes", "has"}
)
# Calls that start a program; a constant first word of theirs says which one.
SPAWNING = frozenset(
    {"run", "call", "check_call", "check_output", "Popen", "create_subprocess_exec", "open_process", "run_process"}
    | {"spawn", "spawnSync", "exec", "execFile", "execFileSync", "execa", "execaSync"}
)


class Literal(Shape, frozen=True, kw_only=True):
    """One flag where it stands: ``file`` relative to the package with forward slashes, ``line`` from 1.

    ``program`` is the first word of the command line that it stands in, where that is a constant.
    """

    flag: str
    file: str
    line: int
    program: str | None = None


class Scan(Shape, frozen=True, kw_only=True):
    """All literals of a package, by flag, file and line; ``unread`` are files that could not be read in full."""

    literals: tuple[Literal, ...]
    unread: tuple[str, ...] = ()


def flag_in(text: str, *, goes_on: bool = False) -> str | None:
    """The flag that a constant is; None if it is none. ``goes_on``: a value follows at once, as in a template."""
    found = _FLAG.fullmatch(text)
    if found is None or (goes_on and not found[2] and not _SHORT.fullmatch(found[1])):
        return None
    return found[1]


def order(literal: Literal) -> tuple[str, str, int, str]:
    return literal.flag, literal.file, literal.line, literal.program or ""

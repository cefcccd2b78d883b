"""Help text -> page -> units, in one model for all dialects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.errors import UsageError
from pipeline.helptext.argparse import ARGPARSE
from pipeline.helptext.clap import CLAP
from pipeline.helptext.click import CLICK
from pipeline.helptext.cobra import COBRA
from pipeline.helptext.commander import COMMANDER
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.plain import PLAIN
from pipeline.helptext.yargs import YARGS
from pipeline.surface.revision import REVISION
from pipeline.surface.units import Path

__all__ = ["DIALECTS", "FALLBACK", "REVISION", "Dialect", "Page", "Subcommand", "detect", "dialect", "read_page"]

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {each.name: each for each in (ARGPARSE, CLAP, CLICK, COBRA, COMMANDER, YARGS, PLAIN)}
)


# Reads any help tolerably: for pages that show no sign of a known format.
FALLBACK = PLAIN
# So many flags more than half the fallback may find in a text that only looks like flags.
_FEW = 4


def dialect(name: str) -> Dialect:
    """The dialect of that name; raises UsageError naming the known ones."""
    try:
        return DIALECTS[name]
    except KeyError:
        raise UsageError(
            f"no help dialect is called {name!r}", remedy=f"use one of: {', '.join(sorted(DIALECTS))}"
        ) from None


def detect(text: str, program: str = "program") -> Dialect:
    """The dialect that most of the root page's signs are of; the fallback for a page that shows none.

    And for a page that the signs mislead about: one whose flags only the fallback can read was printed by the
    framework's program, not by the framework.
    """
    found = {name: sum(bool(sign.search(text)) for sign in each.signs) for name, each in DIALECTS.items()}
    best = DIALECTS[max(found, key=found.__getitem__)]
    if not found[best.name]:
        return FALLBACK
    read, tolerantly = (len(each.read(text, program, ()).flags) for each in (best, FALLBACK))
    return FALLBACK if tolerantly > 2 * read + _FEW else best


def read_page(text: str, *, dialect: str, program: str, path: Path) -> Page:
    """Read the help of ``program path…``. Never fails on a text; raises UsageError for an unknown dialect."""
    return _dialect(dialect).read(text, program, path)


_dialect = dialect

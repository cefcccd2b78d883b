"""A first look at a binary: the root's page only, and what it tells about reading the rest.

Binary in -> its name, dialect, subcommands and version out. Refuses a binary without a root page, as
``take_snapshot`` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.helptext import Page
from pipeline.snapshot.calls import calling
from pipeline.snapshot.crawl import Manner, Walker, require_root
from pipeline.snapshot.probe import Version, ask_version
from pipeline.snapshot.subject import Subject


@dataclass(frozen=True, slots=True)
class Look:
    """``version`` is a text when the binary does not tell it: why not."""

    manner: Manner
    page: Page
    version: Version | str


def look_at(subject: Subject) -> Look:
    """Ask for the root's page and the version; raises what ``take_snapshot`` raises."""
    with calling(subject) as caller:
        walker = Walker(subject, caller)
        page = require_root(walker.root(), walker.manner.program)
        return Look(walker.manner, page, ask_version(caller, walker.manner.program))

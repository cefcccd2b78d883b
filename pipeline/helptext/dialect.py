"""What a dialect is: a help format's name and its reader. A dialect is never an agent."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.helptext.page import Page
from pipeline.surface.units import Path


@dataclass(frozen=True)
class Dialect:
    """``read(text, program, path)`` is total: any text is a page, if only one of unread lines.

    The program and the path say where in a usage line the command ends and its placeholders begin.
    ``signs`` are looked for in a whole page, line by line: the dialect that finds the most of its own is the
    one that the page is printed in. ``style`` is how its CLIs are best asked for help (see ``contract.agent``).
    """

    name: str
    read: Callable[[str, str, Path], Page]
    signs: tuple[re.Pattern[str], ...] = ()
    style: str = "flag"

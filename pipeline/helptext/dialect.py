"""What a dialect is: a help format's name and its reader. A dialect is never an agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.helptext.page import Page
from pipeline.surface.units import Path


@dataclass(frozen=True)
class Dialect:
    """``read(text, program, path)`` is total: any text is a page, if only one of unread lines.

    The program and the path say where in a usage line the command ends and its placeholders begin.
    """

    name: str
    read: Callable[[str, str, Path], Page]

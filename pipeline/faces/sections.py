"""A Markdown page that keeps within a limit: a shortened section says how much it leaves out, and how to see it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.faces.words import code


class Section(NamedTuple):
    """A heading, a text below it (may be empty), items, and the command that shows all of them.

    An item is a list item's text; of several lines the first is the item.
    """

    title: str
    lead: str
    items: tuple[str, ...]
    command: str


def page(head: Sequence[str], sections: Sequence[Section], limit: int | None = None) -> str:
    """The page. ``limit`` bounds its UTF-8 bytes; no section then has more items than the longest one that fits."""
    longest = max((len(section.items) for section in sections), default=0)
    whole = _page(head, sections, longest)
    if limit is None or len(whole.encode("utf-8")) <= limit:
        return whole
    fits = bisect_right(range(longest + 1), limit, key=lambda most: len(_page(head, sections, most).encode("utf-8")))
    return _page(head, sections, max(fits - 1, 0))


def _page(head: Sequence[str], sections: Sequence[Section], most: int) -> str:
    lines = list(head)
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        if section.lead:
            lines += [section.lead, ""]
        lines += [f"- {item}" for item in section.items[:most]]
        left_out = len(section.items) - most
        if left_out > 0:
            lines += [
                *([""] if most else []),
                f"{left_out} of {len(section.items)} are left out here: {code(section.command)}",
            ]
        while not lines[-1]:
            lines.pop()
    return "\n".join((*lines, ""))

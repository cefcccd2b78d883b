"""The model for a terminal: verdict, counts, then the beginning of the queue and of what else was found.

``render`` is plain text that depends on nothing but the model. ``show`` writes to a terminal, in colours and as wide as
it is; where that is none, or ``NO_COLOR`` is set, it writes the plain text.
"""

from __future__ import annotations

import io
import os
from typing import TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.faces.markdown import command
from pipeline.faces.model import Finding, Overview
from pipeline.report.markdown import TITLES

_MOST = 20
# No table is as wide as this: it gets the width that its text needs.
_UNBOUNDED = 100_000
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_FINE, _BAD = "bold green", "bold red"


def render(overview: Overview) -> str:
    # Nothing of the environment decides: neither COLUMNS nor FORCE_COLOR nor TERM.
    console = Console(
        file=io.StringIO(),
        width=_UNBOUNDED,
        height=100,
        color_system=None,
        force_terminal=False,
        legacy_windows=False,
        _environ={},
    )
    with console.capture() as captured:
        for part in _parts(overview):
            console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().split("\n")[:-1])


def show(overview: Overview, stream: TextIO) -> None:
    """Write to ``stream``."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        stream.write(render(overview))
        return
    console = Console(file=stream)
    for part in _parts(overview):
        console.print(part)


def _parts(overview: Overview) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(overview.verdict, style=_FINE if overview.fine else _BAD), _counts(overview)]
    if overview.to_do:
        parts += _found("To do", overview.to_do, command(overview, "parity queue"))
    if overview.claims:
        parts += _found("Claims to look at", overview.claims, command(overview, "parity show --format markdown"))
    return parts


def _counts(overview: Overview) -> Padding:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, count in overview.counts.items():
        table.add_row(Text(TITLES[name]), Text(str(count)))
    return Padding(table, (1, 0, 1, 2), expand=False)


def _found(title: str, findings: tuple[Finding, ...], rest: str) -> list[RenderableType]:
    table = Table(title=Text(f"{title}: {len(findings)}"), title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("level", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("where", overflow="fold")
    for finding in findings[:_MOST]:
        style = _STYLES[finding.level]
        table.add_row(Text(finding.level, style=style), Text(finding.message), Text(str(finding.place)))
    left_out = len(findings) - _MOST
    return [table, *([Text(f"and {left_out} more: {rest}")] if left_out > 0 else [])]

"""How a run stands, as text: a table that follows it on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from pipeline.faces.words import visible
from pipeline.runs.poll import Polled

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {"succeeded": "green", "failed": "bold red", "running": "bold", "cancelled": "yellow"}


def text(polled: Polled) -> str:
    """A run in plain lines."""
    found = polled.manifest
    lines = [f"{found.run_id}: {_status(polled)}"]
    for each in found.commands:
        ended = f", {each.summary}" if each.summary else ""
        lines.append(f"  {each.index} {each.id}: {each.status}{ended}")
    lines += [f"  {line}" for line in found.summary]
    return "".join(f"{visible(line)}\n" for line in lines)


def _status(polled: Polled) -> str:
    return f"{polled.manifest.status}{f' ({polled.detail})' if polled.detail else ''}"


@contextlib.contextmanager
def watcher(stream: TextIO) -> Iterator[Callable[[Polled], None]]:
    """Shows one state after the other."""
    if not stream.isatty():
        yield _Lines(stream).show
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(file=stream), auto_refresh=False) as live:
        yield lambda polled: live.update(_table(polled), refresh=True)


class _Lines:
    """What has changed since the last look."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._seen: set[str] = set()

    def show(self, polled: Polled) -> None:
        now = [f"{each.index} {each.id}: {each.status}" for each in polled.manifest.commands]
        if polled.over or polled.cut_off:
            now += text(polled).splitlines()
        for line in now:
            if line not in self._seen and not line.endswith(": pending"):
                self._stream.write(f"{visible(line)}\n")
        self._seen.update(now)
        self._stream.flush()


def _table(polled: Polled) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    found = polled.manifest
    table = Table(box=box.SIMPLE_HEAD, title=Text(f"{found.run_id}: {_status(polled)}"), title_justify="left")
    for name in ("#", "command", "status", "seconds"):
        table.add_column(name, overflow="fold")
    for each in found.commands:
        seconds = "" if each.duration_seconds is None else f"{each.duration_seconds:.1f}"
        words = Text(visible(f"{each.id}: {shlex.join(each.argv)}"))
        table.add_row(str(each.index), words, Text(each.status, style=_STYLES.get(each.status, "dim")), seconds)
    beat = Text(f"heartbeat {polled.age_seconds} s ago", style="yellow" if polled.stale else "dim")
    return Group(table, *(Text(visible(line)) for line in found.summary), beat)

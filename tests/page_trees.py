"""Workspaces for the tests of the pages: one whose help is hostile, and one with many rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import small_tree
from small_tree import LINUX, WINDOWS, put_json

from pipeline import canonical, stages
from pipeline.contract.folder import open_folder
from pipeline.layout import Root

Json = dict[str, Any]
EVIL = "</script><img src=x onerror=\"document.title='taken over'\"><!--<script>"


def workspace(path: Path, commands: Sequence[Json], *versions: str, name: str = "tool") -> Path:
    """A workspace with one agent whose snapshots hold these commands on every target."""
    root = small_tree.make(path / name, *versions)
    for version in versions:
        for target in (LINUX, WINDOWS):
            put_json(Root(root).snapshot(version, target), small_tree.snapshot(version, target, commands))
    stages.timeline(open_folder(small_tree.build(root).root.path))
    return path


def hostile(path: Path) -> Path:
    """Every text that help can say is markup that would run."""
    value = {"name": EVIL, "about": EVIL}
    flag = small_tree.flag(
        "--evil", takes_value=True, value_name=EVIL, about=EVIL, default=EVIL, env=EVIL, possible_values=[value]
    )
    command = {
        "path": [EVIL],
        "about": EVIL,
        "usage": EVIL,
        "flags": [flag],
        "args": [small_tree.arg(EVIL, about=EVIL)],
    }
    feature = {"name": EVIL, "stage": EVIL, "default": True}
    told = {"surfaces_schema_version": 1, "tool": "tool", "versions": {"1.1.0": {"features": [feature]}}}
    put_json(path / "tool" / "surfaces.json", told)
    return workspace(path, [{"path": []}, command, small_tree.SURFACE[1]], "1.0.0", "1.1.0")


def large(path: Path, rows: int) -> Path:
    """``rows`` units: a hundred flags for each command."""
    commands: list[Json] = [{"path": []}, small_tree.SURFACE[1]]
    for number in range(rows // 101):
        flags = [
            small_tree.flag(f"--flag-{number}-{at}", about=f"Turns number {at} of command {number} on or off")
            for at in range(100)
        ]
        commands.append({"path": [f"unit-{number:04}"], "about": f"Command number {number}", "flags": flags})
    return workspace(path, commands, "1.0.0", "1.1.0")


class Page(HTMLParser):
    """What a browser makes of a page, as far as the standard library's parser agrees: tags, data and scripts."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self._inside = ""
        self.feed(raw.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._inside == "style":
            self.styles.append(data)

    @property
    def data(self) -> Json:
        (text,) = [text for attributes, text in self.scripts if attributes.get("id") == "data"]
        found: Json = json.loads(text)
        return found


def deltas(report: Path) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = canonical.read_json(report)["deltas"]
    return found

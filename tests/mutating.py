"""Trees that are valid, and changes of them: what the tests of validation are made of.

A change is a function of the folder that it changes. Paths in it are relative to that folder, with forward slashes;
JSON is written canonically, so that a change of a value is one of nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from checkout import REPOSITORY
from small_tree import unvalidate

from pipeline import canonical, stages, upkeep
from pipeline.contract.folder import judge_folder, open_folder
from pipeline.surface.coverage import CoveredCommand, Level
from pipeline.surface.metadata import Validation
from pipeline.validate import Finding, validate
from pipeline.wrapper.registry import wrapper

LINUX, ARM, MAC, WINDOWS = (
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
STRANGE = "riscv64-unknown-linux-gnu"
"""A target that no rules expect."""
OLD, V, NEW = "0.61.0", "0.125.0", "0.169.0"
"""The versions in the trees. Where one is validated, it is ``V``."""

Change = Callable[[Path], None]


def find(root: Path) -> list[Finding]:
    """What validation finds in a folder."""
    return validate(*judge_folder(root))


# -- changes -----------------------------------------------------------------------------------------


def delete(path: str) -> Change:
    """Remove a file or a folder."""
    return lambda root: shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()


def put(path: str, content: str | bytes) -> Change:
    """Write a file, in the place of whatever is there."""

    def change(root: Path) -> None:
        if (root / path).is_dir():
            shutil.rmtree(root / path)
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode("utf-8") if isinstance(content, str) else content)

    return change


def folder(path: str) -> Change:
    """An empty folder in the place of a file."""

    def change(root: Path) -> None:
        (root / path).unlink(missing_ok=True)
        (root / path).mkdir()

    return change


def copy(source: str, path: str) -> Change:
    return lambda root: put(path, (root / source).read_bytes())(root)


def replace(path: str, old: str, new: str) -> Change:
    """Replace the first occurrence of a text, which must be there."""

    def change(root: Path) -> None:
        text = (root / path).read_bytes().decode("utf-8")
        assert old in text
        put(path, text.replace(old, new, 1))(root)

    return change


def edit(path: str, pointer: str, how: Callable[[Any], object]) -> Change:
    """Give what stands at a JSON pointer ("" is the whole document) to a function that changes it."""

    def change(root: Path) -> None:
        document = inner = json.loads((root / path).read_bytes())
        for part in pointer.split("/")[1:]:
            inner = inner[_key(inner, part)]
        how(inner)
        put(path, canonical.encode(document))(root)

    return change


def _key(inner: Any, part: str) -> str | int:
    return int(part) if isinstance(inner, list) else part.replace("~1", "/").replace("~0", "~")


def alter(path: str, pointer: str, value: object) -> Change:
    """Set what stands at a JSON pointer (a key that is not there is added at the end)."""
    way, _, last = pointer.rpartition("/")
    return edit(path, way, lambda inner: inner.__setitem__(_key(inner, last), value))


def drop(path: str, pointer: str) -> Change:
    """Remove an entry."""
    way, _, last = pointer.rpartition("/")
    return edit(path, way, lambda inner: inner.pop(_key(inner, last)))


def insert(path: str, pointer: str, value: object = None) -> Change:
    """Insert a value into a list, before the index that the pointer ends with; without one, what stands there again."""
    way, _, last = pointer.rpartition("/")
    index = int(last)
    return edit(path, way, lambda inner: inner.insert(index, inner[index] if value is None else value))


def swap(path: str, pointer: str) -> Change:
    """Exchange an element of a list with the one after it."""
    way, _, last = pointer.rpartition("/")
    index = int(last)
    return edit(path, way, lambda inner: inner.insert(index, inner.pop(index + 1)))


def rebuild(*stage_names: str) -> Change:
    """Run stages of every version again, so that a change further up is the only thing that is wrong."""

    def change(root: Path) -> None:
        opened = open_folder(root)
        for version in opened.root.versions():
            for name in stage_names:
                getattr(stages, name)(opened, version)

    return change


def remember(root: Path) -> None:
    """Take the timeline from the snapshots again."""
    stages.timeline(open_folder(root))


def tell(root: Path) -> None:
    """Take what versions offer besides their command line from the unions again."""
    opened = open_folder(root)
    if opened.require_agent().surfaces:
        stages.surfaces(opened)


def compare(root: Path) -> None:
    """Tell again what changed between versions."""
    opened = open_folder(root)
    for before, after in opened.root.neighbours():
        stages.diff(opened, before, after)


def DERIVED(root: Path) -> None:  # noqa: N802 - a change like the others, made of others
    """All that is derived from snapshots, again."""
    remember(root)
    rebuild("union", "report", "version_metadata")(root)
    tell(root)
    compare(root)


# -- trees -------------------------------------------------------------------------------------------


def promote(root: Path) -> None:
    """Rules that ask for less, and with them a validated version: pointers and current.json name it."""
    levels = {"allowed_levels": list(Level), "disallowed_levels": []}
    edit("RULES.json", "/version_metadata/supported_policy/coverage_requirement", lambda one: one.update(levels))(root)
    rebuild("report", "version_metadata")(root)
    version = V if (root / "versions" / f"{V}.json").exists() else OLD
    upkeep.promote(open_folder(root), version, Validation(passed_targets=(LINUX,)))


def forget(version: str) -> Change:
    """Remove all files of a version."""

    def change(root: Path) -> None:
        for path in (f"snapshots/{version}", f"reports/{version}", f"versions/{version}.json"):
            delete(path)(root)
        for path in (root / "diffs").glob("*..*"):
            if version in path.name:
                path.unlink()

    return change


def shrink(root: Path) -> None:
    """Leave one version with a few commands on one target, for tests that validate a thousand times."""
    for version in (V, NEW):
        forget(version)(root)
    for target in (ARM, WINDOWS):
        delete(f"snapshots/{OLD}/{target}.json")(root)
    kept = ("", "completion", "exec", "exec resume", "mcp-server")
    edit(f"snapshots/{OLD}/{LINUX}.json", "/commands", _leave(*kept))(root)
    edit(f"snapshots/{OLD}/{LINUX}.json", "/commands", _add_waived)(root)
    delete("timeline.json")(root)
    delete("surfaces.json")(root)
    edit("artifacts.lock.json", "", lambda lock: lock.update(rows=[row for row in lock["rows"] if _small(row)]))(root)
    alter("RULES.json", "/parity_exclusions/units", [])(root)
    DERIVED(root)
    promote(root)


def _small(row: dict[str, Any]) -> bool:
    return (row["version"], row["target"]) == (OLD, LINUX)


def _leave(*paths: str) -> Callable[[list[Any]], None]:
    def leave(commands: list[Any]) -> None:
        commands[:] = [command for command in commands if " ".join(command["path"]) in paths]

    return leave


def _add_waived(commands: list[Any]) -> None:
    """Each command that the wrapper waives, and what it stands below: a waiver is for something."""
    known = {tuple(command["path"]): command for command in commands}
    for waived in wrapper("codex").declarations:
        if isinstance(waived, CoveredCommand):
            for depth in range(1, len(waived.path) + 1):
                known.setdefault(waived.path[:depth], {**known["mcp-server",], "path": list(waived.path[:depth])})
    commands[:] = [known[path] for path in sorted(known)]


def _committed(agent: str) -> Path:
    return REPOSITORY / "cli_manifests" / agent


@dataclass(frozen=True)
class Trees:
    """Valid trees, each made once below ``folder`` and copied for every test.

    No version of Codex is validated in them, but where that is said. ``ours``: the committed Codex folder without its
    newest version. ``validated``: all of it, ``V`` promoted.
    ``small``: see ``shrink``. ``python``: a committed agent that is a Python application. ``wrapped``: all of Codex,
    with its foreign wrappers, which none of the others has.
    """

    folder: Path
    _made: dict[str, Path] = field(default_factory=dict)

    def copy(self, name: str, to: Path) -> Path:
        return Path(shutil.copytree(self._template(name), to, symlinks=True))

    def _template(self, name: str) -> Path:
        if name not in self._made:
            source = _committed("llm" if name == "python" else "codex")
            made = shutil.copytree(source, self.folder / name, ignore=shutil.ignore_patterns("raw_help"))
            if name != "wrapped":
                shutil.rmtree(made / "wrappers", ignore_errors=True)
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("SOURCE_DATE_EPOCH", raising=False)
                if name != "python":
                    unvalidate(made)
                {"ours": forget(NEW), "validated": promote, "small": shrink}.get(name, lambda _: None)(made)
            self._made[name] = made
        return self._made[name]

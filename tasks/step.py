"""A step of the build, and how it becomes a doit task.

Words: doit's *target* is an output file; here ``outputs`` are files and a *target* is a target triple.

doit alone would miss three things, each of which is added here: an output edited by hand (its digest is
saved and compared), an edited library module (the modules of the stage's rooms are inputs), and an output
that was never written (checked after the action).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

# What every stage stands on.
_FLOOR = ("errors", "canonical", "clock", "cache", "layout", "toml", "surface", "transaction", "contract", "stages")
_LIBRARY = Path("pipeline")


@dataclass(frozen=True, slots=True)
class Step:
    """One task: ``stage:name``.

    ``rooms`` are the rooms of the library whose code decides the outputs. ``settings`` are the values from
    shared files that the step uses (it runs again when they change, not when the file does). A ``detached``
    step owns its outputs, but nobody waits for it: a union must not pull in the crawl of a binary.
    ``leftovers`` are files that are there and that the step will remove.
    """

    stage: str
    name: str
    doc: str
    call: Callable[[], object]
    inputs: tuple[Path, ...] = ()
    outputs: tuple[Path, ...] = ()
    rooms: tuple[str, ...] = ()
    settings: tuple[object, ...] = ()
    detached: bool = False
    leftovers: tuple[Path, ...] = ()

    def task(self) -> dict[str, Any]:
        """The doit task. Its action fails with one clear line on a known error, with a traceback on a bug."""
        inputs = (*self.inputs, *modules((*_FLOOR, *self.rooms)))
        task: dict[str, Any] = {
            "basename": self.stage,
            "name": self.name,
            "doc": self.doc,
            "title": lambda task: task.name,
            "actions": [(run, [self.call, self.outputs])],
            "file_dep": [str(path) for path in inputs],
            "uptodate": [SettingsUnchanged(self.settings)],
            "meta": {"outputs": [path.as_posix() for path in self.outputs]},
        }
        if self.outputs:
            task["uptodate"].append(OutputsUnmodified(self.outputs))
        if self.leftovers:
            task["uptodate"].append(LeftoversRemoved(self.leftovers))
        if not self.detached:
            task["targets"] = [str(path) for path in self.outputs]
        return task


def asked_for(stage: str, name: str, doc: str, call: Callable[[], object]) -> dict[str, Any]:
    """A task that always runs, and only when it is asked for: what it makes is authored, or lies elsewhere."""
    return {"basename": stage, "name": name, "doc": doc, "actions": [(run, [call, ()])], "uptodate": [False]}


def group(creator: Callable[..., object], stage: str) -> dict[str, Any]:
    """A stage by itself, for a plain `doit` names it also where no agent has a task of it."""
    return {"basename": stage, "name": None, "doc": creator.__doc__}


def run(call: Callable[[], object], outputs: Sequence[Path]) -> TaskFailed | None:
    """A task's action: one call into the library, known errors as one line, outputs checked."""
    from pipeline.errors import ParityError  # only a task that runs needs the library

    try:
        result = call()
    except ParityError as error:
        return TaskFailed(str(error))
    if isinstance(result, TaskFailed):
        return result
    missing = [str(path) for path in outputs if not path.exists()]
    return TaskFailed(f"the stage did not write {', '.join(missing)}") if missing else None


class _Reasoned:
    """`doit info` shows what is not so by its repr."""

    reason: str

    def __repr__(self) -> str:
        return self.reason


class SettingsUnchanged(_Reasoned):
    """An `uptodate` of doit: true while the values are those of the last run."""

    def __init__(self, settings: Sequence[object]) -> None:
        self._digest = hashlib.sha256(repr((*settings, os.environ.get("SOURCE_DATE_EPOCH"))).encode()).hexdigest()
        self.reason = "a setting that it uses has changed"

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        task.value_savers.append(lambda: {"settings": self._digest})
        return bool(values.get("settings") == self._digest)


class OutputsUnmodified(_Reasoned):
    """An `uptodate` of doit: true while the outputs hold what the last run wrote.

    A file whose time and size are as they were is not read.
    """

    def __init__(self, outputs: Sequence[Path]) -> None:
        self._outputs = outputs
        self.reason = ""

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        task.value_savers.append(lambda: {"outputs": {str(path): _state(path) for path in self._outputs}})
        known = values.get("outputs") or {}
        modified = [str(path) for path in self._outputs if not _unmodified(path, known.get(str(path)))]
        self.reason = f"not as the last run left it: {', '.join(modified)}"
        return not modified


class LeftoversRemoved(_Reasoned):
    """An `uptodate` of doit that is never true: the step has something to remove."""

    def __init__(self, leftovers: Sequence[Path]) -> None:
        self.reason = f"to be removed: {', '.join(map(str, leftovers))}"

    def __call__(self) -> bool:
        return False


def _state(path: Path) -> list[Any]:
    stat = path.stat()
    return [stat.st_mtime_ns, stat.st_size, hashlib.sha256(path.read_bytes()).hexdigest()]


def _unmodified(path: Path, known: list[Any] | None) -> bool:
    if known is None:
        return False
    try:
        stat = path.stat()
    except OSError:
        return False
    if [stat.st_mtime_ns, stat.st_size] == known[:2]:
        return True
    return bool(stat.st_size == known[1] and _state(path)[2] == known[2])


@cache
def modules(rooms: tuple[str, ...]) -> tuple[Path, ...]:
    """The source files of rooms of the library, by name."""
    return tuple(sorted(path for room in rooms for path in _room(room)))


@cache
def _room(room: str) -> tuple[Path, ...]:
    module = _LIBRARY / f"{room}.py"
    return (module,) if module.exists() else tuple(_sources(_LIBRARY / room))


def _sources(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and entry.name != "__pycache__":
                yield from _sources(Path(entry.path))
            elif entry.name.endswith(".py"):
                yield Path(entry.path)

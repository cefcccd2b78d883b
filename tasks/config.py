"""config-<phase>:<tree>: the example trees below ``tests/trees``, carried over phase by phase, in ``build/config``.

A phase waits for the files of the one before; never default, never committed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from pipeline.layout import MANIFESTS, Root, in_order
from tasks.step import Step

TREES = Path("tests") / "trees"
INTO = Path("build") / "config"
_DATA = Path("pipeline") / "config"
INVENTORY = ("inventory.json", "P0_BASELINE.md", "parity-capability-matrix.md", "HANDOFF_P0.md")
ASKED = ("history", "questions", "wrapper")
# And to run a program.
RUN = (*ASKED, "acquire", "process")
EMIT = ("parity.lock.json", "P2_IMPLEMENTATION_REPORT.md", "HANDOFF_P2.md")
_HARDEN = ("P4_HARDENING.md", "REFLECTION_LOG.md", "HANDOFF_P4.md")
_VERIFY = ("evidence.json", "scorecard.json", "P3_VALIDATION_REPORT.md", "parity-scorecard.md", "HANDOFF_P3.md")
PLAN = ("plan.json", "P1_GAP_ANALYSIS.md", "parity-decision-log.md", "HANDOFF_P1.md")


def task_config_inventory() -> Iterator[dict[str, Any]]:
    """List everything that a tree's source agent reads (P0)"""
    for name in trees():
        yield _step("inventory", name, "P0", INVENTORY, (), (), partial(_inventory, name))


def task_config_plan() -> Iterator[dict[str, Any]]:
    """Decide on every field of a tree (P1)"""
    for name in trees():
        before = ("phase.P0.json", *INVENTORY)
        yield _step("plan", name, "P1", PLAN, before, ASKED, partial(_plan, name), *timelines())


def task_config_emit() -> Iterator[dict[str, Any]]:
    """Write the target's files of a tree (P2)"""
    for name in trees():
        before = ("phase.P0.json", "phase.P1.json", *INVENTORY, *PLAN)
        task = _step("emit", name, "P2", EMIT, before, ASKED, partial(_emit, name), *timelines())
        # Which files are below it is known only when they are written.
        task["uptodate"].append(FolderUnmodified(INTO / name / "output"))
        yield task


def task_config_verify() -> Iterator[dict[str, Any]]:
    """Ask the target's own program what it makes of a tree's files, and score (P3)"""
    for root, version in targets():
        for name in trees():
            before = (*(f"phase.P{number}.json" for number in range(3)), *INVENTORY, *PLAN, *EMIT)
            call = partial(_verify, name, root, version)
            inputs = (*timelines(), root.agent, root.rules, root.lock)
            yield _step("verify", name, "P3", _VERIFY, before, RUN, call, *inputs, version=version)


def task_config_harden() -> Iterator[dict[str, Any]]:
    """Say what is left of a tree, against the criteria (P4)"""
    records = tuple(f"phase.P{number}.json" for number in range(4))
    for name in trees():
        before = (*records, *INVENTORY, *PLAN, *EMIT, *_VERIFY)
        yield _step("harden", name, "P4", _HARDEN, before, (*ASKED, "process"), partial(_harden, name), *timelines())


def task_config_changes() -> Iterator[dict[str, Any]]:
    """Say what the next version of the target makes portable of a tree, and what not any more"""
    for root in _known():
        for before, after in pairwise(_versions(root)):
            for name in trees():
                into = INTO / name / "changes" / f"{before}..{after}"
                tree = tree_files(TREES / name)
                yield Step(
                    stage="config-changes",
                    name=f"{name}:{before}..{after}",
                    doc=f"what {after} changes for {name}",
                    inputs=(*timelines(), *data_files(), *tree),
                    outputs=tuple(into.with_name(f"{into.name}{suffix}") for suffix in (".json", ".md")),
                    rooms=("config", *ASKED),
                    settings=_links(tree),
                    call=partial(_changes, name, before, after, into.parent),
                ).task()


class FolderUnmodified:
    """An `uptodate` of doit: true while a folder holds what the last run left in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        return f"not as the last run left it: {self._folder}"

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        task.value_savers.append(lambda: {"folder": self._state()})
        return bool(values.get("folder") == self._state())

    def _state(self) -> dict[str, str]:
        paths = sorted(path for path in self._folder.rglob("*") if path.is_symlink() or path.is_file())
        return {path.relative_to(self._folder).as_posix(): self._told(path) for path in paths}

    def _told(self, path: Path) -> str:
        if path.is_symlink():
            return f"link to {path.readlink().as_posix()}"
        return f"{path.stat().st_mode & 0o777:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def targets() -> Iterator[tuple[Root, str]]:
    """The agents that can be a target, and the newest version known of each: the one that trees are planned for."""
    for root in _known():
        yield from ((root, version) for version in _versions(root)[-1:])


def _versions(root: Root) -> list[str]:
    """Those of which is told what they have, oldest first."""
    return in_order(json.loads(root.surfaces.read_text(encoding="utf-8"))["versions"])


def _known() -> list[Root]:
    """The agents that something can be carried over to and of which is told what a version has besides its commands."""
    roots = (Root(Path(MANIFESTS) / name) for name in sorted({*map(_target_of, (_DATA / "mappings").glob("*.toml"))}))
    return [root for root in roots if root.surfaces.exists()]


def _target_of(mapping: Path) -> str:
    """Only this of a long file, whenever tasks are listed."""
    lines = mapping.read_text(encoding="utf-8").partition("[target]")[2].splitlines()
    return next(line.partition('"')[2].rstrip('"') for line in lines if line.startswith("agent = "))


def _step(
    phase: str,
    name: str,
    record: str,
    outputs: tuple[str, ...],
    before: tuple[str, ...],
    rooms: tuple[str, ...],
    call: Callable[[], object],
    *inputs: Path,
    version: str | None = None,
) -> dict[str, Any]:
    tree = tree_files(TREES / name)
    out = INTO / name
    return Step(
        stage=f"config-{phase}",
        name=f"{name}:{version}" if version else name,
        doc=f"{record} of {name}",
        inputs=(*inputs, *data_files(), *tree, *(out / one for one in before)),
        outputs=(
            *(out / one for one in outputs),
            out / f"{record}_ORCHESTRATOR_PROMPT.md",
            out / f"phase.{record}.json",
        ),
        rooms=("config", *rooms),
        settings=_links(tree),
        call=call,
    ).task()


def _links(tree: tuple[Path, ...]) -> tuple[tuple[str, str], ...]:
    """A file that is gone is no input any more, and a link is not what it leads to."""
    return tuple((str(path), os.readlink(path) if path.is_symlink() else "") for path in tree)  # noqa: PTH115


def trees() -> list[str]:
    return sorted(path.name for path in TREES.iterdir() if path.is_dir()) if TREES.is_dir() else []


def tree_files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def data_files() -> tuple[Path, ...]:
    """What the phases read beside the tree."""
    return tuple(path for part in ("mappings", "templates") for path in sorted((_DATA / part).iterdir()))


def timelines() -> list[Path]:
    """Those of the agents that can be a target, and what they offer besides."""
    return [path for root in _known() for path in (root.timeline, root.surfaces)]


def _inventory(name: str) -> TaskFailed | None:
    from pipeline.config.phase_inventory import run_inventory
    from pipeline.config.phases import Job

    return _passed(run_inventory(Job(TREES / name, INTO / name, name)))


def _plan(name: str) -> TaskFailed | None:
    from pipeline.config.phase_plan import run_plan
    from pipeline.config.phases import Job

    return _passed(run_plan(Job(TREES / name, INTO / name, name)))


def _emit(name: str) -> TaskFailed | None:
    from pipeline.config.phase_emit import run_emit
    from pipeline.config.phases import Job

    return _passed(run_emit(Job(TREES / name, INTO / name, name)))


def _verify(name: str, root: Root, version: str) -> TaskFailed | None:
    from pipeline.config.phase_verify import run_verify
    from pipeline.config.phases import Job
    from pipeline.config.verify.binary import acquired

    return _passed(run_verify(Job(TREES / name, INTO / name, name, binary=acquired(root.path, version))))


def _changes(name: str, before: str, after: str, into: Path) -> None:
    from pipeline.config.changes import changes_of, write_changes
    from pipeline.config.phases import Job

    write_changes(changes_of(Job(TREES / name, into, name), before, after), into)


def _harden(name: str) -> TaskFailed | None:
    from pipeline.config.phase_harden import run_harden
    from pipeline.config.phases import Job

    return _passed(run_harden(Job(TREES / name, INTO / name, name)))


def _passed(done: Any) -> TaskFailed | None:
    failed = [gate.says for gate in done.record.gates if not gate.passed]
    return TaskFailed(f"{done.record.phase}: {'; '.join(failed)}") if failed else None


# doit names a creator's group after the function; the stages' words have a hyphen.
task_config_inventory.basename = "config-inventory"  # type: ignore[attr-defined]
task_config_emit.basename = "config-emit"  # type: ignore[attr-defined]
task_config_verify.basename = "config-verify"  # type: ignore[attr-defined]
task_config_changes.basename = "config-changes"  # type: ignore[attr-defined]
task_config_harden.basename = "config-harden"  # type: ignore[attr-defined]
task_config_plan.basename = "config-plan"  # type: ignore[attr-defined]

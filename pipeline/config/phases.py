"""The phases as calls: each enters through its gate, writes its outputs, its handoff pair and its record.

What a phase is about to write is computed first; the record comes last, so that a phase that was killed has not been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.clock import timestamp
from pipeline.config.gates import Gate, PhaseRecord, digest_of, enter, exit_gate, quality_gate, record_name
from pipeline.config.handoff import Told, handoff_files
from pipeline.config.mapping import Mapping, read_mapping
from pipeline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Job:
    """A tree, where its outputs go, and in which direction. ``name`` is what the tree is called in what is written.

    ``version`` None is the newest version of the target that is known; ``binary`` is its program, None where there is
    none.
    """

    tree: Path
    out: Path
    name: str
    mapping: Mapping = field(default_factory=read_mapping)
    version: str | None = None
    copies: bool = False
    binary: Path | None = None

    @property
    def stamp(self) -> str:
        return timestamp(self.mapping.epoch)

    @property
    def overrides(self) -> Path:
        return self.tree / self.mapping.source.overrides

    def check(self) -> None:
        """Raises UsageError where what is written would become a part of what is read."""
        tree, out = self.tree.resolve(), self.out.resolve()
        if out == tree or tree in out.parents or out / "output" in (tree, *tree.parents):
            raise UsageError("what is written would lie in the tree", where=self.out, remedy="write somewhere else")


@dataclass(frozen=True, slots=True)
class Done:
    """A phase that ran: its record, and the files that it wrote."""

    record: PhaseRecord
    paths: tuple[Path, ...]


Render = Callable[[Told, PhaseRecord], Table[str, bytes]]


def finish(
    job: Job,
    phase: str,
    *,
    command: str,
    told: Told,
    machine: Table[str, bytes],
    documents: Render,
    inputs: Table[str, str],
    scope_changes: Sequence[str] = (),
    also: Sequence[Gate] = (),
) -> Done:
    """Write a phase's outputs. ``machine`` are its files for programs, ``documents`` makes those for people."""
    entry = enter(job.out, phase)
    names = [*machine, *told.files]
    gates = (entry, exit_gate(list(dict.fromkeys(names))), *also, quality_gate(told.blocks))
    record = PhaseRecord(
        phase_schema_version=1,
        phase=phase,
        tree=job.name,
        generated_at=job.stamp,
        gates=gates,
        blockers=told.blocks,
        scope_changes=tuple(scope_changes),
        inputs=dict(inputs),
        outputs={},
    )
    outputs = {**machine, **documents(told, record), **handoff_files(record, told, command)}
    digests = {name: digest_of(content) for name, content in sorted(outputs.items())}
    done = msgspec.structs.replace(record, outputs=digests)
    written = [(job.out / name, content) for name, content in outputs.items()]
    written.append((job.out / record_name(phase), canonical.encode(done)))
    for path, _ in written:
        canonical.discard_parts(path)
    canonical.write_all(written)
    return Done(done, tuple(path for path, _ in written))


def pair(phase: str) -> tuple[str, str]:
    """The names of a phase's handoff pair."""
    return f"HANDOFF_{phase}.md", f"{phase}_ORCHESTRATOR_PROMPT.md"

"""The pair that a finished phase leaves: what the next one must know, and what it is asked to do.

Four memories with budgets in tokens: working (what is open, critical first, next steps last), episodic (what was
decided), semantic (what holds for the project), procedural (links alone). What does not fit is counted, with where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.config.documents import fit, render
from pipeline.config.gates import NAMES, PHASES, TITLES, PhaseRecord

WORKING, EPISODIC, SEMANTIC = 2000, 1000, 500


@dataclass(frozen=True, slots=True)
class Question:
    """``owner`` only where a person gave one."""

    text: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What every document of a phase says; paths are below the output folder."""

    done: tuple[str, ...]
    why: tuple[str, ...]
    remains: tuple[str, ...]
    blocks: tuple[str, ...]
    questions: tuple[Question, ...]
    files: tuple[str, ...]
    decided: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    more: str = ""
    steps: tuple[str, ...] = field(default=())


def handoff_files(record: PhaseRecord, told: Told, command: str) -> dict[str, bytes]:
    """The pair, by name."""
    phase = record.phase
    number = PHASES.index(phase) + 1
    following = PHASES[number] if number < len(PHASES) else None
    open_ = [*(f"Blocker: {one}" for one in told.blocks), *_asked(told.questions), *told.remains]
    memories = {
        "working": [*fit(open_, WORKING - 300, told.more), *(f"Next: {step}" for step in told.steps)],
        "episodic": fit(told.decided, EPISODIC, told.more),
        "semantic": fit(told.holds, SEMANTIC, told.more),
    }
    shared = {
        "record": record,
        "title": TITLES[phase],
        "next": following,
        "next_title": TITLES.get(following or "", ""),
        "next_name": NAMES.get(following or "", ""),
        "command": command,
        "told": told,
    }
    prompt = f"{phase}_ORCHESTRATOR_PROMPT.md"
    return {
        f"HANDOFF_{phase}.md": render("HANDOFF.md", memories=memories, prompt=prompt, **shared),
        prompt: render("ORCHESTRATOR_PROMPT.md", **shared),
    }


def _asked(questions: Sequence[Question]) -> list[str]:
    return [f"Open question (owner: {one.owner or 'nobody yet'}): {one.text}" for one in questions]

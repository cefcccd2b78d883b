"""Every agent's newest snapshot against the real CLI: read again, warm without a call, the same at every width."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from conftest import CODEX, LINUX, MANIFESTS, acquired, read_again
from msgspec.structs import replace

from pipeline import process, stages
from pipeline.contract.folder import Folder, open_folder
from pipeline.layout import in_order
from pipeline.snapshot import take_snapshot
from pipeline.surface.units import Arg, Flag, PossibleValue

TARGET = "linux-x64"
# Codex has files of its own (test_real_snapshot, test_real_emulated).
AGENTS = sorted(path.name for path in MANIFESTS.iterdir() if (path / "snapshots").is_dir() and path != CODEX)


def newest(agent: str) -> str:
    return in_order(open_folder(MANIFESTS / agent).root.versions())[-1]


@pytest.mark.real
@pytest.mark.parametrize("agent", AGENTS)
def test_a_new_snapshot_is_the_committed_one(agent: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    version = newest(agent)
    folder = acquired(request, agent, version, TARGET)
    assert read_again(folder, version, TARGET, tmp_path) == folder.root.snapshot(version, TARGET).read_bytes()


@pytest.mark.real
@pytest.mark.parametrize("agent", ["aider", "buf"])
def test_a_warm_snapshot_makes_no_call(
    agent: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = newest(agent)
    folder = acquired(request, agent, version, TARGET)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = folder.root.snapshot(version, TARGET).read_bytes()
    stages.snapshot(folder, version, TARGET)
    with process.recording() as calls:
        stages.snapshot(folder, version, TARGET)
    assert not calls
    assert folder.root.snapshot(version, TARGET).read_bytes() == before


@pytest.mark.real
@pytest.mark.parametrize(
    ("agent", "version", "target"),
    [("codex", "0.169.0", LINUX), ("aider", "0.86.2", TARGET), ("buf", "1.75.0", TARGET)],
)
def test_the_width_changes_no_unit(agent: str, version: str, target: str, request: pytest.FixtureRequest) -> None:
    folder = acquired(request, agent, version, target)
    wide = units(folder, version, target, 1000)
    for columns in (60, 80, 100, 200):
        assert units(folder, version, target, columns) == wide, columns


def units(folder: Folder, version: str, target: str, columns: int) -> set[object]:
    """What is known of every flag and arg at a terminal's width, without texts and places."""
    subject = stages.subject(folder, version, target)
    narrow = dataclasses.replace(subject, environment={**subject.environment, "COLUMNS": str(columns)}, features=None)
    return {
        (command.path, replace(unit, about=None, span=None, possible_values=bare(unit)))
        for command in take_snapshot(narrow, collected_at="").commands
        for unit in (*(command.flags or ()), *(command.args or ()))
    }


def bare(unit: Flag | Arg) -> tuple[PossibleValue, ...] | None:
    return tuple(replace(value, about=None) for value in unit.possible_values or ()) or None

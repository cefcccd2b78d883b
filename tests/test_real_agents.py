"""Every agent's newest snapshot against the real CLI: read again, and warm without a single call."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_real_snapshot import unremembered

from pipeline import canonical, process, stages
from pipeline.acquire.store import cached_binary
from pipeline.contract.folder import Folder, open_folder
from pipeline.layout import in_order

MANIFESTS = Path(__file__).resolve().parents[1] / "cli_manifests"
TARGET = "linux-x64"
# Codex has a file of its own (test_real_snapshot).
AGENTS = sorted(path.name for path in MANIFESTS.iterdir() if (path / "snapshots").is_dir() and path.name != "codex")


def newest(agent: str, request: pytest.FixtureRequest) -> tuple[Folder, str]:
    """The agent's folder and its newest version; skips, or fails under --require-real, where it is not acquired."""
    folder = open_folder(MANIFESTS / agent)
    version = in_order(folder.root.versions())[-1]
    row = folder.lock().row(version, TARGET)
    if row is None or cached_binary(folder.require_agent(), row) is None:
        reason = f"not acquired: run `doit acquire:{agent}:{version}:{TARGET}`"
        if request.config.getoption("--require-real"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder, version


@pytest.mark.real
@pytest.mark.parametrize("agent", AGENTS)
def test_a_new_snapshot_is_the_committed_one(
    agent: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, version = newest(agent, request)
    path = folder.root.snapshot(version, TARGET)
    before = path.read_bytes()
    written: list[tuple[Path, bytes]] = []
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(canonical, "write", lambda *file: written.append(file))
    monkeypatch.setattr(stages, "snapshot_bytes", lambda *args, **rest: unremembered(*args, **rest, raw=tmp_path))
    stages.snapshot(folder, version, TARGET)
    assert [content for place, content in written if place == path] == [before]


@pytest.mark.real
@pytest.mark.parametrize("agent", AGENTS)
def test_a_warm_snapshot_makes_no_call(
    agent: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, version = newest(agent, request)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    path = folder.root.snapshot(version, TARGET)
    before = path.read_bytes()
    stages.snapshot(folder, version, TARGET)
    with process.recording() as calls:
        stages.snapshot(folder, version, TARGET)
    assert not calls
    assert path.read_bytes() == before

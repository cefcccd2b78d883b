"""What a later phase refuses: a tree, a decision, a file or an option that changed since an earlier one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from config_trees import make

from pipeline.config import phase_verify
from pipeline.config.phases import Job
from pipeline.config.score import Scorecard
from pipeline.config.sequence import run_phase
from pipeline.errors import GateFailed
from tasks.config import FolderUnmodified

OPTIONAL = 'optional = ["styles"]\n'
PAGE = "---\nname: s\ndescription: d\n---\nx\n"


@pytest.fixture(scope="module")
def scored() -> Iterator[None]:
    """Every score passes: what is tried here is what a phase refuses before it comes to that."""
    card = Scorecard(overall=10_000, band="A", passed=True, categories=(), critical=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_verify, "score", lambda *_, **__: card)
        yield


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory, scored: None) -> Path:
    """A tree and its output, whose first four phases have passed."""
    folder = tmp_path_factory.mktemp("passed")
    files = {"CLAUDE.md": "x\n", ".claude/skills/s/SKILL.md": PAGE, ".claude/settings.json": {"env": {"A": "1"}}}
    job = Job(make(folder / "tree", files), folder / "out", "tree")
    for phase in ("P0", "P1", "P2", "P3"):
        assert run_phase(job, phase).record.passed
    return folder


@pytest.fixture
def job(tmp_path: Path, passed: Path) -> Job:
    shutil.copytree(passed, tmp_path / "copy", symlinks=True)
    return Job(tmp_path / "copy" / "tree", tmp_path / "copy" / "out", "tree")


def edit(name: str) -> Callable[[Job], None]:
    def change(job: Job) -> None:
        path = job.out / name
        path.write_bytes(path.read_bytes() + b"\n")

    return change


def again(phase: str, files: dict[str, object]) -> Callable[[Job], None]:
    """What a phase reads is another, and it has run since."""

    def change(job: Job) -> None:
        make(job.tree, files)
        assert run_phase(job, phase).record.passed

    return change


@pytest.mark.parametrize("phase", ["P2", "P3", "P4"])
@pytest.mark.parametrize(
    ("change", "says", "remedy"),
    [
        (lambda job: make(job.tree, {"CLAUDE.md": "y\n"}), "the tree has changed since P0", "inventory again"),
        (lambda job: make(job.tree, {"parity-overrides.toml": OPTIONAL}), "it has changed since P1", "plan again"),
        (again("P0", {"CLAUDE.md": "y\n"}), "it is not what P1 read", "run the phase plan again"),
        (lambda job: (job.out / "phase.P0.json").unlink(), "needs P0, which has not been run", "inventory first"),
        (lambda job: (job.out / "HANDOFF_P1.md").unlink(), "it is not as P1 left it", "plan first"),
        (lambda job: (job.out / "P1_ORCHESTRATOR_PROMPT.md").unlink(), "it is not as P1 left it", "plan first"),
        (edit("inventory.json"), "it is not what P1 read|it is not as P0 left it", "again|first"),
        (edit("P0_BASELINE.md"), "it is not as P0 left it", "inventory first"),
    ],
)
def test_a_phase_refuses_what_changed_before_it(
    job: Job, phase: str, change: Callable[[Job], object], says: str, remedy: str
) -> None:
    change(job)
    with pytest.raises(GateFailed, match=says) as caught:
        run_phase(job, phase)
    assert any(one in caught.value.remedy for one in remedy.split("|"))
    assert caught.value.where


@pytest.mark.parametrize("phase", ["P3", "P4"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (again("P1", {"parity-overrides.toml": OPTIONAL}), "it is not what P2 read"),
        (edit("output/.codex/config.toml"), "it is not as P2 left it"),
        (lambda job: (job.out / "output/.codex/config.toml").unlink(), "it is not as P2 left it"),
        (lambda job: (job.out / "output/AGENTS.md").unlink(), "it is not as P2 left it"),
        (lambda job: make(job.out, {"output/more": ""}), "it is not as P2 left it"),
        (edit("parity.lock.json"), "it is not what P3 read|it is not as P2 left it"),
        (lambda job: run_phase(replace(job, copies=True), "P2"), "it is not what P3 read|P2 would write another"),
    ],
)
def test_validating_and_hardening_refuse_what_is_no_longer_as_it_was_emitted(
    job: Job, phase: str, change: Callable[[Job], object], says: str
) -> None:
    change(job)
    with pytest.raises(GateFailed, match=says):
        run_phase(job, phase)


def test_a_change_of_scope_reopens_what_depended_on_it_and_then_all_goes_on(job: Job) -> None:
    assert run_phase(job, "P4").record.passed
    make(job.tree, {"parity-overrides.toml": OPTIONAL})
    for phase in ("P2", "P3", "P4"):
        with pytest.raises(GateFailed, match="it has changed since P1"):
            run_phase(job, phase)
    record = run_phase(job, "P1").record
    assert record.scope_changes == ("The domain 'styles' is optional.",)
    assert "- The domain 'styles' is optional." in (job.out / "P1_GAP_ANALYSIS.md").read_text()
    for phase in ("P3", "P4"):
        with pytest.raises(GateFailed, match="it is not what P2 read"):
            run_phase(job, phase)
    for phase in ("P2", "P3", "P4"):
        assert run_phase(job, phase).record.passed


def test_a_phase_that_ran_again_without_a_change_reopens_nothing(job: Job) -> None:
    for phase in ("P0", "P1", "P2", "P4"):
        assert run_phase(job, phase).record.passed


def test_the_task_that_emits_runs_again_where_its_folder_is_another(tmp_path: Path) -> None:
    """doit itself looks at files whose names it knows beforehand."""
    folder = make(tmp_path / "output", {"a/b": "x"})
    (folder / "link").symlink_to("nowhere")
    asked, task = FolderUnmodified(folder), SimpleNamespace(value_savers=[])
    assert not asked(task, {})
    values = task.value_savers[0]()
    assert asked(task, values)
    for change, back in (
        (lambda: make(folder, {"a/b": "y"}), lambda: make(folder, {"a/b": "x"})),
        (lambda: make(folder, {"c": ""}), (folder / "c").unlink),
        ((folder / "link").unlink, lambda: (folder / "link").symlink_to("nowhere")),
        (lambda: (folder / "a/b").chmod(0o755), lambda: (folder / "a/b").chmod(0o644)),
    ):
        change()
        assert not asked(task, values)
        back()
        assert asked(task, values)


def test_two_commands_on_one_folder_end_as_one(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n", **{f"d{n}/CLAUDE.md": "y\n" for n in range(20)}})
    words = [sys.executable, "-m", "pipeline.cli", "config", "run", "--tree", str(tree), "--out"]
    started = [
        subprocess.Popen([*words, str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [one.communicate(timeout=120)[1] for one in started]
    assert [one.returncode for one in started] == [3, 3, 3], told

"""P3: evidence is what was run, the score follows from it, and what was not run never passed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from config_trees import ALL, TREES, make
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.cli import main
from pipeline.config.emit import Emitted
from pipeline.config.phase_emit import emitted_of, run_emit
from pipeline.config.phase_harden import run_harden
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phase_verify import run_verify
from pipeline.config.phases import Job
from pipeline.config.plan_values import Plan
from pipeline.config.score import LEAST, WEIGHTS, Scorecard, score
from pipeline.config.verify.evidence import Check, Evidence, Scenario, judged, worst
from pipeline.config.verify.scenarios import blocked, blocked_each, resumed, same_bytes, spellings, without_links
from pipeline.config.verify.stand import copy_tree
from pipeline.config.verify.turns import SEVERITIES, sorted_findings
from pipeline.errors import BinaryMissing, GateFailed

SETTINGS = ".claude/settings.json"


def ready(tree: Path, out: Path, **changes: object) -> Job:
    """A job whose first three phases have run."""
    job = replace(Job(tree, out, "tree"), **changes)  # type: ignore[arg-type]
    for run in (run_inventory, run_plan, run_emit):
        assert run(job).record.passed
    return job


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("verify")
    page = "---\nname: s\ndescription: d\n---\nx\n"
    rules = {"deny": ["Bash(git log:*)", "Read(.env)"]}
    files = {"CLAUDE.md": "x\n", ".claude/skills/s/SKILL.md": page, SETTINGS: {"permissions": rules}}
    return ready(make(folder / "tree", files), folder / "out")


def test_without_a_program_nothing_that_needs_one_passes(job: Job) -> None:
    done = run_verify(job)
    assert not done.record.passed
    evidence = canonical.read(job.out / "evidence.json", Evidence)
    assert evidence.binary_sha256 is None
    states = {one.id: one.status for one in evidence.checks}
    assert states.pop("guard:Bash(git log:*)") == "pass"
    assert set(states.values()) == {"not_run"}
    assert {one.id: one.result for one in evidence.scenarios} == {
        "S1": "pass",
        "S2": "not_run",
        "S3": "not_run",
        "S4": "pass",
        "S5": "pass",
    }
    card = canonical.read(job.out / "scorecard.json", Scorecard)
    assert card.overall < LEAST * 100
    assert "S2 has no evidence that was run" in card.critical
    assert "not passed" in (job.out / "parity-scorecard.md").read_text()


def test_verifying_twice_writes_the_same_bytes(job: Job) -> None:
    run_verify(job)
    first = {path.name: path.read_bytes() for path in job.out.iterdir() if path.is_file()}
    run_verify(job)
    assert {path.name: path.read_bytes() for path in job.out.iterdir() if path.is_file()} == first


def test_a_program_that_is_not_there_is_an_error(job: Job) -> None:
    with pytest.raises(BinaryMissing, match="no such program"):
        run_verify(replace(job, binary=Path("nowhere")))


def test_verifying_needs_what_was_emitted(tmp_path: Path) -> None:
    with pytest.raises(GateFailed, match="P3 needs P0"):
        run_verify(Job(make(tmp_path / "tree", {"CLAUDE.md": "x"}), tmp_path / "out", "tree"))


def test_peers_need_a_program(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "peers", "--tree", str(job.tree), "--out", str(job.out)]) == 2
    assert "name it with --binary" in capsys.readouterr().err


def test_a_run_that_was_killed_after_a_phase_is_taken_up_by_another_process_with_the_same_bytes(tmp_path: Path) -> None:
    """S4 with processes: what a phase left is all that the next one has."""
    tree = next(tree for tree in TREES if tree.name == "servers")
    whole, taken_up = tmp_path / "whole", tmp_path / "taken-up"
    words = ["--tree", str(tree), "--name", "tree"]
    for phase in ("inventory", "plan", "emit"):
        main(["config", phase, *words, "--out", str(whole)])
    script = "import os, sys; from pipeline.cli import main; main(sys.argv[1:]); os.kill(os.getpid(), 9)"
    for phase in ("inventory", "plan", "emit"):
        run = subprocess.run(
            [sys.executable, "-c", script, "config", phase, *words, "--out", str(taken_up)],
            check=False,
            capture_output=True,
            timeout=300,
        )
        assert run.returncode == -9

    def state(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert state(taken_up) == state(whole)


def test_the_command_ends_with_three_where_the_score_is_too_low(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n"})
    assert main(["config", "run", "--tree", str(tree), "--out", str(tmp_path / "out")]) == 3
    assert re.search(r"P3: the quality gate failed: the score is \d+\.\d\d of 100", capsys.readouterr().err)


@pytest.mark.parametrize("tree", ALL)
def test_scenarios_without_a_program_pass_on_every_tree(tree: Path, tmp_path: Path) -> None:
    job = ready(tree, tmp_path / "out")
    emitted, _ = emitted_of(job)
    for scenario in (same_bytes(job, emitted), resumed(job), without_links(job, emitted)):
        assert scenario.result == "pass", scenario


def test_links_are_found_missing_in_a_clone_without_them(job: Job) -> None:
    emitted, _ = emitted_of(job)
    steps = {one.id: one for one in without_links(job, emitted).steps}
    assert steps["S5-detected"].observed == "2 links are found to be none"[:1] + " were found"
    assert steps["S5-drift"].status == "pass"


def test_a_copy_of_a_tree_leaves_personal_files_out(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x", "CLAUDE.local.md": "y", ".claude/settings.local.json": {}})
    into = tmp_path / "copy"
    copy_tree(Job(tree, tmp_path / "out", "tree"), into)
    assert [path.name for path in into.rglob("*") if path.is_file()] == ["CLAUDE.md"]


def test_many_commands_are_tried_as_one_is(job: Job, tmp_path: Path) -> None:
    guard = next(one for one in emitted_of(job)[0] if one.path.endswith("parity_guard.py"))
    script = make(tmp_path, {guard.path: guard.content}) / guard.path
    (script.parent / "tmp").mkdir()
    tried = [*spellings(["git", "log"]), "git status", "echo 'git log", "", "é"]
    assert blocked_each(script, tried) == [blocked(script, one) for one in tried]


def test_there_are_nine_spellings() -> None:
    found = spellings(["git", "log"])
    assert len(set(found)) == 9
    assert found[6] == "X=log; git $X"


@given(st.permutations([(severity, line) for severity in SEVERITIES for line in (1, 2)]))
def test_findings_come_sorted_by_severity_then_place(order: list[tuple[str, int]]) -> None:
    text = json.dumps([{"severity": severity, "file": "a.py", "line": line} for severity, line in order])
    found = [(one["severity"], one["line"]) for one in sorted_findings(text)]
    assert found == [(severity, line) for severity in SEVERITIES for line in (1, 2)]


@pytest.mark.parametrize(
    "text", ["x", '[{"severity": "odd", "file": "a", "line": 1}]', '[{"severity": "low", "file": "a"}]']
)
def test_a_finding_without_severity_or_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        sorted_findings(text)


# -- the score ----------------------------------------------------------------------------------------


def evidence_with(job: Job, status: str, *, critical: bool = False) -> Evidence:
    areas = ("config", "instructions", "skills", "agents", "servers", "permissions", "hooks", "target")
    checks = tuple(
        Check(id=area, area=area, expected="e", observed="o", status=status, critical=critical)  # type: ignore[arg-type]
        for area in areas
    )
    scenarios = tuple(
        Scenario(id=f"S{n}", objective="o", preconditions="p", procedure="p", steps=checks, result=status, notes="n")  # type: ignore[arg-type]
        for n in range(1, 6)
    )
    return Evidence(
        evidence_schema_version=1,
        tree="t",
        generated_at="t",
        target="t",
        target_version="1.2.3",
        lock_sha256="0" * 64,
        checks=checks,
        scenarios=scenarios,
    )


def scored(job: Job, evidence: Evidence, **changes: object) -> Scorecard:
    plan = canonical.read(job.out / "plan.json", Plan)
    values: dict[str, object] = {"missing_documents": [], "blockers": [], **changes}
    return score(plan, evidence, **values)  # type: ignore[arg-type]


def test_everything_that_passes_is_a_hundred_and_nothing_that_passes_is_ten(job: Job) -> None:
    assert sum(WEIGHTS.values()) == 100
    best = scored(job, evidence_with(job, "pass"))
    assert (best.points, best.band, best.passed) == ("100.00", "A", True)
    failed = scored(job, evidence_with(job, "fail"))
    assert (failed.points, failed.band, failed.passed) == ("25.00", "F", False)
    skipped = scored(job, evidence_with(job, "not_run"))
    assert (skipped.points, skipped.passed) == ("10.00", False)


@pytest.mark.parametrize(
    "changes", [{"missing_documents": ["HANDOFF_P1.md"]}, {"blockers": ["a blocker"]}], ids=["document", "blocker"]
)
def test_a_critical_failure_overrides_the_number(job: Job, changes: dict[str, object]) -> None:
    card = scored(job, evidence_with(job, "pass"), **changes)
    assert card.overall >= LEAST * 100
    assert not card.passed
    assert len(card.critical) == 1


def test_a_critical_check_that_fails_is_a_critical_failure(job: Job) -> None:
    good = evidence_with(job, "pass")
    bad = judged("x", "config", expected="e", observed="it failed", passed=False, critical=True)
    assert "x: it failed" in scored(job, msgspec.structs.replace(good, checks=(*good.checks, bad))).critical


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["pass", "fail", "not_run"]), min_size=8, max_size=8))
def test_a_check_that_gets_better_never_lowers_the_score(job: Job, states: list[str]) -> None:
    good = evidence_with(job, "pass")

    def card(of: list[str]) -> int:
        checks = tuple(msgspec.structs.replace(one, status=state) for one, state in zip(good.checks, of, strict=True))
        return scored(job, msgspec.structs.replace(good, checks=checks)).overall

    for place in range(8):
        assert card([*states[:place], "pass", *states[place + 1 :]]) >= card(states)


def test_a_failure_counts_before_what_was_not_run() -> None:
    rows = {
        state: judged(state, "target", expected="", observed="", passed=passed)
        for state, passed in (("p", True), ("f", False), ("n", None))
    }
    assert worst(()) == "not_run"
    assert worst((rows["p"], rows["n"])) == "not_run"
    assert worst((rows["p"], rows["n"], rows["f"])) == "fail"
    assert worst((rows["p"],)) == "pass"


# -- P4 -------------------------------------------------------------------------------------------------


@pytest.fixture
def passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose first four phases have passed, with evidence that a test made up."""
    from pipeline.config import phase_verify

    hook = [{"hooks": [{"type": "command", "command": "x"}]}]
    files = {"CLAUDE.md": "x\n", SETTINGS: {"hooks": {"SessionEnd": hook, "Setup": hook}}}
    job = ready(make(tmp_path / "tree", files), tmp_path / "out")
    monkeypatch.setattr(phase_verify, "_evidence", lambda job, *_: evidence_with(job, "pass"))
    assert run_verify(job).record.passed
    return job


def test_hardening_needs_a_validation_that_passed(job: Job) -> None:
    run_verify(job)
    with pytest.raises(GateFailed, match="P4 needs P3, which did not pass"):
        run_harden(job)


def test_hardening_says_what_is_left_and_invents_no_owner(passing: Job) -> None:
    assert run_harden(passing).record.passed
    text = (passing.out / "P4_HARDENING.md").read_text()
    assert "| score | yes | 100.00 of 100, at least 90 |" in text
    assert re.search(r"`.claude/settings.json` Setup .* \| Medium \| .* \| — \| — \| unsupported \|", text)
    log = (passing.out / "REFLECTION_LOG.md").read_text()
    assert "SessionEnd /SessionEnd/0/hooks/0: unsupported there, adaptation here" in log
    assert "All phases are done" in (passing.out / "P4_ORCHESTRATOR_PROMPT.md").read_text()


def test_an_owner_and_a_date_come_from_a_person_alone(passing: Job) -> None:
    (passing.tree / "parity-overrides.toml").write_text(
        '[[override]]\nitem = "hooks:.claude/settings.json"\nfield = "Setup /Setup/0/hooks/0"\n'
        'classification = "unsupported"\nreason = "Done by hand."\nrisk = "medium"\nowner = "Ada"\nreview = "2027-01-01"\n'
    )
    for run in (run_inventory, run_plan, run_emit, run_verify, run_harden):
        assert run(passing).record.passed
    assert "| Ada | 2027-01-01 | unsupported |" in (passing.out / "P4_HARDENING.md").read_text()


# -- the real program ---------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("tree", ALL)
def test_the_real_program_takes_what_is_emitted(tree: Path, tmp_path: Path, config_program: Path) -> None:
    job = ready(tree, tmp_path / "out", binary=config_program)
    done = run_verify(job)
    evidence = canonical.read(job.out / "evidence.json", Evidence)
    card = canonical.read(job.out / "scorecard.json", Scorecard)
    failed = [(one.id, one.observed) for one in evidence.checks if one.status != "pass"]
    if tree.name == "practice":  # its hand-written config gives full access, which wins over any profile
        assert [name for name, _ in failed] == ["target-free"]
        assert not done.record.passed
    else:
        assert failed == []
        assert done.record.passed
    assert {one.result for one in evidence.scenarios} == {"pass"}
    assert card.overall >= LEAST * 100
    assert str(tmp_path).encode() not in canonical.encode(evidence)


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "old", "new", "check"),
    [
        (".codex/config.toml", b"[mcp_servers.errors]", b'[mcp_servers.errors]\ntype = "http"', "config-strict"),
        (".codex/config.toml", b"[mcp_servers.errors]", b"[mcp_servers.wrong]", "servers-listed"),
        (".codex/rules/claude.rules", b'"forbidden"', b'"prompt"', "command-rule:Bash(git commit --amend:*):positive"),
        (".codex/agents/security-reviewer.toml", b"name =", b"tools = ['Read']\nname =", "config-warnings"),
        (".codex/hooks.json", b'"hooks": {', b'"extra": 1, "hooks": {', "hooks-listed"),
        ("src/api/AGENTS.md", b"MARKER", b"GONE", "instructions:src/api"),
    ],
)
def test_a_fault_in_what_is_emitted_is_found_by_the_program(
    path: str, old: bytes, new: bytes, check: str, tmp_path: Path, config_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.config import phase_verify

    tree = next(tree for tree in TREES if tree.name == "monorepo")
    job = ready(tree, tmp_path / "out", binary=config_program)
    emitted, lock = emitted_of(job)

    def broken(_: Job) -> tuple[list[Emitted], object]:
        assert any(old in one.content for one in emitted if one.path == path)
        return [
            replace(one, content=one.content.replace(old, new)) if one.path == path else one for one in emitted
        ], lock

    before = {one.path for one in emitted}
    assert path in before
    with monkeypatch.context() as patch:
        patch.setattr(phase_verify, "emitted_as_left", broken)
        if check == "servers-listed":
            # What is planned is read from the emitted file itself, so the program has to be told something else.
            patch.setattr(phase_verify, "lay_probes", _renaming(old, new))
            patch.setattr(phase_verify, "emitted_as_left", emitted_of)
        run_verify(job)
    evidence = canonical.read(job.out / "evidence.json", Evidence)
    assert check in {one.id for one in evidence.checks if one.status == "fail"}


def _renaming(old: bytes, new: bytes) -> object:
    def rename(made: object, _emission: object) -> None:
        path = made.repo / ".codex" / "config.toml"  # type: ignore[attr-defined]
        path.write_bytes(path.read_bytes().replace(old, new))

    return rename


@pytest.mark.real
def test_a_role_and_a_time_limit_that_the_program_is_not_told_are_found(
    tmp_path: Path, config_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.config import phase_verify

    role = "---\nname: looker\ndescription: Looks at everything\ntools: Read\n---\nLook.\n"
    hooks = {"Stop": [{"hooks": [{"type": "command", "command": "true", "timeout": 30}]}]}
    tree = make(tmp_path / "tree", {".claude/agents/looker.md": role, SETTINGS: {"hooks": hooks}})
    job = ready(tree, tmp_path / "out", binary=config_program)
    run_verify(job)
    assert [states_of(job)[name] for name in ("S3-roles", "hooks-listed")] == ["pass", "pass"]
    with monkeypatch.context() as patch:
        patch.setattr(phase_verify, "lay_probes", _spoiling)
        run_verify(job)
    assert [states_of(job)[name] for name in ("S3-roles", "hooks-listed")] == ["fail", "fail"]


def states_of(job: Job) -> dict[str, str]:
    evidence = canonical.read(job.out / "evidence.json", Evidence)
    return {one.id: one.status for one in (*evidence.checks, *(step for s in evidence.scenarios for step in s.steps))}


def _spoiling(made: object, _emission: object) -> None:
    repo: Path = made.repo  # type: ignore[attr-defined]
    (repo / ".codex/agents/looker.toml").unlink()
    hooks = repo / ".codex/hooks.json"
    hooks.write_text(hooks.read_text().replace("30", "31"))

"""What another version of the target changes for a configuration: fields, rules, and the text of its pull request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkout import REPOSITORY
from config_trees import ALL, MAPPING, TREES, make, plan
from fake_cli import fake

from pipeline import canonical
from pipeline.cli import main
from pipeline.config.changes import Changes, changes_of, changes_of_rules, page
from pipeline.config.phase_emit import run_emit
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phase_verify import run_verify
from pipeline.config.phases import Job
from pipeline.config.plan_values import Plan
from pipeline.config.release import compared, release_section
from pipeline.config.verify.program import require_version
from pipeline.errors import GateFailed, UsageError
from pipeline.faces.release import release_text
from pipeline.questions.asked import Asked, asked
from pipeline.questions.predicates import recorded

OLD, NEW = "0.125.0", "0.169.0"
SETTINGS = ".claude/settings.json"
HOOK = [{"hooks": [{"type": "command", "command": "x"}]}]


def between(tree: Path, before: str = OLD, after: str = NEW) -> Changes:
    return changes_of(Job(tree, tree, "tree"), before, after)


def test_a_hook_at_an_event_that_a_version_brings_becomes_portable(tmp_path: Path) -> None:
    tree = make(tmp_path, {SETTINGS: {"hooks": {"SessionEnd": HOOK, "Stop": HOOK, "Setup": HOOK}}})
    [one] = between(tree).fields
    assert (one.field, one.place) == ("SessionEnd /SessionEnd/0/hooks/0", "/hooks/SessionEnd/0/hooks/0")
    assert (one.before, one.after, one.effect) == ("unsupported", "adaptation", "gained")
    assert (one.rule, one.because) == ("HOK-COMMAND", ("hook_event:SessionEnd",))


def test_backwards_it_stops_being_portable(tmp_path: Path) -> None:
    tree = make(tmp_path, {SETTINGS: {"hooks": {"SessionEnd": HOOK}}})
    found = between(tree, NEW, OLD)
    assert [(one.before, one.after, one.effect) for one in found.fields] == [("adaptation", "unsupported", "lost")]
    assert found.loses
    assert not between(tree).loses


@pytest.mark.parametrize("tree", ALL)
def test_the_changes_of_a_tree_are_the_fields_on_which_its_two_plans_differ(tree: Path) -> None:
    plans = [{(one.item, one.field): one for one in plan(tree, version).fields()} for version in (OLD, NEW)]
    found = between(tree).fields
    assert [(one.item, one.field) for one in found] == [
        key for key in plans[1] if plans[0][key].classification != plans[1][key].classification
    ]
    assert all(one.because for one in found)
    # And each is told by its rule.
    rules = {(one.rule, one.because) for one in between(tree).rules}
    assert {(one.rule, one.because) for one in found} <= rules


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_version_changes_nothing_against_itself(version: str) -> None:
    found = between(TREES[0], version, version)
    assert (found.fields, found.rules) == ((), ())


def test_rules_are_told_for_each_event_and_flag_that_came_or_went() -> None:
    found = changes_of_rules(MAPPING, OLD, NEW)
    assert found.tree is None
    events = [set(recorded("codex")[version].hook_events or ()) for version in (OLD, NEW)]
    hooks, tools, others = (
        [one for one in found.rules if which(one.rule)]
        for which in ("HOK-COMMAND".__eq__, "HOK-TOOL".__eq__, lambda rule: not rule.startswith("HOK-"))
    )
    assert len(set(found.rules)) == len(found.rules)
    assert {each for one in tools for each in one.because} == {each for one in hooks for each in one.because}
    assert all("hook_event:Interrupt" in one.because for one in tools)
    assert {each for one in hooks for each in one.because} == {f"hook_event:{name}" for name in events[1] - events[0]}
    assert {(one.before, one.after) for one in hooks} == {("unsupported", "adaptation")}
    assert {(one.because, one.before, one.after) for one in others} == {
        (("flag:sandbox --permission-profile",), "defer", "adaptation")
    }
    assert {one.rule.partition("-")[0] for one in others} == {"PER"}


def test_a_rule_changes_only_where_all_that_it_asks_for_is_there(tmp_path: Path) -> None:
    rules = [
        msgspec.structs.replace(rule, id=name, requires=asked_for)
        for rule in MAPPING.rules
        if rule.id == "PER-DENY-COMMAND"
        for name, asked_for in (
            ("one", ("rpc:hooks/list", "command:execpolicy check")),
            ("never", ("rpc:hooks/list", "command:no-such")),
        )
    ]
    found = changes_of_rules(msgspec.structs.replace(MAPPING, rules=tuple(rules)), OLD, NEW)
    assert [(one.rule, one.because) for one in found.rules] == [("one", ("rpc:hooks/list",))]


def test_without_being_told_the_promoted_version_is_compared_with_the_newest(tmp_path: Path) -> None:
    codex = asked("codex")
    assert compared(codex) == (OLD, NEW), "the newest is the promoted one: then the one before it"
    assert compared(codex, OLD) == ("0.61.0", OLD)
    assert compared(codex, NEW, "0.61.0") == ("0.61.0", NEW)
    with pytest.raises(UsageError, match=r"no version to compare 0\.61\.0 with"):
        compared(codex, "0.61.0")
    root = _copy(codex, tmp_path / "codex", promoted="0.61.0")
    assert compared(root) == ("0.61.0", NEW)


def _copy(agent: Asked, to: Path, promoted: str) -> Asked:
    to.mkdir()
    for name in ("RULES.json", "agent.toml", "surfaces.json", "timeline.json"):
        (to / name).write_bytes((agent.root.path / name).read_bytes())
    (to / "latest_validated.txt").write_text(f"{promoted}\n", encoding="utf-8")
    return asked(str(to))


def test_a_page_says_what_becomes_portable_and_by_what(tmp_path: Path) -> None:
    tree = make(tmp_path, {SETTINGS: {"hooks": {"SessionEnd": HOOK}}})
    text = page(between(tree))
    assert "## What becomes portable in `tree`: 1\n\n- `.claude/settings.json` SessionEnd" in text
    assert "unsupported → adaptation (HOK-COMMAND; `hook_event:SessionEnd`)" in text
    assert "## What stops being portable in `tree`: 0\n\nNothing.\n" in text
    assert text.count("\n\n\n") == 0


# -- where it is told -------------------------------------------------------------------------------


def test_the_command_prints_pages_and_json_and_its_exit_code_tells_a_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    tree = make(tmp_path / "tree", {SETTINGS: {"hooks": {"SessionEnd": HOOK}}})
    words = ["config", "changes", "--tree", str(tree)]
    assert main([*words, "--from", OLD, "--to", NEW]) == 0
    assert capfdbinary.readouterr().out.decode() == page(between(tree))
    assert main([*words, "--from", NEW, "--to", OLD, "--format", "json"]) == 3
    raw = capfdbinary.readouterr().out
    assert canonical.convert(canonical.loads(raw, "it"), Changes, "it") == between(tree, NEW, OLD)
    assert main(["config", "changes"]) == 0
    assert capfdbinary.readouterr().out.decode() == page(changes_of_rules(MAPPING, OLD, NEW))
    assert main(["config", "changes", "--to", "0.150.0"]) == 2
    assert b"0.150.0" in capfdbinary.readouterr().err


def test_the_text_of_a_release_says_which_rules_decide_otherwise() -> None:
    codex = asked("codex")
    section = release_section(codex, NEW)
    assert section.startswith(f"\n## Config parity: codex {OLD} → {NEW}\n")
    assert "HOK-COMMAND: unsupported → adaptation, becomes portable, by `hook_event:" in section
    assert release_text(codex, NEW, further=section).endswith(section)
    assert release_section(codex, "0.61.0") == "", "there is none before it"
    assert release_section(asked("llm"), "0.36.0") == "", "nothing is carried over to it"


# -- a program of another version -------------------------------------------------------------------


def planned(tmp_path: Path, **options: Any) -> Job:
    job = Job(make(tmp_path / "tree", {"CLAUDE.md": "x\n"}), tmp_path / "out", "tree", **options)
    for run in (run_inventory, run_plan, run_emit):
        run(job)
    return job


def program(tmp_path: Path, version: str) -> Path:
    return fake(tmp_path / "bin", {"--version": {"out": f"codex-cli {version}\n"}}, "codex")


def test_a_program_of_another_version_than_the_plans_proves_nothing(tmp_path: Path) -> None:
    job = planned(tmp_path, binary=program(tmp_path, OLD))
    with pytest.raises(GateFailed, match=f"the plan is for codex {NEW}, and this program is {OLD}") as refused:
        run_verify(job)
    assert refused.value.remedy == f"name a program of {NEW}, or plan again with --target-version {OLD}"
    assert not (job.out / "evidence.json").exists()


@pytest.mark.parametrize("version", [NEW, "0.999.0"])
def test_a_program_that_nobody_has_read_yet_is_tried_and_named(tmp_path: Path, version: str) -> None:
    told = require_version(canonical.read(planned(tmp_path).out / "plan.json", Plan), program(tmp_path, version))
    assert told == version

"""Trees with more than one folder of the agent: below the root, in worktrees and submodules, behind links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from config_trees import MAPPING, codes, inventory, kinds, make, plan

from pipeline.config.emit import Emitted, emit
from pipeline.config.phase_emit import run_emit
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phase_verify import evidence_of, run_verify
from pipeline.config.phases import Job
from pipeline.config.tree import Tree

SETTINGS = ".claude/settings.json"


def page(name: str, text: str = "x") -> str:
    return f"---\nname: {name}\ndescription: Does {name}\n---\n{text}\n"


MONOREPO: dict[str, Any] = {
    "CLAUDE.md": "Root.\n",
    ".claude/skills/ship/SKILL.md": page("ship"),
    "web/CLAUDE.md": "Web.\n",
    "web/.claude/CLAUDE.md": "Web, inner. @more.md\n",
    "web/.claude/more.md": "More.\n",
    "web/.claude/skills/ship/SKILL.md": page("web-ship"),
    "web/.claude/settings.json": {"permissions": {"deny": ["Bash(rm:*)"]}},
    "web/.claude/settings.local.json": {"env": {"A": "mine"}},
    "web/.claude/rules/css.md": "Modules.\n",
    "web/.mcp.json": {"mcpServers": {"w": {"command": "node"}}},
    "api/.claude/CLAUDE.md": "Api, inner.\n",
}


def emitted(tree: Path) -> dict[str, Emitted]:
    return {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree), MAPPING)}


def test_instructions_and_skills_of_a_folder_go_to_the_folder_and_the_rest_is_named(tmp_path: Path) -> None:
    tree = make(tmp_path, MONOREPO)
    files = emitted(tree)
    assert {path: one.link for path, one in files.items()} == {
        ".agents/skills/ship": "../../.claude/skills/ship",
        "AGENTS.md": "CLAUDE.md",
        "api/AGENTS.md": None,
        "web/.agents/skills/ship": "../../.claude/skills/ship",
        "web/AGENTS.md": None,
    }
    text = files["web/AGENTS.md"].content.decode()
    assert text.index("Web.") < text.index("Web, inner.") < text.index("More.")
    apart = [item.path for item in inventory(tree).items if item.domain == "nested"]
    assert apart == ["web/.claude/more.md", "web/.claude/rules/css.md", "web/.claude/settings.json", "web/.mcp.json"]
    assert [one.path for one in inventory(tree).personal] == ["web/.claude/settings.local.json"]
    assert {one.risk for one in plan(tree).fields() if one.domain == "nested"} == {"medium"}


def test_instructions_deeper_in_the_agent_s_folder_are_no_part_of_the_root_s(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {
            "CLAUDE.md": "Root.\n",
            ".claude/CLAUDE.md": "Inner.\n",
            ".claude/hooks/CLAUDE.md": "OF HOOKS\n",
            ".claude/worktrees/a/CLAUDE.md": "OF A WORKTREE\n",
            ".claude/worktrees/a/.claude/skills/s/SKILL.md": page("s"),
        },
    )
    files = emitted(tree)
    assert list(files) == ["AGENTS.md"]
    assert b"OF " not in files["AGENTS.md"].content
    assert kinds(inventory(tree), "instructions").count("within.text") == 2
    assert ".claude/worktrees/a/.claude/skills/s/SKILL.md" in {item.path for item in inventory(tree).items}


def test_a_repository_within_the_tree_is_named_and_not_looked_into(tmp_path: Path) -> None:
    files = {"CLAUDE.md": "x\n", ".git/HEAD": "x", "sub/.git": "gitdir: x\n", "sub/CLAUDE.md": "y\n"}
    found = inventory(make(tmp_path, files))
    assert [item.path for item in found.items] == ["CLAUDE.md"]
    assert codes(found) == [("repository-inside", "sub", None)]


def test_instructions_behind_a_link_to_their_folder_are_written_once(tmp_path: Path) -> None:
    tree = make(tmp_path, {"v2/CLAUDE.md": "x\n"})
    (tree / "latest").symlink_to("v2")
    assert list(emitted(tree)) == ["v2/AGENTS.md"]
    assert kinds(inventory(tree), "instructions") == ["linked.text", "nested.text"]


@pytest.mark.parametrize(
    ("place", "target"), [(SETTINGS, "/etc/hostname"), (SETTINGS, "nowhere"), (".claude", "/etc"), ("CLAUDE.md", "/x")]
)
def test_what_is_always_read_and_cannot_be_followed_needs_a_person(tmp_path: Path, place: str, target: str) -> None:
    tree = make(tmp_path / "tree", {"x": "x"})
    (tree / place).parent.mkdir(exist_ok=True)
    (tree / place).symlink_to(target)
    assert "critical" in {one.risk for one in plan(tree).fields()}
    assert not run_through(Job(tree, tmp_path / "out", "tree"), run_inventory, run_plan)


def run_through(job: Job, *phases: Any) -> bool:
    passed = False
    for run in phases:
        passed = run(job).record.passed
    return passed


def test_a_page_within_a_skill_is_a_file_of_it_and_named(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {
            ".claude/skills/SKILL.md": page("stray"),
            ".claude/skills/a/SKILL.md": page("a"),
            ".claude/skills/a/template/SKILL.md": "---\nname: {{name}}\n---\n",
            ".claude/skills/group/b/SKILL.md": page("b"),
        },
    )
    assert list(emitted(tree)) == [".agents/skills/a", ".agents/skills/group-b"]
    assert codes(inventory(tree)) == [("skill-within-skill", ".claude/skills/a/template/SKILL.md", None)]


def test_a_skill_that_begins_with_a_byte_order_mark_is_written_without_it(tmp_path: Path) -> None:
    tree = make(tmp_path, {".claude/skills/a/SKILL.md": page("a").encode("utf-8-sig")})
    assert emitted(tree)[".agents/skills/a/SKILL.md"].content.startswith(b"---\n")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("*", ["command.any", "file.read.any", "file.edit.any", "fetch.any", "search.any", "skill", "agent", "mcp.pattern"]),
        ("Web*", ["fetch.any", "search.any"]),
        ("B*(git push:*)", ["command.prefix"]),
        ("Nothing*", ["other"]),
    ],
)  # fmt: skip
def test_a_pattern_in_the_place_of_a_tool_is_each_tool_that_fits(
    tmp_path: Path, rule: str, expected: list[str]
) -> None:
    tree = make(tmp_path, {SETTINGS: {"permissions": {"deny": [rule]}}})
    assert kinds(inventory(tree), "permissions") == [f"deny.{kind}" for kind in expected]


@pytest.mark.real
def test_the_program_finds_what_a_folder_has_when_it_starts_there(tmp_path: Path, config_program: Path) -> None:
    tree = make(tmp_path / "tree", MONOREPO | {".claude/skills/ship/t/SKILL.md": "---\nname: {{name}}\n---\n"})
    job = Job(tree, tmp_path / "out", "tree", binary=config_program)
    assert run_through(job, run_inventory, run_plan, run_emit, run_verify)
    states = {one.id: one.status for one in evidence_of(job.out).checks}
    assert states["skills-offered:web"] == states["instructions:web"] == states["skills-listed"] == "pass"

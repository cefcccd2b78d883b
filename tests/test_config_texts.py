"""Instructions, rules and skills: what is imported, said once, and there already."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_trees import MAPPING, codes, inventory, kinds, make, plan

from pipeline.config.emit import Emitted, emit
from pipeline.config.tree import Tree

PAGE = "---\nname: a\ndescription: A\n---\nx\n"


def emitted(tree: Path) -> dict[str, Emitted]:
    return {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree), MAPPING)}


@pytest.mark.parametrize(
    ("spelled", "path", "written"),
    [
        ("@docs/a.md#part", "docs/a.md", "`docs/a.md`#part"),
        ("@docs/[id].md,", "docs/[id].md", "`docs/[id].md`,"),
        ("@docs/(g)/x.md)", "docs/(g)/x.md", "`docs/(g)/x.md`)"),
        ("@pkg/@scope/y.md.", "pkg/@scope/y.md", "`pkg/@scope/y.md`."),
        ("@a&b.md", "a&b.md", "`a&b.md`"),
        ("@docs/a\\ b.md", "docs/a b.md", "`docs/a b.md`"),
        ("@a.md**", "a.md", "`a.md`**"),
    ],
)
def test_a_path_with_any_signs_is_imported(tmp_path: Path, spelled: str, path: str, written: str) -> None:
    tree = make(tmp_path, {"CLAUDE.md": f"see {spelled}\n", path: "TEXT\n"})
    assert kinds(inventory(tree), "instructions") == ["root.text", "root.import.file"]
    text = emitted(tree)["AGENTS.md"].content.decode()
    assert f"see {written}\n" in text
    assert text.count("TEXT") == 1


def test_a_link_to_other_instructions_of_the_folder_says_them_once(tmp_path: Path) -> None:
    tree = make(tmp_path, {".claude/CLAUDE.md": "TEXT\n"})
    (tree / "CLAUDE.md").symlink_to(".claude/CLAUDE.md")
    assert emitted(tree)["AGENTS.md"].content.count(b"TEXT") == 1


def test_braces_in_the_paths_of_a_rule_are_one_pattern(tmp_path: Path) -> None:
    rule = '---\npaths: "web/**/*.{ts,tsx}, web/lib/**"\n---\nRule.\n'
    tree = make(tmp_path, {".claude/rules/r.md": rule, "web/a.ts": ""})
    assert b"`web/**/*.{ts,tsx}`, `web/lib/**`" in emitted(tree)["web/AGENTS.md"].content


def test_an_import_in_a_rule_is_said_to_stay_a_word(tmp_path: Path) -> None:
    tree = make(tmp_path, {".claude/rules/r.md": "See @docs/a.md\n", "docs/a.md": "x\n"})
    assert "RUL-IMPORT" in {one.rule for one in plan(tree).fields()}


def test_what_is_there_already_as_it_would_be_is_left_alone(tmp_path: Path) -> None:
    skill = {"SKILL.md": PAGE, "more.md": "more"}
    files = {f"{top}/skills/a/{name}": text for top in (".claude", ".agents") for name, text in skill.items()}
    tree = make(tmp_path, files | {"CLAUDE.md": "Same\n", "AGENTS.md": "Same\n"})
    assert emitted(tree) == {}
    (tree / ".agents/skills/a/more.md").write_text("other")
    assert ".agents/skills/a/SKILL.md" in emitted(tree)


def test_a_file_that_the_target_reads_instead_is_found(tmp_path: Path) -> None:
    tree = make(tmp_path, {"a/CLAUDE.md": "x\n", "a/AGENTS.override.md": "y\n"})
    assert codes(inventory(tree)) == [("instructions-replaced", "a/AGENTS.override.md", None)]

"""The documents as Markdown: whatever a tree's names and texts hold, tables keep their columns and nothing is markup."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from config_trees import make
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.config import phase_verify
from pipeline.config.documents import cell, span
from pipeline.config.handoff import EPISODIC, SEMANTIC, WORKING
from pipeline.config.phases import Job
from pipeline.config.score import Scorecard
from pipeline.config.sequence import run_phase

PAGE = '---\nname: {0!r}\ndescription: "d | `x` <b> <!-- y"\n---\nx\n'
NAMES = ["a|b", "a`b", "a#b", "a b", "äö", "A", "a", "[x](y)", "<b>", "*x*"]
ODD = "a | b `c` \\| <!-- d\n# H"
OVERRIDES = (
    'optional = ["styles", "no|such\\n# H"]\n[[override]]\nitem = "env:.claude/settings.json"\n'
    'classification = "defer"\nreason = "a | b\\n\\n# H <!-- "\nrisk = "high"\nowner = "A|B\\n# H"\nreview = "x|y"\n'
    '[[override]]\nitem = "no|such"\nclassification = "defer"\nreason = "|"\n'
)
HOOK = [{"matcher": "Edit|Write", "hooks": [{"type": "command", "command": ODD}]}]
FILES = {
    **{f".claude/skills/{name}/SKILL.md": PAGE.format(name) for name in NAMES},
    **{f".claude/agents/{name}.md": PAGE.format(name) for name in NAMES},
    "CLAUDE.md": "\ufeffx\r\n@docs/a|b.md\r\n",
    "docs/a|b.md": "i\r\n",
    ".claude/settings.json": {
        "permissions": {"deny": [f"Bash({ODD}:*)", "Read(./a|b`c.md)"], "ask": ["Edit(x\\|y)"]},
        "env": {"A|B": "1"},
        "hooks": {"PreToolUse": HOOK, "We|ird`": HOOK},
        "weird|key\n# H": 1,
    },
    ".mcp.json": {"mcpServers": {"a|b": {"command": "x", "args": ["|", "`", "<!--"], "odd\n# H": 1}}},
    "parity-overrides.toml": OVERRIDES,
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    job = Job(make(folder / "tree", FILES), folder / "out", "na|me`x")
    card = Scorecard(overall=10_000, band="A", passed=True, categories=(), critical=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phase_verify, "score", lambda *_, **__: card)
        for phase in ("P0", "P1", "P2", "P3", "P4"):
            assert run_phase(job, phase).record.passed
    return job.out


def test_no_value_of_a_tree_is_markup_in_a_document(out: Path) -> None:
    documents = sorted(out.glob("*.md"))
    assert len(documents) == 19
    for path in documents:
        tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text())
        headings = [after.content for before, after in pairwise(tokens) if before.type == "heading_open"]
        assert not [text for text in headings if text.startswith("H") and not text.startswith("Handoff")], path.name
        inline = [child.type for token in tokens for child in token.children or ()]
        assert "html_inline" not in inline, path.name
        assert "html_block" not in [token.type for token in tokens], path.name


def test_every_row_of_a_table_has_the_columns_of_its_head(out: Path) -> None:
    for path in sorted(out.glob("*.md")):
        columns = 0
        for line in path.read_text().split("\n"):
            bars = len(re.sub(r"\\.", "", line).split("|")) if line.startswith("|") else 0
            assert bars in (0, columns) or not columns, (path.name, line)
            columns = bars


def test_links_between_the_documents_lead_to_files(out: Path) -> None:
    for path in out.glob("*.md"):
        for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
            assert target == "y" or (out / target).is_file(), (path.name, target)


def test_a_domain_that_is_made_optional_is_shown_and_an_unknown_one_is_a_finding(out: Path) -> None:
    text = (out / "P1_GAP_ANALYSIS.md").read_text()
    assert re.search(r"\| Output styles \| optional \|", text)
    assert "there is no domain 'no|such\\n# H' [override-unused]; name one of" in text


@given(st.text(), st.text(alphabet="`|\\ a"))
def test_any_text_is_one_cell_and_any_code_is_one_span(text: str, code: str) -> None:
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(f"| a | b |\n|---|---|\n| {cell(code)} | {cell(text)} |\n")
    assert [token.type for token in tokens].count("td_open") == 2
    if code.strip():
        inline = markdown.parse(f"x {span(code)}")[1].children or []
        assert [child.content for child in inline if child.type == "code_inline"] == [" ".join(code.split())]


def test_handoffs_of_a_huge_tree_keep_their_budgets(tmp_path: Path) -> None:
    rules = {f".claude/rules/{n}.md": f"---\npaths: ['src/{n}/**/*.ts']\n---\nRule {n}.\n" for n in range(300)}
    skills = {f".claude/skills/s{n}/SKILL.md": PAGE.format(f"s{n}") for n in range(500)}
    deny = {"permissions": {"deny": [f"Bash(tool{n} * x)" for n in range(300)]}, "oddkey": 1}
    job = Job(make(tmp_path / "tree", {**rules, **skills, ".claude/settings.json": deny}), tmp_path / "out", "tree")
    for phase in ("P0", "P1", "P2"):
        assert run_phase(job, phase).record.passed
        parts = re.split(r"^## (\w+) memory\n", (job.out / f"HANDOFF_{phase}.md").read_text(), flags=re.MULTILINE)
        sizes = {name: -(-len(body.strip().encode()) // 4) for name, body in zip(parts[1::2], parts[2::2], strict=True)}
        assert sizes["Working"] <= WORKING
        assert sizes["Episodic"] <= EPISODIC
        assert sizes["Semantic"] <= SEMANTIC
        assert all(line.startswith("- [") for line in parts[-1].strip().split("\n"))
    assert re.search(
        r"^- \d+ more in P2_IMPLEMENTATION_REPORT.md$", (job.out / "HANDOFF_P2.md").read_text(), re.MULTILINE
    )

"""P1: one decision per item and field, by rules that are data and by what a version of the target has."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from config_trees import ALL, MAPPING, VERSION, codes, inventory, make, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.config.documents import fit
from pipeline.config.gates import PhaseRecord
from pipeline.config.mapping import mapping_names
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phases import Job
from pipeline.config.plan import make_plan
from pipeline.config.plan_values import Decision, Plan
from pipeline.config.schema import config_schema_bytes
from pipeline.errors import GateFailed, UsageError
from pipeline.questions.predicates import having, recorded

SETTINGS = ".claude/settings.json"
OVERRIDES = "parity-overrides.toml"


def decision(found: Plan, field: str) -> Decision:
    [one] = [one for one in found.fields() if one.field == field]
    return one


@pytest.mark.parametrize("tree", ALL)
def test_every_item_and_every_field_has_exactly_one_decision_with_a_reason(tree: Path) -> None:
    there, found = inventory(tree), plan(tree)
    expected = [(item.id, name) for item in there.items for name in (None, *(field.name for field in item.fields))]
    assert [(one.item, one.field) for one in found.decisions] == expected
    assert all(one.rationale for one in found.decisions)
    assert [one for one in found.decisions if one.classification == "unclassified"] == []


def test_every_rule_can_be_met_and_says_why() -> None:
    ids = [rule.id for rule in MAPPING.rules]
    assert len(set(ids)) == len(ids)
    domains = {domain.id for domain in MAPPING.domains}
    for rule in MAPPING.rules:
        assert rule.domain in domains
        assert rule.rationale
        assert (rule.mode == "none") or rule.target, rule.id


def test_no_rule_emits_what_allows_more() -> None:
    allowing = [rule for rule in MAPPING.rules if any(kind.startswith("allow.") for kind in rule.kinds)]
    assert [rule.classification for rule in allowing] == ["defer"]
    assert {rule.write for rule in MAPPING.rules if rule.domain == "permissions"} <= {
        "",
        "command-forbidden",
        "command-guard",
        "command-prompt",
        "file-deny",
        "file-deny-all",
        "file-glob",
        "file-read",
        "never-ask",
        "no-web",
        "read-only",
        "server-denied",
        "tool-off",
        "tool-prompt",
        "workspace",
    }


def test_a_decision_depends_on_what_the_version_has(tmp_path: Path) -> None:
    hook = [{"hooks": [{"type": "command", "command": "x"}]}]
    tree = make(tmp_path, {SETTINGS: {"hooks": {"SessionEnd": hook, "Stop": hook, "Setup": hook}}})
    old, new = plan(tree, "0.125.0"), plan(tree, VERSION)
    name = "SessionEnd /SessionEnd/0/hooks/0"
    assert decision(old, name).classification == "unsupported"
    assert decision(old, name).missing == ("hook_event:SessionEnd",)
    assert decision(new, name).classification == "adaptation"
    assert decision(new, name).since == "0.169.0"
    assert decision(new, "Stop /Stop/0/hooks/0").since == "0.125.0"
    assert decision(new, "Setup /Setup/0/hooks/0").classification == "unsupported"


def test_predicates_are_answered_from_the_timeline_and_the_surfaces() -> None:
    new, old = having("codex", VERSION), having("codex", "0.125.0")
    assert new.holds("rpc:hooks/list")
    assert not old.holds("rpc:hooks/list")
    assert new.holds("command:execpolicy check")
    assert new.holds("flag:exec --json")
    assert not new.holds("flag:exec --no-such")
    assert new.since("flag:exec --no-such") is None
    with pytest.raises(UsageError, match="no predicate"):
        new.holds("weather:fine")
    with pytest.raises(UsageError, match="were not read"):
        having("codex", "0.150.0")
    assert new.holds("feature:hooks")
    assert not new.holds("feature:agent_message_board")
    assert having("codex", "0.61.0").names("hook_event") == ()


def test_hook_events_grew_from_six_to_fourteen() -> None:
    assert {version: len(one.hook_events or ()) for version, one in recorded("codex").items()} == {
        "0.61.0": 0,
        "0.125.0": 6,
        "0.169.0": 14,
    }


def test_an_unknown_key_of_a_policy_fails_the_phase_and_other_unknown_keys_do_not(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {SETTINGS: {"permissions": {"denny": ["Bash"]}, "colour": 1}})
    found = plan(tree)
    assert decision(found, "colour").classification == "unsupported"
    assert decision(found, "denny").classification == "unclassified"
    assert codes(found) == [("unclassified", SETTINGS, "/permissions/denny")]
    job = Job(tree, tmp_path / "out", "tree")
    run_inventory(job)
    record = run_plan(job).record
    assert not record.passed
    assert "denny" in record.blockers[0]
    assert "denny" in (tmp_path / "out" / "HANDOFF_P1.md").read_text()


def test_a_rule_that_is_taken_away_leaves_its_fields_unclassified() -> None:
    tree = ALL[0].values[0]
    assert isinstance(tree, Path)
    less = msgspec.structs.replace(MAPPING, rules=tuple(rule for rule in MAPPING.rules if rule.id != "INS-ROOT"))
    found = make_plan(inventory(tree), less, having("codex", VERSION))
    assert [one.field for one in found.fields() if one.classification == "unclassified"] == ["text"]


def test_a_person_may_decide_otherwise_and_the_record_says_so(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {SETTINGS: {"permissions": {"denny": ["Bash"]}}})
    (tree / OVERRIDES).write_text(
        'optional = ["skills"]\n[[override]]\nitem = "permissions:.claude/settings.json"\nfield = "denny"\n'
        'classification = "defer"\nreason = "A slip."\nowner = "Ada"\nreview = "2027-01-01"\n'
    )
    job = Job(tree, tmp_path / "out", "tree")
    run_inventory(job)
    record = run_plan(job).record
    assert record.passed
    assert record.scope_changes == (
        "The domain 'skills' is optional.",
        "permissions:.claude/settings.json denny: defer, because A slip.",
    )
    one = decision(plan(tree), "denny")
    assert (one.rule, one.owner, one.review) == ("override", "Ada", "2027-01-01")


def test_an_override_of_what_is_not_there_is_a_finding(tmp_path: Path) -> None:
    tree = make(tmp_path, {"CLAUDE.md": "x"})
    (tree / OVERRIDES).write_text('[[override]]\nitem = "skills:x"\nclassification = "defer"\nreason = "r"\n')
    assert codes(plan(tree)) == [("override-unused", "skills:x", None)]


def test_names_that_become_the_same_are_told_apart(tmp_path: Path) -> None:
    tree = make(tmp_path, {f".claude/commands/{name}.md": "x" for name in ("a/b", "a-b", "A B")})
    make(tree, {".claude/skills/a-b/SKILL.md": "---\nname: a-b\ndescription: d\n---\n"})
    found = plan(tree)
    targets = {one.item: one.target for one in found.items()}
    assert targets["skills:.claude/skills/a-b/SKILL.md"] == ".agents/skills/a-b/"
    assert set(targets.values()) == {f".agents/skills/a-b{tail}/" for tail in ("", "-2", "-3", "-4")}
    assert [code for code, *_ in codes(found)] == ["name-collision"] * 3


def test_a_file_is_a_link_only_where_nothing_in_it_needs_to_be_rewritten(tmp_path: Path) -> None:
    page = "---\nname: {}\ndescription: d\n{}---\nx\n"
    tree = make(
        tmp_path,
        {
            "CLAUDE.md": "x",
            "a/CLAUDE.md": "see @b.md",
            "a/b.md": "x",
            "c/CLAUDE.md": "x",
            "c/x.ts": "",
            ".claude/rules/c.md": "---\npaths: c/**\n---\nx",
            ".claude/skills/p/SKILL.md": page.format("p", ""),
            ".claude/skills/q/SKILL.md": page.format("q", "model: opus\n"),
        },
    )
    modes = {one.path: one.mode for one in plan(tree).items()}
    assert modes == {
        "CLAUDE.md": "link",
        "a/CLAUDE.md": "generate",
        "c/CLAUDE.md": "generate",
        ".claude/rules/c.md": "generate",
        ".claude/skills/p/SKILL.md": "link",
        ".claude/skills/q/SKILL.md": "copy",
    }


# -- gates and documents ----------------------------------------------------------------------------


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(make(tmp_path / "tree", {"CLAUDE.md": "x\n"}), tmp_path / "out", "tree")


def test_a_phase_needs_the_one_before(job: Job) -> None:
    with pytest.raises(GateFailed, match="P1 needs P0, which has not been run"):
        run_plan(job)


def test_a_phase_refuses_what_was_changed_since(job: Job) -> None:
    run_inventory(job)
    (job.out / "HANDOFF_P0.md").write_text("changed")
    with pytest.raises(GateFailed, match=r"HANDOFF_P0.md: it is not as P0 left it"):
        run_plan(job)


def test_a_phase_refuses_a_tree_that_was_changed_since(job: Job) -> None:
    run_inventory(job)
    (job.tree / "CLAUDE.md").write_text("y\n")
    with pytest.raises(GateFailed, match="the tree has changed since P0"):
        run_plan(job)


def test_outputs_do_not_lie_in_the_tree(job: Job) -> None:
    for out in (job.tree, job.tree / "out"):
        with pytest.raises(UsageError, match="would lie in the tree"):
            run_inventory(Job(job.tree, out, "tree"))
    assert run_inventory(Job(job.tree, job.tree.parent, "tree")).record.passed


@pytest.mark.parametrize("tree", ALL)
def test_documents_are_the_same_bytes_wherever_they_are_written_and_link_to_what_is_there(
    tree: Path, tmp_path: Path
) -> None:
    written = []
    for name in ("a", "b"):
        job = Job(tree, tmp_path / name, "tree")
        assert run_inventory(job).record.passed
        assert run_plan(job).record.passed
        written.append({path.name: path.read_bytes() for path in sorted(job.out.iterdir())})
    assert written[0] == written[1]
    for name, content in written[0].items():
        text = content.decode()
        assert str(tmp_path) not in text
        if name.endswith(".md"):
            for link in re.findall(r"\]\(([^)]+)\)", text):
                if link.endswith((".md", ".json")) and "/" not in link:
                    assert link in written[0], (name, link)


@pytest.mark.parametrize("tree", ALL)
def test_a_handoff_keeps_its_budgets(tree: Path, tmp_path: Path) -> None:
    job = Job(tree, tmp_path / "out", "tree")
    run_inventory(job)
    run_plan(job)
    for phase in ("P0", "P1"):
        text = (job.out / f"HANDOFF_{phase}.md").read_text()
        parts = dict(re.findall(r"^## (\w+) memory\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
        assert list(parts) == ["Working", "Episodic", "Semantic", "Procedural"]
        for name, budget in (("Working", 2000), ("Episodic", 1000), ("Semantic", 500)):
            assert -(-len(parts[name].encode()) // 4) <= budget, (phase, name)
        assert all(line.startswith("- [") for line in parts["Procedural"].split("\n") if line)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=60), max_size=40),
    st.integers(20, 200),
)
def test_a_list_fits_its_budget_and_says_how_much_is_left_out(lines: list[str], tokens: int) -> None:
    kept = fit(lines, tokens, "x.md")
    assert sum(len(f"- {line}\n") for line in kept) <= tokens * 4
    if kept != lines:
        left = len(lines) - (len(kept) - 1)
        assert kept[-1] == f"{left} more in x.md"
        assert kept[:-1] == lines[: len(kept) - 1]


def test_a_record_reads_back(job: Job) -> None:
    done = run_inventory(job)
    assert canonical.read(job.out / "phase.P0.json", PhaseRecord) == done.record
    assert set(done.record.outputs) == {path.name for path in done.paths} - {"phase.P0.json"}


def test_there_is_a_mapping_and_an_unknown_one_is_refused() -> None:
    from pipeline.config.mapping import read_mapping

    assert mapping_names() == ["claude-to-codex"]
    with pytest.raises(UsageError, match="there is no mapping"):
        read_mapping("../x")


SCHEMA = Path(__file__).resolve().parents[1] / "docs" / "config.schema.json"


def test_the_committed_schema_is_that_of_the_types(update: bool) -> None:
    content = config_schema_bytes()
    if update:
        SCHEMA.write_bytes(content)
    assert SCHEMA.read_bytes() == content, "rewrite it with --update"


def test_what_is_written_fits_the_schema(job: Job) -> None:
    run_inventory(job)
    run_plan(job)
    judge = jsonschema_rs.validator_for(canonical.read_json(SCHEMA))
    for path in sorted(job.out.glob("*.json")):
        judge.validate(canonical.read_json(path))

"""P0: what a tree holds. Every item and field has a place, bad input is a finding, and nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from config_trees import ALL, MAPPING, codes, inventory, kinds, make
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.config.frontmatter import read_page
from pipeline.config.readers.instructions import spelled
from pipeline.config.tree import matches
from pipeline.config.values import Inventory

SETTINGS = ".claude/settings.json"


@pytest.mark.parametrize("tree", ALL)
def test_every_file_of_the_source_is_an_item_a_part_of_one_or_personal(tree: Path) -> None:
    found = inventory(tree)
    inside = {path.relative_to(tree).as_posix() for path in (tree / ".claude").rglob("*") if path.is_file()}
    attached = {
        f"{item.path.rpartition('/')[0]}/{value['path']}"
        for item in found.items
        if item.domain == "skills"
        for value in item.values("file")
    }
    named = {item.path for item in found.items} | {one.path for one in found.personal} | attached
    assert inside - named == set()


@pytest.mark.parametrize("tree", ALL)
def test_an_inventory_is_the_same_bytes_each_time_and_reads_back(tree: Path) -> None:
    found = inventory(tree)
    assert canonical.encode(found) == canonical.encode(inventory(tree))
    assert canonical.convert(canonical.loads(canonical.encode(found), "x"), Inventory, "x") == found
    assert str(tree).encode() not in canonical.encode(found)


@pytest.mark.parametrize("tree", ALL)
def test_names_of_fields_are_unique_within_an_item(tree: Path) -> None:
    for item in inventory(tree).items:
        names = [field.name for field in item.fields]
        assert len(set(names)) == len(names), item.id


def test_a_personal_file_is_named_and_never_read(tmp_path: Path) -> None:
    tree = make(
        tmp_path,
        {
            "CLAUDE.local.md": "SECRET",
            ".claude/settings.local.json": {"env": {"A": "SECRET"}},
            "CLAUDE.md": "@CLAUDE.local.md\n",
        },
    )
    for name in ("CLAUDE.local.md", ".claude/settings.local.json"):
        (tree / name).chmod(0)
    found = inventory(tree)
    assert [one.path for one in found.personal] == [".claude/settings.local.json", "CLAUDE.local.md"]
    assert kinds(found, "instructions") == ["root.text", "root.import.personal"]
    assert b"SECRET" not in canonical.encode(found)


def test_imports_are_followed_four_times_and_not_in_code(tmp_path: Path) -> None:
    chain = {f"{n}.md": f"@{n + 1}.md" for n in range(1, 7)}
    tree = make(tmp_path, {"CLAUDE.md": "@1.md\n`@code.md`\n```\n@fence.md\n```\n", **chain, "7.md": "x"})
    found = inventory(tree)
    assert kinds(found, "instructions") == ["root.text", *["root.import.file"] * 4, "root.import.deep"]
    assert [code for code, *_ in codes(found)] == ["import-deep"]


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("see @../x.md", "outside", "import-outside"),
        ("see @/etc/passwd", "outside", "import-outside"),
        ("see @CLAUDE.md", "loop", "import-loop"),
        ("see @docs/none.md", "missing", "import-missing"),
        ("see @~/notes.md", "personal", None),
    ],
)
def test_an_import_that_cannot_be_followed_is_said(tmp_path: Path, text: str, kind: str, code: str | None) -> None:
    found = inventory(make(tmp_path, {"CLAUDE.md": f"first\n{text}.\n"}))
    assert kinds(found, "instructions") == ["root.text", f"root.import.{kind}"]
    assert codes(found) == ([(code, "CLAUDE.md", "line 2")] if code else [])


def test_a_word_after_an_at_sign_is_no_import_of_its_full_stop() -> None:
    assert list(spelled("See @a/b.md. Or (@c.md), mail me@d.md\n")) == [("a/b.md", 1)]
    assert list(spelled("See @a\\ b/c.md, and @d e\n")) == [("a b/c.md", 1), ("d", 1)]


@pytest.mark.parametrize(
    ("rule", "kind", "value"),
    [
        ("Bash", "command.any", {}),
        ("Bash(*)", "command.any", {}),
        ("Bash(git log)", "command.exact", {"words": ["git", "log"]}),
        ("Bash(git log:*)", "command.prefix", {"words": ["git", "log"]}),
        ("Bash(git log *)", "command.prefix", {"words": ["git", "log"]}),
        ("Bash(git * main)", "command.pattern", {"pattern": "git * main"}),
        ("Bash(* install)", "command.pattern", {"pattern": "* install"}),
        ('Bash(say "a b":*)', "command.prefix", {"words": ["say", "a b"]}),
        ('Bash(say "a)', "command.pattern", {"pattern": 'say "a'}),
        ("Read(./.env)", "file.read", {"path": "./.env"}),
        ("Read", "file.read.any", {}),
        ("Edit(src/**)", "file.edit", {"path": "src/**"}),
        ("Write(./x)", "file.edit", {"path": "./x"}),
        ("WebFetch", "fetch.any", {}),
        ("WebFetch(domain:a.b)", "fetch.domain", {"domain": "a.b"}),
        ("WebSearch", "search.any", {}),
        ("mcp__a__b", "mcp.tool", {"server": "a", "tool": "b"}),
        ("mcp__a", "mcp.server", {"server": "a"}),
        ("mcp__a__*", "mcp.server", {"server": "a"}),
        ("mcp__*", "mcp.pattern", {"server": "*", "tool": ""}),
        ("Skill(x)", "skill", {"name": "x"}),
        ("Task(x)", "agent", {"name": "x"}),
        ("Edit(x.lock)", "file.edit.glob", {"path": "x.lock", "files": ["x.lock"]}),
        ("Edit(./.claude/*.json)", "file.edit.glob", {"path": "./.claude/*.json", "files": [SETTINGS]}),
        ("Edit(~/*.lock)", "file.edit.odd", {"path": "~/*.lock"}),
        ("Glob", "other", {"tool": "Glob", "spec": ""}),
        ("NotebookEdit(*)", "other", {"tool": "NotebookEdit", "spec": "*"}),
        ("Grep(a/**)", "file.read", {"path": "a/**"}),
        ("Read(*.{pem,key})", "file.read", {"path": "*.{pem,key}"}),
        ("Read(*.{pem)", "file.read.odd", {"path": "*.{pem"}),
        ("Other(x)", "other", {"tool": "Other", "spec": "x"}),
    ],
)
def test_a_permission_rule_has_a_kind_and_parts(tmp_path: Path, rule: str, kind: str, value: dict[str, object]) -> None:
    found = inventory(make(tmp_path, {SETTINGS: {"permissions": {"deny": [rule]}}}))
    [field] = [field for item in found.items for field in item.fields]
    assert (field.kind, field.value, field.place) == (f"deny.{kind}", {"rule": rule, **value}, "/permissions/deny/0")


@pytest.mark.parametrize(
    ("hook", "kind"),
    [
        ({"type": "command", "command": "x"}, "hook.Stop.command"),
        ({"type": "command", "command": "x", "if": "Edit(a)"}, "hook.Stop.command.if"),
        ({"type": "command", "command": "/home/me/x"}, "hook.Stop.command.machine"),
        ({"type": "command", "command": "/usr/bin/env x >/dev/null"}, "hook.Stop.command"),
        ({"type": "command", "command": "$CLAUDE_PLUGIN_ROOT/x"}, "hook.Stop.command.variable"),
        ({"type": "command", "command": '"$CLAUDE_PROJECT_DIR"/x'}, "hook.Stop.command"),
        ({"type": "command", "command": "x", "args": ["/home/me/x"]}, "hook.Stop.command.machine"),
        ({"type": "command", "command": "x", "args": ["y"], "shell": "bash"}, "hook.Stop.command"),
        ({"type": "command", "command": "x", "args": "y"}, "hook.Stop.command.start"),
        ({"type": "command", "command": "x", "shell": "powershell"}, "hook.Stop.command.start"),
        ({"type": "http", "url": "http://x"}, "hook.Stop.http"),
        ({"type": "mcp_tool", "server": "s", "tool": "t", "input": {"a": ["b/c", 1]}}, "hook.Stop.mcp_tool"),
        ({"type": "mcp_tool", "server": "s", "tool": "t", "async": True}, "hook.Stop.mcp_tool"),
        ({"type": "mcp_tool", "server": "s", "tool": "t", "input": {"a": ["${b}"]}}, "hook.Stop.mcp_tool.variable"),
        ({"type": "mcp_tool", "server": "s", "tool": "t", "input": {"a": "/home/me"}}, "hook.Stop.mcp_tool.machine"),
        ({"type": "mcp_tool", "server": "s"}, "malformed.hook"),
        ({"type": "command"}, "malformed.hook"),
        ({"command": "x"}, "malformed.hook"),
        ("x", "malformed.hook"),
    ],
)
def test_the_kind_of_a_hook_says_what_stands_in_its_way(tmp_path: Path, hook: object, kind: str) -> None:
    found = inventory(make(tmp_path, {SETTINGS: {"hooks": {"Stop": [{"hooks": [hook]}]}}}))
    assert [one for one in kinds(found, "hooks") if not one.startswith("handler.")] == [kind]
    assert bool(found.findings) == kind.startswith("malformed")


def test_a_hook_for_tools_that_the_target_never_names_is_told_apart(tmp_path: Path) -> None:
    hook = {"hooks": [{"type": "command", "command": "x"}]}
    groups = [{"matcher": "Read|Grep", **hook}, {"matcher": "Read|Bash", **hook}, {"matcher": "(", **hook}]
    found = inventory(make(tmp_path, {SETTINGS: {"hooks": {"PreToolUse": groups}}}))
    assert kinds(found, "hooks") == ["hook.PreToolUse.command.unseen", "hook.PreToolUse.command", "malformed.hook"]
    assert codes(found) == [("hooks-malformed", SETTINGS, "/hooks/PreToolUse/2/matcher")]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({SETTINGS: "{"}, ("json-invalid", SETTINGS, "line 1")),
        ({SETTINGS: '{"env": {}, "env": {}}'}, ("json-invalid", SETTINGS, None)),
        ({SETTINGS: "[]"}, ("json-invalid", SETTINGS, "line 1")),
        ({SETTINGS: {"permissions": []}}, ("permissions-malformed", SETTINGS, "/permissions")),
        ({SETTINGS: {"permissions": {"deny": "Bash"}}}, ("permissions-malformed", SETTINGS, "/permissions/deny")),
        ({SETTINGS: {"permissions": {"deny": [1]}}}, ("permissions-malformed", SETTINGS, "/permissions/deny/0")),
        ({SETTINGS: {"permissions": {"denny": []}}}, ("unknown-policy-key", SETTINGS, "/permissions/denny")),
        ({SETTINGS: {"hooks": {"Stop": [{"type": "command"}]}}}, ("hooks-malformed", SETTINGS, "/hooks/Stop/0")),
        ({SETTINGS: {"no/such": 1}}, ("unknown-key", SETTINGS, "/no~1such")),
        ({SETTINGS: {"env": []}}, ("env-malformed", SETTINGS, "/env")),
        ({".mcp.json": {"mcpServers": {"a": {}}}}, ("servers-malformed", ".mcp.json", "/mcpServers/a")),
        ({".claude/agents/a.md": "---\nname: [\n---\n"}, ("front-matter-invalid", ".claude/agents/a.md", "line 3")),
        (
            {".claude/agents/a.md": "---\nname: a\nname: b\n---\n"},
            ("front-matter-invalid", ".claude/agents/a.md", "line 3"),
        ),
        ({".claude/agents/a.md": "---\nfoo: a\n---\n"}, ("unknown-key", ".claude/agents/a.md", "line 2")),
        ({"CLAUDE.md": b"ok\n\xff"}, ("not-utf-8", "CLAUDE.md", "line 2")),
        ({"CLAUDE.md": b"x" * (1 << 21)}, ("file-too-large", "CLAUDE.md", None)),
        ({"CLAUDE.md/x": ""}, ("folder-in-place-of-file", "CLAUDE.md", None)),
        (
            {".claude/skills/a/SKILL.md/x": ""},
            ("folder-in-place-of-file", ".claude/skills/a/SKILL.md", None),
        ),
    ],
)
def test_bad_input_is_a_finding_with_its_place_and_a_remedy(
    tmp_path: Path, files: dict[str, object], expected: tuple[str, str, str | None]
) -> None:
    found = inventory(make(tmp_path, files))
    assert codes(found) == [expected]
    assert all(one.remedy for one in found.findings)


def test_front_matter_that_is_no_yaml_still_counts_line_by_line() -> None:
    page = read_page("---\nargument-hint: [a] [b]\ndescription: 'say: it'\n---\nbody\n", "x.md")
    assert page.keys == {"argument-hint": "[a] [b]", "description": "say: it"}
    assert (page.body, page.body_line) == ("body\n", 5)
    assert [one.place for one in page.findings] == ["line 2"]


def test_a_link_that_leaves_or_loops_is_a_finding_and_is_not_followed(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {".claude/skills/a/SKILL.md": "---\ndescription: d\n---\n", "CLAUDE.md": "x"})
    make(tmp_path, {"outside.md": "SECRET"})
    for name, text in {
        ".claude/skills/a/out.md": "../../../../outside.md",
        ".claude/skills/a/up": "..",
        ".claude/loop": "loop",
        ".claude/none": "nowhere",
    }.items():
        (tree / name).symlink_to(text)
    found = inventory(tree)
    assert codes(found) == [
        ("link-loops", ".claude/loop", None),
        ("link-dangling", ".claude/none", None),
        ("link-leaves-tree", ".claude/skills/a/out.md", None),
        ("link-loops", ".claude/skills/a/up", None),
    ]
    assert b"SECRET" not in canonical.encode(found)


def test_a_link_within_the_tree_is_followed_and_named(tmp_path: Path) -> None:
    tree = make(tmp_path, {".agents/skills/a/SKILL.md": "---\nname: a\ndescription: d\n---\n"})
    (tree / ".claude").mkdir()
    (tree / ".claude" / "skills").symlink_to("../.agents/skills")
    found = inventory(tree)
    [item] = [item for item in found.items if item.domain == "skills"]
    assert (item.path, item.link) == (".claude/skills/a/SKILL.md", "../.agents/skills")


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="permissions do not bind here")
def test_a_file_that_may_not_be_read_is_an_item_with_a_finding(tmp_path: Path) -> None:
    tree = make(tmp_path, {"CLAUDE.md": "x"})
    (tree / "CLAUDE.md").chmod(0)
    assert codes(inventory(tree)) == [("file-unreadable", "CLAUDE.md", None)]


def test_a_file_that_cannot_be_read_stays_an_item(tmp_path: Path) -> None:
    found = inventory(make(tmp_path, {"CLAUDE.md": b"\xff"}))
    assert kinds(found, "instructions") == ["unread"]


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("a/b/CLAUDE.md", "**/CLAUDE.md", True),
        ("CLAUDE.md", "**/CLAUDE.md", True),
        ("a/b.md", "*.md", False),
        ("a/b/c", "a/**", True),
        ("xCLAUDE.md", "**/CLAUDE.md", False),
        ("A.MD", "*.md", False),
    ],
)
def test_patterns_of_paths(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, [pattern]) == fits


_KEYS = st.sampled_from(
    ["permissions", "hooks", "env", "sandbox", "model", "deny", "allow", "Stop", "command", "type", "x"]
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=8)
    | st.sampled_from(["Bash(a:*)", "command", "("]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(_KEYS, _JSON, max_size=5), st.binary(max_size=60), st.text(max_size=60))
def test_any_settings_and_any_page_give_an_inventory(value: dict[str, object], raw: bytes, text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        tree = make(
            Path(folder),
            {
                SETTINGS: value,
                ".mcp.json": {"mcpServers": value},
                ".claude/agents/a.md": raw,
                ".claude/rules/b.md": f"---\n{text}\n---\n",
            },
        )
        found = inventory(tree)
        assert canonical.convert(canonical.loads(canonical.encode(found), "x"), Inventory, "x") == found
        names = {key for key in value if key not in ("env", "hooks", "permissions", "sandbox")}
        assert names <= {field.name for item in found.items for field in item.fields}


def test_every_domain_says_what_a_matrix_needs() -> None:
    for domain in MAPPING.domains:
        assert domain.title
        assert domain.behaviour
        assert domain.strategy
        assert domain.risks

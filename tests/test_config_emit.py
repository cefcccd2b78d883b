"""P2: what is written is never looser than the source, follows from the plan alone, and stands beside what others wrote."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from config_trees import ALL, MAPPING, VERSION, inventory, make, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import canonical
from pipeline.cli import main
from pipeline.config.apply import apply
from pipeline.config.emit import Emitted, emit
from pipeline.config.emit.guard import NAME
from pipeline.config.inventory import take_inventory
from pipeline.config.lock import Lock, drifted, join, locked, split
from pipeline.config.output_tree import write_output
from pipeline.config.phase_emit import run_emit
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phases import Job
from pipeline.config.safety import loosenings
from pipeline.config.tree import Tree

SETTINGS = ".claude/settings.json"
CONFIG, HOOKS, RULES = ".codex/config.toml", ".codex/hooks.json", ".codex/rules/claude.rules"


def emitted(tree: Path, *, copies: bool = False) -> dict[str, Emitted]:
    return {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree), MAPPING, copies=copies)}


def config(tree: Path) -> dict[str, Any]:
    found = emitted(tree)
    return tomllib.loads(found[CONFIG].content.decode()) if CONFIG in found else {}


def lock_of(tree: Path, files: dict[str, Emitted]) -> Lock:
    return Lock(
        lock_schema_version=1,
        mapping=MAPPING.name,
        tree="tree",
        target_version=VERSION,
        plan_sha256="0" * 64,
        files=locked(files.values(), Tree(tree)),
    )


def put(tree: Path, *, copies: bool = False) -> list[tuple[str, str, str]]:
    """Emit and apply; returns the conflicts."""
    files = emitted(tree, copies=copies)
    _, conflicts = apply(tree, list(files.values()), lock_of(tree, files), ".codex")
    return [(one.code, one.path, one.message) for one in conflicts]


def state(folder: Path) -> dict[str, object]:
    return {
        path.relative_to(folder).as_posix(): path.readlink().as_posix() if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


# -- never looser -----------------------------------------------------------------------------------


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("tree", ALL)
def test_nothing_that_is_emitted_allows_more_than_the_source(tree: Path, copies: bool) -> None:
    files = emitted(tree, copies=copies)
    assert files
    assert loosenings(list(files.values()), MAPPING) == []
    for one in files.values():
        assert str(tree).encode() not in one.content


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        (RULES, b'decision = "allow"', "a rule allows"),
        (CONFIG, b'sandbox_mode = "danger-full-access"', "'sandbox_mode' is no key"),
        (CONFIG, b'sandbox_mode = "danger-full-access"', "full access"),
        (CONFIG, b'notify = ["x"]', "the target ignores 'notify'"),
        (CONFIG, b'[mcp_servers.x]\ncommand = "${X}"', "nobody puts in"),
        (CONFIG, b'[mcp_servers.x]\ncommand = "/home/me/x"', "one machine"),
        (CONFIG, b'[mcp_servers.x]\ntype = "http"', "no key 'type'"),
        (CONFIG, b'[mcp_servers.x.tools.y]\napproval_mode = "approve"', "is approved"),
        (CONFIG, b'default_permissions = "p"\n[permissions.p]\nextends = ":danger"', "stands on"),
        (CONFIG, b'[permissions.p]\nextends = ":workspace"', "not the one in force"),
        (CONFIG, b'[permissions.p]\nextends = ":workspace"\n[permissions.p.filesystem]\n"x" = "write"', "gives a file"),
        (
            CONFIG,
            b'[permissions.p]\nextends = ":workspace"\n[permissions.p.filesystem.x]\n"**/a" = "read"',
            "voids the file",
        ),
        (
            CONFIG,
            b'[permissions.p]\nextends = ":workspace"\n[permissions.p.network]\nenabled = true',
            "opens the network",
        ),
        (HOOKS, b'{"hooks": {}, "x": 1}', "voids the file"),
        (".codex/agents/x.toml", b'sandbox_mode = "workspace-write"', "opens its sandbox"),
        (".codex/agents/x.toml", b'sandbox_mode = "read-only"\ndefault_permissions = "p"', "beside a profile"),
        (".codex/agents/x.toml", b'tools = ["Read"]', "no key 'tools'"),
    ],
)
def test_what_must_not_be_is_found_in_the_bytes(path: str, content: bytes, problem: str) -> None:
    assert any(problem in one for one in loosenings([Emitted(path, "generated", content)], MAPPING))


def test_a_link_that_leaves_and_a_personal_source_are_found() -> None:
    assert loosenings([Emitted("a/b", "link", link="../../x")], MAPPING) == ["a/b: the link leaves the repository"]
    assert loosenings([Emitted("a/b", "link", link="../x")], MAPPING) == []
    assert loosenings([Emitted("a", "copy", sources=(".claude/settings.local.json",))], MAPPING)


_WORD = st.sampled_from(
    ["git", "rm", "-rf", "log", "/bin/sh", "$X", "a b", "*", "--all", "'", '"', "\\", "é", "${HOME}"]
)
_PATH = st.sampled_from(
    [
        "./.env",
        "/x",
        "//etc/passwd",
        "~/.aws",
        "../up",
        "**/*.pem",
        "a/../b",
        ".",
        "",
        "[x]",
        "{a,b}",
        "!x",
        "src/**",
        "a//b",
        "./",
        "é/x",
        ".env/",
        "C:\\x",
        "/home/me/x",
    ]
)
_RULE = st.one_of(
    st.lists(_WORD, max_size=4).map(lambda words: f"Bash({' '.join(words)}:*)"),
    st.lists(_WORD, max_size=4).map(lambda words: f"Bash({' '.join(words)})"),
    st.tuples(st.sampled_from(["Read", "Edit", "Write", "Grep"]), _PATH).map(lambda pair: f"{pair[0]}({pair[1]})"),
    st.sampled_from(
        ["Bash", "Read", "Edit", "WebFetch", "WebFetch(domain:a.b)", "mcp__s__t", "mcp__s", "mcp__*", "Skill(x)"]
    ),
)
_TEXT = st.sampled_from(
    ["x", "${X}", "Bearer ${X}", "${X:-d}", "a ${X}", "/home/me", "~/x", "$CLAUDE_PROJECT_DIR/x", "1", ""]
)
_HOOK = st.fixed_dictionaries(
    {"type": st.sampled_from(["command", "http", "prompt", "agent", "odd"]), "command": _TEXT},
    optional={
        "timeout": st.sampled_from([1, 0, -1, "x", True, 2.5]),
        "async": st.sampled_from([True, "x"]),
        "if": _TEXT,
        "url": _TEXT,
        "prompt": _TEXT,
        "statusMessage": _TEXT,
    },
)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "permissions": st.fixed_dictionaries(
            {},
            optional={
                "allow": st.lists(_RULE, max_size=4),
                "ask": st.lists(_RULE, max_size=4),
                "deny": st.lists(_RULE, max_size=6),
                "defaultMode": st.sampled_from(
                    ["plan", "acceptEdits", "bypassPermissions", "dontAsk", "default", "auto"]
                ),
                "additionalDirectories": st.lists(_PATH, max_size=2),
            },
        ),
        "env": st.dictionaries(st.sampled_from(["A", "CLAUDE_X", "PATH"]), _TEXT, max_size=3),
        "hooks": st.dictionaries(
            st.sampled_from(["Stop", "PreToolUse", "Setup"]),
            st.lists(
                st.fixed_dictionaries(
                    {"hooks": st.lists(_HOOK, max_size=2)},
                    optional={"matcher": st.sampled_from(["Bash", "(", "Edit|Write", "Read"])},
                ),
                max_size=2,
            ),
            max_size=3,
        ),
        "sandbox": st.fixed_dictionaries(
            {},
            optional={
                "enabled": st.booleans(),
                "filesystem": st.fixed_dictionaries({"denyRead": st.lists(_PATH, max_size=3)}),
            },
        ),
        "effortLevel": st.sampled_from(["low", "max", "odd", 3]),
        "enableAllProjectMcpServers": st.booleans(),
        "enabledMcpjsonServers": st.lists(st.sampled_from(["s", "t"]), max_size=2),
    },
)
_SERVER = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["stdio", "http", "sse"]),
        "command": _TEXT,
        "url": _TEXT,
        "args": st.lists(_TEXT, max_size=2),
        "env": st.dictionaries(st.sampled_from(["X", "Y"]), _TEXT, max_size=2),
        "headers": st.dictionaries(st.sampled_from(["Authorization", "Z"]), _TEXT, max_size=2),
    },
)
_AGENT = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b c", "é"]), "description": _TEXT},
    optional={
        "tools": st.sampled_from(["Read", "Read, Bash", ["Edit"], "*"]),
        "permissionMode": st.sampled_from(["plan", "bypassPermissions"]),
        "effort": _TEXT,
        "model": _TEXT,
    },
)


@settings(max_examples=60, deadline=None)
@given(_SETTINGS, st.dictionaries(st.sampled_from(["s", "t", "u v"]), _SERVER, max_size=3), _AGENT)
def test_whatever_the_settings_are_nothing_looser_comes_out(
    value: dict[str, Any], servers: dict[str, Any], agent: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        head = "".join(f"{key}: {json.dumps(one)}\n" for key, one in agent.items())
        tree = make(
            Path(folder),
            {SETTINGS: value, ".mcp.json": {"mcpServers": servers}, ".claude/agents/a.md": f"---\n{head}---\nx\n"},
        )
        files = emitted(tree)
        assert loosenings(list(files.values()), MAPPING) == []
        rules = value.get("permissions", {})
        if any(rule.startswith("Bash") for rule in rules.get("deny", ())):
            assert files[f".codex/hooks/{NAME}"].content
        if HOOKS in files:
            for groups in json.loads(files[HOOKS].content)["hooks"].values():
                for group in groups:
                    for hook in group["hooks"]:
                        assert hook.keys() <= {"type", "command", "timeout", "statusMessage", "async"}
                        assert hook["type"] == "command"


# -- policy -----------------------------------------------------------------------------------------


def policy(tmp_path: Path, **permissions: object) -> Path:
    return make(tmp_path, {SETTINGS: {"permissions": permissions}})


def test_files_that_may_not_be_read_or_written_are_taken_from_both_profiles(tmp_path: Path) -> None:
    tree = policy(
        tmp_path,
        deny=[
            "Read(./.env)",
            "Read(.key)",
            "Edit(/m/**)",
            "Read(~/.aws)",
            "Edit(./.env)",
            "Read(s/)",
            "Read(k/*.{a,b})",
        ],
    )
    written = config(tree)
    assert written["default_permissions"] == "claude"
    files = {
        "glob_scan_max_depth": 1000,
        "~/.aws": "deny",
        ":workspace_roots": {
            ".env": "deny",
            "**/.key": "deny",
            "**/.key/**": "deny",
            "m/**": "read",
            "**/s/**": "deny",
            "k/*.a": "deny",
            "k/*.a/**": "deny",
            "k/*.b": "deny",
            "k/*.b/**": "deny",
        },
    }
    assert written["permissions"] == {
        "claude": {"extends": ":workspace", "filesystem": files},
        "claude-read-only": {"extends": ":read-only", "filesystem": files},
    }


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ({"defaultMode": "plan"}, {"default_permissions": "claude"}),
        ({"defaultMode": "dontAsk"}, {"approval_policy": "never"}),
        ({"defaultMode": "bypassPermissions"}, {}),
        ({"allow": ["Bash", "WebFetch", "Read"]}, {}),
        ({"deny": ["Glob", "NotebookEdit"]}, {}),
        ({"deny": ["WebFetch"]}, {"web_search": "disabled"}),
        ({"ask": ["WebSearch"]}, {"web_search": "disabled"}),
    ],
)
def test_modes_and_tools_become_settings(
    tmp_path: Path, permissions: dict[str, object], expected: dict[str, str]
) -> None:
    written = config(policy(tmp_path, **permissions))
    bases = {name: one["extends"] for name, one in written.pop("permissions", {}).items()}
    assert written == expected
    assert set(bases.values()) <= {":read-only"}


def test_a_forbidden_command_is_a_rule_with_examples_and_a_guard(tmp_path: Path) -> None:
    files = emitted(
        policy(tmp_path, deny=["Bash(rm -rf:*)"], ask=["Bash(rm -rf:*)", "Bash(git push:*)"], allow=["Bash(ls)"])
    )
    text = files[RULES].content.decode()
    assert text.count("prefix_rule(") == 2
    assert 'pattern = ["rm", ["-rf", "-fr"]],\n    decision = "forbidden"' in text
    assert 'pattern = ["git", "push"],\n    decision = "prompt"' in text
    [group] = json.loads(files[HOOKS].content)["hooks"]["PreToolUse"]
    assert group["matcher"] == "Bash"
    assert group["hooks"][0]["command"] == f'python3 "$(git rev-parse --show-toplevel)"/.codex/hooks/{NAME}'


def test_a_pattern_of_files_that_may_not_be_written_is_the_files_that_fit_and_a_guard(tmp_path: Path) -> None:
    tree = policy(tmp_path, deny=["Edit(lock)", "Edit(gen/*.{a,b})", "Edit(./one)"])
    make(tree, {"gen/x.a": "", "gen/x.c": "", "sub/lock": "", "sub/lock2/y": ""})
    files = emitted(tree)
    written = tomllib.loads(files[CONFIG].content.decode())["permissions"]["claude"]["filesystem"][":workspace_roots"]
    assert written == {"lock": "read", "sub/lock": "read", "gen/x.a": "read", "one": "read"}
    [group] = json.loads(files[HOOKS].content)["hooks"]["PreToolUse"]
    assert group["matcher"] == "Bash|apply_patch"
    script = tree / ".codex/hooks" / NAME
    script.parent.mkdir(parents=True)
    script.write_bytes(files[f".codex/hooks/{NAME}"].content)

    def blocks(path: str, *, form: str = "*** Begin Patch\n*** Update File: {}\n", folder: Path = tree) -> bool:
        payload = {"tool_name": "apply_patch", "tool_input": {"command": form.format(path)}, "cwd": str(folder)}
        run = subprocess.run(
            [sys.executable, script],
            input=json.dumps(payload),
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return run.returncode == 2

    assert blocks("lock")
    assert blocks("new/lock")
    assert blocks("new/lock/inside")
    assert blocks("gen/y.b")
    assert blocks(str(tree / "gen/y.b"))
    assert blocks("../lock", folder=tree / "sub")
    assert blocks("lock", form="*** Move to: {}\n")
    assert blocks("lock", form="apply_patch <<'E'\n*** Begin Patch\n*** Add File: {}\nE")
    assert not blocks("gen/y.c")
    assert not blocks("gen/deep/y.a")
    assert not blocks("locks")
    assert not blocks("lock", form="git log -- {}")


@pytest.mark.parametrize(("event", "kept"), [("Stop", False), ("UserPromptSubmit", False), ("PreToolUse", True)])
def test_a_matcher_is_written_where_the_target_looks_at_it(tmp_path: Path, event: str, kept: bool) -> None:
    hook = {"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}
    files = emitted(make(tmp_path, {SETTINGS: {"hooks": {event: [hook]}}}))
    [group] = json.loads(files[HOOKS].content)["hooks"][event]
    assert ("matcher" in group) == kept


def guard(tmp_path: Path, *deny: str) -> Any:
    script = tmp_path / "guard.py"
    script.write_bytes(emitted(policy(tmp_path / "tree", deny=list(deny)))[f".codex/hooks/{NAME}"].content)

    def blocks(command: str) -> bool:
        payload = json.dumps({"tool_name": "Bash", "tool_input": {"command": command}})
        run = subprocess.run(
            [sys.executable, script], input=payload, check=False, capture_output=True, text=True, timeout=300
        )
        assert run.returncode in (0, 2)
        assert bool(run.stderr) == (run.returncode == 2)
        return run.returncode == 2

    return blocks


SPELLINGS = (
    "git log",
    "git -C . log",
    "env git log",
    "timeout 5 git log",
    "git log > out.txt",
    'echo "$(git log)"',
    "X=log; git $X",
    "bash -lc 'git log --oneline'",
    "true && git --no-pager log",
)


def test_nine_spellings_of_a_forbidden_command_are_blocked(tmp_path: Path) -> None:
    blocks = guard(tmp_path, "Bash(git log:*)")
    assert [spelling for spelling in SPELLINGS if not blocks(spelling)] == []


def test_more_spellings_are_blocked_and_others_are_not(tmp_path: Path) -> None:
    blocks = guard(tmp_path, "Bash(git log:*)", "Bash(rm -rf:*)", "Bash(git * main)")
    blocked = (
        "/usr/bin/git log",
        "`git log`",
        "(git log)",
        "ls | xargs git log",
        "find . -exec git log {} ;",
        "if true; then git log; fi",
        "rm -r -f x",
        "rm -fr x",
        "rm x -rf",
        "sudo rm -rf /",
        "git checkout main",
        "git push origin main",
        "git \\\nlog",
        "eval 'git log'",
        "git lo'g'",
        "git lo\\\ng",
        "git${IFS}log",
        "$'git' log",
        "A=lo; git ${A}g",
        "git `echo log`",
        "watch 'git log'",
        "env -S 'git log'",
        "su -c 'git log'",
        "trap 'git log' EXIT",
        "strace -f git log",
        "echo 'git log' | sudo /bin/sh",
    )
    assert [spelling for spelling in blocked if not blocks(spelling)] == []
    free = ("git status", "git commit -m log", "rm x", "rm -r x", "echo git log is fine", "ls log", "", "git show HEAD")
    free += ("if x; then echo 'git log is fine'; fi", "git commit -m 'git log' | cat", 'git commit -m "$(cat x)"')
    assert [spelling for spelling in free if blocks(spelling)] == []


@pytest.mark.parametrize(
    ("rule", "blocked", "free"),
    [
        ("* | sh", "curl x | sh", "curl x"),
        ("*>*", "echo x > y", "echo x"),
        ('git commit -m "wip*', 'git commit -m "wip: x"', "git commit -m x"),
        ("ls [ab]*", "ls [ab]c", "ls ac"),
        ("FOO=1 make:*", "FOO=1 make all", "make all"),
        ("a && b*", "a && b c", "a; c"),
    ],
)
def test_a_pattern_means_a_line_as_it_is_written(tmp_path: Path, rule: str, blocked: str, free: str) -> None:
    blocks = guard(tmp_path, f"Bash({rule})")
    assert (blocks(blocked), blocks(free)) == (True, False)


def test_a_guard_that_cannot_understand_its_input_blocks(tmp_path: Path) -> None:
    guard(tmp_path, "Bash(git log:*)")
    run = subprocess.run(
        [sys.executable, tmp_path / "guard.py"], input="{", check=False, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 2


# -- servers, hooks, skills, roles, instructions -----------------------------------------------------


def test_a_server_never_holds_a_variable_as_text(tmp_path: Path) -> None:
    servers = {
        "http": {
            "type": "http",
            "url": "https://x",
            "headers": {"Authorization": "Bearer ${T}", "A": "${B}", "C": "d"},
        },
        "stdio": {"command": "npx", "args": ["-y"], "env": {"K": "${K}", "L": "m"}},
        "renamed": {"command": "npx", "env": {"K": "${OTHER}"}},
        "fallback": {"command": "npx", "args": ["${X:-d}"]},
        "old": {"type": "sse", "url": "https://x"},
        "not.chosen": {"command": "npx"},
    }
    chosen = {"enabledMcpjsonServers": ["http", "stdio", "renamed"]}
    rules = {"deny": ["mcp__http__drop"], "ask": ["mcp__stdio__push"]}
    written = config(make(tmp_path, {".mcp.json": {"mcpServers": servers}, SETTINGS: {**chosen, "permissions": rules}}))
    assert written["mcp_servers"] == {
        "http": {
            "url": "https://x",
            "bearer_token_env_var": "T",
            "env_http_headers": {"A": "B"},
            "http_headers": {"C": "d"},
            "disabled_tools": ["drop"],
        },
        "not_chosen": {"command": "npx", "enabled": False},
        "renamed": {"command": "npx", "enabled": False},
        "stdio": {
            "command": "npx",
            "args": ["-y"],
            "env_vars": ["K"],
            "env": {"L": "m"},
            "tools": {"push": {"approval_mode": "prompt"}},
        },
    }


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('"$CLAUDE_PROJECT_DIR"/.claude/x', '"$(git rev-parse --show-toplevel)"/.claude/x'),
        ('python3 "$CLAUDE_PROJECT_DIR/.claude/x y"', 'python3 "$(git rev-parse --show-toplevel)""/.claude/x y"'),
        ("${CLAUDE_PROJECT_DIR}/x", '"$(git rev-parse --show-toplevel)"/x'),
        ("/usr/bin/env sh ${X}", "env sh $X"),
        ("echo ${X:-d}", 'sh "$(git rev-parse --show-toplevel)"/.codex/hooks/parity_hook_1.sh'),
    ],
)
def test_commands_of_hooks_name_no_variable_of_the_source_and_no_machine(
    tmp_path: Path, command: str, expected: str
) -> None:
    hook = {"hooks": [{"type": "command", "command": command}]}
    files = emitted(make(tmp_path, {SETTINGS: {"hooks": {"Stop": [hook]}}}))
    [group] = json.loads(files[HOOKS].content)["hooks"]["Stop"]
    assert group["hooks"][0]["command"] == expected


def test_a_hook_with_args_becomes_a_line_in_which_no_word_means_anything_to_a_shell(tmp_path: Path) -> None:
    hook = {"type": "command", "command": "node", "args": ["${CLAUDE_PROJECT_DIR}/a b.js", "$HOME;x", "it's", "p"]}
    files = emitted(make(tmp_path, {SETTINGS: {"hooks": {"Stop": [{"hooks": [hook]}]}}}))
    [group] = json.loads(files[HOOKS].content)["hooks"]["Stop"]
    line = group["hooks"][0]["command"].replace("$(git rev-parse --show-toplevel)", "/root")
    assert shlex.split(line) == ["node", "/root/a b.js", "$HOME;x", "it's", "p"]
    assert "'$HOME;x'" in line


def test_an_environment_with_a_variable_in_it_is_not_carried_over(tmp_path: Path) -> None:
    written = config(make(tmp_path, {SETTINGS: {"env": {"PATH": "./bin:$PATH", "A": "1", "B": "5 $"}}}))
    assert written == {"shell_environment_policy": {"set": {"A": "1", "B": "5 $"}}}


def test_a_role_that_cannot_edit_reads_only_and_keeps_what_the_profile_takes_away(tmp_path: Path) -> None:
    page = "---\nname: r\ndescription: d\n{}---\nx\n"
    roles = {".claude/agents/a.md": page.format("tools: Read, Grep\nmodel: opus\n")}
    path = ".codex/agents/r.toml"
    alone = tomllib.loads(emitted(make(tmp_path / "a", roles))[path].content.decode())
    assert alone["sandbox_mode"] == "read-only"
    assert "model" not in alone
    beside = make(tmp_path / "b", {**roles, SETTINGS: {"permissions": {"deny": ["Read(.env)"]}}})
    role = tomllib.loads(emitted(beside)[path].content.decode())
    assert role["default_permissions"] == "claude-read-only"
    assert "sandbox_mode" not in role


def test_imports_are_put_in_once_and_personal_ones_never(tmp_path: Path) -> None:
    tree = make(tmp_path, {"CLAUDE.md": "a @x.md b @~/me.md `@x.md`\n", "x.md": "one @y.md\n", "y.md": "two\n"})
    text = emitted(tree)["AGENTS.md"].content.decode()
    assert "a `x.md` b @~/me.md `@x.md`" in text
    assert text.index("## From `x.md`\n\none `y.md`") < text.index("## From `y.md`\n\ntwo")
    assert text.count("two") == 1


def test_links_are_relative_and_copies_hold_the_same_text(tmp_path: Path) -> None:
    page = "---\nname: s\ndescription: d\n---\nx\n"
    tree = make(tmp_path, {"CLAUDE.md": "x\n", "a/b/CLAUDE.md": "y\n", ".claude/skills/s/SKILL.md": page})
    links = {path: one.link for path, one in emitted(tree).items()}
    assert links == {
        "AGENTS.md": "CLAUDE.md",
        "a/b/AGENTS.md": "CLAUDE.md",
        ".agents/skills/s": "../../.claude/skills/s",
    }
    copies = emitted(tree, copies=True)
    assert {one.way for one in copies.values()} == {"copy"}
    assert copies[".agents/skills/s/SKILL.md"].content == page.encode()
    assert b"\n\nx\n\n" in copies["AGENTS.md"].content


def test_a_long_description_is_cut_and_the_rest_is_in_the_text(tmp_path: Path) -> None:
    tree = make(tmp_path, {".claude/skills/s/SKILL.md": f"---\nname: s\ndescription: {'x' * 2000}\n---\nbody\n"})
    [one] = emitted(tree, copies=True).values()
    assert one.content.count(b"x") >= 2000 or one.way == "copy"


def test_a_name_that_the_target_refuses_for_its_length_is_cut(tmp_path: Path) -> None:
    page = "---\nname: {}\ndescription: d\n---\nx\n"
    long = "n" * 70
    tree = make(tmp_path, {f".claude/skills/{one}/SKILL.md": page.format(one) for one in (long, f"{long}o", "short")})
    files = emitted(tree)
    names = ["n" * 64, f"{'n' * 62}-2"]
    assert sorted(files) == [*sorted(f".agents/skills/{name}/SKILL.md" for name in names), ".agents/skills/short"]
    for name in names:
        assert f'name: "{name}"'.encode() in files[f".agents/skills/{name}/SKILL.md"].content


# -- beside what others wrote --------------------------------------------------------------------------


def test_applying_twice_changes_nothing_and_the_source_stays(tmp_path: Path) -> None:
    import shutil

    for copies in (False, True):
        for number, parameter in enumerate(ALL[:5]):
            source = parameter.values[0]
            assert isinstance(source, Path)
            if (source / ".codex").exists():
                continue
            tree = tmp_path / f"{number}{copies}"
            shutil.copytree(source, tree, symlinks=True)
            assert put(tree, copies=copies) == []
            first = state(tree)
            assert put(tree, copies=copies) == []
            assert state(tree) == first
            before = state(source)
            assert {path: first[path] for path in before if path != "AGENTS.md"} == {
                path: one for path, one in before.items() if path != "AGENTS.md"
            }


def test_a_hand_written_config_is_merged_and_its_keys_and_comments_stay(tmp_path: Path) -> None:
    tree = make(
        tmp_path, {SETTINGS: {"env": {"A": "1"}}, CONFIG: '# mine\nmodel = "m"\n[mcp_servers.mine]\ncommand = "x"\n'}
    )
    assert put(tree) == []
    text = (tree / CONFIG).read_text()
    assert text.startswith("# mine\n")
    assert tomllib.loads(text) == {
        "model": "m",
        "mcp_servers": {"mine": {"command": "x"}},
        "shell_environment_policy": {"set": {"A": "1"}},
    }
    make(tree, {SETTINGS: {"env": {"B": "2"}}})
    assert put(tree) == []
    assert tomllib.loads((tree / CONFIG).read_text())["shell_environment_policy"] == {"set": {"B": "2"}}


@pytest.mark.parametrize(
    ("files", "code", "path"),
    [
        ({CONFIG: 'model_reasoning_effort = "low"\n'}, "target-key-exists", CONFIG),
        ({CONFIG: "x = [\n"}, "target-exists", CONFIG),
        ({HOOKS: "{}"}, "target-exists", HOOKS),
        ({".codex": "a file"}, "target-exists", ".codex"),
        ({CONFIG: 'sandbox_mode = "danger-full-access"\n'}, "target-key-exists", CONFIG),
        ({f"{HOOKS}/x": ""}, "target-exists", HOOKS),
    ],
)
def test_what_is_not_ours_is_not_overwritten_and_then_nothing_is_written(
    tmp_path: Path, files: dict[str, str], code: str, path: str
) -> None:
    value = {"effortLevel": "high", "permissions": {"deny": ["Bash(x:*)", "Read(.env)"]}}
    tree = make(tmp_path, {SETTINGS: value, "CLAUDE.md": "x", **files})
    before = state(tree)
    conflicts = put(tree)
    assert (code, path) in [(one[0], one[1]) for one in conflicts]
    assert state(tree) == before


def test_hand_written_instructions_keep_their_text_and_get_a_block(tmp_path: Path) -> None:
    tree = make(tmp_path, {"CLAUDE.md": "from the source\n", "AGENTS.md": "by hand\n"})
    assert put(tree) == []
    text = (tree / "AGENTS.md").read_text()
    assert text.startswith("by hand\n\n<!-- parity: generated from CLAUDE.md; edit those -->")
    assert "from the source" in text
    make(tree, {"CLAUDE.md": "another\n"})
    assert put(tree) == []
    text = (tree / "AGENTS.md").read_text()
    assert "from the source" not in text
    assert text.count("<!-- parity: end -->") == 1


def test_a_file_that_imports_the_target_s_own_is_left_as_it_is(tmp_path: Path) -> None:
    tree = make(tmp_path, {"CLAUDE.md": "@AGENTS.md\n", "AGENTS.md": "by hand\n"})
    assert emitted(tree) == {}
    linked = make(tmp_path / "linked", {"AGENTS.md": "by hand\n"})
    (linked / "CLAUDE.md").symlink_to("AGENTS.md")
    assert emitted(linked) == {}


def test_what_is_no_longer_emitted_goes_unless_somebody_edited_it(tmp_path: Path) -> None:
    page = "---\nname: {0}\ndescription: d\n---\nx\n"
    tree = make(tmp_path, {f".claude/agents/{name}.md": page.format(name) for name in "ab"})
    assert put(tree) == []
    for name in "ab":
        (tree / f".claude/agents/{name}.md").unlink()
    make(tree, {"CLAUDE.md": "x", ".codex/agents/b.toml": "edited"})
    assert put(tree) == []
    assert not (tree / ".codex/agents/a.toml").exists()
    assert (tree / ".codex/agents/b.toml").read_text() == "edited"


# -- lock and phase ---------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4))
def test_a_dotted_key_splits_into_what_it_was_made_of(path: list[str]) -> None:
    assert split(join(path)) == tuple(path)


def test_drift_is_found_in_sources_copies_and_links(tmp_path: Path) -> None:
    page = "---\nname: s\ndescription: d\n---\nx\n"
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n", ".claude/skills/s/SKILL.md": page})
    out = tmp_path / "out"
    for copies in (False, True):
        files = emitted(tree, copies=copies)
        write_output(out, list(files.values()))
        assert drifted(lock_of(tree, files), Tree(tree), out) == []
    (out / ".agents/skills/s/SKILL.md").write_text("edited")
    lock = lock_of(tree, files)
    assert drifted(lock, Tree(tree), out) == [(".agents/skills/s/SKILL.md", "it was edited, or is gone")]
    make(tree, {"CLAUDE.md": "changed"})
    assert ("AGENTS.md", "its source CLAUDE.md has changed") in drifted(lock, Tree(tree), out)


def test_a_checkout_without_links_is_detected(tmp_path: Path) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n"})
    files = emitted(tree)
    out = make(tmp_path / "out", {"AGENTS.md": "CLAUDE.md"})
    assert drifted(lock_of(tree, files), Tree(tree), out) == [
        ("AGENTS.md", "it is no link; this checkout may have been made without links")
    ]


@pytest.mark.parametrize("tree", ALL)
def test_a_phase_writes_the_same_tree_each_time(tree: Path, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        job = Job(tree, tmp_path / name, "tree")
        for run in (run_inventory, run_plan, run_emit, run_emit):
            assert run(job).record.passed
        written.append(state(job.out))
    assert written[0] == written[1]
    lock = canonical.read(tmp_path / "a" / "parity.lock.json", Lock)
    there = {path.removeprefix("output/") for path in written[0] if path.startswith("output/")}
    assert there == {row.target for row in lock.files}
    assert all(row.sources for row in lock.files)
    assert drifted(lock, Tree(tree), tmp_path / "a" / "output") == []


def test_the_command_applies_and_says_what_stands_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = make(tmp_path / "tree", {"CLAUDE.md": "x\n", SETTINGS: {"effortLevel": "high"}})
    words = ["--tree", str(tree), "--out", str(tmp_path / "out")]
    for phase in ("inventory", "plan"):
        assert main(["config", phase, *words]) == 0
    assert main(["config", "emit", "--apply", *words]) == 0
    assert (tree / "AGENTS.md").readlink() == Path("CLAUDE.md")
    (tree / CONFIG).write_text('model_reasoning_effort = "low"\n')
    (tree / ".codex" / "parity.lock.json").unlink()
    for phase in ("inventory", "plan"):
        assert main(["config", phase, *words]) == 0
    assert main(["config", "emit", "--apply", *words]) == 3
    assert "target-key-exists" in capsys.readouterr().err


def test_a_gate_that_fails_is_exit_code_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = make(tmp_path / "tree", {SETTINGS: {"permissions": {"denny": []}}})
    words = ["--tree", str(tree), "--out", str(tmp_path / "out")]
    assert main(["config", "run", *words]) == 3
    assert "1 fields are unclassified" in capsys.readouterr().err
    assert main(["config", "emit", *words]) == 1
    assert "error[gate-failed]" in capsys.readouterr().err


def test_our_own_files_are_not_taken_for_those_of_others(tmp_path: Path) -> None:
    tree = make(tmp_path, {"CLAUDE.md": "x\n", SETTINGS: {"effortLevel": "high"}})
    put(tree)
    assert take_inventory(tree, MAPPING, name="t", generated_at="t").present == ()


def test_a_key_of_another_type_than_the_target_reads_is_not_copied(tmp_path: Path) -> None:
    page = "---\nname: 5\ndescription: {a: 1}\nlicense: [x]\nmetadata: x\n---\nbody\n"
    tree = make(tmp_path, {".claude/skills/s/SKILL.md": page})
    text = emitted(tree)[".agents/skills/s/SKILL.md"].content.decode()
    assert text == '---\nname: "s"\ndescription: "{\'a\': 1}"\n---\nbody\n'


def test_long_instructions_raise_the_target_s_limit(tmp_path: Path) -> None:
    assert "project_doc_max_bytes" not in config(make(tmp_path / "a", {"CLAUDE.md": "x" * 20_000}))
    assert config(make(tmp_path / "b", {"CLAUDE.md": "x" * 40_000})) == {"project_doc_max_bytes": 65_536}


def test_hooks_that_are_switched_off_are_not_carried_over(tmp_path: Path) -> None:
    hook = [{"hooks": [{"type": "command", "command": "x"}]}]
    assert emitted(make(tmp_path, {SETTINGS: {"disableAllHooks": True, "hooks": {"Stop": hook}}})) == {}


def test_a_skill_may_be_called_like_a_folder_that_is_skipped_elsewhere(tmp_path: Path) -> None:
    page = "---\nname: {}\ndescription: d\n---\nx\n"
    files = {f".claude/skills/{name}/SKILL.md": page.format(name) for name in ("target", "dist")}
    tree = make(tmp_path, {**files, "dist/CLAUDE.md": "built"})
    assert sorted(emitted(tree)) == [".agents/skills/dist", ".agents/skills/target"]

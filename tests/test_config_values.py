"""Values that a reader lets through and the target does not take: names, paths of a machine, patterns, wrong types."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from config_trees import MAPPING, codes, inventory, kinds, make, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.emit import Emitted, emit
from pipeline.config.machine import names_a_machine
from pipeline.config.safety import loosenings
from pipeline.config.tree import Tree

SETTINGS, SERVERS, CONFIG, HOOKS = ".claude/settings.json", ".mcp.json", ".codex/config.toml", ".codex/hooks.json"


def emitted(tree: Path) -> dict[str, Emitted]:
    return {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree), MAPPING)}


def servers(tree: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(emitted(tree)[CONFIG].content.decode())["mcp_servers"]
    return found


def starting(*names: str) -> dict[str, Any]:
    return {"mcpServers": {name: {"command": name} for name in names}}


# -- servers ------------------------------------------------------------------------------------------


def test_servers_whose_names_become_the_same_are_all_kept_and_restricted(tmp_path: Path) -> None:
    rules = {"permissions": {"deny": ["mcp__a_b__x"]}}
    tree = make(tmp_path, {SERVERS: starting("a.b", "a_b", "A b"), SETTINGS: rules})
    assert servers(tree) == {
        "A_b": {"command": "A b"},
        "a_b": {"command": "a_b", "disabled_tools": ["x"]},
        "a_b_2": {"command": "a.b", "disabled_tools": ["x"]},
    }
    assert [code for code, *_ in codes(plan(tree))] == ["name-collision"]


@pytest.mark.parametrize("rule", ["mcp__ghost", "mcp__ghost__t", "mcp__ghost__*", "mcp__g*__t"])
def test_a_rule_on_a_server_that_is_not_there_is_said_to_do_nothing(tmp_path: Path, rule: str) -> None:
    tree = make(tmp_path, {SERVERS: starting("a"), SETTINGS: {"permissions": {"deny": [rule]}}})
    [decision] = [one for one in plan(tree).fields() if one.domain == "permissions"]
    assert (decision.rule, decision.classification, decision.target) == ("PER-MCP-ABSENT", "unsupported", None)


@pytest.mark.parametrize(
    ("key", "value"),
    [("disabledMcpjsonServers", 5), ("enabledMcpjsonServers", "a"), ("enableAllProjectMcpServers", "yes")],
)
def test_a_choice_of_servers_that_cannot_be_read_leaves_them_off(tmp_path: Path, key: str, value: object) -> None:
    tree = make(tmp_path, {SERVERS: starting("a"), SETTINGS: {key: value}})
    assert servers(tree) == {"a": {"command": "a", "enabled": False}}
    assert codes(inventory(tree)) == [("choice-malformed", SETTINGS, f"/{key}")]


# -- paths of one machine -----------------------------------------------------------------------------

_TEXT = st.lists(
    st.sampled_from(
        ["/etc/x", "/home/me/", "src", ":", "=", ",", " ", '"', "'", "-v", "./d", "C:\\x", "/usr/bin/jq", ">", "<", "/"]
    ),
    max_size=5,
).map("".join)


@settings(max_examples=150)
@given(_TEXT, _TEXT, _TEXT)
def test_what_is_written_names_no_machine_whatever_stands_in_the_source(
    tmp_path_factory: pytest.TempPathFactory, one: str, two: str, three: str
) -> None:
    hook = {"type": "command", "command": two or "x", "statusMessage": three}
    tree = make(
        tmp_path_factory.mktemp("tree"),
        {
            SETTINGS: {"env": {"A": one, "B": two}, "hooks": {"Stop": [{"hooks": [hook]}]}},
            SERVERS: {
                "mcpServers": {
                    "a": {"command": "x", "args": [one, two], "env": {"K": three}},
                    "b": {"url": "https://e.example/mcp", "headers": {"X": three}},
                }
            },
        },
    )
    assert loosenings(list(emitted(tree).values()), MAPPING) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("./data:/var/lib/data", True),
        ("--config=/etc/x.yml", True),
        ("echo x >/var/log/y", True),
        ("https://e.example/home/x", False),
        ("unix:///var/run/x", False),
        ("a/usr/b", False),
        ("/dev/null", False),
    ],
)
def test_a_path_of_a_machine_is_known_by_what_stands_before_it(text: str, named: bool) -> None:
    assert names_a_machine(text) is named


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("/usr/bin/env python3 a.py", "env python3 a.py"),
        ("x && /bin/echo y", "x && echo y"),
        ("test -x /usr/bin/jq && echo y", None),
        ("PYTHONPATH=src:/home/me/x python3 a.py", None),
        ("echo x >/var/log/y", None),
        ("cat </etc/hosts", None),
        ("echo x 2>/dev/null", "echo x 2>/dev/null"),
    ],
)
def test_a_command_of_a_hook_names_programs_and_no_places(tmp_path: Path, command: str, written: str | None) -> None:
    hooks = {"Stop": [{"hooks": [{"type": "command", "command": command}]}]}
    files = emitted(make(tmp_path, {SETTINGS: {"hooks": hooks}}))
    found = json.loads(files[HOOKS].content)["hooks"]["Stop"][0]["hooks"][0]["command"] if HOOKS in files else None
    assert found == written


def test_where_programs_are_is_left_to_the_machine(tmp_path: Path) -> None:
    tree = make(tmp_path, {SETTINGS: {"env": {"PATH": "node_modules/.bin", "HOME": "x", "MY_PATH": "x"}}})
    assert tomllib.loads(emitted(tree)[CONFIG].content.decode()) == {
        "shell_environment_policy": {"set": {"MY_PATH": "x"}}
    }


# -- hooks --------------------------------------------------------------------------------------------

READ = ["Bash|Edit", "mcp__.*__(write|read)", "\\bBash\\b", "(?i)bash", "[[:alpha:]]+", "(?<x>Bash)", "\\u0042ash"]
UNREAD = ["^(?!Read).*$", "(Bash)(?=x)", "(?<=x)y", "(?P<a>B)(?P=a)", "(.)\\1", "Bash\\Z", "(?#c)Bash"]


@pytest.mark.parametrize("matcher", [*READ, *UNREAD])
def test_a_matcher_that_the_target_cannot_read_is_not_written(tmp_path: Path, matcher: str) -> None:
    group = {"matcher": matcher, "hooks": [{"type": "command", "command": "true"}]}
    found = kinds(inventory(make(tmp_path, {SETTINGS: {"hooks": {"PreToolUse": [group]}}})), "hooks")
    assert found == [f"hook.PreToolUse.command{'.matcher' if matcher in UNREAD else ''}"]


@pytest.mark.parametrize("seconds", [10**23, 1 << 31, 0, 1.5])
def test_a_time_limit_that_the_target_cannot_read_is_not_written(tmp_path: Path, seconds: float) -> None:
    hooks = {"Stop": [{"hooks": [{"type": "command", "command": "true", "timeout": seconds}]}]}
    tree = make(tmp_path, {SETTINGS: {"hooks": hooks}})
    assert b"timeout" not in emitted(tree)[HOOKS].content
    assert kinds(inventory(tree), "hooks") == ["hook.Stop.command", "handler.timeout"]


def test_what_the_sandbox_is_made_of_is_no_policy(tmp_path: Path) -> None:
    sandbox = {"enabledPlatforms": ["macos"], "ripgrep": {"command": "rg"}, "bwrapPath": "/x", "socatPath": "/y"}
    found = plan(make(tmp_path, {SETTINGS: {"sandbox": sandbox}}))
    assert {one.rule for one in found.fields()} == {"PER-SETTING"}


def test_the_servers_of_a_role_are_its_own_and_restricted_like_others(tmp_path: Path) -> None:
    head = {
        "name": "r",
        "description": "R",
        "mcpServers": [
            "shared",
            {"in.line": {"command": "npx", "args": ["-y"], "env": {"K": "${K}"}}},
            {"web": {"type": "http", "url": "https://e.example", "headers": {"Authorization": "Bearer ${T}"}}},
            {"half": {"command": "x", "env": {"K": "a${K}"}}},
            {"odd": {"command": "${X}"}},
            {"old": {"type": "sse", "url": "https://e.example"}},
            {"none": 5},
        ],
    }
    page = f"---\n{json.dumps(head)}\n---\nx\n"
    rules = {"permissions": {"deny": ["mcp__in_line__drop", "mcp__web"]}}
    tree = make(tmp_path, {".claude/agents/r.md": page, SETTINGS: rules})
    files = emitted(tree)
    assert tomllib.loads(files[".codex/agents/r.toml"].content.decode())["mcp_servers"] == {
        "half": {"command": "x", "enabled": False},
        "in_line": {"command": "npx", "args": ["-y"], "env_vars": ["K"], "disabled_tools": ["drop"]},
        "web": {"url": "https://e.example", "bearer_token_env_var": "T", "enabled": False},
    }
    assert loosenings(list(files.values()), MAPPING) == []
    assert "PER-MCP-ABSENT" not in {one.rule for one in plan(tree).fields()}


def test_a_variable_or_a_machine_in_a_role_s_server_is_found_in_the_bytes() -> None:
    text = b'name = "r"\n[mcp_servers.x]\ncommand = "${X}"\nargs = ["--c=/etc/x"]\ntype = "y"\n'
    found = loosenings([Emitted(".codex/agents/r.toml", "generated", text)], MAPPING)
    assert [one.partition(": ")[2] for one in found] == [
        "a server has no key 'type'",
        "a variable is written that nobody puts in",
        "a path of one machine is written",
    ]

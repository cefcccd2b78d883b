"""Hooks that call a tool of a server: what becomes of them, and that the program calls it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from config_trees import MAPPING, inventory, make, plan
from loopback import Say, Shell, model, surroundings

from pipeline.config.emit import Emitted, emit
from pipeline.config.output_tree import put
from pipeline.config.phase_emit import run_emit
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phase_verify import evidence_of, run_verify
from pipeline.config.phases import Job
from pipeline.config.tree import Tree
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex import Exec

# A server that blocks whatever it is asked about, and writes down what that was.
SERVER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    match asked["method"]:
        case "initialize":
            version = asked["params"]["protocolVersion"]
            answer = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}}
        case "tools/list":
            answer = {"tools": [{"name": "look", "inputSchema": {"type": "object"}}]}
        case _:
            with open("asked.json", "w") as stream:
                json.dump(asked["params"]["arguments"], stream)
            text = json.dumps({"decision": "block", "reason": "seen by the server"})
            answer = {"content": [{"type": "text", "text": text}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": answer}), flush=True)
"""
HOOK = {"type": "mcp_tool", "server": "my server", "tool": "look", "input": {"depth": 2}, "timeout": 20, "async": True}
TREE: dict[str, Any] = {
    ".claude/settings.json": {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [HOOK]}]}},
    ".mcp.json": {"mcpServers": {"my server": {"command": Path(sys.executable).name, "args": ["tools/server.py"]}}},
    "tools/server.py": SERVER,
}


def emitted(tree: Path, version: str = "0.169.0") -> dict[str, Emitted]:
    return {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree, version), MAPPING)}


def test_a_hook_calls_the_server_by_the_name_that_it_has_in_the_target(tmp_path: Path) -> None:
    tree = make(tmp_path, TREE)
    written = json.loads(emitted(tree)[".codex/hooks.json"].content)
    handler = {"type": "mcp_tool", "server": "my_server", "tool": "look", "input": {"depth": 2}, "timeout": 20}
    assert written == {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [handler]}]}}
    # That nobody waits for it is said to be lost.
    assert [one.rule for one in plan(tree).decisions if one.domain == "hooks" and one.rule] == ["HOK-TOOL", "HOK-KEY"]


def test_a_version_that_runs_only_commands_gets_no_such_hook(tmp_path: Path) -> None:
    assert ".codex/hooks.json" not in emitted(make(tmp_path, TREE), "0.125.0")


@pytest.mark.real
def test_the_program_asks_the_server_before_it_runs_a_command(tmp_path: Path, config_program: Path) -> None:
    tree = make(tmp_path / "tree", TREE)
    job = Job(tree, tmp_path / "out", "tree", binary=config_program)
    for run in (run_inventory, run_plan, run_emit, run_verify):
        assert run(job).record.passed
    assert {one.status for one in evidence_of(job.out).checks if one.area == "hooks"} == {"pass"}

    with surroundings() as place, model((Shell("touch made"),), (Say("Stopped."),)) as asked:
        place.know(asked)
        config = place.home / "codex" / "config.toml"
        with config.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(f'\n[projects."{place.folder}"]\ntrust_level = "trusted"\n')
        subprocess.run(["git", "init", "-q", place.folder], check=True)
        make(place.folder, TREE)
        for path, one in emitted(tree).items():
            put(place.folder / path, one)
        client = Client(config_program, env=place.environment, cwd=place.folder)
        asyncio.run(client.run(Exec(prompt="go", json=True, dangerously_bypass_hook_trust=True)))
        assert json.loads((place.folder / "asked.json").read_text(encoding="utf-8")) == {"depth": 2}
        assert not (place.folder / "made").exists()
        assert "seen by the server" in json.dumps(asked.requests[-1])

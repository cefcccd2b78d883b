"""Commands that are denied or asked about: nothing of them runs unasked in the target. Asked of the real program."""

from __future__ import annotations

import json
import random
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from config_trees import MAPPING, inventory, make, plan

from pipeline.config.emit import Emitted, emit
from pipeline.config.emit.guard import NAME
from pipeline.config.tree import Tree
from pipeline.config.verify.scenarios import blocked, blocked_each

SETTINGS = ".claude/settings.json"
RULES = (
    "git push:*", "git push *", "git push", "git push --force:*", "git * main", "git *", "npm publish", "npm run deploy:*",
    "rm -rf:*", "rm:*", "curl *", "* --no-verify*", "* | sh", "sudo:*", "echo 'a b':*", "./x.sh:*", "FOO=1 make:*", "make *",
    "terraform apply*", "docker compose down -v", "python3 -c:*", "true:*", "*",
)  # fmt: skip
COMMANDS = (
    "git push", "git push origin main", "git push --force", "git checkout main", "git status", "npm publish",
    "npm publish --tag x", "npm run deploy", "rm -rf x", "rm -r x", "rm x", "curl https://e.example", "git commit --no-verify",
    "sudo ls", "echo 'a b' c", "echo a", "./x.sh y", "make all", "terraform apply -auto-approve", "terraform plan",
    "docker compose down -v", "python3 -c 'x y'", "true", "ls -la",
)  # fmt: skip


def emitted(tree: Path) -> dict[str, Emitted]:
    return {one.path: one for one in emit(Tree(tree), inventory(tree), plan(tree), MAPPING)}


def means(rule: str, command: str) -> bool:
    """Whether a rule means a command, as the source's documentation says: a wildcard is any text, `:*` is ` *`."""
    if rule.endswith((":*", " *")):
        prefix = rule[:-2]
        if "*" not in prefix:
            return command == prefix or command.startswith(f"{prefix} ")
    return re.fullmatch(".*".join(map(re.escape, rule.replace(":*", "*").split("*"))), command) is not None


def wrapped(command: str) -> tuple[str, ...]:
    """The command among others, and behind what the source looks past."""
    return (
        command,
        f"cd . && {command}",
        f"{command}; date",
        f"date | {command}",
        f"timeout 5 {command}",
        f"nohup {command}",
    )


def drawn(draw: random.Random) -> dict[str, Any]:
    return {
        name: [f"Bash({one})" for one in draw.sample(RULES, draw.randint(0, 4))] for name in ("deny", "ask", "allow")
    }


def decision(program: Path, rules: Path, command: str) -> str:
    if not rules.exists():
        return "none"
    words: list[str | Path] = [program, "execpolicy", "check", "--rules", rules, "--", *shlex.split(command)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return str(json.loads(done.stdout).get("decision", "none"))


@pytest.mark.real
def test_no_command_runs_unasked_that_a_rule_denies_or_asks_about(tmp_path: Path, real_binary: Any) -> None:
    program, draw = real_binary("0.169.0"), random.Random(22)
    for number in range(8):
        permissions = drawn(draw)
        tree = make(tmp_path / str(number), {SETTINGS: {"permissions": permissions}})
        files = emitted(tree)
        make(tree, {path: one.content for path, one in files.items() if one.link is None})
        script = tree / ".codex" / "hooks" / NAME
        lines = [line for command in COMMANDS for line in wrapped(command)]
        stopped = dict(
            zip(lines, blocked_each(script, lines) if script.exists() else [False] * len(lines), strict=True)
        )
        for command in COMMANDS:
            denied, asked = (any(means(rule[5:-1], command) for rule in permissions[name]) for name in ("deny", "ask"))
            if denied:
                assert all(stopped[line] for line in wrapped(command)), (command, permissions)
            elif asked and not all(stopped[line] for line in wrapped(command)):
                # What the guard leaves open are lines of plain words, into whose commands the rules look.
                assert all(stopped[line] for line in wrapped(command)[4:]), (command, permissions)
                found = decision(program, tree / ".codex" / "rules" / "claude.rules", command)
                assert found in ("prompt", "forbidden"), (command, permissions)


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("git push origin", True),
        ("date && git push | cat", True),
        ('git push "a b"', True),
        ("git push > out.txt", False),
        ("timeout 5 git push", False),
        ("git -C . push", False),
        ("git push && git -C . push", False),
        ("X=push; git $X", False),
        ("bash -c 'git push'", False),
        ("git push &", False),
        ("date\ngit push", False),
    ],
)
def test_what_is_asked_about_is_left_to_the_rule_where_that_sees_it(tmp_path: Path, command: str, left: bool) -> None:
    tree = make(tmp_path, {SETTINGS: {"permissions": {"ask": ["Bash(git push:*)"]}}})
    script = (
        make(tmp_path, {f".codex/hooks/{NAME}": emitted(tree)[f".codex/hooks/{NAME}"].content}) / ".codex/hooks" / NAME
    )
    assert blocked(script, command) is not left

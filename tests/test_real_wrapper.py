"""The Codex declarations against the real binaries: what is declared is accepted, what is shown is declared.

``codex <command> FLAG VALUE --help`` answers 0 for a flag and a value that the parser knows and 2 for
others, without running anything.
"""

import functools
import os
import re
import subprocess
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest

from pipeline.contract.rules import read_rules
from pipeline.layout import Root
from pipeline.surface.coverage import CoveredCommand
from pipeline.wrapper.codex import DECLARATIONS, Codex
from pipeline.wrapper.declare import command_line
from pipeline.wrapper.derive import sample

pytestmark = pytest.mark.real

VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
NEWEST = VERSIONS[-1]
CODEX = Root(Path(__file__).resolve().parents[1] / "cli_manifests" / "codex")
EXCLUDED = read_rules(CODEX.rules).parity_exclusions.units
COMMANDS = [d for d in DECLARATIONS if not isinstance(d, CoveredCommand)]
# clap repeats these on every command; they are declared at the root, where they may be given for all.
GLOBAL = {"--config", "--enable", "--disable", "--help", "--version"}


@pytest.fixture
def ask(tmp_path):
    """Run a command line with ``--help`` before its positionals; gives the exit code and stdout."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    environment = {**kept, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "COLUMNS": "1000", "NO_COLOR": "1"}

    def run(words):
        end = words.index("--") if "--" in words else len(words)
        asked = subprocess.run(
            [*words[:end], "--help"],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return asked.returncode, asked.stdout.decode("utf-8")

    return run


@functools.cache
def names_shown(page):
    """The names of flags and positionals on a help page."""
    flags = re.findall(r"^ {2,6}(?:(-\w), )?(--[\w-]+)", page, flags=re.MULTILINE)
    args = re.findall(r"^ {2}[\[<](\w+)[\]>]", page, flags=re.MULTILINE)
    return {name for pair in flags for name in pair if name} | set(args)


def shown(ask, binary, command):
    code, page = ask([str(binary), *command.path])
    assert code == 0
    return names_shown(page)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_version_shows_it_accepts_as_argv_writes_it(version, command, real_binary, ask):
    binary = real_binary(version)
    names = shown(ask, binary, command)
    assert ask([str(binary), *command.path, "--no-such-flag"])[0] == 2

    refused = []
    for slot in command.slots:
        if not slot.is_flag or slot.key not in names:
            continue
        words = command_line(binary, sample(command, slot.field))
        for name in slot.word.names:
            if name not in names:
                refused.append(f"{name} is not shown")
            spelled = [
                name + word[len(slot.key) :] if word == slot.key or word.startswith(slot.glued) else word
                for word in words
            ]
            if ask(spelled)[0] != 0:
                refused.append(" ".join(spelled[1:]))
    assert not refused


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_all_that_the_newest_version_shows_is_declared_or_excluded(command, real_binary, ask):
    declared = {name for slot in command.slots for name in slot.word.names}
    if command is not Codex:
        declared |= {name for slot in Codex.slots if GLOBAL & set(slot.word.names) for name in slot.word.names}
    declared |= {one.key or one.name for one in EXCLUDED if one.path == command.path}
    assert shown(ask, real_binary(NEWEST), command) - declared == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_nothing_is_declared_that_no_version_has(command, real_binary, ask):
    names = set().union(*(shown(ask, real_binary(version), command) for version in VERSIONS))
    assert {name for slot in command.slots for name in slot.word.names} - names == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_every_declared_value_is_accepted_by_some_version(command, real_binary, ask):
    for slot in command.slots:
        if slot.kind != "one" or not issubclass(slot.types[0], StrEnum):
            continue
        for value in slot.types[0]:
            given = replace(sample(command, slot.field), **{slot.field: value})
            assert any(ask(command_line(real_binary(v), given))[0] == 0 for v in VERSIONS), value

"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import canonical, cli
from pipeline.contract.folder import open_folder
from pipeline.layout import Root
from pipeline.surface.snapshot import Snapshot

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


# A program that takes what the example asks of it: its version, then a prompt by standard input, answered with an event.
CODEX = """#!/bin/sh
[ "$1" = --version ] && exec echo "codex-cli 0.169.0"
[ "$*" = "exec --json --sandbox workspace-write -- -" ] || exit 2
printf '{"type": "item.completed", "item": {"id": "i", "type": "agent_message", "text": "%s"}}\\n' "$(cat)"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_the_python_example_runs(tmp_path: Path) -> None:
    [example] = [block for block in blocks("python") if "asyncio" in block]
    program = tmp_path / "codex"
    program.write_text(CODEX)
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-c", example],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "text='fix the tests'" in done.stdout
    assert done.stdout.endswith("ended with 0\n")


def test_the_question_has_the_answer_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    [example] = [block for block in blocks("python") if "may_pass" in block]
    imported, asked, shown = re.fullmatch(r"(.*)\n\n(.*)  # (.*)\n", example, re.DOTALL).groups()  # type: ignore[union-attr]
    names: dict[str, object] = {}
    exec(imported, names)
    assert eval(asked, names) == eval(shown)


def test_the_error_example_is_the_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    [example] = [block for block in blocks("console") if "error[" in block]
    command, expected = example.removeprefix("$ ").rstrip("\n").split("\n")
    assert cli.main(shlex.split(command)[1:]) == 1
    assert capsys.readouterr().err.rstrip("\n") == expected


def test_the_shown_report_is_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(CHECKOUT)
    [example] = [block for block in blocks("console") if "parity show" in block]
    command, *shown, rest = example.removeprefix("$ ").rstrip("\n").split("\n")
    assert cli.main(shlex.split(command)[1:]) == 0
    assert capfdbinary.readouterr().out.decode().splitlines()[: len(shown)] == shown
    assert rest == "…"


VERSIONS = sorted(
    (root.name, version) for root in (CHECKOUT / "cli_manifests").iterdir() for version in Root(root).versions()
)


@pytest.mark.parametrize(("agent", "version"), VERSIONS)
def test_the_table_counts_what_is_committed(agent: str, version: str) -> None:
    assert row_of(agent, version) in README


def row_of(agent: str, version: str) -> str:
    """The table's row of a version: units on x86_64 Linux, those of a hidden command hidden too."""
    folder = open_folder(CHECKOUT / "cli_manifests" / agent)
    snapshot = canonical.read(folder.root.snapshot(version, folder.rules.union.required_target), Snapshot)
    commands = [command.state for command in snapshot.commands]
    flags = [
        "hidden" if command.state == "hidden" else flag.state
        for command in snapshot.commands
        for flag in command.flags or ()
    ]
    counts = [str(states.count("visible")) for states in (commands, flags)]
    counts = [
        f"{shown} + {hidden} hidden" if (hidden := states.count("hidden")) else shown
        for shown, states in zip(counts, (commands, flags), strict=True)
    ]
    missing = "no wrapper"
    if folder.has_wrapper:
        support = canonical.read_json(folder.root.metadata(version))["coverage"]
        lacking = {one["target_triple"]: one for one in support["unsupported_targets"]}
        required = lacking.get(folder.rules.union.required_target)
        missing = f"{required['uncovered_units']} units" if required else "nothing"
    return f"| `{agent}` | {version} | {snapshot.generator.dialect} | {' | '.join(counts)} | {missing} |"


@pytest.mark.parametrize("agent", sorted({agent for agent, _ in VERSIONS}))
def test_every_version_of_the_table_is_locked(agent: str) -> None:
    folder = open_folder(CHECKOUT / "cli_manifests" / agent)
    assert {row.version for row in folder.lock().rows} >= set(folder.root.versions())

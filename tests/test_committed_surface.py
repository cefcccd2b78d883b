"""What the committed snapshots say, against what is known of the real CLIs from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import canonical
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.union import Union
from pipeline.surface.units import Command, Flag

MANIFESTS = Path(__file__).resolve().parents[1] / "cli_manifests"
SNAPSHOTS = sorted(path for path in MANIFESTS.glob("*/snapshots/*/*.json") if path.stem != "union")
LINUX = {"codex": "x86_64-unknown-linux-musl"}


def load(agent: str, version: str) -> dict[str, Command]:
    path = MANIFESTS / agent / "snapshots" / version / f"{LINUX.get(agent, 'linux-x64')}.json"
    return {" ".join(command.path): command for command in canonical.read(path, Snapshot).commands}


def flag(command: Command, name: str) -> Flag | None:
    return next((one for one in command.flags or () if name in (one.long, one.short, *(one.aliases or ()))), None)


def state(command: Command, name: str) -> str | None:
    found = flag(command, name)
    return found.state if found else "rejected" if name in (command.rejected or ()) else None


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: "/".join(path.parts[-4::1]))
def test_every_unit_has_a_state_and_evidence_and_what_is_shown_a_place(path: Path) -> None:
    for command in canonical.read(path, Snapshot).commands:
        for unit in (command, *(command.flags or ()), *(command.args or ())):
            assert unit.state, (command.path, unit)
            assert unit.evidence, (command.path, unit)
            if "help" in unit.evidence and unit is not command:
                assert unit.span, (command.path, unit)
        # A command's own place is in the page of the command above it.
        assert bool(command.span) is bool(command.path and "help" in (command.evidence or ()))


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: "/".join(path.parts[-4::1]))
def test_what_an_exhaustive_completion_knows_is_all_that_is_shown(path: Path) -> None:
    snapshot = canonical.read(path, Snapshot)
    if not snapshot.oracles or not snapshot.oracles[0].kind.startswith("clap"):
        pytest.skip("no exhaustive completion")
    for command in snapshot.commands:
        for unit in (command, *(command.flags or ())):
            if unit.state == "visible" and command.path:
                assert "completion" in (unit.evidence or ()), (command.path, unit)


def test_hidden_commands_and_flags_of_codex() -> None:
    commands = load("codex", "0.125.0")
    assert {path for path, command in commands.items() if command.state == "hidden"} == {
        "app-server generate-internal-json-schema",
        "debug clear-memories",
        "debug trace-reduce",
        "execpolicy",
        "execpolicy check",
        "responses",
        "responses-api-proxy",
        "stdio-to-uds",
    }
    visible = {path: command for path, command in commands.items() if command.state == "visible"}
    hidden = {
        (path, one.long)
        for path, command in visible.items()
        for one in command.flags or ()
        if one.state == "hidden" and one.evidence != ("probe",)
    }
    assert hidden == {
        ("login", "--api-key"),
        ("login", "--experimental_client-id"),
        ("login", "--experimental_issuer"),
    }


@pytest.mark.parametrize(
    ("version", "root", "in_exec", "alias"),
    [("0.125.0", "visible", "visible", "hidden"), ("0.169.0", "rejected", "rejected", "hidden")],
)
def test_the_life_of_a_flag(version: str, root: str, in_exec: str, alias: str) -> None:
    commands = load("codex", version)
    assert state(commands[""], "--full-auto") == root
    assert state(commands["exec"], "--full-auto") == in_exec
    assert state(commands["exec"], "--experimental-json") == alias


def test_only_completion_tells_what_repeats() -> None:
    config = flag(load("codex", "0.125.0")["exec"], "--config")
    assert config
    assert config.repeatable


def test_a_description_full_of_commands_and_flags_makes_none() -> None:
    commands = load("claude_code", "2.1.29")
    assert len(commands) == 27
    assert not {"plugin manifest", "plugin marketplace repo", "mcp Examples:"} & set(commands)
    add = commands["mcp add"]
    assert {one.long for one in add.flags or ()} == {"--env", "--header", "--help", "--scope", "--transport"}
    assert [one.name for one in sorted(add.args or (), key=lambda arg: arg.position or 0)] == [
        "name",
        "commandOrUrl",
        "args",
    ]


def test_what_sdks_pass_and_help_does_not_show_is_hidden() -> None:
    root = load("claude_code", "2.1.329")[""]
    for name in ("--max-turns", "--permission-prompt-tool", "--max-thinking-tokens", "--resume-session-at"):
        assert state(root, name) == "hidden"


def test_a_union_over_three_systems() -> None:
    union = canonical.read(MANIFESTS / "codex" / "snapshots" / "0.169.0" / "union.json", Union)
    targets = tuple(one.target_triple for one in union.inputs)
    assert targets == ("x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-pc-windows-msvc")
    assert union.missing_targets == ("aarch64-apple-darwin",)
    partial = {" ".join(one.path): one.available_on for one in union.commands if one.available_on != targets}
    assert partial == {"app": ("x86_64-pc-windows-msvc",)}
    [conflict] = [conflict for one in union.commands for conflict in one.conflicts or ()]
    assert (conflict.path, conflict.key, conflict.field) == (("migrate-nfs-db",), "--staging-dir", "default")
    assert conflict.evidence
    assert len(set(conflict.evidence.help_sha256_by_target.values())) > 1


def test_the_folder_stays_small() -> None:
    committed = [path for path in MANIFESTS.rglob("*") if path.is_file() and "raw_help" not in path.parts]
    assert sum(path.stat().st_size for path in committed) < 25_000_000

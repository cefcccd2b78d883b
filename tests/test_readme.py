"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
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


def test_the_python_example_prints_what_it_says() -> None:
    [example] = blocks("python")
    code, _, printed = example.rpartition("\n# ")
    *statements, last = code.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(statements), names)
    assert repr(eval(last, names)) == printed.strip()


def test_the_error_example_is_the_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    [example] = [block for block in blocks("console") if "error[" in block]
    command, expected = example.removeprefix("$ ").rstrip("\n").split("\n")
    assert cli.main(shlex.split(command)[1:]) == 1
    assert capsys.readouterr().err.rstrip("\n") == expected


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
        missing = f"{support['unsupported_targets'][0]['uncovered_units']} units"
    return f"| `{agent}` | {version} | {snapshot.generator.dialect} | {' | '.join(counts)} | {missing} |"


@pytest.mark.parametrize("agent", sorted({agent for agent, _ in VERSIONS}))
def test_every_version_of_the_table_is_locked(agent: str) -> None:
    folder = open_folder(CHECKOUT / "cli_manifests" / agent)
    assert {row.version for row in folder.lock().rows} >= set(folder.root.versions())

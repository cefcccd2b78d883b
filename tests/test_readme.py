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


@pytest.mark.parametrize("version", ["0.61.0", "0.125.0", "0.169.0"])
def test_the_table_counts_what_is_committed(version: str) -> None:
    root = Root(CHECKOUT / "cli_manifests" / "codex")
    snapshot = canonical.read(root.snapshot(version, "x86_64-unknown-linux-musl"), Snapshot)
    flags = sum(len(command.flags or ()) for command in snapshot.commands)
    [unsupported] = canonical.read_json(root.metadata(version))["coverage"]["unsupported_targets"]
    row = f"| {version} | {len(snapshot.commands)} | {flags} | {unsupported['uncovered_units']} units |"
    assert row in README


def test_every_version_of_the_table_is_locked() -> None:
    folder = open_folder(CHECKOUT / "cli_manifests" / "codex")
    assert {row.version for row in folder.lock().rows} == set(folder.root.versions())

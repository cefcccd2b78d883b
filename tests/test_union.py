"""What a union refuses to take for a difference between targets, and what becomes of hidden units after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import canonical
from pipeline.contract.rules import read_rules
from pipeline.errors import IdentityMismatch
from pipeline.layout import Root
from pipeline.lifecycle.support import support_of
from pipeline.report.build import sort_units
from pipeline.report.upstream import Upstream
from pipeline.surface.coverage import CoveredCommand
from pipeline.union import union_bytes

LINUX, MAC = "x86_64-unknown-linux-musl", "aarch64-apple-darwin"
TIME = "2026-01-01T00:00:00Z"
GENERATOR = {"name": "cli-parity", "revision": 2, "dialect": "clap"}
PAGE = "a" * 64


def flag(name: str, **facts: Any) -> dict[str, Any]:
    return {"long": name, "takes_value": False, "state": "visible", "evidence": ["help"], **facts}


def command(*path: str, page: str = PAGE, flags: list[dict[str, Any]], **facts: Any) -> dict[str, Any]:
    return {"path": path, "state": "visible", **facts, "help_sha256": page, "flags": flags}


def snapshot(target: str, *commands: dict[str, Any], generator: dict[str, Any] | None = GENERATOR) -> dict[str, Any]:
    said = {"generator": generator} if generator else {}
    binary = {
        "sha256": "00",
        "size_bytes": 1,
        "platform": {"os": "linux", "arch": "x86_64"},
        "target_triple": target,
        "version_output": "tool 1.2.3",
        "semantic_version": "1.2.3",
    }
    return {
        "snapshot_schema_version": 1,
        "tool": "tool",
        "collected_at": TIME,
        **said,
        "binary": binary,
        "commands": list(commands),
    }


@pytest.fixture
def union(tmp_path: Path):
    root = Root(tmp_path / "tool")
    rules = {"union": {"required_target": LINUX, "expected_targets": [LINUX, MAC]}}
    canonical.write(root.rules, canonical.encode(rules))

    def merge(*snapshots: dict[str, Any]) -> dict[str, Any]:
        for one in snapshots:
            canonical.write(root.snapshot("1.2.3", one["binary"]["target_triple"]), canonical.encode(one))
        return canonical.loads(union_bytes(root, "1.2.3", read_rules(root.rules), collected_at=TIME), root.path)

    merge.rules = lambda: read_rules(root.rules)  # type: ignore[attr-defined]
    return merge


@pytest.mark.parametrize("other", [GENERATOR | {"revision": 1}, GENERATOR | {"dialect": "plain"}, None])
def test_snapshots_of_different_readers_are_refused(union, other) -> None:
    here, there = snapshot(LINUX, command(flags=[])), snapshot(MAC, command(flags=[]), generator=other)
    with pytest.raises(IdentityMismatch, match="take the older snapshot again") as caught:
        union(here, there)
    assert "aarch64-apple-darwin.json" in str(caught.value)


def test_one_page_cannot_show_different_units_on_two_targets(union) -> None:
    here = snapshot(LINUX, command("run", flags=[flag("--fast"), flag("--slow")]))
    with pytest.raises(IdentityMismatch, match="run: --slow is on one of"):
        union(here, snapshot(MAC, command("run", flags=[flag("--fast")])))
    # Two pages can, and what no page shows may be known of one target only.
    merged = union(here, snapshot(MAC, command("run", page="b" * 64, flags=[flag("--fast")])))
    assert [one["available_on"] for one in merged["commands"][0]["flags"]] == [[LINUX, MAC], [LINUX]]
    secret = flag("--secret", state="hidden", evidence=["completion"])
    merged = union(
        snapshot(LINUX, command("run", flags=[flag("--fast"), secret])),
        snapshot(MAC, command("run", flags=[flag("--fast")])),
    )
    assert [(one["key"], one["state"]) for one in merged["commands"][0]["flags"]] == [
        ("--fast", "visible"),
        ("--secret", "hidden"),
    ]


def test_hidden_units_have_lists_of_their_own_and_need_no_support(union) -> None:
    secret = flag("--secret", state="hidden", evidence=["completion"])
    merged = union(
        snapshot(
            LINUX,
            command(flags=[]),
            command("cellar", flags=[flag("--deep")], state="hidden"),
            command("run", flags=[secret, flag("--used", state="hidden")]),
        )
    )
    upstream = Upstream.parse(canonical.encode(merged), "union")
    coverage = canonical.convert(
        [
            {"path": [], "level": "explicit"},
            {"path": ["run"], "level": "explicit", "flags": [{"key": "--used", "level": "explicit"}]},
        ],
        tuple[CoveredCommand, ...],
        "coverage",
    )
    rules = union.rules()
    found = {
        name: [
            (entry["path"], entry.get("key"), entry.get("wrapper_level")) for group in groups for entry in group.entries
        ]
        for name, groups in sort_units(upstream, coverage, rules).lists.items()
        if groups
    }
    assert found == {
        "hidden_commands": [(("cellar",), None, None)],
        "hidden_flags": [
            (("cellar",), "--deep", None),
            (("run",), "--secret", None),
            (("run",), "--used", "explicit"),
        ],
    }
    assert support_of(upstream, coverage, rules).supported_targets == (LINUX,)

"""What only the wrapper has: where else it was seen, told in reports of a tree that has a timeline."""

import json

import pytest
from conftest import CODEX

from pipeline.contract.rules import Rules, UnionRules
from pipeline.history import History
from pipeline.report.stage import Digests, report_pieces
from pipeline.report.upstream import Upstream
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Manifest

LINUX, MAC = "x86_64-unknown-linux-musl", "aarch64-apple-darwin"
RULES = Rules(
    union=UnionRules(
        required_target=LINUX, expected_targets=(LINUX, MAC), platform_mapping={LINUX: "linux", MAC: "macos"}
    )
)


def command(*path, flags=(), args=(), **facts):
    return {"path": path, "flags": [{"long": name} for name in flags], "args": [{"name": n} for n in args], **facts}


def timeline(**versions):
    """``v1_0_0={target: commands}`` …"""
    history = History()
    for name, targets in versions.items():
        said = {
            target: json.dumps({"tool": "box", "commands": commands}).encode() for target, commands in targets.items()
        }
        history.add(name.removeprefix("v").replace("_", "."), said, name)
    return history.timeline("box")


def union(commands):
    """Of 2.0.0; path → targets, or path + (key,) → targets."""
    listed = {}
    for path, on in commands.items():
        if path and path[-1].startswith("-"):
            listed[path[:-1]]["flags"].append({"key": path[-1], "available_on": on})
        else:
            listed[path] = {"path": path, "available_on": on, "flags": []}
    inputs = [{"target_triple": target, "generator": {}} for target in (LINUX, MAC)]
    document = {
        "snapshot_schema_version": 2,
        "tool": "box",
        "mode": "union",
        "complete": True,
        "expected_targets": [LINUX, MAC],
        "inputs": inputs,
        "commands": list(listed.values()),
    }
    return Upstream.parse(json.dumps(document).encode(), "union")


def reports(upstream, history, *covered):
    files = report_pieces(
        upstream,
        Manifest(schema_version=1, coverage=covered),
        RULES,
        version="2.0.0",
        generated_at="2026-01-01T00:00:00Z",
        timeline=history,
        digests=lambda: Digests("0", "0", "0"),
    )
    return {name: b"".join(pieces).decode() for name, pieces in files.items()}


def only(files, kind="commands", mode="any"):
    deltas = json.loads(files[f"coverage.{mode}.json"])["deltas"]
    return {
        " ".join([*entry["path"], entry.get("key") or entry.get("name") or ""]).strip(): (
            entry["upstream_status"],
            entry.get("upstream_first"),
            entry.get("upstream_last"),
        )
        for entry in deltas.get(f"wrapper_only_{kind}", ())
    }


def covered(*path, flags=(), args=()):
    return CoveredCommand(
        path=path,
        level="explicit",
        flags=tuple(CoveredFlag(key=key, level="explicit") for key in flags) or None,
        args=tuple(CoveredArg(name=name, level="explicit") for name in args) or None,
    )


BOTH = (LINUX, MAC)
UPSTREAM = union({(): BOTH, ("run",): BOTH, ("mac",): (MAC,)})
HISTORY = timeline(
    v1_0_0={LINUX: [command(), command("old"), command("run", flags=["--gone", "--back"], args=["X"])]},
    v1_1_0={LINUX: [command(), command("old", state="hidden"), command("run", flags=["--gone"])]},
    v2_0_0={
        LINUX: [command(flags=["--root"]), command("run", flags=["--root"])],
        MAC: [command(), command("mac"), command("run")],
    },
    v2_1_0={LINUX: [command(), command("new"), command("run", flags=["--soon", "--back"])]},
)
WRAPPER = (
    covered(),
    covered("old"),
    covered("new"),
    covered("never"),
    covered("mac"),
    covered("run", flags=["--gone", "--back", "--soon", "--root", "--never"], args=["X", "NEVER"]),
)


def test_each_unit_says_where_else_it_was_seen():
    files = reports(UPSTREAM, HISTORY, *WRAPPER)
    assert only(files) == {
        "old": ("removed", "1.0.0", "1.1.0"),
        "new": ("newer", "2.1.0", "2.1.0"),
        "never": ("never_seen", None, None),
    }
    assert only(files, "flags") == {
        "run --gone": ("removed", "1.0.0", "1.1.0"),
        "run --back": ("removed", "1.0.0", "2.1.0"),
        "run --soon": ("newer", "2.1.0", "2.1.0"),
        "run --root": ("visible", "2.0.0", "2.0.0"),
        "run --never": ("never_seen", None, None),
    }
    assert only(files, "args") == {"run X": ("removed", "1.0.0", "1.0.0"), "run NEVER": ("never_seen", None, None)}


def test_on_one_target_it_may_be_the_others_that_have_it():
    files = reports(UPSTREAM, HISTORY, *WRAPPER)
    assert only(files, mode=LINUX)["mac"] == ("other_target", "2.0.0", "2.0.0")
    assert "mac" not in only(files, mode=MAC)
    assert only(files, mode="all")["mac"] == ("other_target", "2.0.0", "2.0.0")


def test_the_page_says_it_too():
    page = reports(UPSTREAM, HISTORY, *WRAPPER)[f"coverage.{LINUX}.md"]
    for line in (
        "- [ ] `old` (removed: last seen in 1.1.0)",
        "- [ ] `new` (newer: first seen in 2.1.0)",
        "- [ ] `never` (never seen)",
        "- [ ] `mac` (on other targets)",
        "- [ ] `run --root` (visible)",
    ):
        assert line in page.splitlines()


def test_without_a_timeline_nothing_is_said():
    files = reports(UPSTREAM, None, *WRAPPER)
    assert "upstream_status" not in files["coverage.any.json"]
    assert "- [ ] `never`\n" in files["coverage.any.md"]


@pytest.mark.parametrize(("version", "status"), [("0.61.0", "newer"), ("0.125.0", "newer"), ("0.169.0", "removed")])
def test_what_only_our_wrapper_has_is_in_another_version(version, status):
    deltas = json.loads((CODEX / "reports" / version / "coverage.any.json").read_bytes())["deltas"]
    units = [entry for kind in ("commands", "flags", "args") for entry in deltas[f"wrapper_only_{kind}"]]
    assert {entry["upstream_status"] for entry in units} <= {"newer", "removed"}
    assert status in {entry["upstream_status"] for entry in units}

"""A small agent's folder, made from nothing and free of findings: quick to build, to validate and to kill.

Of the kind that another tool makes (no ``agent.toml``): its wrapper coverage is what a test writes. Every target has
``run`` with ``--fast`` and INPUT; Windows has ``service`` too, which the wrapper does not cover.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from changing import State, state

from pipeline import canonical, stages
from pipeline.contract.folder import Folder, open_folder
from pipeline.errors import ParityError
from pipeline.layout import MATRIX, POINTERS, Root
from pipeline.surface.metadata import Status, Validation
from pipeline.surface.revision import REVISION
from pipeline.validate.schemas import write_schemas

LINUX, MAC, WINDOWS = "x86_64-unknown-linux-musl", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"
PLATFORMS = {LINUX: "linux", MAC: "macos", WINDOWS: "windows"}
DIGEST = "5" * 64
PASSED = Validation(passed_targets=(LINUX,))

Json = dict[str, Any]


def flag(name: str, **facts: object) -> Json:
    return {"long": name, "takes_value": False, **facts}


def arg(name: str, **facts: object) -> Json:
    return {"name": name, "required": True, "variadic": False, **facts}


SURFACE = ({"path": []}, {"path": ["run"], "args": [arg("INPUT")], "flags": [flag("--fast")]})
SERVICE = {"path": ["service"]}
COVERED = (
    {"path": [], "level": "explicit"},
    {
        "path": ["run"],
        "level": "explicit",
        "flags": [{"key": "--fast", "level": "explicit"}],
        "args": [{"name": "INPUT", "level": "explicit"}],
    },
)
ALL_COVERED = (*COVERED, {"path": ["service"], "level": "explicit"})


def put_json(path: Path, document: object) -> None:
    canonical.write(path, canonical.encode(document))


def rules(expected: Sequence[str] = (LINUX, WINDOWS)) -> Json:
    return {
        "versioning": {"pointers": {"root_pointers_allow_none": True}},
        "union": {
            "required_target": LINUX,
            "expected_targets": expected,
            "platform_mapping": {target: PLATFORMS[target] for target in expected},
        },
        "storage": {"retention": {"keep_last_validated": 3}},
        "sorting": {"commands": "lexicographic_path"},
    }


def snapshot(version: str, target: str, commands: Sequence[Json]) -> Json:
    return {
        "snapshot_schema_version": 1,
        "tool": "tool",
        "collected_at": "2026-01-01T00:00:00Z",
        "generator": {"name": "cli-parity", "revision": REVISION, "dialect": "clap"},
        "binary": {
            "sha256": DIGEST,
            "size_bytes": 1,
            "platform": {"os": PLATFORMS[target], "arch": target.partition("-")[0]},
            "target_triple": target,
            "version_output": f"tool {version}",
            "semantic_version": version,
        },
        "commands": commands,
    }


def cover(root: Path, *commands: Json) -> None:
    """Write the wrapper coverage."""
    document = {"schema_version": 1, "generated_at": "2026-01-01T00:00:00Z", "wrapper_version": "1.0.0"}
    put_json(root / "wrapper_coverage.json", {**document, "coverage": commands})


def make(
    root: Path,
    *versions: str,
    targets: Sequence[str] = (LINUX, WINDOWS),
    expected: Sequence[str] = (LINUX, WINDOWS),
    covered: Sequence[Json] = COVERED,
) -> Path:
    """The folder with ``versions`` (given oldest first), all of them reported; no pointer names one."""
    layout = Root(root)
    put_json(layout.rules, rules(expected))
    write_schemas(layout, "tool")
    cover(root, *covered)
    pointers = [layout.pointer(kind, target) for kind in POINTERS for target in expected]
    for pointer in (layout.min_supported, layout.latest_validated, *pointers):
        canonical.write(pointer, b"none\n")
    rows = [
        {"version": version, "target": target, "package": "tool", "integrity": "-", "member": "tool"}
        | {"sha256": DIGEST, "size_bytes": 1, "epoch": 1_767_225_600}
        for version in versions
        for target in sorted(targets)
    ]
    put_json(layout.lock, {"lock_schema_version": 1, "rows": rows})
    for version in versions:
        for target in targets:
            commands = (*SURFACE, SERVICE) if target == WINDOWS else SURFACE
            put_json(layout.snapshot(version, target), snapshot(version, target, commands))
    build(root)
    return root


def build(root: Path) -> Folder:
    """Derive of every version what stands below its snapshots; returns the folder."""
    folder = open_folder(root)
    for version in folder.root.versions():
        for stage in (stages.union, stages.report, stages.version_metadata):
            stage(folder, version)
    return folder


def make_workspace(workspace: Path, *agents: str, **options: Any) -> Path:
    """``agents`` side by side, each made with the version 1.0.0, and the matrix of them; returns the workspace."""
    for agent in agents:
        make(workspace / agent, "1.0.0", **options)
    (workspace / MATRIX).mkdir()
    stages.support_matrix(workspace)
    return workspace


def loosen(root: Path) -> None:
    """Let the rules of any agent allow every level, so that whatever is read of its CLI is supported."""
    rules = said(root / "RULES.json")
    levels = rules["version_metadata"]["supported_policy"]["coverage_requirement"]
    levels["allowed_levels"] += levels["disallowed_levels"]
    levels["disallowed_levels"] = []
    put_json(root / "RULES.json", rules)


def unvalidate(root: Path) -> None:
    """Make a folder one of which no version is validated; what the versions are worth otherwise stays."""
    for path in (root / "latest_validated.txt", *root.glob("pointers/*/*.txt")):
        path.write_bytes(b"none\n")
    (root / "current.json").unlink(missing_ok=True)
    for path in root.glob("versions/*.json"):
        known = said(path)
        known.pop("validation", None)
        put_json(path, known)
        stages.version_metadata(open_folder(root), path.stem, Status.REPORTED, may_downgrade=True)


def said(path: Path) -> Json:
    """What a JSON file says."""
    found: Json = json.loads(path.read_bytes())
    return found


def pointed(root: Path) -> dict[str, str]:
    """Pointer → what it says, of all that do not say ``none``."""
    files = [root / "min_supported.txt", root / "latest_validated.txt", *root.glob("pointers/*/*.txt")]
    values = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}
    return {path: value.removesuffix("\n") for path, value in sorted(values.items()) if value != "none\n"}


def refused(change: Callable[[], object], root: Path) -> ParityError:
    """The error that ``change`` raises, having left every file as it was and nothing beside the folder."""
    before: State = state(root.parent)
    try:
        change()
    except ParityError as error:
        assert state(root.parent) == before
        return error
    raise AssertionError("it was not refused")

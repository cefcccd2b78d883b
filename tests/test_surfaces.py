"""What a binary tells besides its command line: read from the schemas that it writes, merged, and remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_cli import fake, page
from small_tree import LINUX, WINDOWS, make, put_json, said

from pipeline import canonical, stages
from pipeline.cache import VARIABLE
from pipeline.contract.agent import FeatureProbe, Help, Limits, SurfaceProbe, SurfaceReading
from pipeline.contract.folder import open_folder
from pipeline.history.surfaces import read_surfaces, surfaces_bytes
from pipeline.layout import Root
from pipeline.snapshot import Subject, take_snapshot
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.surfaces import Feature, Surfaces

NEW, OLD = ("server", "schema", "--out", "{out}", "--all"), ("server", "schema", "--out", "{out}")
PROBE = SurfaceProbe(
    ask=(NEW, OLD),
    rpc_methods=SurfaceReading(reader="methods", file="Request.json"),
    hook_events=SurfaceReading(reader="enum", file="*.schemas.json", name="Event", capital=True),
)


def requests(*methods: str) -> str:
    return json.dumps({"oneOf": [{"properties": {"method": {"enum": [one]}}} for one in methods]})


def events(*names: str) -> str:
    return json.dumps({"definitions": {"v2": {"Event": {"type": "string", "enum": names}}}})


def replies(written: dict[str, str], flags: tuple[str, ...] = ("--out <DIR>", "--all"), **reply: Any) -> dict[str, Any]:
    """A CLI whose ``server schema`` writes these files."""
    words = "server schema --out out" + (" --all" if "--all" in flags else "")
    return {
        "--help": {"out": page(commands=("server",))},
        "help server": {"out": page("server", commands=("schema",))},
        "help server schema": {"out": page("server schema", flags=flags)},
        words: {"files": {f"out/{name}": text for name, text in written.items()}, **reply},
    }


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))

    def take(table: dict[str, Any], **changes: Any) -> Snapshot:
        values: dict[str, Any] = {
            "binary": fake(tmp_path / "bin", table),
            "program": "tool",
            "tool": "tool-cli",
            "target": LINUX,
            "help": Help(dialect="clap", style="subcommand"),
            "limits": Limits(seconds_per_call=10.0, output_bytes=100_000),
            "surfaces": PROBE,
        }
        return take_snapshot(Subject(**(values | changes)), collected_at="2026-01-01T00:00:00Z", sha256="0" * 64)

    return take


def test_methods_and_events_are_read_from_the_schemas_that_a_command_writes(take) -> None:
    written = {"Request.json": requests("b/list", "a/read", "a/read"), "x.schemas.json": events("stop", "preUse")}
    snapshot = take(replies({**written, "Other.json": "{"}))
    assert snapshot.surfaces == Surfaces(rpc_methods=("a/read", "b/list"), hook_events=("PreUse", "Stop"))
    assert snapshot.known_omissions is None


def test_features_are_those_that_are_listed_anyway(take) -> None:
    listed = {"features list": {"out": "alpha  stable  true\nbeta  under development  false\n"}}
    probe = FeatureProbe(list=("features", "list"), enable=("--enable", "{feature}"))
    snapshot = take(replies({}) | listed, features=probe)
    assert snapshot.surfaces == Surfaces(
        features=(
            Feature(name="alpha", stage="stable", default=True),
            Feature(name="beta", stage="under development", default=False),
        )
    )


def test_the_first_call_is_made_whose_flags_the_version_has(take) -> None:
    assert take(replies({"Request.json": requests("a")}, flags=("--out <DIR>",))).surfaces == Surfaces(
        rpc_methods=("a",)
    )


def test_a_version_without_the_command_has_no_such_surface_and_nothing_is_run(take) -> None:
    # What it would do with the words nobody knows.
    table = {"--help": {"out": page()}, "server schema --out out": {"files": {"out/Request.json": requests("a")}}}
    snapshot = take(table)
    assert snapshot.surfaces == Surfaces()
    assert snapshot.known_omissions is None
    assert canonical.loads(canonical.encode(snapshot), "it")["surfaces"] == {}


def test_nothing_is_asked_where_nobody_says_how(take) -> None:
    assert take(replies({"Request.json": requests("a")}), surfaces=None).surfaces is None


@pytest.mark.parametrize(
    ("table", "omission"),
    [
        (replies({"Request.json": requests("a")}, code=1), "server schema --out {out} --all: exit code 1"),
        (replies({"Request.json": "x" * 200_000}), "server schema --out {out} --all: more than 100000 bytes"),
        (replies({"Request.json": "["}), "rpc_methods: Request.json has another shape than methods"),
        (replies({"Request.json": '{"oneOf": [1]}'}), "rpc_methods: Request.json has another shape than methods"),
        (replies({"a.schemas.json": "{"}), "hook_events: *.schemas.json has another shape than enum"),
        (replies({"a.schemas.json": '{"Event": 1}'}), "hook_events: *.schemas.json has another shape than enum"),
    ],
)
def test_what_goes_wrong_is_an_omission(take, table: dict[str, Any], omission: str) -> None:
    snapshot = take(table)
    assert snapshot.surfaces == Surfaces()
    assert snapshot.known_omissions == (f"surfaces: {omission}",)


def test_a_call_that_takes_too_long_is_an_omission(take) -> None:
    snapshot = take(replies({}, hang=30), limits=Limits(seconds_per_call=1.0))
    assert snapshot.known_omissions == ("surfaces: server schema --out {out} --all: no answer within 1 s",)


def test_a_call_without_a_folder_to_write_into_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"never says \{out\}"):
        msgspec.convert({"ask": [["server", "schema"]]}, SurfaceProbe)


# -- over targets and versions ----------------------------------------------------------------------


def feature(name: str, stage: str = "stable", *, default: bool = True) -> dict[str, Any]:
    return {"name": name, "stage": stage, "default": default}


def told(root: Path, version: str, **by_target: dict[str, Any]) -> None:
    """Give snapshots surfaces, and merge them again."""
    for name, surfaces in by_target.items():
        path = Root(root).snapshot(version, {"linux": LINUX, "windows": WINDOWS}[name])
        document = said(path)
        put_json(path, {**document, "surfaces": surfaces})
    stages.union(open_folder(root), version)


def test_a_union_says_who_has_what_and_where_features_differ(tmp_path: Path) -> None:
    root = make(tmp_path / "tool", "1.0.0")
    linux = {"features": [feature("a"), feature("b")], "rpc_methods": ["m", "n"]}
    windows = {"features": [feature("a", "beta", default=False)], "rpc_methods": ["n"], "hook_events": ["Stop"]}
    told(root, "1.0.0", linux=linux, windows=windows)
    union = said(Root(root).union("1.0.0"))
    assert union["surfaces"] == {
        "features": [
            {
                **feature("a"),
                "available_on": [LINUX, WINDOWS],
                "conflicts": [
                    {"field": "stage", "values_by_target": {WINDOWS: "beta", LINUX: "stable"}},
                    {"field": "default", "values_by_target": {WINDOWS: False, LINUX: True}},
                ],
            },
            {**feature("b"), "available_on": [LINUX]},
        ],
        "rpc_methods": [
            {"name": "m", "available_on": [LINUX]},
            {"name": "n", "available_on": [LINUX, WINDOWS]},
        ],
        "hook_events": [{"name": "Stop", "available_on": [WINDOWS]}],
    }
    assert list(union).index("surfaces") == list(union).index("commands") - 1


def test_a_union_of_snapshots_without_surfaces_has_none(tmp_path: Path) -> None:
    root = make(tmp_path / "tool", "1.0.0")
    assert "surfaces" not in said(Root(root).union("1.0.0"))
    told(root, "1.0.0", linux={})
    assert said(Root(root).union("1.0.0"))["surfaces"] == {}


def test_the_memory_keeps_what_versions_had_whose_snapshots_are_gone(tmp_path: Path) -> None:
    root = make(tmp_path / "tool", "1.0.0", "1.10.0")
    told(root, "1.0.0", linux={"rpc_methods": ["m"]}, windows={"rpc_methods": ["w"]})
    told(root, "1.10.0", linux={"hook_events": ["Stop"]}, windows={})
    layout = Root(root)
    canonical.write(layout.surfaces, surfaces_bytes(layout, tool="tool"))
    first = read_surfaces(layout.surfaces)
    assert first == {"1.0.0": Surfaces(rpc_methods=("m", "w")), "1.10.0": Surfaces(hook_events=("Stop",))}
    for path in sorted(layout.snapshots("1.0.0").iterdir()):
        path.unlink()
    layout.snapshots("1.0.0").rmdir()
    told(root, "1.10.0", linux={"hook_events": ["Stop", "Turn"]})
    canonical.write(layout.surfaces, surfaces_bytes(layout, tool="tool"))
    assert read_surfaces(layout.surfaces) == {**first, "1.10.0": Surfaces(hook_events=("Stop", "Turn"))}

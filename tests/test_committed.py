"""What this repository itself publishes under cli_manifests: canonical, complete as far as it says, free of findings."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from checkout import REPOSITORY

from pipeline import canonical
from pipeline.contract.folder import judge_folder
from pipeline.layout import Root
from pipeline.validate import metadata_schema_bytes, render_lines, schema_bytes, validate
from pipeline.validate.schemas import DEFINITIONS, Judge
from pipeline.wrapper.registry import known_wrappers

MANIFESTS = REPOSITORY / "cli_manifests"
FILES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in MANIFESTS.rglob("*")
    if path.is_file() and "raw_help" not in path.parts  # kept for people, never committed
)
AGENTS = sorted(path.parent.name for path in MANIFESTS.glob("*/agent.toml"))
CODEX = Root(MANIFESTS / "codex")
VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
LINUX = "x86_64-unknown-linux-musl"


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_utf8_with_lf_and_one_final_newline(name: str) -> None:
    text = (REPOSITORY / name).read_bytes().decode("utf-8")
    assert "\r" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not text.startswith("\ufeff")


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json")])
def test_every_json_file_is_canonical(name: str) -> None:
    raw = (REPOSITORY / name).read_bytes()
    assert canonical.encode(canonical.loads(raw, name)) == raw


@pytest.mark.parametrize("name", FILES)
def test_no_file_tells_where_it_was_made(name: str) -> None:
    assert str(MANIFESTS) not in (REPOSITORY / name).read_bytes().decode("utf-8")


@pytest.mark.parametrize("agent", AGENTS)
def test_there_is_no_finding(agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert render_lines(validate(*judge_folder(MANIFESTS / agent))) == ""


@pytest.mark.parametrize("agent", AGENTS)
def test_a_folder_says_whose_it_is(agent: str) -> None:
    document = tomllib.loads(Root(MANIFESTS / agent).agent.read_text(encoding="utf-8"))
    wrapper = document.get("wrapper")
    assert wrapper is None or wrapper["name"] in known_wrappers()
    targets = load(Root(MANIFESTS / agent).rules)["union"]["expected_targets"]
    assert sorted(document["packages"]) == sorted(targets), "a target that is expected can be acquired"


# -- what is there -----------------------------------------------------------------------------------


def test_the_committed_versions() -> None:
    assert CODEX.versions() == list(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_says_what_is_missing(version: str) -> None:
    union, expected = load(CODEX.union(version)), load(CODEX.rules)["union"]["expected_targets"]
    there = CODEX.targets(version)
    assert LINUX in there
    assert union["complete"] is False
    assert union["missing_targets"] == [target for target in expected if target not in there]
    assert [one["target_triple"] for one in union["inputs"]] == [target for target in expected if target in there]
    assert not CODEX.report(version, "all").exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_misses_nothing_where_it_was_read_and_the_newest_is_validated(version: str) -> None:
    metadata = load(CODEX.metadata(version))
    newest = version == VERSIONS[-1]
    assert metadata["status"] == ("validated" if newest else "reported")
    assert metadata["promotion"] == {"eligible_for_latest_validated": newest}
    assert sorted(metadata["coverage"]["supported_targets"]) == CODEX.targets(version)
    assert [one["reason"] for one in metadata["coverage"]["unsupported_targets"]] == ["no_snapshot"]
    for mode in ("any", *CODEX.targets(version)):
        assert CODEX.report(version, mode).exists()
        assert CODEX.report(version, mode, ".md").exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_snapshot_records_what_it_was_made_from(version: str) -> None:
    pinned = {row["target"]: row for row in load(CODEX.lock)["rows"] if row["version"] == version}
    for target in CODEX.targets(version):
        document = load(CODEX.snapshot(version, target))
        assert document["generator"]["dialect"] == "clap"
        assert document["binary"]["sha256"] == pinned[target]["sha256"]
        assert document["binary"]["size_bytes"] == pinned[target]["size_bytes"]
        assert all("help_sha256" in command for command in document["commands"])
        assert [command.get("unread_lines") for command in document["commands"] if command.get("unread_lines")] == []


def test_every_version_can_be_acquired_for_every_target() -> None:
    expected = load(CODEX.rules)["union"]["expected_targets"]
    locked = {(row["version"], row["target"]) for row in load(CODEX.lock)["rows"]}
    assert locked >= {(version, target) for version in VERSIONS for target in expected}


# -- schemas -----------------------------------------------------------------------------------------


def artifacts() -> Iterator[tuple[str, Path]]:
    yield "wrapper_coverage", CODEX.wrapper_coverage
    for version in VERSIONS:
        yield "union", CODEX.union(version)
        yield "metadata", CODEX.metadata(version)
        for target in CODEX.targets(version):
            yield "snapshot", CODEX.snapshot(version, target)
        for path in sorted(CODEX.reports(version).glob("*.json")):
            yield "report", path


ARTIFACTS = [pytest.param(*one, id=f"{one[0]}-{one[1].parent.name}-{one[1].stem}") for one in artifacts()]


def reference(kind: str) -> jsonschema.Draft202012Validator:
    """The reference validator for one definition of the committed schemas."""
    if kind == "metadata":
        return jsonschema.Draft202012Validator(load(CODEX.metadata_schema))
    schema = load(CODEX.schema)
    own = {"$ref": f"#/$defs/{DEFINITIONS[kind][0]}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(own)


def test_the_schemas_are_schemas_and_those_of_the_types() -> None:
    tool = tomllib.loads(CODEX.agent.read_text(encoding="utf-8"))["tool"]
    for path, expected in ((CODEX.schema, schema_bytes(tool)), (CODEX.metadata_schema, metadata_schema_bytes(tool))):
        assert path.read_bytes() == expected
        jsonschema.Draft202012Validator.check_schema(load(path))


@pytest.mark.parametrize(("kind", "path"), ARTIFACTS)
def test_the_reference_validator_accepts_every_artifact(kind: str, path: Path) -> None:
    document = load(path)
    assert [error.message for error in reference(kind).iter_errors(document)] == []
    whole = load(CODEX.metadata_schema if kind == "metadata" else CODEX.schema)
    jsonschema.Draft202012Validator(whole).validate(document)


def objects(node: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """One object of each shape (its place without the indexes)."""
    if isinstance(node, dict):
        yield pointer, node
        for key, child in node.items():
            yield from objects(child, f"{pointer}/{key}")
    elif isinstance(node, list):
        for child in node:
            yield from objects(child, f"{pointer}/*")


@pytest.mark.parametrize(("kind", "path"), ARTIFACTS)
def test_the_schemas_refuse_an_unknown_key_wherever_it_stands(kind: str, path: Path) -> None:
    document = load(path)
    validator = reference(kind)
    judge = Judge(load(CODEX.metadata_schema if kind == "metadata" else CODEX.schema))
    for pointer, found in dict(objects(document)).items():
        if "/features" in pointer or pointer.endswith("_by_target"):
            continue  # the feature probe's record is free-form, and the keys of the others are targets
        found["surprise"] = 1
        assert not validator.is_valid(document), pointer
        assert any("surprise" in message for _, message in judge.violations(kind, document)), pointer
        del found["surprise"]
    assert validator.is_valid(document)


@pytest.mark.parametrize(("kind", "path"), ARTIFACTS)
def test_the_schemas_refuse_null_for_what_is_absent(kind: str, path: Path) -> None:
    document = load(path)
    validator = reference(kind)
    for key, value in list(document.items()):
        document[key] = None
        assert not validator.is_valid(document), key
        document[key] = value

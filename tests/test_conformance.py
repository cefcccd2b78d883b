"""The corpus at the library's own functions: real inputs in, the bytes expected out.

Unions, reports and version metadata; wrapper coverage has its cases in ``test_wrapper_coverage``.

Cases are marked reproducible ``True`` (byte-equal, no exception), ``None`` (the expected value was derived,
not published: equal, or listed below with the reason why this project does better) or ``False`` (the
published file cannot come from its inputs; the test names what was different and shows that it was that).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import corpus
import pytest
from msgspec.structs import replace

from pipeline import canonical
from pipeline.contract.rules import Globals, Rules, read_rules
from pipeline.errors import GateFailed, NoteMissing, ParityError
from pipeline.layout import Root
from pipeline.lifecycle.metadata import CarriedOver, build_metadata
from pipeline.report import Upstream, render_reports, sort_units
from pipeline.surface.coverage import Manifest
from pipeline.surface.metadata import Status, Validation
from pipeline.union import union_bytes

# Unions whose tool kept the root's flags on every command, although the rules said not to.
BEFORE_DEDUPE = {
    "codex/HEAD/0.91.0/snapshots/union.json",
    "codex/49c0258e85d6/0.61.0/snapshots/union.json",
    "codex/49c0258e85d6/0.91.0/snapshots/union.json",
    "codex/49c0258e85d6/0.92.0/snapshots/union.json",
}


def rules_of(case: dict[str, Any]) -> Rules:
    return read_rules(corpus.folder(case) / case["inputs"]["rules"])


def root_of(case: dict[str, Any], tmp_path: Path) -> Root:
    """The case's snapshots (and raw help) laid out as a root."""
    source, root = corpus.folder(case), Root(tmp_path)
    root.snapshots(case["version"]).mkdir(parents=True)
    for target, file in case["inputs"]["snapshots"].items():
        shutil.copy(source / file, root.snapshot(case["version"], target))
    if (source / "raw_help").is_dir():
        shutil.copytree(source / "raw_help", tmp_path / "raw_help")
    return root


# --- union


@pytest.mark.parametrize("case", corpus.cases("union"))
def test_union(case: dict[str, Any], tmp_path: Path) -> None:
    root, rules = root_of(case, tmp_path), rules_of(case)

    def build(rules: Rules) -> bytes:
        return union_bytes(
            root, case["version"], rules, collected_at=case["frozen"]["collected_at"], tool=case.get("tool")
        )

    if case.get("expected_exit"):
        with pytest.raises(ParityError):
            build(rules)
        return
    expected = (corpus.folder(case) / case["output"]).read_bytes()
    if case["reproducible"] is not False:
        assert build(rules) == expected
        return
    # Published before its rules: they expect a target that was added later, or ask for the removal of
    # repeated root flags, which the tool of that day did not do yet.
    assert build(rules) != expected
    targets = tuple(canonical.loads(expected, "union")["expected_targets"])
    earlier = replace(rules, union=replace(rules.union, expected_targets=targets))
    if case["id"] in BEFORE_DEDUPE:
        earlier = replace(earlier, globals=Globals())
    assert build(earlier) == expected


# --- report


def reports_of(case: dict[str, Any]) -> dict[str, bytes]:
    source, inputs = corpus.folder(case), case["inputs"]
    rules = rules_of(case)
    coverage = canonical.read(source / inputs["wrapper_coverage"], Manifest)
    wrapper: dict[str, Any] = {"schema_version": 1}
    if coverage.wrapper_version:
        wrapper["wrapper_version"] = coverage.wrapper_version
    union = source / inputs["union"]
    files = render_reports(
        sort_units(Upstream.parse(union.read_bytes(), union), coverage.coverage, rules),
        inputs={
            "upstream": {"semantic_version": case["version"]},
            "wrapper": wrapper,
            "rules": {"rules_schema_version": rules.rules_schema_version},
        },
        generated_at=case["frozen"]["generated_at"],
    )
    return {name: b"".join(pieces) for name, pieces in files.items()}


REFUSED = {"_synthetic/report_iu_note_missing_error": NoteMissing}

BELOW = {
    "missing_commands": ("x o", "x y", "x y z"),
    "missing_flags": ("x o --in", "x y --a", "x y --b"),
    "missing_args": ("x y Z",),
}
LETTERS = {
    "L": "x86_64-unknown-linux-musl",
    "A": "aarch64-unknown-linux-musl",
    "M": "aarch64-apple-darwin",
    "W": "x86_64-pc-windows-msvc",
}

# The earlier tool gives up where levels, or a waiver, differ by target; here each target has its own answer.
# (list, unit, targets) of the report ``any``; L, A, M, W are Linux on two machines, macOS, Windows.
PER_TARGET = {
    "_synthetic/report_mixed_levels_error": {("missing_commands", "a", "M"), ("unsupported", "a", "W")},
    "_synthetic/report_iu_scope_mismatch_error": {
        ("missing_commands", "xy", "LAMW"),
        ("intentionally_unsupported", "x", "LAMW"),
        *((kind, unit, "MW") for kind, units in BELOW.items() for unit in units),
        *(("intentionally_unsupported", unit, "LA") for units in BELOW.values() for unit in units),
    },
}


def per_target(report: bytes) -> set[tuple[str, str, str]]:
    return {
        (
            name,
            " ".join((*entry["path"], entry.get("key") or entry.get("name") or "")).strip(),
            "".join(letter for letter, target in LETTERS.items() if target in entry["upstream_available_on"]),
        )
        for name, entries in canonical.loads(report, "report")["deltas"].items()
        for entry in entries
    }


@pytest.mark.parametrize("case", corpus.cases("report"))
def test_report(case: dict[str, Any]) -> None:
    if case["id"] in REFUSED:
        with pytest.raises(REFUSED[case["id"]]):
            reports_of(case)
        return
    files = reports_of(case)
    if case["id"] in PER_TARGET:
        assert per_target(files["coverage.any.json"]) == PER_TARGET[case["id"]]
        return
    outputs = [case["output"]] if isinstance(case["output"], str) else case["output"]
    for output in outputs:
        expected = (corpus.folder(case) / output).read_bytes()
        if case["reproducible"] is not False:
            assert files[Path(output).name] == expected
            continue
        # Published for an older wrapper (and older rules) than the ones that lie beside it now.
        published = canonical.loads(expected, "report")
        derived = canonical.loads(files[Path(output).name], "report")
        assert published["inputs"]["wrapper"] != derived["inputs"]["wrapper"]
    if len(outputs) > 1:
        assert {Path(output).name for output in outputs} == {name for name in files if name.endswith(".json")}


# --- version metadata


def supports(*targets: str) -> dict[str, Any]:
    return {"supported_targets": list(targets), "supported_required_target": True}


# The earlier tool's reports take a waiver for its whole subtree, and its metadata for the command alone: what
# the reports call waived counts as missing there. Here both ask one resolver.
WAIVED_ABOVE = {
    "claude_code/15bc39c36fa4/2.1.29/versions.json": supports("linux-x64", "darwin-arm64", "win32-x64"),
    "_synthetic/version_iu_inheritance_not_honoured": supports(*LETTERS.values()),
}


@pytest.mark.parametrize("case", corpus.cases("version"))
def test_version(case: dict[str, Any]) -> None:
    source, inputs = corpus.folder(case), case["inputs"]
    coverage = inputs["wrapper_coverage"]
    carried = inputs.get("existing") or (case["output"] if "existing_metadata" in case["frozen"] else None)
    targets = case.get("cli_targets")
    union = source / inputs["union"]

    def build() -> bytes:
        return canonical.encode(
            build_metadata(
                Upstream.parse(union.read_bytes(), union),
                canonical.read(source / coverage, Manifest).coverage if coverage else None,
                rules_of(case),
                version=case["version"],
                status=Status(case.get("status") or case["frozen"]["status"]),
                updated_at=case["frozen"]["updated_at"],
                validation=Validation(**dict(zip(Validation.__struct_fields__, map(tuple, targets), strict=True)))
                if targets
                else None,
                existing=canonical.read(source / carried, CarriedOver) if carried else None,
            )
        )

    if case["id"] in WAIVED_ABOVE:
        expected = canonical.loads((source / case["output"]).read_bytes(), "metadata")
        found = canonical.loads(build(), "metadata")
        assert found.pop("coverage") == WAIVED_ABOVE[case["id"]] != expected.pop("coverage")
        assert found == expected
        return
    # The one that cannot be reproduced was edited by hand: it claims a status that its coverage does not earn.
    if case.get("expected_exit") or case["reproducible"] is False:
        with pytest.raises(GateFailed):
            build()
    else:
        assert build() == (source / case["output"]).read_bytes()

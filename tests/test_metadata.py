"""Version metadata: the status that a version has earned by the rules, why a target is not supported, no downgrade."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkout import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st
from mutating import Change, alter, delete, find, insert, put
from small_tree import (
    ALL_COVERED,
    COVERED,
    LINUX,
    MAC,
    PASSED,
    WINDOWS,
    build,
    cover,
    flag,
    make,
    put_json,
    refused,
    said,
)

from pipeline import canonical, cli, stages, upkeep
from pipeline.contract.folder import open_folder
from pipeline.contract.rules import Exclusions, Rules, UnionRules
from pipeline.errors import ArtifactInvalid, ArtifactMissing, GateFailed, StatusDowngrade, UsageError
from pipeline.lifecycle.support import support_of
from pipeline.report import Upstream, render_reports, sort_units
from pipeline.surface.coverage import CoveredCommand, Level
from pipeline.surface.metadata import Status, Validation

V = "1.0.0"
METADATA = f"versions/{V}.json"
ALL_SUPPORTED = "supported_on_all_expected_targets"
WAIVED = "intentionally_unsupported"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reported version on two of three targets; Windows has a command that is not covered."""
    return make(tmp_path_factory.mktemp("metadata") / "tool", V, expected=(LINUX, MAC, WINDOWS))


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "work" / "tool"))


def record(root: Path, status: str | None = None, validation: Validation | None = None, **options: Any) -> Any:
    """What the metadata says after the stage."""
    stages.version_metadata(open_folder(root), V, Status(status) if status else None, validation, **options)
    return said(root / METADATA)


def policy(root: Path, section: str, value: Mapping[str, object], *, of: str = "version_metadata") -> None:
    """Rules that say something else in one section."""
    rules = said(root / "RULES.json")
    put_json(root / "RULES.json", {**rules, of: {**rules.get(of, {}), section: value}})


# -- the gates are in the rules ---------------------------------------------------------------------

TWO_TARGETS = {"union": {"required_target": LINUX, "expected_targets": [LINUX, WINDOWS]}}


@pytest.mark.parametrize(
    ("status", "requires", "covered", "validation", "problem"),
    [
        ("validated", None, COVERED, PASSED, None),
        ("validated", None, COVERED, None, f"validation has not passed on the required target {LINUX}"),
        ("validated", None, COVERED[:1], PASSED, f"{LINUX} is not supported: 3 units are not covered"),
        ("validated", [], COVERED[:1], None, None),
        ("validated", ["supported_on_required_target"], COVERED, None, None),
        ("validated", ["supported_on_required_target"], COVERED[:1], PASSED, f"{LINUX} is not supported"),
        ("validated", ["validation_passed_on_required_target"], COVERED[:1], PASSED, None),
        ("validated", ["validation_passed_on_required_target"], COVERED, Validation(failed_targets=(LINUX,)), LINUX),
        ("validated", ["required_target_present_in_inputs"], COVERED[:1], None, None),
        ("validated", [ALL_SUPPORTED], ALL_COVERED, None, f"{MAC} is not supported: there is no snapshot of it"),
        ("supported", None, ALL_COVERED, PASSED, f"{MAC} is not supported: there is no snapshot of it"),
        ("supported", ["supported_on_required_target"], COVERED, None, None),
        ("supported", ["supported_on_required_target", ALL_SUPPORTED], COVERED, None, MAC),
        ("supported", [], COVERED[:1], None, None),
        ("reported", None, COVERED[:1], None, None),
    ],
)
def test_the_conditions_of_a_status_are_those_of_the_rules(
    status: str,
    requires: Sequence[str] | None,
    covered: Sequence[Any],
    validation: Validation | None,
    problem: str | None,
    root: Path,
) -> None:
    if requires is not None:
        policy(root, "status_gates", {f"{status}_requires": requires})
    cover(root, *covered)
    build(root)
    if problem is None:
        assert record(root, status, validation)["status"] == status
        assert find(root) == []
        return
    with pytest.raises(GateFailed, match=f"{V} cannot become {status}: .*{problem}") as caught:
        raise refused(partial(record, root, status, validation), root)
    assert (caught.value.where, bool(caught.value.remedy)) == (METADATA, True)


def test_supported_may_ask_for_a_complete_union(root: Path) -> None:
    policy(root, "status_gates", {"supported_requires": ["supported_on_required_target"]})
    policy(root, "supported_policy", {"requires_union_complete": True})
    build(root)
    with pytest.raises(GateFailed, match="its union is not complete"):
        raise refused(partial(record, root, "supported"), root)
    alter("RULES.json", "/union/expected_targets", [LINUX, WINDOWS])(root)
    alter("RULES.json", "/union/platform_mapping", {})(root)
    build(root)
    assert record(root, "supported")["status"] == "supported"


@pytest.mark.parametrize(
    ("status", "change", "eligible"),
    [
        ("reported", {}, False),
        ("validated", {}, True),
        ("supported", {}, True),
        ("validated", {"requirements_for_latest_validated_and_current": [ALL_SUPPORTED]}, False),
        ("validated", {"requirements_for_latest_validated_and_current": []}, True),
        ("validated", {"allow_promote_when_incomplete": False}, False),
        ("validated", {"latest_validated_requires": "supported"}, False),
        ("supported", {"latest_validated_requires": "supported"}, True),
    ],
)
def test_eligible_is_what_could_be_promoted(status: str, change: Mapping[str, Any], eligible: bool, root: Path) -> None:
    policy(root, "status_gates", {"supported_requires": ["supported_on_required_target"]})
    of = "version_metadata" if "latest_validated_requires" in change else "union"
    policy(root, "promotion_gate" if of == "version_metadata" else "promotion_policy", change, of=of)
    build(root)
    assert record(root, status, PASSED)["promotion"] == {"eligible_for_latest_validated": eligible}
    assert find(root) == []
    if eligible:
        assert upkeep.promote(open_folder(root), V)
    elif status == "validated" and of == "union":  # promoting may raise a status that is earned
        with pytest.raises(GateFailed):
            raise refused(lambda: upkeep.promote(open_folder(root), V), root)


@pytest.mark.parametrize("status", ["reported", "validated", "supported"])
def test_a_status_above_snapshotted_needs_a_report(status: str, root: Path) -> None:
    delete(f"reports/{V}/coverage.any.json")(root)
    with pytest.raises(ArtifactMissing, match=r"coverage\.any\.json: no such file"):
        raise refused(partial(record, root, status, PASSED), root)


def test_a_reported_version_says_so_in_canonical_order(root: Path) -> None:
    metadata = record(root, "reported")
    assert list(metadata)[:4] == ["schema_version", "semantic_version", "status", "updated_at"]
    assert metadata["updated_at"] == "2026-01-01T00:00:00Z"
    assert find(root) == []


# -- outcomes of validation -------------------------------------------------------------------------


def sets(passed: str = "", failed: str = "", skipped: str = "") -> Validation:
    """Outcomes by the first letters of the targets; ``X`` is none that the rules expect."""
    names = {"L": LINUX, "M": MAC, "W": WINDOWS, "X": "riscv64-unknown-linux-gnu"}
    found = [tuple(names[letter] for letter in letters) for letters in (passed, failed, skipped)]
    return Validation(**dict(zip(Validation.__struct_fields__, found, strict=True)))


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [
        (sets("LX"), "riscv64-unknown-linux-gnu"),
        (sets("L", "X"), "riscv64-unknown-linux-gnu"),
        (sets("L", "", "X"), "riscv64-unknown-linux-gnu"),
        (sets("LM", "M"), MAC),
        (sets("LM", "", "M"), MAC),
        (sets("L", "M", "M"), MAC),
        (sets("LMM"), MAC),
        (sets("L", "L"), LINUX),
        (sets(""), f"the required target {LINUX} has no outcome"),
        (sets("W", "M"), f"the required target {LINUX} has no outcome"),
    ],
)
def test_outcomes_that_cannot_be_are_refused_when_they_are_written(
    outcomes: Validation, problem: str, root: Path
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        raise refused(partial(record, root, "reported", outcomes), root)
    assert caught.value.remedy


def test_the_required_target_has_one_outcome_even_where_sets_may_overlap(root: Path) -> None:
    policy(root, "validation_contract", {"disjoint_sets_required": False})
    build(root)
    with pytest.raises(UsageError, match=f"the required target {LINUX} has several outcomes"):
        raise refused(partial(record, root, "reported", sets("L", "L")), root)


@pytest.mark.parametrize(
    ("contract", "outcomes"),
    [
        ({"disjoint_sets_required": False}, sets("LM", "M")),
        ({"disjoint_sets_required": False, "require_explicit_outcome_for_required_target": False}, sets("L", "L")),
        ({"require_explicit_outcome_for_required_target": False}, sets("W", "M")),
        ({"require_explicit_outcome_for_required_target": False}, sets("", "", "")),
    ],
)
def test_the_contract_of_outcomes_is_that_of_the_rules(
    contract: Mapping[str, bool], outcomes: Validation, root: Path
) -> None:
    policy(root, "validation_contract", contract)
    build(root)
    record(root, "reported", outcomes)
    assert find(root) == []


def test_outcomes_are_recorded_as_they_are_given(root: Path) -> None:
    command = ["version-metadata", "--root", str(root), "--version", V, "--status", "reported"]
    for outcome, target in (("skipped", WINDOWS), ("passed", MAC), ("passed", LINUX)):
        command += [f"--{outcome}-target", target]
    assert cli.main(command) == 0
    validation = {"passed_targets": [MAC, LINUX], "failed_targets": [], "skipped_targets": [WINDOWS]}
    assert said(root / METADATA)["validation"] == validation


def test_what_is_only_snapshotted_has_no_outcomes(root: Path) -> None:
    delete(METADATA)(root)
    with pytest.raises(UsageError, match="no validated targets"):
        raise refused(partial(record, root, "snapshotted", PASSED), root)


def test_notes_and_outcomes_are_carried_over(root: Path) -> None:
    record(root, "reported", PASSED)
    alter(METADATA, "/notes", "Looked at by hand.")(root)
    for status in (None, "validated"):
        metadata = record(root, status)
        assert (metadata["notes"], metadata["validation"]["passed_targets"]) == ("Looked at by hand.", [LINUX])
    assert find(root) == []


# -- why a target is not supported ------------------------------------------------------------------


def test_each_target_that_is_not_supported_has_its_reason(root: Path) -> None:
    assert said(root / METADATA)["coverage"] == {
        "supported_targets": [LINUX],
        "supported_required_target": True,
        "unsupported_targets": [
            {"target_triple": MAC, "reason": "no_snapshot"},
            {
                "target_triple": WINDOWS,
                "reason": "uncovered_units",
                "uncovered_units": 1,
                "first_uncovered": "command service",
            },
        ],
    }


def test_uncovered_units_are_counted_in_order(root: Path) -> None:
    run = {**COVERED[1], "flags": [{"key": "--fast", "level": "unknown"}], "args": []}
    cover(root, {"path": [], "level": "unsupported"}, run)
    build(root)
    found = {one["target_triple"]: one for one in said(root / METADATA)["coverage"]["unsupported_targets"]}
    assert (found[LINUX]["uncovered_units"], found[LINUX]["first_uncovered"]) == (3, "command (root)")
    assert (found[WINDOWS]["uncovered_units"], found[WINDOWS]["first_uncovered"]) == (4, "command (root)")
    cover(root, COVERED[0], run)
    build(root)
    found = {one["target_triple"]: one for one in said(root / METADATA)["coverage"]["unsupported_targets"]}
    assert found[LINUX]["first_uncovered"] == "flag run --fast"


def test_where_all_is_supported_there_are_no_reasons(tmp_path: Path) -> None:
    root = make(tmp_path / "tool", V, covered=ALL_COVERED)
    assert said(root / METADATA)["coverage"] == {
        "supported_targets": [LINUX, WINDOWS],
        "supported_required_target": True,
    }


def test_what_is_hidden_or_excluded_need_not_be_supported(root: Path) -> None:
    exclusion = {"unit": "command", "path": ["service"], "category": "service", "note": "Not for programs."}
    put_json(
        root / "RULES.json",
        {**said(root / "RULES.json"), "parity_exclusions": {"schema_version": 1, "units": [exclusion]}},
    )
    for target in (LINUX, WINDOWS):
        path = f"snapshots/{V}/{target}.json"
        alter(path, "/commands/1/flags", [flag("--fast"), flag("--secret", state="hidden")])(root)
    build(root)
    assert said(root / METADATA)["coverage"]["supported_targets"] == [LINUX, WINDOWS]
    assert find(root) == []


@pytest.mark.parametrize(
    ("waiver", "supported"),
    [
        ({"level": WAIVED, "note": "Not for programs."}, True),
        ({"level": WAIVED, "note": "Only there.", "scope": {"target_triples": [LINUX]}}, True),
        ({"level": WAIVED, "note": "Only there.", "scope": {"target_triples": [WINDOWS]}}, False),
        ({"level": "explicit"}, False),
    ],
)
def test_a_waiver_covers_its_subtree_here_as_in_reports(waiver: Mapping[str, Any], supported: bool, root: Path) -> None:
    nested = {"path": ["run", "deep"], "flags": [flag("--deeper")]}
    for target in (LINUX, WINDOWS):
        insert(f"snapshots/{V}/{target}.json", "/commands/2", nested)(root)
    cover(root, COVERED[0], {"path": ["run"], **waiver})
    build(root)
    assert (LINUX in said(root / METADATA)["coverage"]["supported_targets"]) == supported
    deltas = said(root / f"reports/{V}/coverage.{LINUX}.json")["deltas"]
    assert (deltas["missing_flags"] == []) == supported
    assert find(root) == []


def test_the_committed_metadata_agrees_with_the_committed_reports() -> None:
    checked = 0
    for path in sorted((REPOSITORY / "cli_manifests").glob("*/reports/*/coverage.*.json")):
        target = path.name.removeprefix("coverage.").removesuffix(".json")
        if target not in ("any", "all"):
            metadata = said(path.parents[2] / "versions" / f"{path.parent.name}.json")
            assert (target in metadata["coverage"]["supported_targets"]) == complete(said(path)), path
            checked += 1
    assert checked


def complete(report: Mapping[str, Any]) -> bool:
    """Whether nothing that the wrapper would have to support is listed."""
    lists = ("missing_commands", "missing_flags", "missing_args", "unsupported")
    return not any(report["deltas"].get(name) for name in lists)


# A surface of a few names, so that claims, waivers and exclusions meet units.
TARGETS = (LINUX, MAC, WINDOWS)
PATHS = st.sampled_from([[], ["a"], ["a", "b"], ["a", "b", "c"], ["d"]])
SOMEWHERE = st.lists(st.sampled_from(TARGETS), min_size=1, max_size=3, unique=True)
STATES = st.sampled_from([{}, {}, {}, {"state": "hidden"}])


def units(identity: str, names: Sequence[str]) -> st.SearchStrategy[Any]:
    one = st.builds(
        lambda name, on, state: {identity: name, "available_on": on, **state}, st.sampled_from(names), SOMEWHERE, STATES
    )
    return st.lists(one, max_size=2, unique_by=lambda unit: unit[identity])


def claims(identity: str, names: Sequence[str]) -> st.SearchStrategy[Any]:
    one = st.builds(lambda name, claim: {identity: name, **claim}, st.sampled_from(names), CLAIM)
    return st.lists(one, max_size=2, unique_by=lambda claim: claim[identity])


SCOPES = st.none() | st.builds(lambda on: {"target_triples": on}, SOMEWHERE)
CLAIM = st.builds(
    lambda level, scope: {"level": level, "note": "Because.", **({"scope": scope} if scope else {})},
    st.sampled_from([*Level, Level.EXPLICIT, Level.EXPLICIT, "of next year"]),
    SCOPES,
)
FLAGS, ARGS = ["--x", "--y"], ["X", "Y"]
COMMANDS = st.lists(
    st.builds(
        lambda path, on, state, flags, args: {"path": path, "available_on": on, **state, "flags": flags, "args": args},
        PATHS,
        SOMEWHERE,
        STATES,
        units("key", FLAGS),
        units("name", ARGS),
    ),
    max_size=4,
    unique_by=lambda command: tuple(command["path"]),
)
COVERAGE = st.lists(
    st.builds(
        lambda path, claim, flags, args: {"path": path, **claim, "flags": flags, "args": args},
        PATHS,
        CLAIM,
        claims("key", FLAGS),
        claims("name", ARGS),
    ),
    max_size=4,
    unique_by=lambda command: tuple(command["path"]),
)
EXCLUDED = st.lists(
    st.one_of(
        st.builds(lambda path: {"unit": "command", "path": path}, PATHS),
        st.builds(lambda path, key: {"unit": "flag", "path": path, "key": key}, PATHS, st.sampled_from(FLAGS)),
    ),
    max_size=1,
)
INPUTS = {
    "upstream": {"semantic_version": V},
    "wrapper": {"schema_version": 1},
    "rules": {"rules_schema_version": 1},
}


@settings(max_examples=300, deadline=None)
@given(
    commands=COMMANDS,
    coverage=COVERAGE,
    excluded=EXCLUDED,
    inputs=st.lists(st.sampled_from(TARGETS), min_size=1, unique=True).map(
        lambda found: sorted(found, key=TARGETS.index)
    ),
    made_here=st.booleans(),
)
def test_a_target_is_supported_if_and_only_if_its_report_misses_nothing(
    commands: list[Any], coverage: list[Any], excluded: list[Any], inputs: list[str], made_here: bool
) -> None:
    generator = {"generator": {"name": "cli-parity"}} if made_here else {}
    union = {
        "snapshot_schema_version": 2,
        "tool": "tool",
        "mode": "union",
        "complete": len(inputs) == len(TARGETS),
        "expected_targets": TARGETS,
        "inputs": [{"target_triple": target, **generator} for target in inputs],
        "commands": [only(inputs, command) for command in commands if set(command["available_on"]) & set(inputs)],
    }
    upstream = Upstream.parse(canonical.encode(union), "union")
    exclusions = msgspec.convert({"units": [{**one, "note": "Because."} for one in excluded]}, Exclusions)
    rules = Rules(union=UnionRules(required_target=LINUX, expected_targets=TARGETS), parity_exclusions=exclusions)
    entries = msgspec.convert(coverage, tuple[CoveredCommand, ...])
    support = support_of(upstream, entries, rules)
    reports = render_reports(sort_units(upstream, entries, rules), inputs=INPUTS, generated_at="2026-01-01T00:00:00Z")
    found = [one for one in inputs if complete(json.loads(b"".join(reports[f"coverage.{one}.json"])))]
    assert list(support.supported_targets) == found
    assert support.supported_required_target == (LINUX in found)
    reasons = {one.target_triple: one.reason for one in support.unsupported_targets or ()}
    expected = {one: "uncovered_units" if one in inputs else "no_snapshot" for one in TARGETS if one not in found}
    assert reasons == (expected if made_here else {})


def only(inputs: Sequence[str], command: Mapping[str, Any]) -> dict[str, Any]:
    """The command as a union of these targets has it."""

    def there(unit: Mapping[str, Any], within: Sequence[str]) -> dict[str, Any]:
        return {**unit, "available_on": [target for target in within if target in unit["available_on"]]}

    found = there(command, inputs)
    for kind in ("flags", "args"):
        found[kind] = [one for unit in command[kind] if (one := there(unit, found["available_on"]))["available_on"]]
    return found


# -- no status is lost in silence -------------------------------------------------------------------


def downgrade(root: Path, status: str, *options: str) -> int:
    return cli.main(["version-metadata", "--root", str(root), "--version", V, "--status", status, *options])


@pytest.fixture
def validated(root: Path) -> Path:
    record(root, "validated", PASSED)
    return root


@pytest.mark.parametrize("status", ["snapshotted", "reported"])
def test_a_lower_status_is_refused_unless_it_is_asked_for(
    status: str, validated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StatusDowngrade, match=f"{V} is validated, and would only be {status}.*--allow-downgrade"):
        raise refused(partial(record, validated, status), validated)
    assert downgrade(validated, status) == 1
    assert "error[status-downgrade]" in capsys.readouterr().err
    assert downgrade(validated, status, "--allow-downgrade") == 0
    assert said(validated / METADATA)["status"] == status


@pytest.mark.parametrize(
    ("pointer", "content"),
    [
        ("min_supported.txt", f"{V}\n"),
        ("latest_validated.txt", f"{V}\n"),
        (f"pointers/latest_supported/{LINUX}.txt", f"{V}\n"),
        ("pointers/latest_supported/riscv64-unknown-linux-gnu.txt", f"{V}\n"),
        ("min_supported.txt", V),
        ("min_supported.txt", f"0.9.0\n{V}\n"),
    ],
)
def test_no_downgrade_below_a_pointer(pointer: str, content: str, validated: Path) -> None:
    put(pointer, content)(validated)
    for options in ({}, {"may_downgrade": True}):
        with pytest.raises(StatusDowngrade, match=f"first point {pointer} elsewhere"):
            raise refused(partial(record, validated, "reported", **options), validated)
    put(pointer, "none\n")(validated)
    assert downgrade(validated, "reported", "--allow-downgrade") == 0


def test_the_same_or_a_higher_status_is_no_downgrade(validated: Path) -> None:
    policy(validated, "status_gates", {"supported_requires": []})
    build(validated)
    assert record(validated, "validated")["status"] == "validated"
    assert record(validated, "supported")["status"] == "supported"
    with pytest.raises(StatusDowngrade):
        raise refused(partial(record, validated, "validated"), validated)


def test_a_rebuild_keeps_the_status_or_says_that_it_is_not_earned_any_more(validated: Path) -> None:
    assert record(validated)["status"] == "validated"
    cover(validated, COVERED[0])
    stages.report(open_folder(validated), V)
    with pytest.raises(GateFailed, match="cannot become validated"):
        raise refused(partial(record, validated), validated)
    assert downgrade(validated, "reported", "--allow-downgrade") == 0


@pytest.mark.parametrize("damage", [put(METADATA, "{"), put(METADATA, "[]"), alter(METADATA, "/status", "promoted")])
def test_what_cannot_be_read_is_made_anew_unless_a_pointer_relies_on_it(damage: Change, validated: Path) -> None:
    damage(validated)
    put("min_supported.txt", V)(validated)
    with pytest.raises(ArtifactInvalid, match=r"a pointer relies on them.*restore the file") as caught:
        raise refused(partial(record, validated), validated)
    assert caught.value.where == str(validated / METADATA)
    put("min_supported.txt", "none\n")(validated)
    assert record(validated)["status"] == "reported"


def test_a_damaged_file_is_left_where_nothing_can_take_its_place(validated: Path) -> None:
    put(METADATA, "{")(validated)
    for missing in (f"reports/{V}/coverage.any.json", "wrapper_coverage.json", f"snapshots/{V}/union.json"):
        delete(missing)(validated)
        with pytest.raises(ArtifactMissing):
            raise refused(partial(record, validated), validated)

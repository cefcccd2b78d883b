"""Promotion: one step that a version has earned, or nothing at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from changing import state
from checkout import Checkout, fresh_checkout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutating import Change, alter, delete, find, put
from small_tree import (
    ALL_COVERED,
    COVERED,
    LINUX,
    MAC,
    PASSED,
    WINDOWS,
    build,
    cover,
    loosen,
    make,
    make_workspace,
    pointed,
    refused,
    said,
    unvalidate,
)

from pipeline import cli, stages, upkeep
from pipeline.check import check
from pipeline.contract.folder import open_folder
from pipeline.errors import ArtifactInvalid, ArtifactMissing, GateFailed, ParityError, TreeInvalid, UsageError
from pipeline.surface.metadata import Validation

V, NEWER = "1.0.0", "1.1.0"
METADATA = f"versions/{V}.json"
EVERYWHERE = Validation(passed_targets=(LINUX, WINDOWS))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two reported versions, which Linux supports and Windows does not."""
    return make(tmp_path_factory.mktemp("promotion") / "tool", V, NEWER)


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "work" / "tool"))


def promote(root: Path, version: str = V, validation: Validation | None = PASSED) -> list[str]:
    """The files that changed, relative to the root."""
    changed = upkeep.promote(open_folder(root), version, validation)
    return sorted(path.relative_to(root).as_posix() for path in changed)


def cover_all(root: Path) -> None:
    cover(root, *ALL_COVERED)
    build(root)


# -- what it does -----------------------------------------------------------------------------------


def test_everything_that_names_the_latest_validated_version_changes_at_once(root: Path) -> None:
    before = state(root)
    names = ("current.json", "latest_validated.txt", METADATA)
    files = sorted([*names, *(f"pointers/{kind}/{LINUX}.txt" for kind in ("latest_supported", "latest_validated"))])
    assert promote(root) == files
    assert sorted(path for path, kept in state(root).items() if before.get(path) != kept) == files
    assert set(pointed(root).values()) == {V}
    assert set(pointed(root)) == set(files) - {"current.json", METADATA}
    assert (root / "current.json").read_bytes() == (root / f"snapshots/{V}/union.json").read_bytes()
    metadata = said(root / METADATA)
    assert metadata["status"] == "validated"
    assert metadata["validation"] == {"passed_targets": [LINUX]}
    assert metadata["promotion"] == {"eligible_for_latest_validated": True}
    assert find(root) == []


@pytest.mark.parametrize(
    ("covered", "outcomes", "earned"),
    [
        (COVERED, PASSED, set()),
        (COVERED, EVERYWHERE, set()),
        (ALL_COVERED, PASSED, {"latest_supported"}),
        (ALL_COVERED, Validation(passed_targets=(LINUX,), failed_targets=(WINDOWS,)), {"latest_supported"}),
        (ALL_COVERED, EVERYWHERE, {"latest_supported", "latest_validated"}),
    ],
)
def test_another_targets_pointers_go_as_far_as_it_has_earned(
    covered: Sequence[Any], outcomes: Validation, earned: set[str], tmp_path: Path
) -> None:
    root = make(tmp_path / "tool", V, expected=(LINUX, MAC, WINDOWS), covered=covered)
    promote(root, validation=outcomes)
    assert {
        path.parent.name for path in root.glob(f"pointers/*/{WINDOWS}.txt") if path.read_text() == f"{V}\n"
    } == earned
    assert not any(MAC in path for path in pointed(root)), "of which there is no snapshot"
    assert find(root) == []


def test_what_the_metadata_records_counts_unless_something_else_is_said(root: Path) -> None:
    stages.version_metadata(open_folder(root), V, validation=PASSED)
    promote(root, validation=None)
    assert said(root / METADATA)["validation"] == {"passed_targets": [LINUX]}
    other = Validation(passed_targets=(LINUX,), skipped_targets=(WINDOWS,))
    assert promote(root, validation=other) == [METADATA]
    assert said(root / METADATA)["validation"] == {"passed_targets": [LINUX], "skipped_targets": [WINDOWS]}


def test_notes_and_the_status_supported_are_kept(root: Path) -> None:
    cover_all(root)
    alter(METADATA, "/notes", "Looked at by hand.")(root)
    cli.main(["version-metadata", "--root", str(root), "--version", V, "--status", "supported"])
    promote(root)
    metadata = said(root / METADATA)
    assert (metadata["status"], metadata["notes"]) == ("supported", "Looked at by hand.")
    assert find(root) == []


def test_the_rules_say_which_status_the_latest_validated_version_has(root: Path) -> None:
    cover_all(root)
    alter("RULES.json", "/version_metadata", {"promotion_gate": {"latest_validated_requires": "supported"}})(root)
    build(root)
    promote(root)
    assert said(root / METADATA)["status"] == "supported"
    assert find(root) == []


def test_doing_it_again_changes_nothing(root: Path) -> None:
    promote(root)
    inode, before = root.stat().st_ino, state(root)
    assert promote(root) == []
    assert promote(root, validation=None) == []
    assert (root.stat().st_ino, state(root)) == (inode, before)


def test_a_later_version_takes_the_place_and_the_earlier_one_stays_validated(root: Path) -> None:
    promote(root)
    promote(root, NEWER)
    assert set(pointed(root).values()) == {NEWER}
    assert (root / "current.json").read_bytes() == (root / f"snapshots/{NEWER}/union.json").read_bytes()
    assert said(root / METADATA)["status"] == "validated"
    assert find(root) == []


def test_min_supported_is_left_to_people(root: Path) -> None:
    promote(root)
    put("min_supported.txt", f"{V}\n")(root)
    promote(root, NEWER)
    assert (root / "min_supported.txt").read_text() == f"{V}\n"
    assert find(root) == []


def test_no_pointer_moves_back(root: Path) -> None:
    cover_all(root)
    stages.version_metadata(open_folder(root), NEWER, validation=Validation(skipped_targets=(LINUX,)))
    for target in (LINUX, WINDOWS):
        put(f"pointers/latest_supported/{target}.txt", f"{NEWER}\n")(root)
    promote(root, validation=EVERYWHERE)
    assert pointed(root) == {
        "latest_validated.txt": V,
        f"pointers/latest_supported/{LINUX}.txt": NEWER,
        f"pointers/latest_supported/{WINDOWS}.txt": NEWER,
        f"pointers/latest_validated/{LINUX}.txt": V,
        f"pointers/latest_validated/{WINDOWS}.txt": V,
    }
    assert find(root) == []


# -- what it refuses --------------------------------------------------------------------------------

ALL_SUPPORTED = "supported_on_all_expected_targets"
UNSUPPORTED = f"{WINDOWS} is not supported: 1 units are not covered, the first is command service"


def policy(pointer: str, value: object) -> Change:
    """Rules that say something else at a place, with what is derived by them."""

    def change(root: Path) -> None:
        for depth in range(2, pointer.count("/") + 1):
            above = "/".join(pointer.split("/")[:depth])
            if above.removeprefix("/") not in said(root / "RULES.json"):
                alter("RULES.json", above, {})(root)
        alter("RULES.json", pointer, value)(root)
        build(root)

    return change


def ask_for_nothing(root: Path) -> None:
    policy("/version_metadata", {"status_gates": {"validated_requires": []}})(root)
    policy("/union/promotion_policy", {"requirements_for_latest_validated_and_current": []})(root)


def uncover(root: Path) -> None:
    cover(root, COVERED[0])
    build(root)


def leave_windows_out(root: Path) -> None:
    for version in (V, NEWER):
        delete(f"snapshots/{version}/{WINDOWS}.json")(root)
    policy("/union/promotion_policy", {"allow_promote_when_incomplete": False})(root)


def passed(*targets: str, **others: Sequence[str]) -> Validation:
    return Validation(passed_targets=targets, **{name: tuple(found) for name, found in others.items()})


NOT_EARNED: dict[str, tuple[Change, Validation | None, str]] = {
    "the required target is not supported": (uncover, PASSED, f"{LINUX} is not supported: 3 units .* is command run"),
    "no outcome is known": (lambda root: None, None, f"not passed on the required target {LINUX}.*--passed-target"),
    "it failed": (lambda root: None, Validation(failed_targets=(LINUX,)), f"not passed on the required target {LINUX}"),
    "a later one is validated": (lambda root: promote(root, NEWER), PASSED, f"{NEWER} is validated already"),
    "the union has to be complete": (leave_windows_out, PASSED, "union is not complete.*the missing targets"),
    "the rules of promotion ask for more": (
        policy("/union/promotion_policy", {"requirements_for_latest_validated_and_current": [ALL_SUPPORTED]}),
        PASSED,
        f"cannot become the latest validated version: {UNSUPPORTED}",
    ),
    "the rules of the status ask for more": (
        policy("/version_metadata", {"status_gates": {"validated_requires": [ALL_SUPPORTED]}}),
        PASSED,
        f"cannot become validated: {UNSUPPORTED}",
    ),
    "only the required target's own pointer asks for more": (
        ask_for_nothing,
        None,
        "cannot become the latest validated version: validation has not passed",
    ),
    "the rules ask for the next status": (
        policy("/version_metadata", {"promotion_gate": {"latest_validated_requires": "supported"}}),
        PASSED,
        f"cannot become supported: {UNSUPPORTED}",
    ),
}


@pytest.mark.parametrize(("change", "validation", "match"), NOT_EARNED.values(), ids=NOT_EARNED)
def test_what_is_not_earned_changes_nothing(
    change: Change, validation: Validation | None, match: str, root: Path
) -> None:
    change(root)
    assert find(root) == []
    with pytest.raises(GateFailed, match=match) as caught:
        raise refused(partial(promote, root, validation=validation), root)
    assert caught.value.where == METADATA
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("outcomes", "match"),
    [
        (passed(WINDOWS), f"{LINUX} has no outcome"),
        (passed(LINUX, MAC), f"{MAC}.*passed"),
        (passed(LINUX, failed_targets=[LINUX]), f"{LINUX}.*passed.*failed"),
        (passed(LINUX, WINDOWS, skipped_targets=[WINDOWS]), f"{WINDOWS}.*passed.*skipped"),
    ],
)
def test_outcomes_that_cannot_be_change_nothing(outcomes: Validation, match: str, root: Path) -> None:
    with pytest.raises(UsageError, match=match):
        raise refused(partial(promote, root, validation=outcomes), root)


@pytest.mark.parametrize("version", ["1.0.0-rc.1", "1.0.0+b"])
def test_a_version_that_no_pointer_may_name_is_wrong_usage(version: str, root: Path) -> None:
    with pytest.raises(UsageError, match="no stable version"):
        raise refused(partial(promote, root, version), root)


def test_a_version_that_nobody_has_read_is_named(root: Path) -> None:
    with pytest.raises(ArtifactMissing, match="no such file") as caught:
        raise refused(partial(promote, root, "9.9.9"), root)
    assert caught.value.where == str(root / "versions" / "9.9.9.json")


REPORT = f"reports/{NEWER}/coverage.any.json"
POINTER = f"pointers/latest_validated/{LINUX}.txt"

UNSOUND: dict[str, tuple[Change, type[ParityError], str, str]] = {
    "no metadata": (delete(METADATA), ArtifactMissing, METADATA, "no such file.*run the stage"),
    "no union": (delete(f"snapshots/{V}/union.json"), ArtifactMissing, f"snapshots/{V}/union.json", "no such file"),
    "no report": (delete(f"reports/{V}"), ArtifactMissing, f"reports/{V}/coverage.any.json", "no such file"),
    "unreadable metadata": (put(METADATA, "{"), ArtifactInvalid, METADATA, "not valid JSON"),
    "a finding elsewhere": (
        alter(REPORT, "/deltas/missing_commands", []),
        TreeInvalid,
        "",
        rf"would have 1 findings, so nothing was changed:\n{REPORT}\[.*\]: REPORT_STALE",
    ),
    "a file too many": (put(f"snapshots/{V}/notes.txt", ""), TreeInvalid, "", f"snapshots/{V}/notes.txt: ORPHAN"),
    "it is below the minimum": (
        put("min_supported.txt", f"{NEWER}\n"),
        TreeInvalid,
        "",
        "min_supported.txt: POINTER_MIN_SUPPORTED_ABOVE_LATEST_VALIDATED",
    ),
    # Nobody can say whether these would move back.
    "a pointer without a newline": (put(POINTER, NEWER), ArtifactInvalid, POINTER, "final newline.*--mode fix"),
    "a pointer of two lines": (put("latest_validated.txt", f"{V}\n{NEWER}\n"), ArtifactInvalid, "", "one line"),
    "a pointer to a pre-release": (put(POINTER, "2.0.0-rc.1\n"), ArtifactInvalid, POINTER, "'2.0.0-rc.1' is no stable"),
    "a pointer of another target": (
        put(f"pointers/latest_supported/{WINDOWS}.txt", NEWER),
        ArtifactInvalid,
        f"pointers/latest_supported/{WINDOWS}.txt",
        "final newline",
    ),
}


@pytest.mark.parametrize(("change", "error", "where", "match"), UNSOUND.values(), ids=UNSOUND)
def test_what_is_not_sound_is_named_and_nothing_changes(
    change: Change, error: type[ParityError], where: str, match: str, root: Path
) -> None:
    change(root)
    with pytest.raises(error, match=f"(?s){match}") as caught:
        raise refused(partial(promote, root), root)
    assert not where or caught.value.where == str(root / where)
    assert ".next" not in str(caught.value), "the copy is nobody's business"


@pytest.mark.parametrize("absolute", [False, True])
def test_a_link_that_leads_out_is_not_written_through(absolute: bool, root: Path) -> None:
    outside = root.parent / "outside"
    (root / "versions").rename(outside)
    (root / "versions").symlink_to(outside if absolute else "../outside", target_is_directory=True)
    with pytest.raises(ParityError, match="leads out"):
        raise refused(partial(promote, root), root)


def test_an_absolute_link_leads_out_of_the_copy_that_is_written(root: Path) -> None:
    (root / "versions").rename(root / "records")
    (root / "versions").symlink_to(root / "records", target_is_directory=True)
    with pytest.raises(ParityError, match="leads out"):
        raise refused(partial(promote, root), root)


def test_a_change_that_cannot_be_written_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ParityError, match="No space left"):
        raise refused(partial(promote, root), root)


OUTCOMES = st.dictionaries(st.sampled_from([LINUX, WINDOWS]), st.sampled_from(Validation.__struct_fields__))


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    steps=st.lists(st.tuples(st.sampled_from([V, NEWER]), OUTCOMES), min_size=1, max_size=3),
    covered=st.sampled_from([COVERED, ALL_COVERED, COVERED[:1]]),
)
def test_after_any_promotions_the_tree_is_valid_and_no_pointer_went_back(
    steps: list[tuple[str, dict[str, str]]], covered: Sequence[Any], root: Path, tmp_path: Path
) -> None:
    place = Path(shutil.copytree(root, tmp_path / "again" / "tool"))
    try:
        cover(place, *covered)
        build(place)
        for version, outcomes in steps:
            named: dict[str, list[str]] = {}
            for target, outcome in outcomes.items():
                named.setdefault(outcome, []).append(target)
            before, files = pointed(place), state(place)
            try:
                promote(place, version, Validation(**{outcome: tuple(found) for outcome, found in named.items()}))
            except (GateFailed, UsageError):
                assert state(place) == files
            assert find(place) == []
            assert all(pointed(place)[pointer] >= version for pointer, version in before.items())
    finally:
        shutil.rmtree(place.parent)


# -- a workspace ------------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "checkout" / "cli_manifests", "first", "second")


def test_the_support_matrix_changes_in_the_same_step(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(workspace)
    promote_first = ["promote", "--root", str(workspace / "first"), "--version", V, "--passed-target", LINUX]
    assert cli.main(promote_first) == 0
    changed = {path for path, kept in state(workspace).items() if before.get(path) != kept}
    assert {path.partition("/")[0] for path in changed} == {"first", "support_matrix"}
    assert {str(workspace / path) for path in changed} == set(capsys.readouterr().out.splitlines())
    rows = said(workspace / "support_matrix" / "current.json")["rows"]
    promoted = {(row["agent"], row["target"]): row["pointer_promotion"] for row in rows}
    assert promoted.pop(("first", LINUX)) == "latest_supported_and_validated"
    assert set(promoted.values()) == {"none"}
    assert cli.main(["validate", "--root", str(workspace)]) == 0
    assert cli.main(promote_first) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (put("second/versions/1.0.0.json", "{"), "second/versions/1.0.0.json: not valid JSON"),
        (put("support_matrix/README.md", "# By hand"), "support_matrix/README.md: .*marker"),
    ],
)
def test_where_the_matrix_cannot_be_derived_nothing_changes(change: Change, match: str, workspace: Path) -> None:
    change(workspace)
    with pytest.raises(ParityError, match=match):
        raise refused(partial(promote, workspace / "first"), workspace)


def test_a_checkout_without_a_matrix_gets_one(tmp_path: Path) -> None:
    workspace = tmp_path / "cli_manifests"
    make(workspace / "first", V)
    (tmp_path / "dodo.py").touch()
    upkeep.promote(open_folder(workspace / "first"), V, PASSED)
    assert check(workspace).findings == []
    assert (workspace / "support_matrix" / "current.json").exists()


# -- the command and the task -----------------------------------------------------------------------


def test_the_command_prints_what_changed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["promote", "--root", str(root), "--version", V]
    assert cli.main(command) == 1
    assert capsys.readouterr().err.startswith(f"error[gate-failed]: {METADATA}: {V} cannot become validated: ")
    assert cli.main([*command, "--passed-target", MAC]) == 2
    assert cli.main([*command[:-1], "1.0"]) == 2
    assert pointed(root) == {}
    capsys.readouterr()
    assert cli.main([*command, "--passed-target", LINUX, "--skipped-target", WINDOWS]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[:3] == [str(root / path) for path in (METADATA, "current.json", "latest_validated.txt")]
    assert len(printed) == 5


@pytest.mark.parametrize("place", [".", "..", "versions"])
def test_it_may_be_started_inside_the_folder(place: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / place)
    where = os.path.relpath(root)
    assert cli.main(["promote", "--root", where, "--version", V, "--passed-target", LINUX]) == 0
    assert Path.cwd() == (root / place).resolve()
    assert cli.main(["validate", "--root", where]) == 0


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which `doit` ran once."""
    made = fresh_checkout(tmp_path_factory.mktemp("promotion") / "checkout")
    run = made.doit()
    assert run.code == 0, run.text
    return made


@pytest.mark.flow
def test_a_committed_version_that_nobody_has_validated_is_not_promoted(checkout: Checkout, tmp_path: Path) -> None:
    copy = checkout.copy(tmp_path / "copy")
    before = copy.digests()
    run = copy.doit("promote:codex:0.125.0")
    assert run.code == 1
    [line] = [line for line in run.text.splitlines() if "error[" in line]
    assert line.startswith("error[gate-failed]: versions/0.125.0.json: 0.125.0 cannot become validated: ")
    assert copy.digests() == before


@pytest.mark.flow
def test_the_task_promotes_and_the_build_then_has_nothing_to_change(checkout: Checkout, tmp_path: Path) -> None:
    copy = checkout.copy(tmp_path / "copy")
    unvalidate(copy.root)
    loosen(copy.root)
    assert copy.doit().code == 0
    stages.version_metadata(open_folder(copy.root), "0.125.0", validation=PASSED)
    before = copy.digests()
    run = copy.doit("promote:codex:0.125.0")
    assert run.code == 0, run.text
    assert "pointers/latest_validated" in run.out
    after = copy.digests()
    changed = {path for path, digest in after.items() if before.get(path) != digest}
    assert "cli_manifests/codex/current.json" in changed
    assert "cli_manifests/support_matrix/current.json" in changed
    run = copy.doit()
    assert run.code == 0, run.text
    assert copy.digests() == after
    assert copy.doit().executed == []
    run = copy.doit("promote:codex:0.61.0")
    assert run.code == 1
    assert copy.digests() == after

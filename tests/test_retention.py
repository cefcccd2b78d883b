"""Retention: what nobody needs any more goes, all else stays, and the tree is as valid as before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from changing import state
from checkout import fresh_checkout
from conftest import CODEX
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutating import Change, alter, delete, drop, find, folder, put
from small_tree import (
    LINUX,
    MAC,
    PASSED,
    SURFACE,
    build,
    cover,
    loosen,
    make,
    make_workspace,
    put_json,
    refused,
    rules,
    said,
    snapshot,
    unvalidate,
)

from pipeline import cli, stages, upkeep
from pipeline.check import check
from pipeline.contract.folder import open_folder
from pipeline.contract.rules import read_rules
from pipeline.errors import ArtifactInvalid, ParityError, RulesInvalid, TreeInvalid
from pipeline.layout import Root, in_order
from pipeline.lifecycle.retention import Retention, plan, prune
from pipeline.surface.metadata import Status

LATEST = f"pointers/latest_validated/{LINUX}.txt"
STATUSES = {
    "0.1.0": "snapshotted",
    "0.2.0": "validated",
    "0.3.0": "reported",
    "0.4.0": "supported",
    "0.5.0": "validated",
    "0.6.0": "validated",
}
POINTERS = {
    "min_supported.txt": "0.2.0",
    "latest_validated.txt": "0.5.0",
    f"pointers/latest_supported/{LINUX}.txt": "0.3.0",
    LATEST: "0.5.0",
    f"pointers/latest_supported/{MAC}.txt": "none",
    f"pointers/latest_validated/{MAC}.txt": "none",
}
LISTING = """\
apply: {}
keep_versions:
  0.2.0
  0.3.0
  0.4.0
  0.5.0
  0.6.0
delete_versions:
  0.1.0
"""


def bare(root: Path, statuses: Mapping[str, str], pointers: Mapping[str, str], window: int = 3) -> Path:
    """A folder of which retention can say something, and not more: its artifacts hold nothing."""
    put_json(root / "RULES.json", rules((LINUX, MAC)) | {"storage": {"retention": {"keep_last_validated": window}}})
    for version, status in statuses.items():
        put_json(root / "versions" / f"{version}.json", {"semantic_version": version, "status": status})
        for path in (f"snapshots/{version}/union.json", f"reports/{version}/coverage.any.json"):
            put(path, "{}\n")(root)
        put(f"raw_help/{version}/help.txt", "Usage:\n")(root)
    for pointer, value in pointers.items():
        put(pointer, f"{value}\n")(root)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return bare(tmp_path / "work" / "tool", STATUSES, POINTERS)


def retain(root: Path, *, apply: bool = True) -> tuple[list[str], list[str]]:
    """The versions that are kept and those that are not."""
    found = upkeep.retain(open_folder(root), apply=apply)
    return list(found.keep), list(found.delete)


# -- which versions ---------------------------------------------------------------------------------


def test_only_snapshots_and_reports_outside_the_kept_set_are_deleted(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state(root)
    command = ["retain", "--root", str(root)]
    assert cli.main(command) == 0
    assert capsys.readouterr().out == LISTING.format("false")
    assert state(root) == before
    assert cli.main([*command, "--apply"]) == 0
    assert capsys.readouterr().out == LISTING.format("true")
    gone = {path for path in before if path.startswith(("snapshots/0.1.0", "reports/0.1.0"))}
    assert state(root) == {path: kept for path, kept in before.items() if path not in gone}
    assert cli.main([*command, "--apply"]) == 0
    assert capsys.readouterr().out.endswith("  0.6.0\ndelete_versions:\n")


def test_json_says_why_each_version_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_json(root / "versions" / "0.7.0.json", {"status": "reported"})
    put("snapshots/0.7.0/union.json", "{}\n")(root)
    assert cli.main(["retain", "--root", str(root), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["apply"], document["delete_versions"]) == (False, ["0.1.0"])
    assert {one["version"]: one["reasons"] for one in document["keep_versions"]} == {
        "0.2.0": ["min_supported.txt"],
        "0.3.0": [f"pointers/latest_supported/{LINUX}.txt"],
        "0.4.0": ["among the last validated"],
        "0.5.0": ["latest_validated.txt", LATEST, "among the last validated"],
        "0.6.0": ["among the last validated"],
        "0.7.0": ["work in progress"],
    }


def test_before_anything_is_validated_all_is_work_in_progress(tmp_path: Path) -> None:
    statuses = {"0.1.0": "reported", "0.2.0": "snapshotted"}
    assert retain(bare(tmp_path / "tool", statuses, {}, window=1)) == (["0.1.0", "0.2.0"], [])


def test_versions_are_ordered_as_versions(tmp_path: Path) -> None:
    statuses = dict.fromkeys(["0.9.0", "0.10.0", "0.10.0-rc.1", "1.0.0"], "validated") | {"1.0.1-rc.1": "snapshotted"}
    root = bare(tmp_path / "tool", statuses, {}, window=2)
    assert retain(root) == (["0.10.0", "1.0.0", "1.0.1-rc.1"], ["0.9.0", "0.10.0-rc.1"])


@pytest.mark.parametrize(
    ("pointer", "content"),
    [
        (f"pointers/latest_supported/{MAC}.txt", "0.1.0\n"),
        ("pointers/latest_supported/riscv64-unknown-linux-gnu.txt", "0.1.0\n"),
        ("pointers/of_another_kind/x.txt", "0.1.0\n"),
        ("pointers/latest_supported/older/x.txt", "0.1.0\n"),
        ("min_supported.txt", "0.1.0"),
        ("min_supported.txt", " 0.1.0 \n"),
        ("min_supported.txt", "\n0.1.0\r\n"),
        ("min_supported.txt", "0.2.0\n0.1.0\n"),
    ],
)
def test_what_any_pointer_names_is_kept(pointer: str, content: str, root: Path) -> None:
    put(pointer, content)(root)
    keep, gone = retain(root)
    assert "0.1.0" in keep
    assert set(gone) <= {"0.2.0"}, "which the minimum named before"
    assert (root / "snapshots/0.1.0").is_dir()


def test_folders_that_are_links_or_of_no_version_are_left_alone(root: Path) -> None:
    for kind in ("snapshots", "reports"):
        (root / kind / "0.0.8").symlink_to("0.6.0", target_is_directory=True)
        (root / kind / "0.0.9").symlink_to("../raw_help", target_is_directory=True)
        put(f"{kind}/latest/x.json", "{}\n")(root)
        put(f"{kind}/v0.0.1/x.json", "{}\n")(root)
        put(f"{kind}/0.0.7", "a file\n")(root)
    before = state(root)
    assert retain(root)[1] == ["0.1.0"]
    gone = {path for path in before if path.startswith(("snapshots/0.1.0", "reports/0.1.0"))}
    assert state(root) == {path: kept for path, kept in before.items() if path not in gone}


# -- what it refuses --------------------------------------------------------------------------------

IN_THE_WAY: dict[str, tuple[Change, type[ParityError], str, str]] = {
    "metadata is no JSON": (put("versions/0.3.0.json", "{"), ArtifactInvalid, "versions/0.3.0.json", "may be deleted"),
    "no status": (drop("versions/0.3.0.json", "/status"), ArtifactInvalid, "versions/0.3.0.json", "status"),
    "an unknown status": (
        alter("versions/0.3.0.json", "/status", "promoted"),
        ArtifactInvalid,
        "versions/0.3.0.json",
        "promoted",
    ),
    "metadata is a folder": (folder("versions/0.3.0.json"), ArtifactInvalid, "versions/0.3.0.json", "irectory"),
    "a pointer is no text": (put(LATEST, b"\xff0.1.0\n"), ArtifactInvalid, LATEST, "UTF-8.*may be deleted"),
    "a pointer is a folder": (folder(LATEST), ArtifactInvalid, LATEST, "irectory"),
    "a pointer is a book": (put(LATEST, "0.1.0\n" * 1000), ArtifactInvalid, LATEST, "more than"),
    "no rule of retention": (
        alter("RULES.json", "/storage", {}),
        RulesInvalid,
        "RULES.json",
        "retention.*is not there",
    ),
}


@pytest.mark.parametrize("apply", [False, True])
@pytest.mark.parametrize(("change", "error", "where", "match"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_where_something_cannot_be_judged_nothing_is_deleted(
    change: Change, error: type[ParityError], where: str, match: str, apply: bool, root: Path
) -> None:
    change(root)
    with pytest.raises(error, match=match) as caught:
        raise refused(partial(retain, root, apply=apply), root)
    assert caught.value.where == str(root / where)
    assert caught.value.remedy


def test_a_tree_with_a_link_that_leads_out_is_refused(root: Path) -> None:
    (root / "snapshots").rename(root.parent / "outside")
    (root / "snapshots").symlink_to("../outside", target_is_directory=True)
    with pytest.raises(ParityError, match="leads out"):
        raise refused(partial(retain, root), root)


# -- a valid tree -----------------------------------------------------------------------------------

FIVE = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five reported versions."""
    return make(tmp_path_factory.mktemp("retention") / "tool", *FIVE)


@pytest.fixture
def five(made: Path, tmp_path: Path) -> Path:
    """Five versions, promoted one after the other."""
    root = Path(shutil.copytree(made, tmp_path / "work" / "tool"))
    for version in FIVE:
        upkeep.promote(open_folder(root), version, PASSED)
    return root


def test_a_valid_tree_is_valid_afterwards_and_keeps_its_records(five: Path) -> None:
    assert retain(five) == (["1.2.0", "1.3.0", "1.4.0"], ["1.0.0", "1.1.0"])
    assert find(five) == []
    assert sorted(path.stem for path in five.glob("versions/*.json")) == [*FIVE]
    assert sorted(path.name for path in (*five.glob("snapshots/*"), *five.glob("reports/*"))) == sorted(FIVE[2:] * 2)
    assert retain(five) == (["1.2.0", "1.3.0", "1.4.0"], [])


@pytest.mark.parametrize(
    ("gone", "codes"),
    [
        (["snapshots/1.3.0", "reports/1.3.0"], {"UNION_MISSING", "REPORT_MISSING"}),
        (["snapshots/1.3.0"], {"UNION_MISSING", "ORPHAN"}),
        (["reports/1.3.0"], {"REPORT_MISSING"}),
        (["snapshots/1.0.0"], {"UNION_MISSING", "ORPHAN"}),
        (["reports/1.0.0"], {"REPORT_MISSING"}),
        (["versions/1.0.0.json"], {"VERSION_METADATA_MISSING"}),
    ],
)
def test_what_retention_would_not_delete_is_missed(gone: list[str], codes: set[str], five: Path) -> None:
    for path in gone:
        delete(path)(five)
    found = find(five)
    assert codes & {one.code for one in found}
    assert {one.code for one in found} <= codes


def test_a_pruned_version_is_missed_once_a_pointer_names_it(five: Path) -> None:
    retain(five)
    put("min_supported.txt", "1.0.0\n")(five)
    assert "UNION_MISSING" in {one.code for one in find(five)}


def test_findings_of_before_do_not_keep_anything(five: Path) -> None:
    put("snapshots/1.4.0/notes.txt", "")(five)
    put("reports/1.0.0/notes.txt", "")(five)
    assert retain(five)[1] == ["1.0.0", "1.1.0"]
    assert [(one.code, one.path) for one in find(five)] == [("ORPHAN", "snapshots/1.4.0/notes.txt")]


def test_a_waiver_for_what_only_goes_has_to_go_first(made: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(made, tmp_path / "work" / "tool"))
    old = {"path": ["old"]}
    put_json(root / f"snapshots/1.0.0/{LINUX}.json", snapshot("1.0.0", LINUX, (SURFACE[0], old, SURFACE[1])))
    covered = said(root / "wrapper_coverage.json")["coverage"]
    cover(root, *covered[:1], {**old, "level": "intentionally_unsupported", "note": "Gone soon."}, *covered[1:])
    build(root)
    for version in FIVE:
        upkeep.promote(open_folder(root), version, PASSED)
    with pytest.raises(
        TreeInvalid, match=r"(?s)tree without 1\.0\.0, 1\.1\.0.*wrapper_coverage.json.*WAIVER_UNUSED"
    ) as caught:
        raise refused(partial(retain, root), root)
    assert "keep more" in caught.value.remedy


def test_the_support_matrix_changes_in_the_same_step(made: Path, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "cli_manifests", "first", "second")
    shutil.rmtree(workspace / "first")
    shutil.copytree(made, workspace / "first")
    stages.support_matrix(workspace)
    for version in FIVE:
        upkeep.promote(open_folder(workspace / "first"), version, PASSED)
    second = state(workspace / "second")
    assert retain(workspace / "first")[1] == ["1.0.0", "1.1.0"]
    assert check(workspace).findings == []
    assert state(workspace / "second") == second


# -- laws -------------------------------------------------------------------------------------------

SOME_VERSIONS = ("0.1.0", "0.2.0", "0.10.0", "0.11.0-rc.1", "0.11.0", "1.0.0", "1.2.0", "2.0.0")
PLACES = st.sampled_from([*POINTERS, "pointers/latest_supported/riscv64-unknown-linux-gnu.txt"])


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    statuses=st.dictionaries(st.sampled_from(SOME_VERSIONS), st.sampled_from([*map(str, Status), ""])),
    pointers=st.dictionaries(PLACES, st.sampled_from([*SOME_VERSIONS, "none", "9.9.9"])),
    window=st.integers(1, 4),
)
def test_kept_are_the_window_what_is_pointed_at_and_what_is_newer(
    statuses: dict[str, str], pointers: dict[str, str], window: int, tmp_path: Path
) -> None:
    root = bare(tmp_path / "tool", statuses, pointers, window)
    try:
        for version, status in statuses.items():
            if not status:  # snapshots without metadata
                (root / "versions" / f"{version}.json").unlink()
        before, layout, read = state(root), Root(root), read_rules(root / "RULES.json")
        found = plan(layout, read)
        assert state(root) == before
        earned = in_order(version for version, status in statuses.items() if status in ("validated", "supported"))
        kept = {*earned[-window:], *pointers.values()} & statuses.keys()
        kept |= {version for version in statuses if not earned or in_order((version, earned[-1]))[0] != version}
        assert list(found.keep) == in_order(kept)
        assert list(found.delete) == in_order(statuses.keys() - kept)
        assert all(found.keep.values())
        gone = tuple(f"{kind}/{version}" for version in found.delete for kind in ("reports", "snapshots"))
        assert sorted(prune(layout, found)) == sorted(gone)
        assert state(root) == {path: one for path, one in before.items() if not within(path, gone)}
        again = plan(layout, read)
        assert (again.keep, again.delete) == (found.keep, ())
    finally:
        shutil.rmtree(root)


def within(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    validated=st.sets(st.sampled_from(FIVE)),
    promoted=st.sampled_from([None, *FIVE]),
    supported=st.sampled_from(["none", *FIVE]),
    window=st.integers(1, 4),
)
def test_a_valid_tree_stays_valid(
    validated: set[str], promoted: str | None, supported: str, window: int, made: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(made, tmp_path / "again" / "tool"))
    try:
        alter("RULES.json", "/storage/retention/keep_last_validated", window)(root)
        folder = build(root)
        for version in validated:
            stages.version_metadata(folder, version, Status.VALIDATED, PASSED)
        if promoted:
            upkeep.promote(folder, promoted, PASSED)
        else:
            put(f"pointers/latest_supported/{LINUX}.txt", f"{supported}\n")(root)
        assert find(root) == []
        keep, gone = retain(root)
        assert find(root) == []
        assert in_order(keep + gone) == [*FIVE]
        assert retain(root) == (keep, [])
    finally:
        shutil.rmtree(root.parent)


# -- foreign wrappers -------------------------------------------------------------------------------

DESCRIBED = """upstream_version = "0.1.0"
command = ["true"]

[package]
registry = "npm"
name = "sdk"
version = "1.0.0"
"""


def test_a_version_that_a_foreign_wrapper_is_held_against_is_kept(root: Path) -> None:
    put("wrappers/sdk/wrapper.toml", DESCRIBED)(root)
    assert retain(root, apply=False)[1] == []
    assert plan(Root(root), read_rules(root / "RULES.json")).keep["0.1.0"] == ("wrappers/sdk/wrapper.toml",)


def test_a_description_that_cannot_be_read_keeps_everything(root: Path) -> None:
    put("wrappers/sdk/wrapper.toml", "upstream_version =")(root)
    error = refused(lambda: retain(root), root)
    assert isinstance(error, ArtifactInvalid)
    assert "wrapper.toml" in str(error)
    assert "what may be deleted" in error.problem


# -- the task ---------------------------------------------------------------------------------------


@pytest.mark.flow
def test_the_task_lists_and_with_apply_deletes_and_the_build_then_has_nothing_to_change(tmp_path: Path) -> None:
    checkout = fresh_checkout(tmp_path / "checkout")
    unvalidate(checkout.root)
    loosen(checkout.root)
    alter("RULES.json", "/storage/retention/keep_last_validated", 1)(checkout.root)
    assert checkout.doit().code == 0
    upkeep.promote(open_folder(checkout.root), "0.125.0", PASSED)
    run = checkout.doit()
    assert run.code == 0, run.text
    before = checkout.digests()

    run = checkout.doit("retain:codex")
    assert run.code == 0, run.text
    lists = "keep_versions:\n  0.125.0\n  0.169.0\ndelete_versions:\n  0.61.0\n"
    assert f"apply: false\n{lists}" in run.out
    assert checkout.digests() == before

    run = checkout.doit("retain:codex", "--apply")
    assert run.code == 0, run.text
    assert f"apply: true\n{lists}" in run.out
    after = checkout.digests()
    gone = {
        path
        for path in before
        if within(path, [f"cli_manifests/codex/{kind}/0.61.0" for kind in ("snapshots", "reports")])
        or path.startswith("cli_manifests/codex/diffs/0.61.0..")
    }
    assert before.keys() - after.keys() == gone != set()
    changed = {path for path, digest in after.items() if digest != before[path]}
    assert {path.partition("/support_matrix/")[0] for path in changed} == {"cli_manifests"}
    run = checkout.doit()
    assert run.code == 0, run.text
    assert checkout.digests() == after
    assert checkout.doit().executed == []


def test_versions_that_a_deleted_one_stood_between_are_compared_with_each_other(tmp_path: Path) -> None:
    shutil.copytree(CODEX, tmp_path / "codex", ignore=shutil.ignore_patterns("raw_help"))
    root = Root(tmp_path / "codex")
    unvalidate(root.path)
    stages.diff(open_folder(root.path), "0.61.0", "0.169.0")
    expected = {path.name: path.read_bytes() for path in root.diffs.glob("0.61.0..0.169.0*")}
    for name in expected:
        (root.diffs / name).unlink()
    prune(root, Retention({}, ("0.125.0",)))
    assert list(root.diffs.iterdir()) == []
    upkeep.diff_new_neighbours(open_folder(root.path))
    assert {path.name: path.read_bytes() for path in root.diffs.iterdir()} == expected

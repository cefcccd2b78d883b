"""The real doit on temporary checkouts: what runs, what does not, and that every byte comes out the same."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from checkout import REPOSITORY, Checkout, fresh_checkout
from small_tree import unvalidate

from pipeline.layout import Root
from tasks import DEFAULT_STAGES

pytestmark = pytest.mark.flow

VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
LINUX = "x86_64-unknown-linux-musl"
VERSION = VERSIONS[1]
VALIDATED = VERSIONS[-1]
CHAIN = ("union", "report", "metadata")
# What follows from the foreign wrapper's evidence, and from the union that it is held against.
FOREIGN = ("wrapper-coverage:codex:codex-sdk", f"report:codex:{VERSIONS[-1]}:codex-sdk")
DIFFS = tuple(f"diff:codex:{before}..{after}" for before, after in pairwise(VERSIONS))
ALL_TASKS = (
    "schema:codex",
    "schema:runs",
    "timeline:codex",
    "surfaces:codex",
    "capabilities:codex",
    "wrapper-coverage:codex",
    *FOREIGN,
    *(f"{stage}:codex:{version}" for stage in CHAIN for version in VERSIONS),
    *DIFFS,
    "support-matrix:all",
    "validate:codex",
    "findings:docs",
    "spec-index:docs",
    "patterns:index",
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone in which `doit` ran once; tests look at it or copy it, and change nothing in it."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout, which is what says which files a clone has")
    checkout = fresh_checkout(tmp_path_factory.mktemp("flow") / "built")
    before = checkout.digests()
    run = checkout.doit()
    assert run.code == 0, run.text
    assert sorted(run.executed) == sorted(ALL_TASKS)
    assert checkout.digests() == before, "a plain doit on a fresh clone changes nothing that is committed"
    return checkout


@pytest.fixture
def copy(built: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the built checkout: everything is fresh there."""
    return built.copy(tmp_path / "copy")


@pytest.fixture(scope="session")
def outputs(built: Checkout) -> dict[str, list[str]]:
    """What each default task writes: task → paths below the checkout."""
    return {row["task"]: row["outputs"] for row in json.loads(built.doit("plan", "--json").out)}


def remove(checkout: Checkout, outputs: dict[str, list[str]]) -> list[Path]:
    """Delete everything that is derived; returns where it was.

    What is a record too stays: the metadata with a status that a version has earned, and the timeline, which alone
    knows the versions that have no snapshots.
    """
    records = (f"versions/{VALIDATED}.json", "timeline.json")
    derived = [checkout.path / path for paths in outputs.values() for path in paths if not path.endswith(records)]
    for path in derived:
        path.unlink()
    return derived


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode("utf-8")
    assert old in text, f"{path} does not hold {old!r}"
    path.write_bytes(text.replace(old, new, 1).encode("utf-8"))


def touch(path: Path) -> None:
    seen = path.stat()
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1_000_000_000))


# -- what a build does ------------------------------------------------------------------------------


def test_a_second_run_does_nothing(built: Checkout) -> None:
    run = built.doit()
    assert (run.code, run.executed) == (0, [])


def test_a_copy_of_a_built_checkout_is_fresh(copy: Checkout) -> None:
    assert copy.doit().executed == []


@pytest.mark.parametrize("task", ALL_TASKS)
def test_each_task_works_alone_where_nothing_is_derived_yet(
    task: str, built: Checkout, outputs: dict[str, list[str]], tmp_path: Path
) -> None:
    clone = built.clone(tmp_path / "clone")
    derived = remove(clone, outputs)
    run = clone.doit(task)
    assert run.code == 0, run.text
    assert run.executed[-1] == task
    assert all((clone.path / path).exists() for path in outputs[task])
    for path in derived:
        if path.exists():
            assert path.read_bytes() == (built.path / path.relative_to(clone.path)).read_bytes()


def test_every_declared_input_exists(built: Checkout) -> None:
    run = built.doit("list", "--all", "--deps")
    inputs = {line.removeprefix(" -  ") for line in run.out.splitlines() if line.startswith(" -  ")}
    assert len(inputs) > 60
    # What a phase of config parity waits for is written by the one before, when somebody asks for it.
    committed = sorted(path for path in inputs if not path.startswith("build/config/"))
    assert [path for path in committed if not (built.path / path).is_file()] == []


def test_tasks_of_the_network_and_of_binaries_are_not_part_of_a_build(built: Checkout) -> None:
    listed = built.doit("list", "--all", "--quiet").out.split()
    groups = {name for name in listed if ":" not in name}
    assert groups - set(DEFAULT_STAGES) == {
        "acquire",
        "backfill",
        "config-changes",
        "config-cohort",
        "config-emit",
        "config-harden",
        "config-inventory",
        "config-peers",
        "config-plan",
        "config-verify",
        "evaluate",
        "faces",
        "fetch-peer",
        "fetch-projects",
        "fetch-wrapper",
        "lock",
        "onboard",
        "pages",
        "promote",
        "retain",
        "snapshot",
        "specs",
        "trace",
        "trial",
        "watch",
    }
    planned = {row["task"].partition(":")[0] for row in json.loads(built.doit("plan", "--json").out)}
    assert planned == set(DEFAULT_STAGES)


# -- what a change makes run ------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_an_edited_snapshot_reruns_its_own_version_and_the_check(version: str, copy: Checkout) -> None:
    if version == VALIDATED:  # current.json would no longer be its union, until it is promoted again
        unvalidate(copy.root)
        assert copy.doit().code == 0
    edit(Root(copy.root).snapshot(version, LINUX), '"about": "', '"about": "Edited. ')
    run = copy.doit()
    assert run.code == 0, run.text
    foreign = set(FOREIGN if version == VERSIONS[-1] else ())
    chain = [f"{stage}:codex:{version}" for stage in CHAIN]
    after = [*chain[1:], "support-matrix:all", "validate:codex"]
    changed = [chain[0], "timeline:codex", "surfaces:codex", *(name for name in DIFFS if version in name), *after]
    assert [task for task in run.executed if task not in foreign] == changed
    assert foreign <= set(run.executed)
    assert copy.doit().executed == []


def test_a_touched_snapshot_stops_at_the_union_that_comes_out_the_same(copy: Checkout) -> None:
    touch(Root(copy.root).snapshot(VERSION, LINUX))
    assert copy.doit().executed == [f"union:codex:{VERSION}", "timeline:codex", "validate:codex"]


def test_a_new_snapshot_is_merged_and_reported_without_any_edit_elsewhere(copy: Checkout) -> None:
    root, last = Root(copy.root), "aarch64-apple-darwin"
    text = root.snapshot(VERSION, LINUX).read_bytes().decode("utf-8")
    pins = {row["target"]: row for row in json.loads(root.lock.read_bytes())["rows"] if row["version"] == VERSION}
    text = text.replace(LINUX, last).replace('"os": "linux"', '"os": "macos"')
    for key in ("sha256", "size_bytes"):
        text = text.replace(str(pins[LINUX][key]), str(pins[last][key]))
    root.snapshot(VERSION, last).write_bytes(text.encode("utf-8"))
    run = copy.doit()
    assert run.code == 0, run.text
    # The timeline says something else, and every report looks at it; the other versions' unions stay.
    assert {*(f"{stage}:codex:{VERSION}" for stage in CHAIN), "support-matrix:all"} <= set(run.executed)
    assert [task for task in run.executed if task.startswith("union:")] == [f"union:codex:{VERSION}"]
    assert run.executed[-1] == "validate:codex"
    assert json.loads(root.union(VERSION).read_bytes())["complete"] is True
    assert root.report(VERSION, "all").exists()
    assert root.report(VERSION, last).exists()
    # … and away again: the reports that answer no question any more go with it.
    root.snapshot(VERSION, last).unlink()
    run = copy.doit()
    assert run.code == 0, run.text
    assert not root.report(VERSION, "all").exists()
    assert not root.report(VERSION, last).exists()
    assert not root.report(VERSION, last, ".md").exists()


def test_changed_rules_rerun_what_follows_them(copy: Checkout) -> None:
    edit(copy.root / "RULES.json", '"note": "', '"note": "Edited. ')
    run = copy.doit()
    assert run.code == 0, run.text
    # A foreign wrapper's coverage has no scopes that the rules would resolve.
    assert set(run.executed) == set(ALL_TASKS) - {
        "findings:docs",
        "schema:runs",
        "spec-index:docs",
        "patterns:index",
        FOREIGN[0],
    }
    assert b"Edited. " in Root(copy.root).report(VERSION, "any").read_bytes()


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("pipeline/report/markdown.py", {"report", "metadata", "validate"}),
        ("pipeline/lifecycle/support.py", {"metadata", "support-matrix", "validate"}),
        ("pipeline/union/merge.py", {"union", "validate"}),
        ("pipeline/validate/files.py", {"schema", "validate", "findings"}),
        ("pipeline/wrapper/manifest.py", {"capabilities", "wrapper-coverage", "validate"}),
        (
            "pipeline/history/build.py",
            {"timeline", "surfaces", "diff", "capabilities", "report", "validate", "findings"},
        ),
        ("pipeline/canonical.py", set(DEFAULT_STAGES)),
        ("pipeline/trace/combine.py", {"wrapper-coverage", "report", "validate"}),
        ("pipeline/acquire/npm.py", set()),
        ("README.md", set()),
    ],
)
def test_touched_code_reruns_the_stages_that_use_it(module: str, stages: set[str], copy: Checkout) -> None:
    touch(copy.path / module)
    run = copy.doit()
    assert run.code == 0, run.text
    assert {task.partition(":")[0] for task in run.executed} == stages


# -- what is not as the build left it ---------------------------------------------------------------


def by_hand(path: Path) -> None:
    edit(path, "a", "A")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [by_hand, truncated, Path.unlink])
@pytest.mark.parametrize(
    "artifact",
    [
        "SCHEMA.json",
        "VERSION_METADATA_SCHEMA.json",
        "wrapper_coverage.json",
        f"snapshots/{VERSION}/union.json",
        f"reports/{VERSION}/coverage.any.json",
        f"reports/{VERSION}/coverage.any.md",
        f"reports/{VERSION}/coverage.{LINUX}.json",
    ],
)
def test_a_damaged_artifact_is_rebuilt(artifact: str, damage: Callable[[Path], None], copy: Checkout) -> None:
    path = copy.root / artifact
    good = path.read_bytes()
    damage(path)
    run = copy.doit()
    assert run.code == 0, run.text
    assert path.read_bytes() == good
    assert run.executed
    assert copy.doit().executed == []


def test_deleted_metadata_is_rebuilt(copy: Checkout) -> None:
    path = Root(copy.root).metadata(VERSION)
    good = path.read_bytes()
    path.unlink()
    assert copy.doit().executed == [f"metadata:codex:{VERSION}", "support-matrix:all", "validate:codex"]
    assert path.read_bytes() == good


def test_damaged_metadata_is_rebuilt(copy: Checkout) -> None:
    path = Root(copy.root).metadata(VERSION)
    good = path.read_bytes()
    for damage in (lambda: edit(path, '"union_complete": false', '"union_complete": true'), lambda: truncated(path)):
        damage()
        assert copy.doit().code == 0
        assert path.read_bytes() == good


def test_unreadable_metadata_that_a_pointer_relies_on_is_refused(copy: Checkout) -> None:
    """Status, notes and validation are carried over from the file itself: what cannot be read is not guessed."""
    root = Root(copy.root)
    root.pointer("latest_validated", LINUX).write_text(f"{VERSION}\n", encoding="utf-8")
    truncated(root.metadata(VERSION))
    half = root.metadata(VERSION).read_bytes()
    run = copy.doit()
    assert run.code == 1
    assert "restore the file from git" in run.text
    assert f"versions/{VERSION}.json" in run.text
    assert root.metadata(VERSION).read_bytes() == half


# -- the same bytes everywhere ----------------------------------------------------------------------


def test_a_rebuild_depends_on_nothing_around_it(built: Checkout, outputs: dict[str, list[str]], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    here = {"TZ": "UTC", "LC_ALL": "C", "LANG": "C", "COLUMNS": "40", "PYTHONHASHSEED": "1"}
    there = {
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "COLUMNS": "300",
        "PYTHONHASHSEED": "2",
        "NO_COLOR": "1",
    }
    for name, umask, variables in (("one", 0o000, here), ("another folder ü", 0o077, there)):
        clone = built.clone(tmp_path / name)
        derived = remove(clone, outputs)
        run = clone.doit("-f", str(clone.path / "dodo.py"), cwd=tmp_path / "elsewhere", umask=umask, **variables)
        assert run.code == 0, run.text
        assert sorted(run.executed) == sorted(ALL_TASKS)
        assert clone.digests() == built.digests()
        if sys.platform != "win32":
            assert {stat.S_IMODE(path.stat().st_mode) for path in derived} == {0o644}
    assert list((tmp_path / "elsewhere").iterdir()) == []


# -- time -------------------------------------------------------------------------------------------


def unpin(checkout: Checkout) -> None:
    """Take away what the build pins for the versions."""
    Root(checkout.root).lock.write_bytes(b'{\n  "lock_schema_version": 1,\n  "rows": []\n}\n')


@pytest.mark.parametrize("stage", CHAIN)
def test_without_an_epoch_a_stage_fails_with_one_line(stage: str, copy: Checkout) -> None:
    unpin(copy)
    if stage != "union":  # its inputs are there, only its own stamp is missing
        assert copy.doit(f"union:codex:{VERSION}", SOURCE_DATE_EPOCH="1700000000").code == 0
    before = copy.digests()
    run = copy.doit("--single", f"{stage}:codex:{VERSION}")
    assert run.code == 1
    lines = [line for line in run.text.splitlines() if "error[" in line]
    assert len(lines) == 1
    assert lines[0].startswith("error[epoch-missing]: ")
    assert "SOURCE_DATE_EPOCH" in lines[0]
    assert "Traceback" not in run.text
    assert copy.digests() == before


def test_the_environments_epoch_counts_and_a_changed_one_reruns(copy: Checkout) -> None:
    unpin(copy)
    # The check wants every snapshot to be of a locked binary.
    stages = [stage for stage in DEFAULT_STAGES if stage != "validate"]
    for epoch, time in (("1700000000", b"2023-11-14T22:13:20Z"), ("1700000001", b"2023-11-14T22:13:21Z")):
        run = copy.doit(*stages, SOURCE_DATE_EPOCH=epoch)
        assert run.code == 0, run.text
        assert set(run.executed) == set(ALL_TASKS) - {"validate:codex"}
        for path in (copy.root / "wrapper_coverage.json", *copy.root.glob("snapshots/*/union.json")):
            assert time in path.read_bytes()
        assert copy.doit(*stages, SOURCE_DATE_EPOCH=epoch).executed == []


def test_an_epoch_that_is_no_number_is_refused(copy: Checkout) -> None:
    run = copy.doit(SOURCE_DATE_EPOCH="now")
    assert run.code == 1
    assert "error[epoch-missing]: SOURCE_DATE_EPOCH is 'now'" in run.text


# -- failures ---------------------------------------------------------------------------------------


def test_a_known_error_is_one_line_and_leaves_the_old_files(copy: Checkout) -> None:
    path = Root(copy.root).snapshot(VERSION, LINUX)
    edit(path, '"tool": "', '"surprise": 1,\n  "tool": "')
    before = copy.digests()
    run = copy.doit()
    assert run.code == 1
    assert "Traceback" not in run.text
    [line] = [line for line in run.text.splitlines() if "error[" in line]
    assert line.startswith(f"error[artifact-invalid]: {path.relative_to(copy.path)}: ")
    assert "surprise" in line
    assert copy.digests() == before


def test_a_bug_keeps_its_traceback(copy: Checkout) -> None:
    with (copy.path / "pipeline" / "union" / "build.py").open("a", encoding="utf-8") as module:
        module.write("\n\ndef build_union(*_args, **_keywords):\n    raise KeyError('a bug')\n")
    run = copy.doit(f"union:codex:{VERSION}")
    assert run.code == 2
    assert "Traceback" in run.text
    assert "KeyError: 'a bug'" in run.text


@pytest.mark.parametrize("broken", ["{", "[]", '{"rows": null}', '{"rows": [{}, 1]}', '{"union": 3}', '{"union": []}'])
@pytest.mark.parametrize("file", ["RULES.json", "artifacts.lock.json"])
def test_a_broken_policy_or_lock_is_told_by_the_stage_that_needs_it(file: str, broken: str, copy: Checkout) -> None:
    (copy.root / file).write_text(broken, encoding="utf-8")
    listed = copy.doit("list")
    assert listed.code == 0, listed.text
    run = copy.doit()
    assert run.code == 1, run.text
    assert "Traceback" not in run.text
    assert f"cli_manifests{os.sep}codex{os.sep}{file}: " in run.text


def test_a_lock_row_that_would_leave_the_folder_names_no_task(copy: Checkout) -> None:
    lock = Root(copy.root).lock
    document = json.loads(lock.read_bytes())
    row = document["rows"][0]
    document["rows"] += [{**row, "version": "../1.0.0"}, {**row, "target": "../../x"}, {**row, "version": 7}]
    lock.write_text(json.dumps(document), encoding="utf-8")
    listed = copy.doit("list", "--all", "--quiet")
    assert listed.code == 0, listed.text
    assert "../" not in listed.out
    run = copy.doit()
    assert run.code == 1
    assert "artifacts.lock.json[/rows/14/version]: LOCK_INVALID error: " in run.text


def test_a_snapshot_without_its_binary_says_which_task_to_run(copy: Checkout, tmp_path: Path) -> None:
    name = f"codex:0.169.0:{LINUX}"
    before = copy.digests()
    run = copy.doit(f"snapshot:{name}", CLI_PARITY_CACHE=str(tmp_path / "empty"))
    assert run.code == 1
    assert f"run `doit acquire:{name}`" in run.text
    assert copy.digests() == before


def test_a_snapshot_of_an_unknown_version_says_to_lock_it_first(copy: Checkout, tmp_path: Path) -> None:
    name = f"codex:9.9.9:{LINUX}"
    run = copy.doit(f"snapshot:{name}", CLI_PARITY_CACHE=str(tmp_path / "empty"))
    assert run.code == 1
    assert f"run `doit lock:codex:9.9.9`, then `doit acquire:{name}`" in run.text


@pytest.mark.parametrize("name", ["codex:9.9.9:../../x", "codex:../..:x", "codex:9.9.9", "nobody:9.9.9:x"])
def test_a_snapshot_that_cannot_be_is_a_wrong_question(name: str, copy: Checkout) -> None:
    run = copy.doit(f"snapshot:{name}")
    assert run.code == 3, run.text
    assert f'Invalid parameter: "snapshot:{name}"' in run.text
    assert "Traceback" not in run.text


def test_a_finding_fails_the_check_with_its_line(copy: Checkout) -> None:
    (copy.root / "pointers" / "latest_supported" / f"{LINUX}.txt").write_bytes(b"9.9.9\n")
    run = copy.doit("validate")
    assert run.code == 1
    assert "\nversions/9.9.9.json: VERSION_METADATA_MISSING error: " in run.text
    assert copy.doit("validate").executed == ["validate:codex"], "what failed is not up to date"


# -- plan and matrix --------------------------------------------------------------------------------


def test_the_plan_of_a_fresh_clone_runs_everything(built: Checkout, tmp_path: Path) -> None:
    checkout = built.clone(tmp_path / "clone")
    before = checkout.digests()
    rows = json.loads(checkout.doit("plan", "--json").out)
    assert sorted(row["task"] for row in rows) == sorted(ALL_TASKS)
    assert {row["state"] for row in rows} == {"run"}
    assert all(row["why"] for row in rows)
    assert checkout.digests() == before


def test_the_plan_of_a_built_checkout_is_fresh(built: Checkout) -> None:
    run = built.doit("plan")
    assert run.code == 0
    assert sorted(run.out.splitlines()) == sorted(f"fresh {task}" for task in ALL_TASKS)


def test_the_plan_names_the_stale_input_and_what_waits_for_it(copy: Checkout) -> None:
    snapshot = Root(copy.root).snapshot(VERSION, LINUX)
    touch(snapshot)
    where = snapshot.relative_to(copy.path).as_posix()
    union = f"cli_manifests/codex/snapshots/{VERSION}/union.json"

    lines = copy.doit("plan").out.splitlines()
    at = lines.index(f"run   union:codex:{VERSION}")
    assert lines[at + 1] == f"      input changed: {where}"
    at = lines.index(f"waits report:codex:{VERSION}")
    assert lines[at + 1] == f"      input may change: {union}"

    rows = {row["task"]: row for row in json.loads(copy.doit("plan", "--json").out)}
    assert rows[f"union:codex:{VERSION}"]["state"] == "run"
    assert rows[f"union:codex:{VERSION}"]["why"] == [f"input changed: {where}"]
    assert {task for task, row in rows.items() if row["state"] == "waits"} == {
        *(f"{stage}:codex:{version}" for stage in ("report", "metadata") for version in VERSIONS),
        FOREIGN[1],
        *DIFFS,
        "surfaces:codex",
        "capabilities:codex",
        "support-matrix:all",
    }
    assert rows["validate:codex"]["state"] == "run"
    assert copy.doit("plan", "schema").out == "fresh schema:codex\nfresh schema:runs\n"


def test_the_plan_says_why_an_output_is_made_again(copy: Checkout) -> None:
    root = Root(copy.root)
    by_hand(root.union(VERSION))
    root.report("0.61.0", "any", ".md").unlink()
    rows = {row["task"]: row for row in json.loads(copy.doit("plan", "--json").out)}
    changed = root.union(VERSION).relative_to(copy.path)
    gone = root.report("0.61.0", "any", ".md").relative_to(copy.path)
    assert rows[f"union:codex:{VERSION}"]["why"] == [f"not as the last run left it: {changed}"]
    assert any(str(gone.as_posix()) in reason.replace("\\", "/") for reason in rows["report:codex:0.61.0"]["why"])
    assert rows["union:codex:0.61.0"]["state"] == "fresh"


def test_the_plan_knows_that_the_epoch_is_another(copy: Checkout) -> None:
    rows = json.loads(copy.doit("plan", "--json", SOURCE_DATE_EPOCH="5").out)
    assert {row["state"] for row in rows} == {"run"}
    assert "a setting that it uses has changed" in rows[0]["why"]


def test_the_plan_refuses_an_unknown_task(built: Checkout) -> None:
    run = built.doit("plan", "nobody")
    assert run.code == 3
    assert '"nobody"' in run.text
    assert "Traceback" not in run.text


def test_the_matrix_lists_the_snapshots_that_a_lock_allows(built: Checkout) -> None:
    run = built.doit("matrix")
    rows = json.loads(run.out)["include"]
    locked = json.loads(Root(REPOSITORY / "cli_manifests" / "codex").lock.read_bytes())["rows"]
    assert {(row["version"], row["target"]) for row in rows} == {(row["version"], row["target"]) for row in locked}
    assert all(row["task"] == f"snapshot:codex:{row['version']}:{row['target']}" for row in rows)
    assert {row["stage"] for row in rows} == {"snapshot"}


def test_the_matrix_of_another_stage(built: Checkout) -> None:
    rows = json.loads(built.doit("matrix", "--stage", "union").out)["include"]
    assert {row["task"] for row in rows} == {f"union:codex:{version}" for version in VERSIONS}
    assert all("target" not in row for row in rows)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--stage", "union", "--stale"), "--stale and --shards are for the stage snapshot"),
        (("--stage", "union", "--shards", "2"), "--stale and --shards are for the stage snapshot"),
        (("--shards", "257"), "ask for 1 to 256 shards"),
        (("--shards", "2"), "4 runners cannot share 2 jobs"),
    ],
)
def test_a_matrix_that_cannot_be_is_a_wrong_question(words: tuple[str, ...], problem: str, built: Checkout) -> None:
    run = built.doit("matrix", *words)
    assert run.code == 3
    assert problem in run.err
    assert "Traceback" not in run.err


def test_a_matrix_of_what_is_left_is_empty_on_targets_that_are_committed(built: Checkout) -> None:
    rows = json.loads(built.doit("matrix", "--stale").out)["include"]
    assert {row["target"] for row in rows} == {"aarch64-apple-darwin"}, "no macOS binary was read"
    assert (
        built.doit("matrix", "--stale", "--only", "nobody", "--as", "cells").out
        == 'cells={"include":[]}\ncells-count=0\n'
    )

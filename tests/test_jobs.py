"""Work for many jobs: what is left to do, how it is split, what a job hands on, and how all of it is joined."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from changing import state
from conftest import MANIFESTS
from hypothesis import given
from hypothesis import strategies as st
from small_tree import LINUX, MAC, WINDOWS, make, put_json, refused, said, snapshot

from pipeline import canonical, cli, stages
from pipeline.contract.folder import open_folder
from pipeline.errors import ArtifactInvalid, ArtifactMissing, IdentityMismatch, ParityError, UsageError
from pipeline.jobs.bundle import NAME, bundles_below, names_in, pack, split
from pipeline.jobs.cells import rows, words_of, work
from pipeline.jobs.merge import Merge, expected_of
from pipeline.jobs.output import as_output, matrix_text
from pipeline.jobs.runners import TABLE, read_runners
from pipeline.jobs.shards import LIMIT, Cell, shards
from pipeline.jobs.verdicts import judged, verdicts
from pipeline.layout import Root
from pipeline.surface.revision import REVISION

CHECKOUT = MANIFESTS.parent
RUNNERS = {"linux x86_64": "tux", "windows x86_64": "pane", "macos aarch64": "apple"}
OLD, NEW = "1.0.0", "1.1.0"
FIRST, SECOND = f"tool:{NEW}:{LINUX}", f"tool:{NEW}:{WINDOWS}"

# -- shards ----------------------------------------------------------------------------------------------

names = st.integers(0, 400).map(lambda number: f"tool:1.{number}.0:{LINUX}")
some_cells = st.lists(
    st.builds(Cell, names, st.sampled_from(["a", "b", "c"]), st.integers(1, 500)),
    max_size=80,
    unique_by=lambda one: one.name,
)


@given(some_cells, st.integers(3, LIMIT))
def test_every_cell_is_in_one_shard_of_its_runner_and_there_are_never_too_many(cells: list[Cell], jobs: int) -> None:
    found = shards(cells, jobs)
    assert len(found) <= jobs
    assert len(found) == min(len(cells), jobs) or len(cells) > jobs
    assert sorted(cell for shard in found for cell in shard.cells) == sorted(cells)
    assert all(shard.cells and {cell.runner for cell in shard.cells} == {shard.runner} for shard in found)


@given(some_cells, st.integers(3, 12))
def test_no_shard_has_much_more_to_do_than_its_like(cells: list[Cell], jobs: int) -> None:
    found = shards(cells, jobs)
    for runner in {cell.runner for cell in cells}:
        costs = [shard.cost for shard in found if shard.runner == runner]
        dearest = max(cell.cost for cell in cells if cell.runner == runner)
        assert max(costs) <= sum(costs) / len(costs) + dearest


@given(some_cells, st.randoms(use_true_random=False))
def test_the_order_of_cells_means_nothing(cells: list[Cell], shuffle: random.Random) -> None:
    other = shuffle.sample(cells, len(cells))
    assert shards(cells, 7) == shards(other, 7)


@pytest.mark.parametrize("jobs", [-1, 0, LIMIT + 1])
def test_a_number_of_jobs_that_no_provider_has_is_refused(jobs: int) -> None:
    with pytest.raises(UsageError, match="jobs are no matrix"):
        shards([Cell(FIRST, "a")], jobs)


def test_more_runners_than_jobs_are_refused() -> None:
    with pytest.raises(UsageError, match=r"2 runners cannot share 1 jobs \(ask for 2 shards or more\)"):
        shards([Cell(FIRST, "a"), Cell(SECOND, "b")], 1)


def on_paper(count: int) -> list[Cell]:
    """Snapshots of twenty agents on six platforms, as large as real ones: from one page to some hundred."""
    numbers = random.Random(7)
    runners = [*sorted(set(read_runners(CHECKOUT / TABLE).values()))]
    pages = {agent: int(numbers.lognormvariate(3.5, 1.2)) + 1 for agent in range(20)}
    return [
        Cell(
            f"agent_{at % 20:02}:{at // 120}.{at % 7}.0:target-{at // 20 % 6}",
            runners[at // 20 % 6],
            40 + pages[at % 20],
        )
        for at in range(count)
    ]


def test_5000_snapshots_on_paper_fit_into_one_matrix_of_even_jobs() -> None:
    cells = on_paper(5000)
    assert len(set(cells)) == 5000
    found = shards(cells)
    assert len(found) == LIMIT
    costs = [shard.cost for shard in found]
    assert max(costs) <= 1.1 * sum(costs) / len(costs), "no job is waited for by the others"
    assert Counter(shard.runner for shard in found).keys() == {cell.runner for cell in cells}
    printed = as_output(
        "shards",
        [{"name": f"{at:03}", "runner": one.runner, "tasks": words_of(one.cells)} for at, one in enumerate(found)],
    )
    assert printed.endswith("\nshards-count=256\n")
    # A command line and a variable of the environment hold that many words on every system.
    assert max(len(words_of(shard.cells)) for shard in found) < 8000


def test_more_than_a_provider_passes_on_is_refused() -> None:
    with pytest.raises(UsageError, match=r"20000 rows are \d+ bytes, and a job's output has at most 1048576"):
        as_output("cells", rows(tuple(on_paper(20_000))))


def test_rows_are_printed_as_a_matrix_and_as_an_output() -> None:
    row = rows((Cell(FIRST, "tux"),))
    assert json.loads(matrix_text(row)) == {
        "include": [
            {
                "task": f"snapshot:{FIRST}",
                "stage": "snapshot",
                "agent": "tool",
                "version": NEW,
                "target": LINUX,
                "runner": "tux",
                "tasks": f"acquire:{FIRST} snapshot:{FIRST}",
                "name": f"tool-{NEW}-{LINUX}",
            }
        ]
    }
    assert as_output("x", row).splitlines()[0].startswith('x={"include":[{')
    assert as_output("x", []) == 'x={"include":[]}\nx-count=0\n'


# -- what is left to do ----------------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One agent, two versions on two targets, all of it up to date."""
    folder = tmp_path / "cli_manifests"
    make(folder / "tool", OLD, NEW)
    (folder / "tool" / "agent.toml").write_text('tool = "tool"\nprogram = "tool"\n[help]\ndialect = "clap"\n')
    return folder


def edit(path: Path, change: Callable[[dict], object]) -> None:
    document = said(path)
    change(document)
    put_json(path, document)


def test_what_is_up_to_date_is_no_work_unless_it_is_asked_for(workspace: Path) -> None:
    folder = open_folder(workspace / "tool")
    assert work(folder, RUNNERS).cells == ()
    assert len(work(folder, RUNNERS).done) == 4
    again = work(folder, RUNNERS, NEW, again=True)
    assert [cell.name for cell in again.cells] == [SECOND, FIRST], "as the lock has them"
    assert [cell.runner for cell in again.cells] == ["pane", "tux"]
    assert {cell.cost for cell in again.cells} == {43}, "the fetch, and the pages that the newest version has"


STALE = {
    "it is not there": lambda path: path.unlink(),
    "it is no JSON": lambda path: path.write_text("{"),
    "another reader took it": lambda path: edit(path, lambda it: it["generator"].update(revision=REVISION - 1)),
    "another tool took it": lambda path: edit(path, lambda it: it.pop("generator")),
    "it is of another binary": lambda path: edit(path, lambda it: it["binary"].update(sha256="6" * 64)),
    "it is of another time": lambda path: edit(path, lambda it: it.update(collected_at="2026-01-02T00:00:00Z")),
}


@pytest.mark.parametrize("why", STALE)
def test_a_snapshot_is_taken_again_where(why: str, workspace: Path) -> None:
    STALE[why](workspace / "tool" / "snapshots" / NEW / f"{WINDOWS}.json")
    assert [cell.name for cell in work(open_folder(workspace / "tool"), RUNNERS).cells] == [SECOND]


def test_a_target_whose_runner_is_gone_is_said_and_no_work(workspace: Path) -> None:
    found = work(open_folder(workspace / "tool"), {"linux x86_64": "tux"}, NEW, again=True)
    assert [cell.name for cell in found.cells] == [FIRST]
    assert found.homeless == (SECOND,)


def test_every_committed_target_of_a_known_platform_has_a_runner() -> None:
    table = read_runners(CHECKOUT / TABLE)
    assert {name.split()[0] for name in table} == {"linux", "macos", "windows"}
    for root in sorted(MANIFESTS.glob("*/agent.toml")):
        folder = open_folder(root.parent)
        assert work(folder, table, again=True).homeless == ()


# -- what a job hands on ---------------------------------------------------------------------------------


@pytest.fixture
def machine(workspace: Path, tmp_path: Path) -> Path:
    """A job's workspace: the same lock, and the newer version read anew, with its help."""
    folder = tmp_path / "machine" / "cli_manifests"
    shutil.copytree(workspace, folder)
    for target in (LINUX, WINDOWS):
        canonical.write(folder / "tool" / "raw_help" / NEW / target / "help.txt", target.encode())
        shutil.rmtree(workspace / "tool" / "snapshots" / NEW, ignore_errors=True)
    return folder


@pytest.fixture
def downloads(machine: Path, tmp_path: Path) -> Path:
    """Two jobs' bundles, as they are downloaded."""
    folder = tmp_path / "downloads"
    pack(machine, [FIRST], folder / "one")
    pack(machine, [SECOND], folder / "two")
    return folder


def test_a_bundle_holds_snapshots_with_their_help(downloads: Path) -> None:
    assert [(one.name, one.raw_help is not None) for one in bundles_below(downloads)] == [(FIRST, True), (SECOND, True)]
    assert [one.name for one in bundles_below(downloads / "one")] == [FIRST], "a folder of downloads may be one bundle"
    assert list(bundles_below(downloads / "nowhere")) == []
    assert said(downloads / "one" / NAME)["files"].keys() == {
        f"tool/snapshots/{NEW}/{LINUX}.json",
        f"tool/raw_help/{NEW}/{LINUX}/help.txt",
    }


def test_a_snapshot_that_was_not_taken_is_not_packed(machine: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match=r"run `doit snapshot:tool:2\.0\.0:"):
        pack(machine, [f"tool:2.0.0:{LINUX}"], tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    with pytest.raises(UsageError, match="it is there already"):
        pack(machine, [FIRST], tmp_path / "new")


@pytest.mark.parametrize(
    "name", ["tool", f"../tool:{NEW}:{LINUX}", f"tool:../1:{LINUX}", f"tool:{NEW}:../x", f"tool:{NEW}:", ""]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no snapshot"):
        split(name)


def test_tasks_of_other_stages_name_no_snapshot() -> None:
    assert names_in([f"acquire:{FIRST}", f"snapshot:{FIRST}", f"snapshot:{FIRST}"]) == [FIRST]
    with pytest.raises(UsageError, match="no snapshot is named"):
        names_in([f"acquire:{FIRST}"])


SNAPSHOT = f"tool/snapshots/{NEW}/{LINUX}.json"
HELP = f"tool/raw_help/{NEW}/{LINUX}/help.txt"


def manifest(change: Callable[[dict], object]) -> Callable[[Path], object]:
    return lambda folder: edit(folder / NAME, change)


# What comes of a job that was tampered with, cut short or made by another version: the change -> what is said.
BAD_BUNDLES: dict[str, tuple[Callable[[Path], object], type[ParityError], str]] = {
    "the job uploaded nothing": (shutil.rmtree, ArtifactMissing, "nothing came of 1 of 2"),
    "an empty folder came": (
        lambda it: (shutil.rmtree(it), it.mkdir()),
        ArtifactMissing,
        "it holds no bundle.json: the job handed on nothing",
    ),
    "a file came": (
        lambda it: (shutil.rmtree(it), it.write_text("x")),
        ArtifactMissing,
        "it holds no bundle.json",
    ),
    "a snapshot is cut short": (
        lambda it: (it / SNAPSHOT).write_text("{"),
        ArtifactInvalid,
        f"{SNAPSHOT} is not what the job packed",
    ),
    "a file is lost": (lambda it: (it / HELP).unlink(), ArtifactInvalid, f"{HELP} was packed and is not there"),
    "a file is added": (
        lambda it: (it / "tool" / "RULES.json").write_text("{}"),
        ArtifactInvalid,
        "tool/RULES.json was not packed by the job",
    ),
    "a link is put in": (
        lambda it: ((it / HELP).unlink(), (it / HELP).symlink_to("/etc/hostname")),
        ArtifactInvalid,
        "is a link",
    ),
    "another reader made it": (
        manifest(lambda it: it.update(revision=REVISION + 1)),
        IdentityMismatch,
        rf"\$.revision is {REVISION + 1}, this version reads help as revision {REVISION}",
    ),
    "it is of a later form": (
        manifest(lambda it: it.update(bundle_schema_version=2)),
        ArtifactInvalid,
        "schema_version",
    ),
    "it claims a snapshot that it has not": (
        manifest(lambda it: it["snapshots"].append(SECOND)),
        ArtifactMissing,
        "is named and not there",
    ),
    "it claims a name that leads elsewhere": (
        manifest(lambda it: it["snapshots"].append(f"..:{NEW}:{LINUX}")),
        UsageError,
        "is no snapshot",
    ),
    "it holds a file that no snapshot needs": (
        lambda it: (
            (it / "tool" / "RULES.json").write_text("x"),
            manifest(lambda found: found["files"].update({"tool/RULES.json": hashlib.sha256(b"x").hexdigest()}))(it),
        ),
        ArtifactInvalid,
        "tool/RULES.json belongs to no snapshot of it",
    ),
}


@pytest.mark.parametrize("what", BAD_BUNDLES)
def test_a_bad_bundle_is_refused_and_nothing_is_merged(what: str, downloads: Path, workspace: Path) -> None:
    change, kind, problem = BAD_BUNDLES[what]
    change(downloads / "one")
    error = refused(lambda: Merge(workspace=workspace, expected=(FIRST, SECOND)).run(downloads), workspace / "tool")
    assert isinstance(error, kind), error
    assert re.search(problem, str(error)), error
    assert error.remedy or kind is ArtifactInvalid


# What comes of a job that ran elsewhere, or at another time: the change of its snapshot -> what is said.
BAD_SNAPSHOTS: dict[str, tuple[Callable[[dict], object], str]] = {
    "of another version": (lambda it: it["binary"].update(semantic_version=OLD), "binary.semantic_version is '1.0.0'"),
    "of another target": (lambda it: it["binary"].update(target_triple=WINDOWS), "binary.target_triple is"),
    "of another binary": (lambda it: it["binary"].update(sha256="6" * 64), "binary.sha256 is '666"),
    "of another time": (lambda it: it.update(collected_at="2027-01-01T00:00:00Z"), "collected_at is '2027"),
    "of another tool": (lambda it: it.update(tool="other"), "tool is 'other'"),
    "of an older reader": (lambda it: it["generator"].update(revision=1), "generator.revision is 1, expected"),
    "of no reader": (lambda it: it.pop("generator"), "generator.revision is None"),
}


@pytest.mark.parametrize("what", BAD_SNAPSHOTS)
def test_a_snapshot_is_refused_that_is(what: str, machine: Path, workspace: Path, tmp_path: Path) -> None:
    change, problem = BAD_SNAPSHOTS[what]
    edit(machine / SNAPSHOT, change)
    pack(machine, [FIRST, SECOND], tmp_path / "came" / "one")
    error = refused(lambda: Merge(workspace=workspace).run(tmp_path / "came"), workspace / "tool")
    assert isinstance(error, IdentityMismatch)
    assert problem in str(error)
    assert "run its job again, from this commit and with its lock" in str(error)


def test_a_snapshot_in_another_form_is_refused(machine: Path, workspace: Path, tmp_path: Path) -> None:
    (machine / SNAPSHOT).write_text(json.dumps(said(machine / SNAPSHOT)))
    pack(machine, [FIRST], tmp_path / "came")
    assert "not in canonical form" in str(refused(lambda: Merge(workspace=workspace).run(tmp_path / "came"), workspace))


def test_a_bundle_of_another_version_is_refused(downloads: Path, workspace: Path) -> None:
    error = refused(lambda: Merge(workspace=workspace, only=f"tool:{OLD}").run(downloads), workspace / "tool")
    assert f"{FIRST} is not of tool:{OLD}" in str(error)
    error = refused(lambda: Merge(workspace=workspace, expected=(FIRST,)).run(downloads), workspace / "tool")
    assert f"no job was started for {SECOND}" in str(error)


def test_a_version_that_the_lock_does_not_have_is_refused(downloads: Path, workspace: Path) -> None:
    edit(workspace / "tool" / "artifacts.lock.json", lambda it: it.update(rows=it["rows"][:2]))
    error = refused(lambda: Merge(workspace=workspace).run(downloads), workspace / "tool")
    assert f"no row pins {NEW} on {LINUX}" in str(error)
    assert f"doit lock:tool:{NEW}" in str(error)


def test_a_target_that_the_rules_do_not_expect_is_refused(machine: Path, workspace: Path, tmp_path: Path) -> None:
    put_json(machine / "tool" / "snapshots" / NEW / f"{MAC}.json", snapshot(NEW, MAC, ()))
    pack(machine, [f"tool:{NEW}:{MAC}"], tmp_path / "came")
    error = refused(lambda: Merge(workspace=workspace).run(tmp_path / "came"), workspace / "tool")
    assert f"expect no target {MAC}" in str(error)


def test_an_agent_that_is_not_here_is_refused(downloads: Path, workspace: Path) -> None:
    (workspace / "tool").rename(workspace / "other")
    assert "tool" in str(refused(lambda: Merge(workspace=workspace).run(downloads), workspace))


def test_two_jobs_that_disagree_are_refused(downloads: Path, machine: Path, workspace: Path) -> None:
    shutil.copytree(downloads / "one", downloads / "same")
    assert Merge(workspace=workspace).run(downloads).merged == (SECOND, FIRST), "the same twice is the same"
    edit(machine / SNAPSHOT, lambda it: it["commands"][0].update(about="another"))
    pack(machine, [FIRST], downloads / "third")
    assert f"{FIRST} came twice" in str(refused(lambda: Merge(workspace=workspace).run(downloads), workspace / "tool"))


def test_no_bundle_at_all_is_refused(workspace: Path, tmp_path: Path) -> None:
    assert "no bundle is there" in str(refused(lambda: Merge(workspace=workspace).run(tmp_path / "no"), workspace))


# -- and how it is joined --------------------------------------------------------------------------------


def test_bundles_are_joined_and_a_second_time_changes_nothing(downloads: Path, workspace: Path) -> None:
    merged = Merge(workspace=workspace, expected=(FIRST, SECOND), only=f"tool:{NEW}").run(downloads)
    root = Root(workspace / "tool")
    assert merged.changed == (root.snapshot(NEW, WINDOWS), root.snapshot(NEW, LINUX))
    assert (merged.merged, merged.missing) == ((SECOND, FIRST), ())
    assert (root.raw_help(NEW, WINDOWS) / "help.txt").read_text() == WINDOWS
    before = state(workspace)
    assert Merge(workspace=workspace).run(downloads).changed == ()
    assert state(workspace) == before


def test_the_pages_of_an_earlier_reading_do_not_stay(downloads: Path, workspace: Path) -> None:
    left = Root(workspace / "tool").raw_help(NEW, LINUX) / "gone.txt"
    canonical.write(left, b"x")
    Merge(workspace=workspace).run(downloads)
    assert not left.exists()


def test_a_partial_matrix_makes_a_union_that_says_it_is_not_complete(downloads: Path, workspace: Path) -> None:
    shutil.rmtree(downloads / "two")
    merge = Merge(workspace=workspace, expected=(FIRST, SECOND))
    error = refused(lambda: merge.run(downloads), workspace / "tool")
    assert f"nothing came of 1 of 2: {SECOND}" in str(error)
    assert "--partial" in str(error)
    assert Merge(workspace=workspace, expected=(FIRST, SECOND), partial=True).run(downloads).missing == (SECOND,)
    stages.union(open_folder(workspace / "tool"), NEW)
    union = said(workspace / "tool" / "snapshots" / NEW / "union.json")
    assert (union["complete"], union["missing_targets"]) == (False, [WINDOWS])


def test_without_the_required_target_nothing_is_merged(downloads: Path, workspace: Path) -> None:
    shutil.rmtree(downloads / "one")
    merge = Merge(workspace=workspace, expected=(FIRST, SECOND), partial=True)
    assert "the rules require this target" in str(refused(lambda: merge.run(downloads), workspace / "tool"))


def test_what_jobs_were_started_for_is_read_from_the_matrix(tmp_path: Path) -> None:
    path = tmp_path / "matrix.json"
    path.write_text(matrix_text(rows((Cell(SECOND, "pane"), Cell(FIRST, "tux")))))
    assert expected_of(path) == (SECOND, FIRST)
    for wrong in ("[]", '{"include": [{}]}', '{"include": 1}', '{"include": [{"tasks": 1}]}'):
        path.write_text(wrong)
        with pytest.raises(ArtifactInvalid, match="is no matrix of snapshots"):
            expected_of(path)


def test_the_commands_pack_and_join(
    machine: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into, matrix = tmp_path / "came" / "one", tmp_path / "matrix.json"
    matrix.write_text(matrix_text(rows((Cell(FIRST, "tux"), Cell(SECOND, "pane")))))
    assert (
        cli.main(["bundle", "--root", str(machine), "--into", str(into), f"acquire:{FIRST}", f"snapshot:{FIRST}"]) == 0
    )
    words = ["merge", "--root", str(workspace), "--from", str(into.parent), "--expect", str(matrix)]
    assert cli.main(words) == 1
    assert "error[artifact-missing]" in capsys.readouterr().err
    assert cli.main([*words, "--only", f"tool:{NEW}", "--partial"]) == 0
    said_there = capsys.readouterr()
    assert said_there.err == f"{SECOND}: nothing came; the union without it says that it is not complete\n"
    assert said_there.out == f"{Root(workspace / 'tool').snapshot(NEW, LINUX)}\n"


# -- a committed version, taken again --------------------------------------------------------------------


def test_a_target_passed_when_its_snapshot_came_out_as_committed(workspace: Path, tmp_path: Path) -> None:
    machine = Path(shutil.copytree(workspace, tmp_path / "machine"))
    linux = machine / SNAPSHOT
    edit(linux, lambda it: it["binary"].update(emulated_by="qemu"))
    pack(machine, [FIRST, SECOND], tmp_path / "came")
    folder = open_folder(workspace / "tool")
    found = verdicts(folder, NEW, (FIRST, SECOND), bundles_below(tmp_path / "came"))
    assert (found.passed_targets, found.failed_targets, found.skipped_targets) == ((LINUX, WINDOWS), (), ())
    found = verdicts(folder, NEW, (FIRST,), ())
    assert (found.passed_targets, found.failed_targets, found.skipped_targets) == ((), (LINUX,), (WINDOWS,))


@pytest.mark.parametrize("change", [lambda it: it["commands"].pop(), lambda it: it["generator"].update(revision=1)])
def test_a_target_failed_when_another_snapshot_came(
    change: Callable[[dict], object], workspace: Path, tmp_path: Path
) -> None:
    machine = Path(shutil.copytree(workspace, tmp_path / "machine"))
    edit(machine / SNAPSHOT, change)
    pack(machine, [FIRST], tmp_path / "came" / "one")
    matrix = tmp_path / "matrix.json"
    matrix.write_text(matrix_text(rows((Cell(FIRST, "tux"),))))
    folder = open_folder(workspace / "tool")
    assert judged(folder, NEW, tmp_path / "came", matrix).failed_targets == (LINUX,)
    with pytest.raises(UsageError, match="told by half"):
        judged(folder, NEW, tmp_path / "came", None)


def test_numbers_of_jobs_follow_the_load() -> None:
    cells = [Cell(f"tool:1.{at}.0:{LINUX}", "often") for at in range(90)] + [
        Cell(f"tool:1.{at}.0:{MAC}", "rarely") for at in range(10)
    ]
    counted = Counter(shard.runner for shard in shards(cells, 20))
    assert counted == {"often": 18, "rarely": 2}
    assert math.isclose(max(one.cost for one in shards(cells, 20)), 500)

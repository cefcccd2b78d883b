"""A release becomes a pull request: the repository's own workflows, played with a registry that is a folder.

The same with Codex and the real registry: ``test_real_release``.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import small_repository
from fake_registries import Registry, serve
from rehearsal.actions import git
from rehearsal.play import HERE, Played, Rehearsal
from small_repository import AGENT, ARM, LINUX, commit, merge, publish

pytestmark = [
    pytest.mark.flow,
    pytest.mark.skipif(os.name == "nt", reason="steps are run by bash"),
    pytest.mark.skipif(not (small_repository.REPOSITORY / ".git").exists(), reason="not a git checkout"),
]

BOTH = frozenset({HERE, "ubuntu-24.04-arm"})
ONE = {"agent": AGENT, "version": "1.0.0"}
TWO = {"agent": AGENT, "version": "1.1.0"}


class Stage:
    """A repository with a registry behind it, and what was played."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.registry: Registry = serve(place, monkeypatch)
        self.repository = place / "repository"
        (place / "played").mkdir()

    def play(
        self,
        workflow: str,
        inputs: dict[str, str] | None = None,
        *,
        runners: frozenset[str] = BOTH,
        refuses: frozenset[str] = frozenset(),
        only: tuple[str, ...] | None = None,
    ) -> Played:
        self.last = Rehearsal(self.repository, self.place / "played", runners=runners, refuses=refuses)
        return self.last.play(workflow, inputs, "schedule" if inputs is None else "workflow_dispatch", only)

    def changed(self, branch: str) -> dict[str, str]:
        """Path -> A, M or D of what a branch has other than main."""
        listed = git("diff", "--name-status", "--no-renames", "main", branch, cwd=self.repository).splitlines()
        return {path: letter for letter, path in (line.split("\t") for line in listed)}

    def branches(self) -> list[str]:
        return git("branch", "--format", "%(refname:short)", cwd=self.repository).split()


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1.0.0 was published, read and merged; 1.1.0 is published."""
    place = tmp_path_factory.mktemp("read")
    with pytest.MonkeyPatch.context() as patch:
        stage = Stage(place, patch)
        small_repository.make(stage.repository)
        publish(stage.registry, "1.0.0", "--old")
        played = stage.play("update-snapshot", ONE)
        assert set(played.results.items()) == {
            ("prepare", "success"),
            ("snapshot", "success"),
            ("assemble", "success"),
            ("tell", "skipped"),
        }, str(played)
        merge(stage.repository, "update/tool-1.0.0")
        publish(stage.registry, "1.1.0", "--new")
        shutil.rmtree(place / "bin")
        shutil.rmtree(place / "played")
    return place


@pytest.fixture
def stage(read: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    shutil.copytree(read, tmp_path / "stage", symlinks=True)
    return Stage(tmp_path / "stage", monkeypatch)


def reports(version: str, letter: str, *modes: str) -> dict[str, str]:
    return {
        f"cli_manifests/tool/reports/{version}/coverage.{mode}.{kind}": letter
        for mode in modes
        for kind in ("json", "md")
    }


DERIVED = {
    "cli_manifests/support_matrix/README.md": "M",
    "cli_manifests/support_matrix/current.json": "M",
    "cli_manifests/tool/artifacts.lock.json": "M",
    "cli_manifests/tool/timeline.json": "M",
    "pipeline/wrapper/tool/capabilities.json": "M",
    # They carry the wrapper's time, which the guards moved.
    **reports("1.0.0", "M", "all", "any", LINUX, ARM),
}
OF_ITS_OWN = {
    "cli_manifests/tool/diffs/1.0.0..1.1.0.json": "A",
    "cli_manifests/tool/diffs/1.0.0..1.1.0.md": "A",
    f"cli_manifests/tool/snapshots/1.1.0/{LINUX}.json": "A",
    "cli_manifests/tool/snapshots/1.1.0/union.json": "A",
    "cli_manifests/tool/versions/1.1.0.json": "A",
    **reports("1.1.0", "A", "any", LINUX),
}
COMPLETE = {f"cli_manifests/tool/snapshots/1.1.0/{ARM}.json": "A", **reports("1.1.0", "A", "all", ARM)}


def test_a_release_becomes_a_pull_request_and_a_second_run_changes_nothing(stage: Stage) -> None:
    night = stage.play("release-watch")
    assert night.results == {"look": "success", "start": "success", "tell": "success"}
    [dispatched] = stage.last.state("dispatched")
    assert dispatched == {"workflow": "update-snapshot.yml", "inputs": TWO}
    played = stage.play("update-snapshot", dispatched["inputs"])
    assert "failure" not in played.results.values(), str(played)

    assert stage.changed("update/tool-1.1.0") == {**DERIVED, **OF_ITS_OWN, **COMPLETE}
    [pull] = stage.last.pulls()
    assert (pull["title"], pull["operation"]) == ("tool 1.1.0", "created")
    assert "- `tool --old`: A flag is gone." in pull["body"]
    assert f"Read on `{LINUX}`, `{ARM}`.\n" in pull["body"].partition("## Targets")[2]
    assert played.jobs["assemble"][0].summary == pull["body"], "the job's summary is the text of the pull request"
    artifacts = {path.name for path in (played.folder / "artifacts").iterdir()}
    assert artifacts == {"lock", "update", f"bundle-tool-1.1.0-{LINUX}", f"bundle-tool-1.1.0-{ARM}"}
    assert (played.folder / "artifacts" / "update" / "build" / "pull_request.md").exists()

    second = stage.play("release-watch")
    assert second.results["start"] == "skipped", "what has begun is not started again"
    merge(stage.repository, "update/tool-1.1.0")
    head = git("rev-parse", "HEAD", cwd=stage.repository)
    assert stage.play("release-watch").results["start"] == "skipped"
    third = stage.play("update-snapshot", TWO)
    assert third.results == {"prepare": "success", "snapshot": "skipped", "assemble": "success", "tell": "skipped"}
    assert "nothing differs: no pull request" in third.jobs["assemble"][0].log
    assert (stage.branches(), git("rev-parse", "HEAD", cwd=stage.repository)) == (["main"], head)


def test_a_platform_without_a_runner_in_the_table_is_no_job(stage: Stage) -> None:
    table = stage.repository / ".github" / "runners.json"
    table.write_text(json.dumps({"linux x86_64": HERE}))
    commit(stage.repository, "The other runner is gone")
    [cell] = stage.play("update-snapshot", TWO, only=("prepare",)).jobs["prepare"]
    assert [row["target"] for row in json.loads(cell.outputs["cells"])["include"]] == [LINUX]
    assert f"{AGENT}:1.1.0:{ARM}: no runner in .github/runners.json; it is left out" in cell.log


def test_without_the_required_target_there_is_no_pull_request_but_an_issue(stage: Stage) -> None:
    publish(stage.registry, "1.2.0", broken=(LINUX,))
    played = stage.play("update-snapshot", {"agent": AGENT, "version": "1.2.0"})
    assert played.results == {"prepare": "success", "snapshot": "failure", "assemble": "failure", "tell": "success"}
    assert "the rules require this target" in played.jobs["assemble"][0].log
    assert (stage.branches(), stage.last.pulls()) == (["main"], [])
    assert (played.folder / "artifacts" / "update").is_dir(), "what there is can be looked at"
    [issue] = stage.last.state("issues")
    assert issue["title"] == "tool 1.2.0 is published and not read yet"


def test_where_a_runner_is_gone_and_pull_requests_are_forbidden_people_hear_of_both(stage: Stage) -> None:
    played = stage.play("update-snapshot", TWO, runners=frozenset({HERE}), refuses=frozenset({"create-pull-request"}))
    assert played.results == {"prepare": "success", "snapshot": "failure", "assemble": "success", "tell": "success"}
    assert stage.changed("update/tool-1.1.0") == {**DERIVED, **OF_ITS_OWN}
    union = "update/tool-1.1.0:cli_manifests/tool/snapshots/1.1.0/union.json"
    found = json.loads(git("show", union, cwd=stage.repository))
    assert (found["complete"], found["missing_targets"]) == (False, [ARM])
    assert f"{AGENT}:1.1.0:{ARM}: nothing came" in played.jobs["assemble"][0].log
    assert f"Not read on `{ARM}`: its union is not complete." in played.jobs["assemble"][0].summary
    [issue] = stage.last.state("issues")
    assert "is on the branch `update/tool-1.1.0`" in issue["body"]
    merge(stage.repository, "update/tool-1.1.0")
    assert stage.play("release-watch").results == {"look": "success", "start": "skipped", "tell": "success"}
    assert [one["state"] for one in stage.last.state("issues")] == ["closed"]


def test_where_nothing_can_be_started_one_issue_tells_of_it(stage: Stage) -> None:
    github = stage.place / "played" / "github"
    github.mkdir()
    (github / "refuses.json").write_text('["workflow run"]')
    for _ in range(2):
        night = stage.play("release-watch")
        assert night.results == {"look": "success", "start": "failure", "tell": "success"}
        assert [one["title"] for one in stage.last.state("issues")] == ["tool 1.1.0 is published and not read yet"]


def test_a_version_that_is_not_published_stops_before_any_job_is_started(stage: Stage) -> None:
    played = stage.play("update-snapshot", {"agent": AGENT, "version": "9.9.9"})
    assert played.results["prepare"] == "failure"
    assert (played.results["snapshot"], played.results["assemble"]) == ("skipped", "skipped")
    assert "error[" in played.jobs["prepare"][0].log


# -- promotion, pages, checks ------------------------------------------------------------------------------


def test_a_promotion_reads_the_version_again_and_moves_the_pointers(stage: Stage) -> None:
    played = stage.play("promote", ONE)
    assert set(played.results.values()) == {"success"}, played.jobs["promote"][0].log
    [pull] = stage.last.pulls()
    assert pull["branch"] == "promote/tool-1.0.0"
    changed = stage.changed("promote/tool-1.0.0")
    assert {
        "cli_manifests/tool/latest_validated.txt",
        f"cli_manifests/tool/pointers/latest_validated/{LINUX}.txt",
    } <= set(changed)
    metadata = json.loads(
        git("show", "promote/tool-1.0.0:cli_manifests/tool/versions/1.0.0.json", cwd=stage.repository)
    )
    assert metadata["status"] in ("validated", "supported")
    assert metadata["validation"]["passed_targets"] == [LINUX, ARM]


def test_a_version_that_comes_out_differently_is_not_promoted(stage: Stage) -> None:
    """A registry that now publishes something else under the same version, and a runner that has no copy."""
    publish(stage.registry, "1.0.0", "--other")
    shutil.rmtree(stage.place / "cache")
    played = stage.play("promote", ONE)
    assert (played.results["plan"], played.results["promote"]) == ("success", "failure")
    assert stage.branches() == ["main"]
    assert "TaskFailed - taskid:promote:tool:1.0.0" in played.jobs["promote"][0].log


def test_pages_are_built_and_handed_on(stage: Stage) -> None:
    played = stage.play("pages", {})
    assert played.results == {"build": "success", "deploy": "success"}
    assert (played.folder / "artifacts" / "github-pages" / "index.html").exists()


def test_the_checks_hold_on_what_the_workflows_wrote(stage: Stage) -> None:
    played = stage.play("ci", {}, only=("build", "plan", "snapshots"))
    assert {job: played.results[job] for job in ("build", "plan", "snapshots")} == dict.fromkeys(
        ("build", "plan", "snapshots"), "success"
    ), str(played)
    assert ("parity validate", "success") in [(label, outcome) for label, outcome, _ in played.jobs["build"][0].steps]

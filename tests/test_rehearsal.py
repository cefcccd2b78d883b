"""The rehearsal does what the provider does, and refuses what it does not know."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rehearsal.actions import git
from rehearsal.expression import Lenient, Refused, Scope
from rehearsal.play import HERE, Played, Rehearsal
from rehearsal.workflow import cells, in_order, read_workflow

pytestmark = pytest.mark.skipif(os.name == "nt", reason="steps are run by bash")

# -- expressions -----------------------------------------------------------------------------------------

CONTEXTS = {
    "inputs": {"agent": "codex", "empty": ""},
    "needs": {"plan": {"result": "failure", "outputs": {"count": "0", "rows": '{"include": [1]}'}}},
    "steps": {"look": {"outputs": Lenient(a="b"), "outcome": None}},
    "matrix": {"runner": "x", "number": 3},
}


def scope(fine: bool = True) -> Scope:
    status = {"success": fine, "failure": not fine, "always": True, "cancelled": False}
    functions: dict[str, Callable[..., Any]] = {name: (lambda held=held: held) for name, held in status.items()}
    return Scope(CONTEXTS, {**functions, "fromJSON": json.loads})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("update ${{ inputs.agent }} to ${{inputs['agent']}}", "update codex to codex"),
        ("${{ needs.plan.outputs.count }}", "0"),
        ("${{ steps.look.outputs.nothing }}", ""),
        ("${{ steps.look.outputs.nothing.deeper }}", ""),
        ("${{ matrix.number }}", "3"),
        ("${{ 'it''s' }}", "it's"),
        ("${{ 1.0 }} ${{ true }} ${{ null }}", "1 true "),
        ("${{ inputs.empty || 'other' }}", "other"),
        ("${{ inputs.agent && 'yes' }}", "yes"),
    ],
)
def test_a_template_has_its_text(template: str, text: str) -> None:
    assert scope().text(template) == text


@pytest.mark.parametrize(
    ("condition", "holds_when_fine", "holds_after_failure"),
    [
        (None, True, False),
        ("${{ needs.plan.outputs.count == '0' }}", True, False),
        ("needs.plan.outputs.count != '0'", False, False),
        ("${{ always() }}", True, True),
        ("${{ failure() }}", False, True),
        ("${{ !cancelled() && needs.plan.result == 'FAILURE' }}", True, True),
        ("${{ !(success() || failure()) }}", False, False),
        ("${{ needs.plan.outputs.count == 0 && '1' == 1 }}", True, False),
        ("${{ steps.look.outcome == '' }}", True, False),
        ("${{ steps.look.outcome == 'x' }}", False, False),
    ],
)
def test_a_condition_holds_as_there(condition: str | None, holds_when_fine: bool, holds_after_failure: bool) -> None:
    assert scope(True).holds(condition) == holds_when_fine
    assert scope(False).holds(condition) == holds_after_failure


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("${{ inputs.version }}", "there is no inputs.version; there are agent, empty"),
        ("${{ needs.plan.outputs.cells }}", "there is no needs.plan.outputs.cells"),
        ("${{ secrets.TOKEN }}", "the context 'secrets' is not known here"),
        ("${{ contains(inputs.agent, 'x') }}", "the function 'contains' is not known here"),
        ("${{ inputs.agent.name }}", "has no members"),
        ("${{ inputs. }}", "a name is missing"),
        ("${{ }}", "ends too soon"),
        ("${{ 'a' 'b' }}", "cannot read"),
        ("${{ inputs.agent < 2 }}", "cannot read"),
        ("${{ (true }}", "')' is missing"),
        ("${{ && }}", "cannot read '&&'"),
        ("a ${{ fromJSON(needs.plan.outputs.rows) }}", "stands where text is wanted"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(template: str, problem: str) -> None:
    with pytest.raises(Refused) as caught:
        scope().text(template)
    assert problem in str(caught.value)


def test_a_whole_expression_keeps_its_value() -> None:
    assert scope().value("${{ fromJSON(needs.plan.outputs.rows) }}") == {"include": [1]}
    assert scope().value(["x"]) == ["x"]


# -- workflows -------------------------------------------------------------------------------------------

HEAD = "name: w\non: {workflow_dispatch: }\npermissions: {}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "w.yml"
    path.write_text(HEAD + text)
    return path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("jobs: {a: {runs-on: x, steps: [], container: y}}", "w.yml: a: container is not known here"),
        ("jobs: {a: {runs-on: x, steps: [{run: x, shell: sh}]}}", "w.yml: a: step 1: shell is not known here"),
        ("jobs: {a: {runs-on: x, steps: [{id: x}]}}", "step 1 is to have either run or uses"),
        ("jobs: {a: {runs-on: x, steps: [{run: x, uses: y}]}}", "step 1 is to have either run or uses"),
        ("jobs: {a: {needs: b, runs-on: x, steps: []}}", "w.yml: a needs b, which is no job"),
        ("jobs: {a: {runs-on: x, steps: [], strategy: {max-parallel: 1}}}", "max-parallel is not known here"),
        ("defaults: {run: {shell: sh}}\njobs: {}", "defaults other than bash"),
        ("surprise: 1\njobs: {}", "w.yml: surprise is not known here"),
    ],
)
def test_a_workflow_that_uses_something_else_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        read_workflow(written(tmp_path, text))
    assert problem in str(caught.value)


def test_jobs_come_after_what_they_need() -> None:
    jobs = {"c": {"needs": ["a", "b"]}, "b": {"needs": ["a"]}, "a": {"needs": []}}
    assert in_order(jobs) == ["a", "b", "c"]
    with pytest.raises(Refused, match="wait for each other"):
        in_order({"a": {"needs": ["b"]}, "b": {"needs": ["a"]}})


def test_a_matrix_is_a_list_or_its_rows() -> None:
    assert cells(None) == [{}]
    assert cells({"python": ["3.11", "3.12"]}) == [{"python": "3.11"}, {"python": "3.12"}]
    assert cells({"include": [{"a": 1}]}) == [{"a": 1}]
    for wrong in ({"include": []}, {"a": [1], "b": [2]}, {"a": 1}):
        with pytest.raises(Refused):
            cells(wrong)


# -- plays -----------------------------------------------------------------------------------------------

ARTIFACT = "actions/{}-artifact@0000000000000000000000000000000000000000"
CHECKOUT = "actions/checkout@0000000000000000000000000000000000000000"
PULL = "peter-evans/create-pull-request@0000000000000000000000000000000000000000"


class Stage:
    """A repository with one workflow."""

    def __init__(self, folder: Path) -> None:
        self.repository, self.folder = folder / "repository", folder / "played"
        (self.repository / ".github" / "workflows").mkdir(parents=True)
        self.folder.mkdir()
        git("init", "--quiet", "--initial-branch", "main", cwd=self.repository)

    def play(self, jobs: str, **how: Any) -> Played:
        written(self.repository / ".github" / "workflows", f"jobs:\n{jobs}")
        git("add", "--all", cwd=self.repository)
        git("commit", "--quiet", "--allow-empty", "--message", "x", cwd=self.repository)
        return Rehearsal(self.repository, self.folder, **how).play("w")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_outputs_artifacts_and_results_go_from_job_to_job(stage: Stage) -> None:
    played = stage.play(
        f"""
  first:
    runs-on: {HERE}
    permissions: {{contents: read}}
    outputs: {{rows: "${{{{ steps.plan.outputs.rows }}}}"}}
    steps:
      - uses: {CHECKOUT}
      - run: test -f .github/workflows/w.yml && mkdir -p build && echo text > build/file
      - id: plan
        run: echo 'rows={{"include":[{{"name":"a"}},{{"name":"b"}}]}}' >> "$GITHUB_OUTPUT"
      - uses: {ARTIFACT.format("upload")}
        with: {{name: files, path: build}}
  second:
    needs: first
    strategy: {{matrix: "${{{{ fromJSON(needs.first.outputs.rows) }}}}"}}
    runs-on: {HERE}
    env: {{NAME: "${{{{ matrix.name }}}}"}}
    steps:
      - uses: {ARTIFACT.format("download")}
        with: {{name: files, path: here}}
      - run: test "$(cat "$GITHUB_WORKSPACE/here/file")" = text && test $NAME = a
      - if: ${{{{ failure() }}}}
        run: echo "only after a failure"
  third:
    needs: second
    if: ${{{{ !cancelled() && needs.second.result == 'failure' }}}}
    runs-on: {HERE}
    steps: [{{run: "true"}}]
  fourth:
    needs: second
    runs-on: {HERE}
    steps: [{{run: "true"}}]
"""
    )
    assert played.results == {"first": "success", "second": "failure", "third": "success", "fourth": "skipped"}
    assert [(cell.name, cell.result) for cell in played.jobs["second"]] == [
        ("second-a", "success"),
        ("second-b", "failure"),
    ]
    assert [outcome for _, outcome, _ in played.jobs["second"][0].steps] == ["success", "success", "skipped"]
    assert [outcome for _, outcome, _ in played.jobs["second"][1].steps] == ["success", "failure", "success"]
    assert "failure second" in str(played)


FAILING = {
    "nothing to upload": (
        f"- uses: {ARTIFACT.format('upload')}\n        with: {{name: x, path: gone, if-no-files-found: error}}",
        "no files were found with the path gone",
    ),
    "nothing to download": (
        f"- uses: {ARTIFACT.format('download')}\n        with: {{name: x, path: gone}}",
        "there is no artifact x",
    ),
    "no permission to read": (f"- uses: {CHECKOUT}", "the job has no permission contents: read"),
    "no permission to write": (
        f"- uses: {PULL}\n        with: {{branch: b, title: t, commit-message: m, body-path: f, add-paths: .}}",
        "the job has no permission contents: write",
    ),
    "no permission for issues": ("- run: GH_TOKEN=x gh issue list --json number", "issues: read"),
    "no login": ("- run: gh issue list --json number", "set the GH_TOKEN environment variable"),
    "another program's words": ("- run: pip install surprise", "no stand-in for pip install surprise"),
    "a pipe that breaks": ("- run: false | cat", "ended with 1"),
    "a program of the venv that was not installed": ("- run: parity --help", "ended with 127"),
}


@pytest.mark.parametrize("what", FAILING)
def test_a_step_fails_as_it_would_there(what: str, stage: Stage) -> None:
    step, problem = FAILING[what]
    played = stage.play(f"  a:\n    runs-on: {HERE}\n    permissions: {{}}\n    steps:\n      {step}\n")
    assert played.results == {"a": "failure"}
    assert problem in played.jobs["a"][0].log


def test_a_step_that_may_fail_fails_no_job(stage: Stage) -> None:
    played = stage.play(
        f"""
  a:
    runs-on: {HERE}
    outputs: {{told: "${{{{ steps.one.outcome }}}} ${{{{ steps.one.conclusion }}}}"}}
    steps:
      - {{id: one, continue-on-error: true, run: "false"}}
      - run: "true"
"""
    )
    assert played.results == {"a": "success"}
    assert played.jobs["a"][0].outputs == {"told": "failure success"}


def test_a_machine_that_is_not_here_fails_its_job(stage: Stage) -> None:
    played = stage.play("  a: {runs-on: windows-2025, steps: [{run: x}]}\n")
    assert (played.results, played.jobs["a"][0].reason) == ({"a": "failure"}, "there is no runner windows-2025 here")
    assert stage.play("  a: {runs-on: windows-2025, steps: [{run: 'true'}]}\n", runners={"windows-2025"}).results == {
        "a": "success"
    }


REFUSED = {
    "an action that nobody knows": (
        "- uses: someone/something@0000000000000000000000000000000000000000",
        "no action that is known here",
    ),
    "an action that is not pinned": ("- uses: actions/checkout@v5", "pinned by its commit"),
    "an input that is not acted on": (
        f"- uses: {CHECKOUT}\n        with: {{submodules: true}}",
        "submodules is not known here",
    ),
    "an output of more lines": ("- run: echo 'x<<END' >> $GITHUB_OUTPUT", "an output is NAME=VALUE in one line"),
    "a name that nothing has": ("- run: echo ${{ inputs.gone }}", "there is no inputs.gone"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_nothing_here_acts_on_is_refused(what: str, stage: Stage) -> None:
    step, problem = REFUSED[what]
    with pytest.raises(Refused) as caught:
        stage.play(f"  a:\n    runs-on: {HERE}\n    permissions: {{contents: read}}\n    steps:\n      {step}\n")
    assert problem in str(caught.value)


def test_a_job_gets_nothing_of_this_shell_that_could_steer_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setenv("DOIT_CONFIG", "x")
    played = stage.play(
        f"  a: {{runs-on: {HERE}, steps: [{{run: 'test -z \"$SOURCE_DATE_EPOCH$DOIT_CONFIG$VIRTUAL_ENV\"'}}]}}\n"
    )
    assert played.results == {"a": "success"}


def test_inputs_are_those_that_the_workflow_declares(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "w.yml").write_text(
        "on: {workflow_dispatch: {inputs: {agent: {required: true}, kind: {default: small}}}}\n"
        "env: {TOLD: '${{ inputs.agent }} ${{ inputs.kind }}'}\npermissions: {}\n"
        f'jobs: {{a: {{runs-on: {HERE}, steps: [{{run: \'test "$TOLD" = "x small"\'}}]}}}}\n'
    )
    (tmp_path / "played").mkdir()
    rehearsal = Rehearsal(tmp_path / "repository", tmp_path / "played")
    assert rehearsal.play("w", {"agent": "x"}).results == {"a": "success"}
    for given, problem in (({}, "the input agent is missing"), ({"agent": "x", "b": "y"}, "there is no input b")):
        with pytest.raises(Refused, match=problem):
            rehearsal.play("w", given)
    with pytest.raises(Refused, match="does not start on push"):
        rehearsal.play("w", {"agent": "x"}, "push")


def test_the_command_plays_a_committed_workflow(stage: Stage) -> None:
    stage.play(
        f"  a: {{runs-on: {HERE}, steps: [{{run: 'true'}}]}}\n  b: {{runs-on: {HERE}, steps: [{{run: 'false'}}]}}\n"
    )

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        here = Path(__file__).resolve().parents[1]
        program = [sys.executable, "-m", "tests.rehearsal", *words]
        into = ["--into", str(stage.folder / "-".join(words))]
        environment = {**os.environ, "PYTHONPATH": str(here)}
        return subprocess.run(
            [*program, *into],
            cwd=stage.repository,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    done = command("w", "--job", "a")
    assert (done.returncode, done.stderr) == (0, "")
    assert "  success a\n" in done.stdout
    assert "  skipped b\n" in done.stdout
    assert command("w").returncode == 1
    done = command("w", "--event", "push")
    assert (done.returncode, done.stderr) == (2, "the workflow does not start on push\n")

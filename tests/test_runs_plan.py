"""Jobs that are planned and run nothing, and jobs that are carried out: side by side, alone, in copies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import LONG, assert_gone, eventually, git, new_place

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.evaluation.scenario import read_suite
from pipeline.runs.execute import execute
from pipeline.runs.plan import adapters, plan

posix = pytest.mark.skipif(sys.platform == "win32", reason="jobs are shell scripts here")
MEET = "touch {mine}; i=0; while [ ! -e {other} ]; do i=$((i+1)); [ $i -gt 2000 ] && exit 9; sleep 0.05; done"
ADAPTERS = """
[[tool.parity.adapters]]
id = "one"
description = "One"
goals.build = { argv = ["sh", "-c", "MEET1"], supports_parallel = true, seconds = 300 }
goals.test = { argv = ["sh", "-c", "mkdir lock && echo out && echo err >&2; rmdir lock; exit 3"] }
goals.clean = { argv = ["sh", "-c", "test $PLACE = `pwd` && pwd; touch made.txt; ls"], requires_clean_fixture = true, env = { PLACE = "{fixture}" } }
goals.hang = { argv = ["sleep", "1000"], seconds = 0.3 }
goals.missing = { argv = ["no-such-program-anywhere"] }

[[tool.parity.adapters]]
id = "two"
description = "Two"
goals.build = { argv = ["sh", "-c", "MEET2"], supports_parallel = true, cwd = "inner", seconds = 300 }
goals.test = { argv = ["sh", "-c", "mkdir lock && rmdir lock"] }
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = new_place(tmp_path / "work").path
    (path / "inner").mkdir()
    text = ADAPTERS.replace("MEET1", MEET.format(mine="a.meet", other="inner/b.meet"))
    text = text.replace("MEET2", MEET.format(mine="b.meet", other="../a.meet"))
    (path / "pyproject.toml").write_text(text, encoding="utf-8")
    return path


def names(made):
    return [(job.adapter, job.goal) for job in made.jobs]


def test_planning_names_every_job_and_runs_none(place, capsys):
    assert main(["runs", "plan", "--repository", str(place), "--goals", "test,clean,build", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["adapter"], one["goal"]) for one in told] == [
        *(("one", "test"), ("one", "clean"), ("one", "build")),
        *(("two", "test"), ("two", "build")),
    ]
    assert {one["status"] for one in told} == {"planned"}
    assert all(
        " ".join(one) == "adapter goal status argv cwd env_keys requires_clean_fixture supports_parallel timeout"
        for one in told
    )
    assert told[1]["env_keys"] == ["PLACE"]
    assert "{fixture}" not in str(told[1]["env_keys"])
    assert (told[4]["cwd"], told[4]["timeout"], told[4]["supports_parallel"]) == ("inner", 300.0, True)
    assert sorted(path.name for path in place.iterdir()) == [".git", "greeting.txt", "inner", "pyproject.toml"]
    assert main(["runs", "plan", "--repository", str(place), "--goals", "test", "--adapters", "two"]) == 0
    assert capsys.readouterr().out.startswith("planned  two  test  sh -c")


def test_a_goal_that_no_adapter_has_and_an_adapter_that_is_not_there_are_refused(place):
    found = adapters(place)
    assert names(plan(found, ["hang"])) == [("one", "hang")]
    with pytest.raises(UsageError, match="no adapter has"):
        plan(found, ["fly"])
    with pytest.raises(UsageError, match="no goal is named"):
        plan(found, [])
    with pytest.raises(UsageError, match="there is no adapter"):
        plan(found, ["build"], ["three"])
    with pytest.raises(UsageError, match="no adapter has"):
        plan(found, ["hang"], ["two"])


@pytest.mark.parametrize(
    "wrong",
    [
        "goals.x = { argv = [] }",
        'goals.x = { argv = ["x"], cwd = "../other" }',
        'goals.x = { argv = ["x"], cwd = "/" }',
        'goals.x = { argv = ["x"], seconds = 0 }',
        'goals.x = { argv = ["x"], seconds = nan }',
        'goals.x = { argv = ["x"], seconds = inf }',
        'goals.x = { argv = ["x"], parallel = true }',
        'goals.x = { argv = "x" }',
    ],
)
def test_adapters_that_are_none_are_refused(place, wrong):
    path = place / "suite.toml"
    path.write_text(f'[[adapters]]\nid = "one"\ndescription = "x"\n{wrong}\n', encoding="utf-8")
    with pytest.raises(ArtifactInvalid):
        adapters(place, path)
    for text in ("", "[[adapters]\n", '[[adapters]]\nid = "x"\ndescription = ""\ngoals = {}\n' * 2):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ArtifactInvalid):
            adapters(place, path)


def test_the_adapters_of_an_evaluation_and_those_of_the_library_can_be_planned(tmp_path):
    path = tmp_path / "suite.toml"
    text = (
        '[[adapters]]\nid = "python"\ndescription = "x"\ngoals.test = { argv = ["{python}", "-V"] }\n'
        '[[scenarios]]\nid = "s"\ntitle = "x"\nadapter = "python"\nfixture = "."\ngoals = ["test"]\n'
    )
    path.write_text(text, encoding="utf-8")
    assert read_suite(path).adapters
    assert names(plan(adapters(tmp_path, path), ["test"])) == [("python", "test")]
    assert names(plan(adapters(tmp_path), ["build", "test", "lint"])) == [
        ("python", g) for g in ("build", "test", "lint")
    ]


@posix
def test_jobs_run_side_by_side_where_they_allow_it_and_else_alone(place):
    done = execute(plan(adapters(place), ["test", "build"]), place, most=4)
    assert [(one.adapter, one.goal, one.status, one.exit_code) for one in done] == [
        ("one", "test", "failed", 3),
        ("one", "build", "passed", 0),
        ("two", "test", "passed", 0),
        ("two", "build", "passed", 0),
    ]
    assert (done[0].stdout, done[0].stderr) == ("out\n", "err\n")


@posix
def test_a_job_that_wants_a_clean_fixture_gets_a_copy_of_what_git_knows_or_could(place):
    (place / ".gitignore").write_text("*.o\n", encoding="utf-8")
    (place / "left.o").write_text("", encoding="utf-8")
    (place / "link").symlink_to("greeting.txt")
    git(place, "add", ".")
    (place / "new.txt").write_text("", encoding="utf-8")
    (place / "greeting.txt").unlink()
    [done] = execute(plan(adapters(place), ["clean"]), place, most=1)
    assert done.exit_code == 0, done
    first, *listed = done.stdout.splitlines()
    assert first == "{fixture}"
    assert listed == ["link", "made.txt", "new.txt", "pyproject.toml"]
    assert not (place / "made.txt").exists()


@posix
def test_a_job_that_cannot_be_carried_out_says_why_and_never_passes(place, monkeypatch, capsys):
    hung, missing = execute(plan(adapters(place), ["hang", "missing"]), place, most=2)
    assert (hung.status, hung.exit_code) == ("failed", None)
    assert "within 0.3 s" in hung.error
    assert "no-such-program-anywhere" in missing.error
    with pytest.raises(UsageError):
        execute(plan(adapters(place), ["missing"]), place, most=0)
    words = ["runs", "plan", "--repository", str(place), "--goals", "missing", "--execute"]
    assert main(words) == 3
    assert capsys.readouterr().out.startswith("failed   one  missing")
    assert main([*words, "--format", "json", "--jobs", "1"]) == 3
    assert json.loads(capsys.readouterr().out)[0]["status"] == "failed"


def test_results_are_kept_where_they_are_wanted_as_soon_as_they_are_there(place, tmp_path, capsys):
    out = tmp_path / "results"
    words = ["runs", "plan", "--repository", str(place), "--goals", "missing,test", "--format", "json"]
    assert main([*words, "--execute", "--out", str(out)]) == 3
    told = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in out.iterdir()) == [
        "01-one-missing.json",
        "02-one-test.json",
        "03-two-test.json",
    ]
    assert [canonical.read_json(path) for path in sorted(out.iterdir())] == told
    assert main([*words, "--out", str(out)]) == 2
    assert main([*words, "--execute", "--out", str(place / "greeting.txt")]) == 1


def test_a_job_whose_folder_is_not_there_says_so_and_the_others_run(place):
    path = place / "suite.toml"
    rows = 'goals.gone = { argv = ["{python}"], cwd = "no" }\ngoals.fine = { argv = ["{python}", "--version"] }\n'
    path.write_text(f'[[adapters]]\nid = "one"\ndescription = "x"\n{rows}', encoding="utf-8")
    gone, fine = execute(plan(adapters(place, path), ["gone", "fine"]), place, most=1)
    assert (gone.status, gone.exit_code, gone.error) == ("failed", None, "there is no folder no")
    assert fine.status == "passed"


@pytest.mark.skipif(sys.platform == "win32", reason="it ends without a word there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_is_told_to_end_ends_its_jobs_and_dies_of_the_signal(tmp_path, number):
    path = tmp_path / "suite.toml"
    code = "import os, time, pathlib; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(1000)"
    goal = f"goals.long = {{ argv = {json.dumps(['{python}', '-c', code])}, seconds = 500 }}"
    path.write_text(f'[[adapters]]\nid = "one"\ndescription = "x"\n{goal}\n', encoding="utf-8")
    words = ["runs", "plan", "--suite", str(path), "--goals", "long", "--execute"]
    argv = [sys.executable, "-P", "-m", "pipeline.cli", *words]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
        pid = int(eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it runs"))
        one.send_signal(number)
        assert one.communicate(timeout=LONG) == (b"", b"")
        assert one.returncode == -number
    assert_gone(pid)

"""The evaluation harness on small fixtures: goals, assertions, rewards, and results that are the same every time."""

from __future__ import annotations

import pytest
from fake_registries import made_tarball
from test_sources import publish

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import ArtifactInvalid, BinaryMissing, UsageError
from pipeline.evaluation.harness import evaluate, timeless
from pipeline.evaluation.projects import carry_out, lock_of
from pipeline.evaluation.reward import ranks, share
from pipeline.evaluation.scenario import chosen, read_suite

ADAPTER = """
[[adapters]]
id = "python"
description = "A Python project"
goals.build = { argv = ["{python}", "-m", "py_compile", "code.py"] }
goals.test = { argv = ["{python}", "-c", "import code_under; print(open('{fixture}/code_under.py').name)"] }
goals.write = { argv = ["{python}", "-c", "open('made.txt', 'w').write('made')"] }
goals.fail = { argv = ["{python}", "-c", "import sys; print('x' * 30000); sys.exit('no')"] }
goals.hang = { argv = ["{python}", "-c", "import time; time.sleep(1000)"], seconds = 0.5 }
goals.missing = { argv = ["no-such-program-anywhere"] }
"""
SCENARIO = """
[[scenarios]]
id = "{id}"
title = "One"
adapter = "python"
fixture = "fixture"
goals = {goals}
"""
ASSERTION = """
[[scenarios.assertions]]
type = "{type}"
path = "{path}"
text = "{text}"
"""


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "fixture").mkdir()
    (tmp_path / "fixture" / "code_under.py").write_text("x = 1\n", encoding="utf-8")

    def written(*scenarios):
        path = tmp_path / "suite.toml"
        path.write_text(ADAPTER + "".join(scenarios), encoding="utf-8")
        return path

    return written


def scenario(goals, *assertions, identifier="one"):
    head = SCENARIO.replace("{id}", identifier).replace("{goals}", str(goals).replace("'", '"'))
    rows = (ASSERTION.format(type=kind, path=path, text=text) for kind, path, text in assertions)
    return head + "".join(rows)


def results(path):
    read = read_suite(path)
    return [evaluate(read, one, path.parent) for one in chosen(read, [])]


def test_goals_run_in_a_copy_and_assertions_look_at_it(suite):
    path = suite(
        scenario(
            ["test", "write"],
            ("file-exists", "made.txt", ""),
            ("file-contains", "made.txt", "ade"),
            ("file-equals", "made.txt", "made"),
            ("file-equals", "made.txt", "other"),
            ("file-contains", "code_under.py", "y = 1"),
            ("file-exists", "none.txt", ""),
        )
    )
    [result] = results(path)
    assert [goal.status for goal in result.goals] == ["passed", "passed"]
    assert result.goals[0].stdout == "{fixture}/code_under.py\n"
    assert [each.passed for each in result.assertions] == [True, True, True, False, False, False]
    assert not result.passed
    assert share(result) == round(5 / 8, 4)
    assert sorted(one.name for one in (path.parent / "fixture").iterdir()) == ["code_under.py"]


@pytest.mark.parametrize(
    ("goal", "part"), [("fail", None), ("hang", "did not end within 0.5 s"), ("missing", "cannot be started")]
)
def test_the_first_goal_that_fails_is_the_last(suite, goal, part):
    [result] = results(suite(scenario(["test", goal, "write"])))
    assert [each.status for each in result.goals] == ["passed", "failed", "skipped"]
    failed = result.goals[1]
    assert part is None or part in failed.error
    assert len(failed.stdout) < 11_000
    assert share(result) == round(1 / 3, 4)


def test_results_without_times_are_the_same_every_time(suite):
    path = suite(scenario(["test", "fail"]), scenario(["write"], identifier="two"))
    first, second = ([timeless(one) for one in results(path)] for _ in range(2))
    assert first == second


def test_a_cohort_is_ranked_by_its_shares(suite):
    path = suite(*(scenario([goal], identifier=goal) for goal in ("test", "fail")))
    assert ranks(results(path)) == {"test": 1.0, "fail": 0.0}
    with pytest.raises(UsageError, match="two members"):
        ranks(results(path)[:1])


@pytest.mark.parametrize(
    "text",
    [
        "[",
        scenario(["unknown"]),
        scenario(["test"]).replace('adapter = "python"', 'adapter = "none"'),
        scenario(["test"]).replace('fixture = "fixture"', 'fixture = "none"'),
        scenario(["test"]) * 2,
        scenario(["test"], identifier="../x"),
        scenario(["test"], ("file-exists", "../x", "")),
        scenario(["test"], ("file-like", "x", "")),
        scenario(["test"]).replace('fixture = "fixture"', ""),
        scenario(["test"]).replace('fixture = "fixture"', 'fixture = "fixture"\nproject = "demo"'),
        scenario(["test"]).replace('fixture = "fixture"', 'fixture = "fixture"\nbeside = ["demo"]'),
        scenario(["test"]).replace('fixture = "fixture"', 'project = "demo"'),
    ],
)
def test_what_is_no_suite_is_refused_by_its_place(suite, text):
    with pytest.raises(ArtifactInvalid, match=r"suite\.toml"):
        read_suite(suite(text))


def test_the_command_writes_results_and_a_report_that_is_the_same_every_time(suite, tmp_path, capsys):
    path = suite(scenario(["test"]), scenario(["fail"], identifier="two"))
    reports = []
    for number in range(2):
        report = tmp_path / f"report{number}.json"
        words = ["evaluate", str(path), "--out", str(tmp_path / "out"), "--report", str(report)]
        assert main(words) == 3
        reports.append(report.read_bytes())
    assert reports[0] == reports[1]
    assert canonical.read_json(tmp_path / "out" / "two.json")["goals"][0]["exit_code"] == 1
    assert "one: passed, share 1, rank 1" in capsys.readouterr().out
    assert main(["evaluate", str(path), "--scenario", "one"]) == 0
    assert main(["evaluate", str(path), "--scenario", "none"]) == 2


PROJECT = """
[[projects]]
id = "{0}"
name = "{0}"
version = "1.0"
license = "MIT"
"""
STANDS_ON = """
[[scenarios]]
id = "one"
title = "A project that stands on another one"
adapter = "python"
project = "upper"
beside = ["lower"]
goals = ["use"]
overrides.use = { argv = ["{python}", "-c", "import upper, lower; print(lower.__file__)"], env = { PYTHONPATH = "{projects}/lower" } }
"""


def test_a_published_project_is_a_fixture_and_another_one_stands_beside_it(suite, registry, capsys):
    for name in ("upper", "lower"):
        publish(registry, made_tarball({f"{name}-1.0/{name}.py": b"", f"{name}-1.0/LICENSE": b"MIT"}), name=name)
    path = suite(PROJECT.format("upper"), PROJECT.format("lower"), STANDS_ON)
    with pytest.raises(BinaryMissing, match="--fetch"):
        carry_out(path)
    assert main(["evaluate", str(path)]) == 1
    assert main(["evaluate", "--fetch", str(path)]) == 0
    assert [row["name"] for row in canonical.read_json(lock_of(path))["rows"]] == ["lower", "upper"]
    registry.forget_calls()
    [result] = carry_out(path)
    assert result.goals[0].stdout == "{projects}/lower/lower.py\n"
    assert registry.calls() == []

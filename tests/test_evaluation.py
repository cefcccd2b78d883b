"""The evaluation harness on small fixtures: goals, assertions, rewards, and results that are the same every time."""

from __future__ import annotations

import difflib
import os
import sys

import pytest
from fake_registries import made_tarball
from hypothesis import given
from hypothesis import strategies as st
from test_sources import publish

from pipeline import canonical
from pipeline.cli import main
from pipeline.errors import ArtifactInvalid, BinaryMissing, UsageError
from pipeline.evaluation.difference import mismatch
from pipeline.evaluation.harness import evaluate, timeless
from pipeline.evaluation.projects import carry_out, lock_of
from pipeline.evaluation.reward import Member, member, ranks, share
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
goals.link = { argv = ["{python}", "-c", "import os, sys; os.symlink(sys.executable, 'linked'); os.symlink('loop', 'loop')"] }
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


def test_the_ends_of_lines_are_part_of_what_a_file_equals_and_not_of_what_it_contains(suite):
    path = suite(
        scenario(
            ["test"],
            ("file-equals", "lines.txt", "a\\nb\\n"),
            ("file-equals", "lines.txt", "a\\r\\nb\\r\\n"),
            ("file-contains", "lines.txt", "a\\nb"),
            ("file-contains", "lines.txt", "a\\r\\nb"),
        )
    )
    (path.parent / "fixture" / "lines.txt").write_bytes(b"a\r\nb\r\n")
    [result] = results(path)
    assert [each.passed for each in result.assertions] == [False, True, True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
def test_a_file_that_a_goal_has_linked_from_elsewhere_is_none_of_the_fixtures(suite):
    assertions = [(kind, name, "") for kind, name in (("file-contains", "linked"), ("file-exists", "loop"))]
    [result] = results(suite(scenario(["link"], *assertions)))
    assert [each.details for each in result.assertions] == ["leads out of the fixture", "there is no such file"]


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
    cohort = [member(one) for one in results(path)]
    assert ranks(cohort) == {"test": 1.0, "fail": 0.0}
    with pytest.raises(UsageError, match="two members"):
        ranks(cohort[:1])


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_equal_shares_are_ranked_by_name_whatever_order_they_come_in(shares, random):
    cohort = [Member(f"m{number}", value) for number, value in enumerate(shares)]
    expected = ranks(cohort)
    random.shuffle(cohort)
    assert ranks(cohort) == expected
    assert min(expected.values()) == 0.0
    assert [one.id for one in sorted(cohort, key=lambda one: (-one.share, one.id))] == list(expected)


# -- a change that was expected -------------------------------------------------------------------------

BEFORE = "".join(f"line {number}\n" for number in range(12))


def changed(text):
    """A change at both ends, and one that adds a line."""
    return text.replace("line 1\n", "first\n").replace("line 10\n", "line 10\nnew\n")


@pytest.fixture
def folders(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    for folder, text in ((before, BEFORE), (after, changed(BEFORE))):
        (folder / "inner").mkdir(parents=True)
        (folder / "inner" / "code.txt").write_text(text, encoding="utf-8")
        (folder / "other.txt").write_text("same\n", encoding="utf-8")
    return before, after


@pytest.mark.parametrize("context", [0, 1, 3, 20])
@pytest.mark.parametrize("path", ["inner/code.txt", "inner", "."])
def test_the_expected_diff_may_show_any_number_of_lines_around(folders, context, path):
    before, after = folders
    lines = (BEFORE.splitlines(keepends=True), changed(BEFORE).splitlines(keepends=True))
    diff = "".join(difflib.unified_diff(*lines, "a/inner/code.txt", "b/inner/code.txt", n=context))
    assert mismatch(diff, before, after, path) is None
    assert mismatch(f"diff --git a/inner/code.txt b/inner/code.txt\n{diff}", before, after, path) is None


def test_another_change_than_the_expected_one_is_shown(folders):
    before, after = folders
    diff = "--- a/inner/code.txt\n+++ b/inner/code.txt\n@@ -2 +2 @@\n-line 1\n+second\n"
    problem = mismatch(diff, before, after, ".")
    assert problem.startswith("the difference is another one: inner/code.txt\n--- a/inner/code.txt")
    assert "+first\n" in problem
    assert mismatch("", before, after, "inner").startswith("the difference is another one")
    assert mismatch("", before, after, "other.txt") is None


def test_files_that_come_and_go_are_part_of_a_diff(folders):
    before, after = folders
    (after / "other.txt").unlink()
    (after / "new.txt").write_text("new\n", encoding="utf-8")
    gone = "--- a/other.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-same\n"
    come = "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
    assert mismatch(gone, before, after, "other.txt") is None
    assert mismatch(come, before, after, "new.txt") is None
    assert "new.txt" in mismatch("", before, after, "new.txt")


@pytest.mark.parametrize("diff", ["nonsense", "--- a/other.txt\n+++ b/other.txt\n@@ -1 +1 @@\n-else\n+x\n"])
def test_a_diff_that_does_not_fit_the_fixture_is_told(folders, diff, tmp_path):
    problem = mismatch(diff, *folders, ".")
    assert problem.startswith("the expected diff does not fit the fixture: error: ")
    assert str(tmp_path) not in problem


def test_a_scenario_may_expect_a_diff(suite):
    diff = "--- /dev/null\\n+++ b/made.txt\\n@@ -0,0 +1 @@\\n+made\\n\\\\ No newline at end of file\\n"
    path = suite(scenario(["write"], ("diff-match", "made.txt", diff), ("diff-match", "code_under.py", "")))
    [result] = results(path)
    assert [each.details for each in result.assertions] == [None, None]
    assert result.passed


@pytest.mark.parametrize(
    "text",
    [
        "[",
        scenario(["unknown"]),
        scenario(["test"]).replace('adapter = "python"', 'adapter = "none"'),
        scenario(["test"]).replace('fixture = "fixture"', 'fixture = "none"'),
        scenario(["test"]).replace('fixture = "fixture"', 'fixture = "/"'),
        scenario(["test"]).replace('fixture = "fixture"', 'fixture = ".."'),
        scenario([]),
        scenario(["empty"]) + "overrides.empty = { argv = [] }\n",
        scenario(["forever"]) + 'overrides.forever = { argv = ["x"], seconds = nan }\n',
        "scenarios = []\n",
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

[[scenarios.assertions]]
type = "diff-match"
path = "."
text = ""
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


def test_a_goal_that_takes_the_fixture_away_fails_the_next_one(suite):
    goal = "import os, shutil; shutil.rmtree(os.getcwd())"
    path = suite(scenario(["gone", "test"]) + f'overrides.gone = {{ argv = ["{{python}}", "-c", "{goal}"] }}\n')
    [result] = results(path)
    assert [one.status for one in result.goals] == ["passed", "failed"]
    assert result.goals[1].error == "the fixture is gone"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
@pytest.mark.parametrize("target", ["../suite.toml", "{here}/fixture/code_under.py", "more/../../suite.toml"])
def test_a_link_that_leads_out_of_the_fixture_is_refused(suite, tmp_path, target):
    (tmp_path / "fixture" / "inner").symlink_to("code_under.py")
    (tmp_path / "fixture" / "link").symlink_to(target.replace("{here}", str(tmp_path)))
    with pytest.raises(ArtifactInvalid, match="leads out"):
        results(suite(scenario(["write"])))
    (tmp_path / "fixture" / "link").unlink()
    assert results(suite(scenario(["write"])))[0].passed


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names")
def test_a_fixture_that_cannot_be_copied_is_told(suite, tmp_path):
    os.mkfifo(tmp_path / "fixture" / "pipe")
    with pytest.raises(ArtifactInvalid, match="pipe"):
        results(suite(scenario(["write"])))


def test_a_result_has_the_names_of_secrets_and_not_their_values(suite, monkeypatch):
    monkeypatch.setenv("DEMO_TOKEN", "hunter2hunter2")
    words = "import os, sys; print(os.environ['DEMO_TOKEN']); sys.exit(os.environ['DEMO_TOKEN'])"
    [result] = results(suite(scenario(["tell"]) + f'overrides.tell = {{ argv = ["{{python}}", "-c", "{words}"] }}\n'))
    assert (result.goals[0].stdout, result.goals[0].stderr) == ("[$DEMO_TOKEN]\n", "[$DEMO_TOKEN]\n")

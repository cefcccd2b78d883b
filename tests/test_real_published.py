"""The learning library on published projects, fetched: each scenario passes, and as the committed report says."""

from __future__ import annotations

import pytest
from checkout import REPOSITORY

from pipeline import canonical
from pipeline.errors import BinaryMissing
from pipeline.evaluation.projects import cached, carry_out, report
from pipeline.evaluation.scenario import chosen, read_suite

pytestmark = pytest.mark.real

SUITE = REPOSITORY / "evaluations" / "published.toml"
SCENARIOS = [one.id for one in read_suite(SUITE).scenarios]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_projects_tests_pass_before_and_after_a_codemod(request, name):
    suite = read_suite(SUITE)
    try:
        cached(SUITE, suite, chosen(suite, [name]))
    except BinaryMissing as error:
        reason = f"not fetched: {error.remedy}"
        if request.config.getoption("--require-real"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    [result] = carry_out(SUITE, [name])
    assert result.passed, canonical.encode(result).decode("utf-8")
    said = [one for one in canonical.read_json(SUITE.with_suffix(".report.json")) if one["id"] == name]
    assert canonical.loads(report([result]), SUITE) == said
    goals = [goal.goal for goal in result.goals]
    assert goals.count("test") == 2
    assert goals.index("test") < goals.index("apply") < goals.index("unchanged")
    apply = next(goal for goal in result.goals if goal.goal == "apply")
    assert apply.stdout.strip().endswith(".py"), "it names what it has changed"

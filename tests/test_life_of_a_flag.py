"""The life of a flag that public threads date to eight different versions, told by the committed timeline alone.

Each cell was tried with the real binary of its version by others; the versions around a change are those between which
the registry has no stable release that was not looked at, or it is a bound.
"""

import pytest
from conftest import CODEX

from pipeline.questions.asked import asked
from pipeline.questions.which import may_pass, which

AGENT = asked(str(CODEX))
COLUMNS = {
    "--full-auto": {"0.125.0": "visible", "0.128.0": "no", "0.129.0": "no", "0.146.0": "no", "0.169.0": "no"},
    "exec --full-auto": {
        "0.125.0": "visible",
        "0.128.0": "hidden",
        "0.129.0": "hidden",
        "0.146.0": "hidden",
        "0.147.0": "no",
        "0.153.0": "no",
        "0.163.0": "no",
        "0.169.0": "no",
    },
    "exec --approve-for-me": {
        "0.125.0": "no",
        "0.128.0": "no",
        "0.129.0": "no",
        "0.146.0": "no",
        "0.147.0": "visible",
        "0.153.0": "visible",
        "0.163.0": "visible",
        "0.169.0": "visible",
    },
    "-a on-failure": {
        "0.125.0": "visible",
        "0.128.0": "visible",
        "0.129.0": "visible",
        "0.146.0": "no",
        "0.169.0": "no",
    },
    "-a untrusted": {
        "0.125.0": "visible",
        "0.128.0": "visible",
        "0.129.0": "visible",
        "0.146.0": "visible",
        "0.147.0": "visible",
        "0.153.0": "no",
        "0.163.0": "no",
        "0.169.0": "no",
    },
    "exec --experimental-json": dict.fromkeys(
        ("0.125.0", "0.128.0", "0.129.0", "0.146.0", "0.147.0", "0.153.0", "0.163.0", "0.169.0"), "hidden"
    ),
}
CELLS = [(line, version, said) for line, column in COLUMNS.items() for version, said in column.items()]


@pytest.mark.parametrize(("line", "version", "said"), CELLS)
def test_each_cell_of_the_table(line, version, said):
    for one in which(AGENT.view, line.split(), AGENT.manners):
        order = AGENT.view.order
        if order[one.first] <= order[version] <= order[one.last]:
            found = "no" if one.verdict.refusal else "hidden" if one.verdict.hidden else "visible"
            assert found == said
            break
    else:
        pytest.fail(f"{version} was not looked at")
    answer = may_pass(AGENT.view, line.split(), version, AGENT.manners)
    assert (answer.says, answer.looked_at) == ("no" if said == "no" else "yes", (version,))


@pytest.mark.parametrize(
    ("line", "last", "gone"),
    [
        ("--full-auto", "0.125.0", "0.128.0"),
        ("exec --full-auto", "0.146.1", "0.147.0"),
        ("-a on-failure", "0.142.5", "0.143.0"),
        ("-a untrusted", "0.148.0", "0.149.0"),
        ("mcp-server", "0.153.4", "0.154.0"),
    ],
)
def test_where_it_went(line, last, gone):
    accepted, *rest = which(AGENT.view, line.split(), AGENT.manners)
    while rest and rest[0].verdict.refusal is None:
        accepted = rest.pop(0)
    assert (accepted.last, accepted.before) == (last, gone)
    assert all(one.verdict.refusal for one in rest)


def test_enough_versions_were_looked_at():
    assert len(AGENT.view.versions) >= 40
    assert AGENT.view.versions[0] == "0.61.0"
    assert len(asked(str(CODEX.parent / "claude_code")).view.versions) >= 15

"""The real foreign wrappers, fetched: traced again they give the committed evidence, with every option of theirs set."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MANIFESTS

from pipeline import canonical, foreign
from pipeline.acquire.wrappers import Fetched
from pipeline.contract.folder import Folder, open_folder
from pipeline.errors import BinaryMissing
from pipeline.trace.described import open_wrapper
from pipeline.trace.evidence import Evidence
from pipeline.trace.stage import Summary

pytestmark = pytest.mark.real

PYTHON_SDK, SCRIPT_SDK = ("claude_code", "claude-agent-sdk"), ("codex", "codex-sdk")
WRAPPERS = (PYTHON_SDK, SCRIPT_SDK)
# What the newest SDK passes, and what the CLI of its time does not show.
NOT_SHOWN = {
    "--max-thinking-tokens",
    "--max-turns",
    "--permission-prompt-tool",
    "--resume-drops-turn",
    "--resume-session-at",
    "--session-mirror",
    "--system-prompt-file",
    "--task-budget",
    "--thinking",
    "--thinking-display",
}


def fetched(request: pytest.FixtureRequest, agent: str, name: str) -> tuple[Folder, Fetched]:
    """The agent's folder and the wrapper's package; skips, and says how to get it, where it is not in the cache."""
    folder = open_folder(MANIFESTS / agent)
    try:
        return folder, foreign.package_of(folder, name)
    except BinaryMissing as error:
        reason = f"not fetched: {error.remedy}"
        if request.config.getoption("--require-real"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def evidence_of(agent: str, name: str) -> Evidence:
    return canonical.read(MANIFESTS / agent / "wrappers" / name / "evidence.json", Evidence)


@pytest.mark.parametrize(("agent", "name"), WRAPPERS)
def test_a_wrapper_traced_again_gives_the_committed_evidence(
    agent: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fetched(request, agent, name)
    copy = tmp_path / "größe 1" / agent
    shutil.copytree(MANIFESTS / agent, copy, ignore=shutil.ignore_patterns("raw_help"))
    made = open_folder(copy).root.wrapper(name).evidence
    made.unlink()
    foreign.trace(open_folder(copy), name)
    assert made.read_bytes() == (MANIFESTS / agent / "wrappers" / name / "evidence.json").read_bytes()


def python_options(package: Fetched) -> set[str]:
    """The fields of the options class, as the SDK itself declares them."""
    told = "import dataclasses, json, claude_agent_sdk as sdk; "
    told += "print(json.dumps([field.name for field in dataclasses.fields(sdk.ClaudeAgentOptions)]))"
    done = subprocess.run(
        [str(package.python), "-I", "-c", told], capture_output=True, check=True, timeout=300, env={"PATH": os.defpath}
    )
    return set(json.loads(done.stdout))


def script_options(package: Fetched) -> set[str]:
    """The members of the three types of options, as the SDK's declarations name them."""
    declared = (package.folder / "dist" / "index.d.ts").read_text(encoding="utf-8")
    declared = re.sub(r"/\*.*?\*/", "", declared, flags=re.DOTALL)
    types = re.findall(r"^type (?:Codex|Thread|Turn)Options = \{(.*?)^\};", declared, flags=re.DOTALL | re.MULTILINE)
    assert len(types) == 3
    return set(re.findall(r"^    (\w+)\??:", "".join(types), flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("wrapper", "options_of"), [(PYTHON_SDK, python_options), (SCRIPT_SDK, script_options)], ids=["python", "script"]
)
def test_every_public_option_is_set_by_some_call_and_reaches_argv_or_is_listed_with_a_reason(
    wrapper: tuple[str, str], options_of: Callable[[Fetched], set[str]], request: pytest.FixtureRequest
) -> None:
    folder, package = fetched(request, *wrapper)
    options, evidence = options_of(package), evidence_of(*wrapper)
    assert len(options) > 15
    assert {option for call in evidence.calls for option in call.options} == options
    _, described = open_wrapper(folder, wrapper[1])
    # An option reaches argv if a call with it differs from one that sets everything else alike.
    given: dict[frozenset[str], set[tuple[object, ...]]] = {}
    for call in evidence.calls:
        given.setdefault(frozenset(call.options), set()).add((call.path, call.flags, call.args, call.extra))
    pairs = [(one, option) for one in given for option in one if one - {option} in given]
    assert {option for _, option in pairs} == options
    shown = {option for one, option in pairs if given[one] - given[one - {option}]}
    assert options - shown == set(described.not_in_argv)
    assert all(reason.strip() for reason in described.not_in_argv.values())


def test_what_the_sdk_passes_and_its_cli_does_not_show_is_hidden_or_unknown(request: pytest.FixtureRequest) -> None:
    folder, _ = fetched(request, *PYTHON_SDK)
    root, wrapper = open_wrapper(folder, PYTHON_SDK[1])
    found = canonical.read(root.summary, Summary)
    assert {flag for one in (*found.hidden, *found.unknown) for flag in one.flags} == NOT_SHOWN
    report = json.loads(root.report(wrapper.upstream_version, "any").read_bytes())["deltas"]
    hidden = {one["key"] for one in report["hidden_flags"] if one.get("wrapper_level") == "explicit"}
    only = {one["key"] for one in report.get("wrapper_only_flags", ())}
    assert hidden | only == NOT_SHOWN
    assert hidden == {flag for one in found.hidden for flag in one.flags}
    assert found.numbers.literal_flags == found.numbers.flags == 37
    assert found.disagreements == ()
    assert found.left_over_is == "reachable through extra arguments"

"""The generator's contract: offline, finite, the same bytes each time, and nothing that its policy refuses."""

import builtins
import datetime
import glob
import io
import os
import pathlib
import random
import secrets
import socket
import subprocess
import sys
import time
import uuid
from typing import ClassVar

import pytest
from conftest import CODEX

from pipeline import canonical
from pipeline.contract.rules import Rules, read_rules
from pipeline.errors import CoverageRefused
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Manifest, Scope
from pipeline.wrapper import registry
from pipeline.wrapper.constraint import at_most_one
from pipeline.wrapper.declare import Command, flag, passthrough
from pipeline.wrapper.derive import Claim, Group, commands_of, coverage_of, waive
from pipeline.wrapper.policy import check_generated
from pipeline.wrapper.registry import wrapper
from pipeline.wrapper.scenario import scenarios
from pipeline.wrapper.stage import coverage_bytes

RULES = read_rules(CODEX / "RULES.json")
AT = "2026-01-01T00:00:00Z"
DECLARATIONS = wrapper("codex").declarations
FORBIDDEN = {
    socket: ("socket", "create_connection", "getaddrinfo", "gethostbyname"),
    subprocess: ("Popen", "run", "call", "check_output"),
    os: ("fork", "posix_spawn", "system", "popen", "listdir", "scandir", "walk", "getcwd", "urandom", "getenv", "stat"),
    glob: ("glob", "iglob"),
    pathlib.Path: ("iterdir", "glob", "rglob", "open", "read_text", "read_bytes", "exists", "stat"),
    builtins: ("open",),
    io: ("open",),
    time: ("time", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime"),
    random: ("random", "randint", "choice", "shuffle", "sample", "Random"),
    secrets: ("token_bytes", "token_hex"),
    uuid: ("uuid1", "uuid4"),
}


def test_generating_touches_nothing_outside(monkeypatch):
    expected = coverage_bytes("codex", RULES, generated_at=AT)

    def forbidden(*_args, **_kwargs):
        raise AssertionError("the generator went outside")

    class NoClock(datetime.datetime):
        now = utcnow = today = forbidden

    with monkeypatch.context() as patch:
        for place, names in FORBIDDEN.items():
            for name in names:
                if hasattr(place, name):
                    patch.setattr(place, name, forbidden)
        patch.setattr(datetime, "datetime", NoClock)
        patch.setattr(os, "environ", {})
        found = coverage_bytes("codex", RULES, generated_at=AT)
    assert found == expected


def test_what_is_forbidden_above_would_be_noticed(monkeypatch):
    monkeypatch.setattr(os, "listdir", lambda *_: pytest.fail("noticed"))
    with pytest.raises(pytest.fail.Exception, match="noticed"):
        list(pathlib.Path().iterdir())


def test_generating_does_not_look_at_a_snapshot():
    """Nothing below the generator imports what reads one; rules and declarations are all that goes in."""
    script = (
        "import sys; from pipeline.wrapper.stage import coverage_bytes;"
        "print(sorted(m for m in sys.modules if m.startswith(('pipeline.union', 'pipeline.snapshot', 'pipeline.report',"
        " 'pipeline.oracle', 'pipeline.process', 'pipeline.acquire'))))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert found.stdout == "[]\n"


def test_every_declared_unit_is_used_by_a_scenario_and_every_used_unit_is_declared():
    used = {
        (use.path, use.slot.key if use.slot else "")
        for scenario in scenarios(commands_of(DECLARATIONS))
        for use in scenario.command.line().used
    }
    commands = commands_of(DECLARATIONS)
    declared = {(command.path, slot.key) for command in commands for slot in command.slots if slot.key}
    declared |= {(one.path, "") for one in DECLARATIONS if isinstance(one, Group) or one in commands}
    assert used == declared


def test_every_value_of_an_enumeration_is_used_by_a_scenario():
    used = {
        (use.path, use.slot.key, value)
        for scenario in scenarios(commands_of(DECLARATIONS))
        for use in scenario.command.line().used
        for value in use.values
    }
    assert used == {
        (command.path, slot.key, str(value))
        for command in commands_of(DECLARATIONS)
        for slot in command.slots
        for value in slot.choices or ()
    }


def test_the_catalogue_is_finite_and_always_the_same():
    names = [scenario.name for scenario in scenarios(commands_of(DECLARATIONS))]
    assert names == [scenario.name for scenario in scenarios(commands_of(DECLARATIONS))]
    assert len(set(names)) == len(names) < 1000


def test_what_codex_emits_keeps_the_contract():
    manifest = coverage_of(DECLARATIONS)
    check_generated(manifest, RULES, "codex")
    notes = {flag.note for entry in manifest.coverage for flag in entry.flags or () if flag.level == "explicit"}
    assert notes == {None, "capability-guarded"}
    assert [f.key for e in manifest.coverage for f in e.flags or () if f.level == "passthrough"] == [
        "--config",
        "--enable",
        "--disable",
    ]


def test_of_two_claims_on_a_unit_the_stronger_counts():
    order = ["explicit", "passthrough", "intentionally_unsupported", "unsupported", "unknown"]
    claims = [Claim(Level(level), level) for level in order]
    for at, stronger in enumerate(claims):
        for weaker in claims[at:]:
            assert stronger.stronger(weaker).note == stronger.note
            assert weaker.stronger(stronger).note == stronger.note


def test_two_uses_of_a_unit_are_one_entry():
    class Open(Command, path=("box",)):
        constraints: ClassVar = (at_most_one("wide", "shut"),)
        wide: bool = flag("--wide")
        shut: str | None = passthrough("--shut", note="unread")

    [entry] = coverage_of([Open]).coverage
    assert [(f.key, f.level) for f in entry.flags] == [("--wide", "explicit"), ("--shut", "passthrough")]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (CoveredCommand(path=("a",), level="explicit", scope=Scope(platforms=("linux",))), "has a scope"),
        (CoveredCommand(path=("a",), level="explicit", scope=Scope()), "has a scope"),
        (CoveredCommand(path=("a",), level="explicit", note="works"), "with the note 'works'"),
        (CoveredCommand(path=("a",), level="explicit", note="Capability-guarded"), "with the note"),
        (CoveredCommand(path=("a",), level="unsupported", note="later"), "with the note"),
        (CoveredCommand(path=("a",), level="unknown", note=""), "with the note ''"),
        (CoveredCommand(path=("a",), level="passthrough"), "without a note"),
        (CoveredCommand(path=("a",), level="intentionally_unsupported", note=" "), "without a note"),
        (
            CoveredCommand(path=("a",), level="explicit", flags=(CoveredFlag(key="--f", level="passthrough"),)),
            "flag a --f is passthrough without a note",
        ),
        (
            CoveredCommand(path=("a",), level="explicit", args=(CoveredArg(name="X", level="explicit", note="n"),)),
            "arg a X is explicit with the note",
        ),
        (
            CoveredCommand(path=(), level="explicit", args=(CoveredArg(name="PROMPT", level="explicit"),)),
            "arg PROMPT is",
        ),
        (CoveredCommand(path=("agents",), level="explicit"), "command agents is excluded by RULES.json, and emitted"),
        (
            CoveredCommand(path=(), level="explicit", flags=(CoveredFlag(key="--no-alt-screen", level="explicit"),)),
            "flag --no-alt-screen is excluded",
        ),
    ],
)
def test_what_the_contract_refuses(entry, problem):
    with pytest.raises(CoverageRefused, match=problem) as caught:
        check_generated(Manifest(schema_version=1, coverage=(entry,)), RULES, "wrapper x")
    assert caught.value.where == "wrapper x"
    assert caught.value.remedy


def test_a_wrapper_that_covers_nothing_is_refused(monkeypatch):
    with pytest.raises(CoverageRefused, match="nothing is covered"):
        check_generated(Manifest(schema_version=1, coverage=()), Rules(union=RULES.union), "x")


def test_the_stage_holds_its_wrapper_to_the_contract(monkeypatch):
    class Agents(Command, path=("agents",)):
        pass

    for declarations, problem in [
        ((), "nothing"),
        ((Agents,), "excluded"),
        ((waive("a", note="n"), Agents), "excluded"),
    ]:
        found = registry.Wrapper(name="codex", declarations=declarations)
        monkeypatch.setattr("pipeline.wrapper.stage.wrapper", lambda name, found=found: found)
        with pytest.raises(CoverageRefused, match=problem):
            coverage_bytes("codex", RULES, generated_at=AT)


def test_the_same_bytes_whatever_the_process():
    script = (
        "import sys; from pathlib import Path; from pipeline.contract.rules import read_rules;"
        "from pipeline.wrapper.stage import coverage_bytes;"
        f"sys.stdout.buffer.write(coverage_bytes('codex', read_rules(Path(sys.argv[1])), generated_at={AT!r}))"
    )
    found = set()
    for changes in ({"PYTHONHASHSEED": "0", "TZ": "UTC"}, {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"}):
        words = [sys.executable, "-c", script, str(CODEX / "RULES.json")]
        answer = subprocess.run(
            words, env={**os.environ, **changes}, capture_output=True, check=True, timeout=300, cwd=CODEX.parents[1]
        )
        found.add(answer.stdout)
    assert found == {coverage_bytes("codex", RULES, generated_at=AT)}
    assert canonical.loads(found.pop(), "x")["coverage"]

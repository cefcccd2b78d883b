"""Guards: what a version lacks is refused before anything is spawned, and what nobody knows is let through."""

import asyncio
from enum import StrEnum

import pytest

from pipeline.errors import CapabilityMissing, UsageError
from pipeline.history import Sightings, Unit
from pipeline.process import recording
from pipeline.wrapper.capabilities import Availability, Capabilities, Range, capabilities_of
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex import ApprovalPolicy, Codex, Exec, ExecFork, ExecResume
from pipeline.wrapper.codex.servers import McpServer
from pipeline.wrapper.declare import Command, arg, flag
from pipeline.wrapper.derive import group
from pipeline.wrapper.guard import Guard

GUARD = Guard.of("codex")
FULL_AUTO, APPROVE = Exec(prompt="x", full_auto=True), Exec(prompt="x", approve_for_me=True)


@pytest.mark.parametrize(
    ("command", "version"),
    [
        (FULL_AUTO, "0.61.0"),
        (FULL_AUTO, "0.125.0"),
        (APPROVE, "0.169.0"),
        # Between two versions that differ only the binary knows.
        (Exec(prompt="x", trust=True), "0.168.1"),
        (ExecResume(last=True, prompt="x"), "0.61.0"),
        (McpServer(), "0.90.0"),
        (Codex(ask_for_approval=ApprovalPolicy.UNTRUSTED), "0.125.0"),
        (Codex(ask_for_approval=ApprovalPolicy.NEVER), "0.169.0"),
        (APPROVE, "0.170.0"),
        (Exec(prompt="x"), "9.0.0"),
        (Exec(prompt="x"), "0.1.0-alpha.1"),
    ],
)
def test_what_is_let_through(command, version):
    GUARD.check(command.line(), version)


@pytest.mark.parametrize(
    ("command", "version", "words"),
    [
        (APPROVE, "0.61.0", "`exec --approve-for-me`; known to have it: 0.147.0 to 0.171.0"),
        (APPROVE, "0.125.0", "`exec --approve-for-me`"),
        (APPROVE, "0.100.0", "`exec --approve-for-me`"),
        (APPROVE, "0.50.0", "`exec --approve-for-me`"),
        (FULL_AUTO, "0.169.0", "`exec --full-auto`; known to have it: 0.61.0 to 0.146.1"),
        (FULL_AUTO, "0.170.0", "`exec --full-auto`"),
        (ExecFork(session_id="s"), "0.125.0", "`exec fork`"),
        (Exec(command=ExecFork(session_id="s")), "0.125.0", "`exec fork`"),
        (ExecResume(last=True, prompt="x", json=True), "0.61.0", "`exec resume --json`"),
        (McpServer(), "0.169.0", "`mcp-server`"),
        (Codex(ask_for_approval=ApprovalPolicy.UNTRUSTED), "0.169.0", "`--ask-for-approval untrusted`"),
    ],
)
def test_what_is_refused(command, version, words):
    with pytest.raises(CapabilityMissing) as caught:
        GUARD.check(command.line(), version)
    assert f"codex-cli {version} does not have {words}" in str(caught.value)
    assert caught.value.remedy


def test_a_client_spawns_nothing_that_its_version_lacks():
    client = Client("no-such-program", version="0.61.0", guard=GUARD)
    with recording() as calls, pytest.raises(CapabilityMissing, match="--approve-for-me"):
        asyncio.run(client.run(APPROVE))
    assert calls == []


@pytest.mark.parametrize("version", ["", "latest", "v0.61.0", "0.61"])
def test_what_is_no_version_is_refused(version):
    with pytest.raises(UsageError):
        GUARD.check(APPROVE.line(), version)


def test_the_table_lists_what_is_guarded_and_values_that_come_and_go():
    class Speed(StrEnum):
        FAST = "fast"
        SLOW = "slow"

    class Run(Command, path=("run",)):
        fast: bool = flag("--fast", guarded=True)
        gone: bool = flag("--gone", guarded=True)
        speed: Speed | None = flag("--speed")
        word: str | None = arg("WORD", guarded=True)

    shown = {"visible": frozenset({"t"})}
    both, old = {"1.9.0": shown, "1.10.0": shown}, {"1.9.0": shown}
    sightings = Sightings(
        {"1.9.0": ("t",), "1.10.0": ("t",)},
        {
            Unit(("run",)): both,
            Unit(("run",), "--fast"): {"1.9.0": {"hidden": frozenset({"t"})}},
            Unit(("run",), "--speed"): both,
            Unit(("run",), "--speed", "fast"): old,
            # The older version lists values, the newer one does not: only then anything goes.
            Unit(("run",), "WORD"): old,
        },
    )
    table = capabilities_of([Run, group("all")], sightings, tool="box")
    assert table == Capabilities(
        schema_version=1,
        tool="box",
        versions=("1.9.0", "1.10.0"),
        units=(
            Availability(path=("run",), name="WORD", ranges=(Range(first="1.9.0", last="1.9.0"),)),
            Availability(path=("run",), key="--fast", ranges=(Range(first="1.9.0", last="1.9.0"),)),
            Availability(path=("run",), key="--gone", ranges=()),
            Availability(path=("run",), key="--speed", value="slow", ranges=(Range(first="1.10.0", last="1.10.0"),)),
        ),
    )
    guard = Guard(table)
    guard.check(Run(speed=Speed.FAST).line(), "1.9.0")
    with pytest.raises(CapabilityMissing, match="no version that was read has it"):
        guard.check(Run(gone=True).line(), "1.9.0")
    with pytest.raises(CapabilityMissing, match="`run --speed slow`"):
        guard.check(Run(speed=Speed.SLOW).line(), "1.9.0")

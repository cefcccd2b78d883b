"""The typed API of Codex: every command that a program can use.

Read from the help of 0.61.0, 0.125.0 and 0.169.0 and tried with those binaries (``tests/test_real_wrapper.py``). A
guarded command or flag is one that only some versions have: ``capabilities.json`` says which, and a ``Guard`` refuses
it for the others.
"""

from pipeline.wrapper.codex import account, extensions, servers, sessions, tools, turns
from pipeline.wrapper.codex.account import Apply, Login
from pipeline.wrapper.codex.extensions import FeaturesList
from pipeline.wrapper.codex.servers import AppServer
from pipeline.wrapper.codex.sessions import Codex
from pipeline.wrapper.codex.turns import Exec, ExecFork, ExecResume, ExecReview, Review
from pipeline.wrapper.codex.values import ApprovalPolicy, Color, CyberAccessProgram, SandboxMode
from pipeline.wrapper.declare import commands_in
from pipeline.wrapper.derive import Declaration, group, waive

DECLARATIONS: tuple[Declaration, ...] = (
    *commands_in(sessions, turns, account, servers, extensions, tools),
    group("app-server", "daemon", guarded=True),
    group("cloud"),
    group("debug", guarded=True),
    group("debug", "app-server", guarded=True),
    group("execpolicy", guarded=True),
    group("features"),
    group("mcp"),
    group("plugin", guarded=True),
    group("plugin", "marketplace", guarded=True),
    waive("completion", note="Shell completion is for people, not for programs."),
    waive("app-server", "daemon", "pid-update-loop", note="The daemon starts this loop itself; nobody else may."),
    waive("git-credential", note="Git calls it, as a credential helper; a program has no use for it."),
    waive("responses", note="Internal to upstream: one raw request, shown by no version and gone from 0.169.0."),
    waive("tcp-tunnel", note="SSH calls it, as a proxy command; shown by no version."),
)

__all__ = [
    "DECLARATIONS",
    "AppServer",
    "Apply",
    "ApprovalPolicy",
    "Codex",
    "Color",
    "CyberAccessProgram",
    "Exec",
    "ExecFork",
    "ExecResume",
    "ExecReview",
    "FeaturesList",
    "Login",
    "Review",
    "SandboxMode",
]

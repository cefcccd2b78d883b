"""A git repository of this project's code with one small agent, whose CLI is a script in a fake registry's packages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from checkout import REPOSITORY, committed_files
from fake_cli import page
from fake_registries import NAME, Registry, made_tarball
from rehearsal.actions import git

from pipeline import canonical, stages
from pipeline.layout import POINTERS, Root
from pipeline.onboard import draft_rules

LINUX, ARM = "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"
AGENT = "tool"
_KEPT = "tests/golden/patterns/"
_AGENT_TOML = f"""
tool = "tool-cli"
program = "tool"

[help]
dialect = "clap"
style = "flag"

[wrapper]
name = "tool"
version = "0.1.0"
epoch = 1_700_000_000

[packages.{LINUX}]
name = "{NAME}"
suffix = "linux-x64"
members = ["bin/tool"]

[packages.{ARM}]
name = "{NAME}"
suffix = "linux-arm64"
members = ["bin/tool"]
"""
_WRAPPER = """from pipeline.wrapper.declare import Command, flag


class Tool(Command, path=()):
    help: bool = flag("--help", "-h")
    old: bool = flag("--old", guarded=True)
    new: bool = flag("--new", guarded=True)


DECLARATIONS = (Tool,)
"""


def publish(registry: Registry, version: str, *flags: str, broken: tuple[str, ...] = ()) -> None:
    """Publish a release for both targets; on ``broken`` ones the program ends at once."""
    for target, suffix in ((LINUX, "linux-x64"), (ARM, "linux-arm64")):
        body = (
            f"#!{sys.executable} -IS\nimport sys\nwords = sys.argv[1:]\n"
            + ("sys.exit(70)\n" if target in broken else "")
            + f"if words == ['--version']: print('tool {version}')\n"
            f"elif words == ['--help']: sys.stdout.write({page(flags=('-h, --help', *flags))!r})\n"
            "else: print('error: unexpected argument', file=sys.stderr); sys.exit(2)\n"
        )
        registry.publish(f"{version}-{suffix}", made_tarball({"package/bin/tool": body.encode()}))


def make(to: Path) -> Path:
    """The repository, with the agent's folder and no version; branch ``main``, one commit, as ``doit`` leaves it."""
    for name in committed_files():
        # What assets of the learning library are tried on stands with the tests.
        if name.startswith(_KEPT) or not name.startswith(("cli_manifests/", "tests/", "benchmarks/")):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, to / name)
    folder = to / "cli_manifests" / AGENT
    canonical.write(folder / "agent.toml", _AGENT_TOML.encode())
    canonical.write(folder / "RULES.json", canonical.encode(draft_rules((LINUX, ARM))))
    canonical.write(to / "pipeline" / "wrapper" / "tool" / "__init__.py", _WRAPPER.encode())
    root = Root(folder)
    pointers = [root.pointer(kind, target) for kind in POINTERS for target in (LINUX, ARM)]
    for pointer in (root.min_supported, root.latest_validated, *pointers):
        canonical.write(pointer, b"none\n")
    stages.support_matrix(folder.parent)
    git("init", "--quiet", "--initial-branch", "main", cwd=to)
    return commit(to, "Start")


def commit(repository: Path, message: str) -> Path:
    git("add", "--all", cwd=repository)
    git("commit", "--quiet", "--message", message, cwd=repository)
    return repository


def merge(repository: Path, branch: str) -> None:
    """Take a pull request, as a person would."""
    git("merge", "--quiet", "--ff-only", branch, cwd=repository)
    git("branch", "--quiet", "--delete", branch, cwd=repository)

"""What verbs of `parity runs` that begin or resume a run share: the agent's program, and what is said of the run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.runs.begin import Started


def told(started: Started, arguments: argparse.Namespace) -> int:
    from pipeline import canonical

    folder = started.folder
    told = {
        "run_id": folder.run_id,
        "artifact_root": folder.shown(folder.path),
        "compat_path": folder.shown(folder.pointer),
        "manifest": folder.shown(folder.manifest),
        "resume_token_file": folder.shown(folder.token),
        "runner_pid": started.pid,
    }
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode(told))
    else:
        print(folder.run_id)
        print(f"{told['artifact_root']}, process {started.pid}", file=sys.stderr)
    return 0


def acquired(agent: str | None, version: str | None) -> Path | None:
    """The acquired binary for this machine; None where nobody asks for an agent."""
    if agent is None or version is None:
        return None
    from pipeline import stages
    from pipeline.contract.folder import open_folder
    from pipeline.questions import asked
    from pipeline.snapshot.target import host_platform

    folder = open_folder(asked(agent).root.path)
    here = host_platform()
    for row in folder.lock().rows:
        mine = row.target.startswith(here.arch) and here.os in row.target
        if row.version == version and (mine or row.target == f"{here.os}-{here.arch}"):
            return stages.subject(folder, version, row.target).binary
    raise UsageError(f"no binary of {agent} {version} is locked for this machine", remedy="give it with --binary")

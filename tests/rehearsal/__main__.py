"""``python -m tests.rehearsal WORKFLOW [-i NAME=VALUE …]``: play a workflow of the committed state of this checkout.

Exit codes: 0 every job was fine or skipped, 1 a job failed, 2 the rehearsal refuses something.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .actions import git
from .expression import Refused
from .play import HERE, Rehearsal


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description="Play a workflow here.")
    parser.add_argument("workflow", help="its name in .github/workflows, without .yml")
    parser.add_argument("-i", "--input", action="append", default=[], metavar="NAME=VALUE", help="an input")
    parser.add_argument("--event", default="workflow_dispatch", help="what starts it (default: %(default)s)")
    parser.add_argument("--runner", action="append", default=[HERE], help=f"a runner that this machine is, as {HERE}")
    parser.add_argument(
        "--job", action="append", metavar="NAME", help="play this job and skip those that are not named"
    )
    parser.add_argument("--into", type=Path, help="where all is left (default: a new folder)")
    parser.add_argument("--follow", action="store_true", help="then play the workflows that it dispatched")
    arguments = parser.parse_args()
    folder = (arguments.into or Path(tempfile.mkdtemp(prefix="rehearsal-"))).resolve()
    source = folder / "repository"
    if not source.exists():
        folder.mkdir(parents=True, exist_ok=True)
        git("clone", "--quiet", ".", str(source), cwd=Path.cwd())
    rehearsal = Rehearsal(source, folder, runners=frozenset(arguments.runner))
    inputs = dict(pair.split("=", 1) for pair in arguments.input)
    try:
        played = [rehearsal.play(arguments.workflow, inputs, arguments.event, arguments.job)]
        if arguments.follow:
            played += [
                rehearsal.play(one["workflow"].removesuffix(".yml"), one["inputs"])
                for one in rehearsal.state("dispatched")
            ]
    except Refused as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    for one in played:
        sys.stdout.write(str(one))
    sys.stdout.write(f"left in {folder}\n")
    return 1 if any("failure" in one.results.values() for one in played) else 0


if __name__ == "__main__":
    sys.exit(main())

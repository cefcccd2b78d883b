"""Commands for CI's jobs: what is published and not read yet, what a job hands on, and how all of it is joined.

They import what they need when they run: `parity --help` should not wait for them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import Commands, wrote
from pipeline.layout import MANIFESTS


def add_commands(commands: Commands) -> None:
    watch = commands.add_parser(
        "watch",
        help="tell which agents have a newer stable release than what is committed (uses the network)",
        description="Exit code 1 where an agent could not be looked at; the others are told all the same.",
    )
    watch.add_argument("agents", nargs="*", metavar="AGENT", help="agents' names (default: all)")
    _add_workspace(watch)
    form = watch.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a CI matrix of the newer releases")
    form.add_argument("--as", dest="name", metavar="NAME", help="print it as a job's output NAME, with NAME-count")
    form.add_argument("--issues", action="store_true", help="open, change or close one issue for each agent, with gh")
    form.add_argument("--tidy", action="store_true", help="the same, but open none")
    watch.add_argument(
        "--begun", type=Path, metavar="F", help="leave out releases whose branch `git ls-remote --heads` lists in F"
    )
    watch.set_defaults(run=_watch)

    bundle = commands.add_parser("bundle", help="pack the snapshots that a job took, with their raw help")
    bundle.add_argument("tasks", nargs="+", metavar="TASK", help="the job's tasks: those of other stages do not count")
    bundle.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder to make")
    _add_workspace(bundle)
    bundle.set_defaults(run=_bundle)

    merge = commands.add_parser(
        "merge",
        help="join the bundles of many jobs, all or nothing",
        description="What is not of the expected version, binary, time or reader is refused, and nothing is changed.",
    )
    merge.add_argument("--from", dest="downloads", type=Path, required=True, metavar="DIR", help="the bundles' folder")
    merge.add_argument("--expect", type=Path, metavar="F", help="the matrix that jobs were started for")
    merge.add_argument("--only", metavar="AGENT:VERSION", help="all of it must be of this version")
    merge.add_argument("--partial", action="store_true", help="allow targets to be missing, but for the required one")
    _add_workspace(merge)
    merge.set_defaults(run=_merge)


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", type=Path, default=Path(MANIFESTS), metavar="DIR", help="the agents' folders (default: %(default)s)"
    )


def _watch(arguments: argparse.Namespace) -> int:
    from pipeline.jobs.output import as_output, matrix_text
    from pipeline.watch import watch
    from pipeline.watch.newer import begun

    watched = watch(arguments.root, arguments.agents)
    branches = begun(arguments.begun.read_text(encoding="utf-8")) if arguments.begun else frozenset()
    newer = [one for one in watched.newer if one.branch not in branches]
    if arguments.issues or arguments.tidy:
        from pipeline.watch import tracker
        from pipeline.watch.issues import changes

        for change in changes(watched, tracker.open_issues()):
            if arguments.issues or change.number is not None:
                tracker.apply(change)
                print(f"{change.agent}: {'closed' if change.title is None else change.title}")
    elif arguments.json or arguments.name:
        rows = [{"agent": one.agent, "version": one.version, "branch": one.branch} for one in newer]
        print(as_output(arguments.name, rows) if arguments.name else matrix_text(rows), end="")
    else:
        for one in newer:
            print(f"{one.agent} {one.version} ({one.committed or 'nothing'} is committed)")
    for name, problem in watched.failed.items():
        print(f"{name}: {problem}", file=sys.stderr)
    return 1 if watched.failed else 0


def _bundle(arguments: argparse.Namespace) -> int:
    from pipeline.jobs.bundle import names_in, pack

    pack(arguments.root, names_in(arguments.tasks), arguments.into)
    return wrote([arguments.into])


def _merge(arguments: argparse.Namespace) -> int:
    from pipeline.jobs.merge import Merge, expected_of

    merge = Merge(
        workspace=arguments.root,
        expected=expected_of(arguments.expect) if arguments.expect else None,
        only=arguments.only,
        partial=arguments.partial,
    )
    merged = merge.run(arguments.downloads)
    for name in merged.missing:
        print(f"{name}: nothing came; the union without it says that it is not complete", file=sys.stderr)
    return wrote(merged.changed)

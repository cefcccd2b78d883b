"""`parity diff`: what changed between two versions of an agent, and what of it breaks a caller."""

from __future__ import annotations

import argparse
import sys

from pipeline.cli.arguments import FINDINGS, Commands


def add_commands(commands: Commands) -> None:
    diff = commands.add_parser(
        "diff", help="tell what changed between two versions", description="Exit code 3 where anything breaks a caller."
    )
    diff.add_argument("agent", metavar="AGENT", help="an agent's name below ./cli_manifests, or its folder")
    diff.add_argument("before", metavar="A", help="the version before")
    diff.add_argument("after", metavar="B", help="the version after")
    diff.add_argument("--json", action="store_true", help="print JSON instead of a page")
    diff.add_argument(
        "--try",
        dest="ask",
        action="store_true",
        help="put each witness to the two acquired binaries (default: what was recorded of them)",
    )
    diff.set_defaults(run=_diff)


def _diff(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.history.diffs import diff_of, recorded, surfaces, unions
    from pipeline.history.page import render
    from pipeline.history.rule import BREAKING
    from pipeline.questions import asked

    root = asked(arguments.agent).root
    before, after = (unions if arguments.ask else surfaces)(root, arguments.before, arguments.after)
    trials = None if arguments.ask else recorded(root, arguments.before, arguments.after)
    if arguments.ask:
        from pipeline import stages
        from pipeline.contract.folder import open_folder

        trials = stages.trials_of(open_folder(root.path), before, after)
    found = diff_of(before, after, trials)
    if arguments.json:
        sys.stdout.buffer.write(canonical.encode(found))
        sys.stdout.buffer.flush()
    else:
        print(render(found, root.path.resolve().name), end="")
    return FINDINGS if any(one.severity == BREAKING for one in found.findings) else 0

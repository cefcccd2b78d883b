"""`parity show`: a report as people and other programs want to see it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands
from pipeline.errors import UsageError

_FORMATS = ("terminal", "markdown", "json", "sarif", "junit", "annotations", "summary", "pr-body", "badge", "release")


def add_commands(commands: Commands) -> None:
    show = commands.add_parser(
        "show",
        help="show a report: for a terminal, a pull request, a code scanner, a test server or as a badge",
        description="Show what a wrapper lacks of a version, and what changed for it.",
    )
    show.add_argument("agent", metavar="AGENT", help="an agent's name below ./cli_manifests, or its folder")
    show.add_argument("--at", metavar="V", help="the version (default: the newest that is reported on)")
    show.add_argument("--against", metavar="V", help="the version to compare with (default: the one before)")
    show.add_argument("--wrapper", metavar="W", help="a wrapper's name (default: ours)")
    show.add_argument("--format", choices=_FORMATS, default="terminal", help="default: terminal")
    show.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")
    show.add_argument(
        "--check", action="store_true", help="exit code 3 where a unit is missing or a finding is an error"
    )
    show.set_defaults(run=_show)


def _show(arguments: argparse.Namespace) -> int:
    from pipeline.faces import FACES, terminal
    from pipeline.faces.gather import gather
    from pipeline.questions.asked import asked

    if arguments.format == "release":
        from pipeline.config.release import release_section
        from pipeline.faces.release import release_text

        if arguments.wrapper or arguments.check or not arguments.at:
            raise UsageError(
                "a release is one version, for every wrapper", remedy="say --at V, no --wrapper or --check"
            )
        agent = asked(arguments.agent)
        text = release_text(agent, arguments.at, arguments.against, release_section(agent, arguments.at))
        return _give(text, arguments.out)
    overview = gather(
        asked(arguments.agent), version=arguments.at, against=arguments.against, wrapper=arguments.wrapper
    )
    if arguments.format == "terminal" and arguments.out is None and sys.stdout.isatty():
        terminal.show(overview, sys.stdout)
    else:
        _give(FACES[arguments.format].render(overview), arguments.out)
    return FINDINGS if arguments.check and not overview.fine else 0


def _give(text: str, out: Path | None) -> int:
    from pipeline import canonical

    if out is None:
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
    else:
        canonical.write(out, text.encode("utf-8"))
    return 0

"""`parity specs …`: the guard that specs follow the code, and the index of specs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands, wrote
from pipeline.cli.every_run import repository_of


def add_commands(commands: Commands) -> None:
    specs = commands.add_parser("specs", help="hold specs and code together")
    verbs = specs.add_subparsers(required=True, metavar="VERB")

    guard = verbs.add_parser("guard", help="find code that changed without a spec, and specs nobody has reviewed")
    _add_place(guard)
    guard.add_argument("--base", metavar="REV", help="where the branch began (default: $BASE_SHA, else the main one)")
    guard.add_argument("--override", metavar="REASON", help="let code change without a spec, for this reason")
    guard.add_argument("--dry-run", action="store_true", help="tell the findings and exit with 0")
    guard.set_defaults(run=_guard)

    index = verbs.add_parser("index", help="write the index from the front matter of the specs")
    _add_place(index)
    index.set_defaults(run=_index)


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repository", type=Path, default=Path(), metavar="DIR", help="(default: here)")


def _guard(arguments: argparse.Namespace) -> int:
    from pipeline.runs.manifest import OVERRIDE
    from pipeline.specs import guard, settings_of

    repository = repository_of(arguments)
    override = arguments.override if arguments.override is not None else os.environ.get(OVERRIDE)
    verdict = guard(repository, settings_of(repository), base=arguments.base, override=override)
    for finding in verdict.findings:
        print(f"{finding.path}: {finding.code}: {finding.message}")
    for finding in verdict.lifted:
        print(f"{finding.path}: {finding.code}: overridden ({override}): {finding.message}", file=sys.stderr)
    print(f"{len(verdict.findings)} findings" if verdict.findings else "no findings", file=sys.stderr)
    return FINDINGS if verdict.findings and not arguments.dry_run else 0


def _index(arguments: argparse.Namespace) -> int:
    from pipeline.specs import settings_of, write_index

    repository = repository_of(arguments)
    return wrote([write_index(repository, settings_of(repository)).relative_to(repository)])

"""The commands that look after a whole tree: validation, promotion, retention and the support matrix.

They import what they need when they run: `parity --help` should not wait for them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands, add_outcomes, add_root, validation_of, wrote
from pipeline.errors import UsageError
from pipeline.layout import MANIFESTS


def add_commands(commands: Commands) -> None:
    validate = commands.add_parser("validate", help="check every artifact of a folder")
    validate.add_argument(
        "--root",
        type=Path,
        default=Path(MANIFESTS),
        metavar="DIR",
        help="an agent's folder, or a folder of such (default: %(default)s)",
    )
    validate.add_argument("--rules", type=Path, metavar="F", help="instead of the folder's RULES.json")
    validate.add_argument("--schema", type=Path, metavar="F", help="instead of the folder's SCHEMA.json")
    validate.add_argument("--version-schema", type=Path, metavar="F", help="instead of VERSION_METADATA_SCHEMA.json")
    validate.add_argument(
        "--mode", choices=("check", "fix"), default="check", help="fix: first put right what is mechanical"
    )
    validate.add_argument(
        "--no-recompute", action="store_true", help="do not derive files again to compare them (faster)"
    )
    validate.add_argument("--json", action="store_true", help="print the findings as JSON")
    validate.set_defaults(run=_validate)

    promote = commands.add_parser("promote", help="make a version the latest validated one, or change nothing")
    add_root(promote, version=True)
    add_outcomes(promote)
    promote.add_argument("--bundles", type=Path, metavar="DIR", help="outcomes from snapshots that jobs took again")
    promote.add_argument("--expect", type=Path, metavar="F", help="the matrix that these jobs were started for")
    promote.set_defaults(run=_promote)

    retain = commands.add_parser("retain", help="list the versions whose snapshots and reports are kept and not kept")
    add_root(retain, version=False)
    retain.add_argument("--apply", action="store_true", help="delete those that are not kept")
    retain.add_argument("--json", action="store_true", help="print the lists, with reasons, as JSON")
    retain.set_defaults(run=_retain)

    matrix = commands.add_parser("support-matrix", help="write the support matrix of all agents of a workspace")
    matrix.add_argument(
        "--root", type=Path, default=Path(MANIFESTS), metavar="DIR", help="the workspace (default: %(default)s)"
    )
    matrix.set_defaults(run=_support_matrix)


def _promote(arguments: argparse.Namespace) -> int:
    from pipeline import upkeep
    from pipeline.contract.folder import open_folder

    folder, validation = open_folder(arguments.root, arguments.rules), validation_of(arguments)
    if arguments.bundles or arguments.expect:
        from pipeline.jobs.verdicts import judged

        if validation:
            raise UsageError("outcomes are told twice", remedy="use --bundles with --expect, or name the targets")
        validation = judged(folder, arguments.version, arguments.bundles, arguments.expect)
    return wrote(upkeep.promote(folder, arguments.version, validation))


def _retain(arguments: argparse.Namespace) -> int:
    from pipeline import upkeep
    from pipeline.contract.folder import open_folder

    retention = upkeep.retain(open_folder(arguments.root, arguments.rules), apply=arguments.apply)
    if arguments.json:
        sys.stdout.buffer.write(retention.json(applied=arguments.apply))
    else:
        sys.stdout.write(retention.listing(applied=arguments.apply))
    return 0


def _support_matrix(arguments: argparse.Namespace) -> int:
    from pipeline import stages

    return wrote(stages.support_matrix(arguments.root))


def _validate(arguments: argparse.Namespace) -> int:
    from pipeline.check import check
    from pipeline.validate import render_json, render_lines

    checked = check(
        arguments.root,
        rules=arguments.rules,
        schema=arguments.schema,
        metadata_schema=arguments.version_schema,
        recompute=not arguments.no_recompute,
        fix=arguments.mode == "fix",
    )
    if arguments.json:
        sys.stdout.buffer.write(render_json(checked.findings, checked.fixed if arguments.mode == "fix" else None))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in checked.fixed) + render_lines(checked.findings))
        print(f"{len(checked.findings)} findings" if checked.findings else "no findings", file=sys.stderr)
    return FINDINGS if checked.findings else 0

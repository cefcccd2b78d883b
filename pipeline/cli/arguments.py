"""What several commands ask for in the same way, and how they answer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pipeline.snapshot import Subject
    from pipeline.surface.metadata import Validation
    from pipeline.surface.snapshot import Supplement

FINDINGS = 3

# What argparse calls the thing that holds the commands is not public.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_binary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--binary", type=Path, required=True, help="the program to read")
    parser.add_argument("--name", help="the program's name in its usage lines (default: the one in its usage)")
    parser.add_argument("--tool", help="the tool's name in the snapshot (default: NAME-cli)")
    parser.add_argument("--dialect", help="the format of its help (default: detected from the root's page)")
    parser.add_argument(
        "--style",
        choices=("flag", "subcommand", "listed"),
        help="ask by `x y --help`, by `x help y`, or by the latter where help is listed (default: the dialect's)",
    )
    parser.add_argument("--launcher", default=(), type=str.split, metavar="WORDS", help="what starts it, such as node")
    parser.add_argument("--target", help="the binary's target triple (default: read from the binary)")


def add_root(parser: argparse.ArgumentParser, *, version: bool) -> None:
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="the agent's folder")
    parser.add_argument("--rules", type=Path, metavar="F", help="instead of the folder's RULES.json")
    if version:
        parser.add_argument("--version", required=True, metavar="V", help="the upstream version")


def add_outcomes(parser: argparse.ArgumentParser) -> None:
    for outcome in ("passed", "failed", "skipped"):
        parser.add_argument(
            f"--{outcome}-target", action="append", metavar="T", help=f"a target whose validation {outcome}"
        )


def subject_of(arguments: argparse.Namespace, supplement: Supplement | None = None) -> Subject:
    from pipeline.contract.agent import Help
    from pipeline.snapshot import Subject, default_target

    return Subject(
        binary=arguments.binary,
        launcher=tuple(arguments.launcher),
        program=arguments.name,
        tool=arguments.tool or (arguments.name and f"{arguments.name}-cli"),
        target=arguments.target or default_target(arguments.binary),
        help=Help(dialect=arguments.dialect, style=arguments.style),
        supplement=supplement,
    )


def validation_of(arguments: argparse.Namespace) -> Validation | None:
    from pipeline.surface.metadata import Validation

    outcomes = [arguments.passed_target, arguments.failed_target, arguments.skipped_target]
    if not any(outcomes):
        return None
    passed, failed, skipped = (tuple(targets or ()) for targets in outcomes)
    return Validation(passed_targets=passed, failed_targets=failed, skipped_targets=skipped)


def wrote(paths: Sequence[Path]) -> int:
    for path in paths:
        print(path)
    return 0

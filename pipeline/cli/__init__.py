"""The ``parity`` command: the stages on any folder, for people and for CI.

Exit codes: 0 fine, 1 could not complete, 2 wrong usage, 3 findings. Results go to standard output or into
files, messages to standard error.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence

from pipeline.cli import (
    comparing,
    configuring,
    ending,
    evaluation,
    filling,
    jobs,
    pages,
    patterns,
    questions,
    runs,
    showing,
    specs,
    stages,
    tracing,
    upkeep,
)
from pipeline.errors import ParityError
from pipeline.layout import check_version


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if "version" in arguments:
            check_version(arguments.version)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
    except ParityError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader went away (`parity … | head`): nobody is left to tell, and what is still buffered must
        # not fail a second time when the interpreter flushes it.
        ending.let_go(sys.stdout)
        return 1
    except OSError as error:
        if error.filename is not None or error.errno not in ending.FULL:
            raise
        ending.let_go(sys.stdout)
        print(f"error[write-failed]: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return code


class _Version(argparse.Action):
    """argparse wants the text beforehand, and finding it takes as long as all of the parser."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('cli-parity')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parity",
        description="What a coding-agent CLI offers, what a wrapper supports of it, and what to do next.",
        epilog="SOURCE_DATE_EPOCH gives the time that artifacts carry. "
        "Exit codes: 0 fine, 1 could not complete, 2 wrong usage, 3 findings.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, dest=argparse.SUPPRESS, help="show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    stages.add_commands(commands)
    upkeep.add_commands(commands)
    tracing.add_commands(commands)
    comparing.add_commands(commands)
    questions.add_commands(commands)
    showing.add_commands(commands)
    filling.add_commands(commands)
    pages.add_commands(commands)
    jobs.add_commands(commands)
    configuring.add_commands(commands)
    runs.add_commands(commands)
    specs.add_commands(commands)
    patterns.add_commands(commands)
    evaluation.add_commands(commands)
    return parser


def command() -> None:
    """``main`` as a process of its own. It is over soon: looking for cycles would take a fifth of a fast one's time."""
    gc.set_threshold(100_000)
    code = ending.unwound(main)
    gc.freeze()
    sys.exit(code)

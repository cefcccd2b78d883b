"""``parity trace``: what any wrapper emits, seen from outside.

It imports what it needs when it runs: `parity --help` should not wait for it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import FINDINGS, Commands

if TYPE_CHECKING:
    from pipeline.contract.folder import Folder
    from pipeline.surface.units import CommandPath


def add_commands(commands: Commands) -> None:
    trace = commands.add_parser(
        "trace",
        help="run a wrapper's program with a recording stand-in for the CLI, and say what it emits",
        description="Run CMD with a recording stand-in for the CLI first on its PATH (its place is also in "
        "CLI_PARITY_STAND_IN, and replaces {stand_in} in CMD). The wrapper's coverage is printed, or written to --out; "
        "numbers, and where calls and source disagree (exit code 3), go to standard error.",
    )
    trace.add_argument("--root", type=Path, metavar="DIR", help="the agent's folder; its newest union names the units")
    trace.add_argument("--program", metavar="NAME", help="the CLI's name (default: the agent's program)")
    trace.add_argument("--answers", type=Path, metavar="F", help="what the stand-in prints, as rules in JSON")
    trace.add_argument("--scan", type=Path, metavar="DIR", help="the wrapper's source, to be searched for flags")
    trace.add_argument(
        "--command",
        action="append",
        default=[],
        type=str.split,
        metavar="W",
        help="a command of the CLI, where no union knows them (may be repeated)",
    )
    trace.add_argument("--out", type=Path, metavar="F", help="the file to write (default: standard output)")
    trace.add_argument("--seconds", type=float, default=600.0, metavar="N", help="how long CMD may take (%(default)g)")
    trace.add_argument("words", nargs="+", metavar="CMD", help="the wrapper's program and its arguments, after --")
    trace.set_defaults(run=_trace)


def _trace(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.clock import timestamp
    from pipeline.contract.folder import open_folder
    from pipeline.errors import UsageError
    from pipeline.trace import stand_in
    from pipeline.trace.answers import read_answers
    from pipeline.trace.combine import Combined
    from pipeline.trace.literals import Scan
    from pipeline.trace.read import Surface
    from pipeline.trace.scan import scan
    from pipeline.trace.stage import coverage, evidence_of, summary, told

    folder = open_folder(arguments.root) if arguments.root else None
    program = arguments.program or (folder.program if folder else "")
    if not program:
        raise UsageError(
            "nobody says which program is traced", remedy="name it with --program, or an agent with --root"
        )
    version = next(reversed(folder.root.versions()), None) if folder else None
    surface = (
        Surface.of(folder.root.union(version)) if folder and version else Surface.named(map(tuple, arguments.command))
    )
    generated_at = folder.stamp(version) if folder and version else timestamp()
    answers = read_answers(arguments.answers) if arguments.answers else ()
    with tempfile.TemporaryDirectory(prefix="parity-") as scratch:
        recorder = stand_in.make(Path(scratch), program, answers)
        calls = stand_in.run(arguments.words, recorder, cwd=Path.cwd(), seconds=arguments.seconds, env=dict(os.environ))
    scanned = scan(arguments.scan) if arguments.scan else Scan(literals=())
    evidence = evidence_of(calls, scanned, surface, program=program, upstream_version=version)
    combined = Combined(evidence, surface)
    content = canonical.encode(coverage(combined, generated_at=generated_at))
    if arguments.out:
        canonical.write(arguments.out, content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    sys.stderr.write(
        told(summary(combined), compared=arguments.scan is not None, elsewhere=_elsewhere(folder, version))
    )
    return FINDINGS if arguments.scan and combined.disagreements else 0


def _elsewhere(folder: Folder | None, version: str | None) -> Callable[[CommandPath, str], str]:
    """What other versions say of a flag that this one does not know, where there is a timeline."""
    from pipeline.history import read_timeline
    from pipeline.report.elsewhere import elsewhere, in_words
    from pipeline.report.upstream import Unit

    if folder is None or version is None or not folder.root.timeline.exists():
        return lambda _path, _flag: ""
    keys = elsewhere(read_timeline(folder.root.timeline), version)
    return lambda path, flag: in_words(keys(Unit("flag", tuple(path), flag, ())))

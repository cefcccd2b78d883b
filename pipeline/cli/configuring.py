"""``parity config``: one agent's configuration of a repository, carried over to another agent; phase by phase."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import FINDINGS, Commands, wrote
from pipeline.layout import check_version

if TYPE_CHECKING:
    from pipeline.config.phases import Done, Job

_COHORT = "rank the converters that peers compared, on each tree and over all"


def add_commands(commands: Commands) -> None:
    config = commands.add_parser(
        "config",
        help="carry a repository's configuration over to another agent",
        description="Each phase enters through its gate and leaves documents; exit code 3 where a gate fails.",
    )
    phases = config.add_subparsers(required=True, metavar="PHASE")
    _add(phases, "run", "all phases, until a gate fails", _run)
    _add(phases, "inventory", "P0: list everything that the tree holds", _phase("P0"))
    _add(phases, "plan", "P1: decide on every field", _phase("P1"))
    emit = _add(phases, "emit", "P2: write the target's files", _emit)
    _add(phases, "verify", "P3: ask the target's own program, and score", _phase("P3"))
    _add(phases, "harden", "P4: say what is left, against the criteria", _phase("P4"))
    peers = _add(phases, "peers", "the same checks of what other converters make of the tree; after P2", _peers)
    peers.add_argument("--offline", action="store_true", help="fetch no converter: take those in the cache")
    cohort = phases.add_parser("cohort", help=_COHORT, description=f"{_COHORT}; exit code 3 where ours is behind.")
    cohort.add_argument("peers", type=Path, nargs="+", metavar="FILE", help="a peers.json; one for each tree")
    cohort.add_argument("--out", type=Path, metavar="F", help="write shares and ranks here too, as JSON")
    cohort.set_defaults(run=_cohort)
    _add_changes(phases)
    emit.add_argument("--apply", action="store_true", help="put them into the tree too, beside what is there")


def _add(phases: Commands, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = phases.add_parser(name, help=text, description=text)
    parser.add_argument("--tree", type=Path, required=True, metavar="DIR", help="the repository; it is not changed")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="write everything below here")
    parser.add_argument("--name", metavar="N", help="what the tree is called (default: the name of its folder)")
    parser.add_argument("--mapping", metavar="M", help="the direction (default: the first there is)")
    parser.add_argument("--target-version", metavar="V", help="the target's version (default: the newest known)")
    parser.add_argument("--binary", type=Path, metavar="FILE", help="the target's program, by path or name (P3)")
    parser.add_argument("--copies", action="store_true", help="copies instead of links, where links do not work")
    parser.set_defaults(run=run)
    return parser


def _add_changes(phases: Commands) -> None:
    text = "what another version of the target makes portable, and what it does not any more"
    says = f"Say {text} (exit code 3: something); without a tree, which rules decide otherwise."
    parser = phases.add_parser("changes", help=text, description=says)
    parser.add_argument("--tree", type=Path, metavar="DIR", help="the repository; it is not changed")
    parser.add_argument("--name", metavar="N", help="what the tree is called (default: the name of its folder)")
    parser.add_argument("--mapping", metavar="M", help="the direction (default: the first there is)")
    parser.add_argument("--from", dest="before", metavar="V", help="default: the promoted one, or the one before --to")
    parser.add_argument("--to", dest="after", metavar="V", help="default: the newest that is known")
    parser.add_argument("--format", choices=("markdown", "json"), default="markdown", help="default: markdown")
    parser.set_defaults(run=_changes)


def _changes(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.config.changes import changes_of, changes_of_rules, page
    from pipeline.config.mapping import read_mapping
    from pipeline.config.phases import Job
    from pipeline.config.release import compared
    from pipeline.questions.asked import asked

    mapping = read_mapping(arguments.mapping)
    for version in filter(None, (arguments.before, arguments.after)):
        check_version(version)
    before, after = compared(asked(mapping.target.agent), arguments.after, arguments.before)
    if arguments.tree is None:
        found = changes_of_rules(mapping, before, after)
    else:
        name = arguments.name or arguments.tree.resolve().name
        found = changes_of(Job(arguments.tree, arguments.tree, name, mapping), before, after)
    written = canonical.encode(found) if arguments.format == "json" else page(found).encode("utf-8")
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()
    return FINDINGS if found.loses else 0


def _job(arguments: argparse.Namespace) -> Job:
    from pipeline.config.mapping import read_mapping
    from pipeline.config.phases import Job

    if arguments.target_version:
        check_version(arguments.target_version)
    return Job(
        tree=arguments.tree,
        out=arguments.out,
        name=arguments.name or arguments.tree.resolve().name,
        mapping=read_mapping(arguments.mapping),
        version=arguments.target_version,
        copies=arguments.copies,
        binary=_program(arguments.binary),
    )


def _program(named: Path | None) -> Path | None:
    """A file, or a program on the PATH by its bare name."""
    if named is None or named.exists() or len(named.parts) > 1:
        return named
    found = shutil.which(named.name)
    return Path(found) if found else named


def _phase(phase: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        from pipeline.config.sequence import run_phase
        from pipeline.transaction.hold import exclusive

        job = _job(arguments)
        with exclusive(job.out):
            return _told(run_phase(job, phase))

    return run


def _emit(arguments: argparse.Namespace) -> int:
    from pipeline.config.phase_emit import apply_to
    from pipeline.config.sequence import run_phase
    from pipeline.transaction.hold import exclusive

    job = _job(arguments)
    with exclusive(job.out, *([job.tree] if arguments.apply else [])):
        code = _told(run_phase(job, "P2"))
        if code or not arguments.apply:
            return code
        paths, conflicts = apply_to(job, arguments.tree)
    for one in conflicts:
        print(f"{one.path}: {one.code}: {one.message} ({one.remedy})", file=sys.stderr)
    return FINDINGS if conflicts else wrote(paths)


def _peers(arguments: argparse.Namespace) -> int:
    from pipeline.config.verify.peers import compare
    from pipeline.errors import UsageError
    from pipeline.transaction.hold import exclusive

    if arguments.binary is None:
        raise UsageError("peers are compared by the target's program", remedy="name it with --binary")
    job = _job(arguments)
    with exclusive(job.out):
        found, path = compare(job, job.binary or arguments.binary, offline=arguments.offline)
    for one in found.peers:
        name = f"{one.name} {one.version}" if one.version else one.name
        count = "not run" if one.passed is None else f"{one.passed} of {one.total}"
        print(f"{name}: {count}{f' ({one.says})' if one.says else ''}", file=sys.stderr)
    return wrote([path])


def _cohort(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.config.cohort import as_table, cohort

    found = cohort(arguments.peers)
    print(as_table(found), end="")
    if arguments.out:
        canonical.write(arguments.out, canonical.encode(found))
    return 0 if found.ours_leads else FINDINGS


def _run(arguments: argparse.Namespace) -> int:
    from pipeline.config.sequence import run_all
    from pipeline.transaction.hold import exclusive

    job, code = _job(arguments), 0
    with exclusive(job.out):
        for done in run_all(job):
            code = _told(done)
    return code


def _told(done: Done) -> int:
    wrote(done.paths)
    for gate in done.record.gates:
        if not gate.passed:
            print(f"{done.record.phase}: the {gate.name} gate failed: {gate.says}", file=sys.stderr)
    return 0 if done.record.passed else FINDINGS

"""The ``parity`` command: the stages on any folder, for people and for CI.

Exit codes: 0 fine, 1 could not complete, 2 wrong usage, 3 findings. Results go to standard output or into
files, messages to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ParityError
from pipeline.layout import check_version

if TYPE_CHECKING:
    from pipeline.snapshot import Subject
    from pipeline.surface.snapshot import Supplement

FINDINGS = 3


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parity",
        description="What a coding-agent CLI offers, what a wrapper supports of it, and what to do next.",
        epilog="SOURCE_DATE_EPOCH gives the time that artifacts carry. "
        "Exit codes: 0 fine, 1 could not complete, 2 wrong usage, 3 findings.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {installed_version('cli-parity')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    snapshot = commands.add_parser("snapshot", help="read the surface of any CLI's binary")
    _binary(snapshot)
    snapshot.add_argument("--out-file", default="-", metavar="F", help="where to write it (default: standard output)")
    snapshot.add_argument("--capture-raw-help", type=Path, metavar="DIR", help="keep the raw help pages there")
    snapshot.add_argument("--supplement", type=Path, metavar="F", help="commands that its help does not show")
    snapshot.set_defaults(run=_snapshot)

    union = commands.add_parser("union", help="merge the snapshots of a version")
    _root(union, version=True)
    union.set_defaults(run=_union)

    coverage = commands.add_parser("wrapper-coverage", help="derive what a wrapper supports from its own code")
    coverage.add_argument("--out", type=Path, required=True, metavar="F", help="the file to write")
    coverage.add_argument(
        "--rules", type=Path, metavar="F", help="the rules to follow (default: RULES.json beside --out)"
    )
    source = coverage.add_mutually_exclusive_group()
    source.add_argument("--from", dest="manifest", type=Path, metavar="MANIFEST.json", help="a manifest to normalise")
    source.add_argument("--wrapper", metavar="NAME", help="a wrapper of this project")
    coverage.add_argument("--wrapper-version", metavar="V", help="the wrapper's version, if the source states none")
    coverage.set_defaults(run=_wrapper_coverage)

    report = commands.add_parser("report", help="compare a version with the wrapper")
    _root(report, version=True)
    report.set_defaults(run=_report)

    metadata = commands.add_parser("version-metadata", help="record the status of a version, if it has earned it")
    _root(metadata, version=True)
    metadata.add_argument("--status", required=True, choices=("snapshotted", "reported", "validated", "supported"))
    for outcome in ("passed", "failed", "skipped"):
        metadata.add_argument(
            f"--{outcome}-target", action="append", metavar="T", help=f"a target whose validation {outcome}"
        )
    metadata.set_defaults(run=_version_metadata)

    onboard = commands.add_parser("onboard", help="draft an agent's folder from its binary")
    onboard.add_argument("--root", type=Path, required=True, metavar="DIR", help="the folder to write")
    _binary(onboard)
    onboard.set_defaults(run=_onboard)

    validate = commands.add_parser("validate", help="check every artifact of a folder")
    _root(validate, version=False)
    validate.add_argument("--schema", type=Path, metavar="F", help="instead of the folder's SCHEMA.json")
    validate.add_argument("--version-schema", type=Path, metavar="F", help="instead of VERSION_METADATA_SCHEMA.json")
    validate.add_argument("--json", action="store_true", help="print the findings as JSON")
    validate.set_defaults(run=_validate)
    return parser


def _binary(parser: argparse.ArgumentParser) -> None:
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


def _root(parser: argparse.ArgumentParser, *, version: bool) -> None:
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="the agent's folder")
    parser.add_argument("--rules", type=Path, metavar="F", help="instead of the folder's RULES.json")
    if version:
        parser.add_argument("--version", required=True, metavar="V", help="the upstream version")


# The stages import what they need when they run: `parity --help` should not wait for them.


def _subject(arguments: argparse.Namespace, supplement: Supplement | None = None) -> Subject:
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


def _snapshot(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.clock import timestamp
    from pipeline.snapshot import snapshot_bytes
    from pipeline.surface.snapshot import Supplement

    supplement = canonical.read(arguments.supplement, Supplement) if arguments.supplement else None
    content = snapshot_bytes(
        _subject(arguments, supplement), collected_at=timestamp(), raw_help=arguments.capture_raw_help
    )
    if arguments.out_file == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        canonical.write(Path(arguments.out_file), content)
    return 0


def _onboard(arguments: argparse.Namespace) -> int:
    from pipeline.layout import Root
    from pipeline.onboard import onboard

    return _wrote(onboard(Root(arguments.root), _subject(arguments)))


def _union(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder

    return _wrote(stages.union(open_folder(arguments.root, arguments.rules), arguments.version))


def _wrapper_coverage(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.clock import timestamp
    from pipeline.contract.folder import open_folder
    from pipeline.contract.rules import read_rules
    from pipeline.wrapper.stage import coverage_bytes

    source, version, epoch = arguments.manifest or arguments.wrapper, arguments.wrapper_version, None
    if source is None:
        wrapper = open_folder(arguments.out.parent, arguments.rules).wrapper
        source, version, epoch = wrapper.name, version or wrapper.version, wrapper.epoch
    rules = read_rules(arguments.rules or arguments.out.parent / "RULES.json")
    content = coverage_bytes(source, rules, generated_at=timestamp(epoch), wrapper_version=version)
    canonical.write(arguments.out, content)
    return _wrote([arguments.out])


def _report(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder

    return _wrote(stages.report(open_folder(arguments.root, arguments.rules), arguments.version))


def _version_metadata(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder
    from pipeline.surface.metadata import Status, Validation

    outcomes = [arguments.passed_target, arguments.failed_target, arguments.skipped_target]
    validation = None
    if any(outcomes):
        passed, failed, skipped = (tuple(targets or ()) for targets in outcomes)
        validation = Validation(passed_targets=passed, failed_targets=failed, skipped_targets=skipped)
    folder = open_folder(arguments.root, arguments.rules)
    return _wrote(stages.version_metadata(folder, arguments.version, Status(arguments.status), validation))


def _validate(arguments: argparse.Namespace) -> int:
    from pipeline.contract.folder import open_folder
    from pipeline.validate import render_json, render_lines, validate

    folder = open_folder(arguments.root, arguments.rules)
    findings = validate(folder, schema=arguments.schema, metadata_schema=arguments.version_schema)
    if arguments.json:
        sys.stdout.buffer.write(render_json(findings))
    else:
        sys.stdout.write(render_lines(findings))
        print(f"{len(findings)} findings" if findings else "no findings", file=sys.stderr)
    return FINDINGS if findings else 0


def _wrote(paths: Sequence[Path]) -> int:
    for path in paths:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

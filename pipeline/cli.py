"""The ``parity`` command: the stages on any folder, for people and for CI.

Exit codes: 0 fine, 1 could not complete, 2 wrong usage, 3 findings. Results go to standard output or into
files, messages to standard error.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pipeline.errors import ParityError
from pipeline.layout import MANIFESTS, check_version

if TYPE_CHECKING:
    from pipeline.snapshot import Subject
    from pipeline.surface.metadata import Validation
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

    _stages(commands)
    _upkeep(commands)
    return parser


# What argparse calls the thing that holds the commands is not public.
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def _stages(commands: _Commands) -> None:
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
    _outcomes(metadata)
    metadata.set_defaults(run=_version_metadata)

    metadata.add_argument("--allow-downgrade", action="store_true", help="record a lower status than there is")

    onboard = commands.add_parser("onboard", help="draft an agent's folder from its binary")
    onboard.add_argument("--root", type=Path, required=True, metavar="DIR", help="the folder to write")
    _binary(onboard)
    onboard.set_defaults(run=_onboard)


def _upkeep(commands: _Commands) -> None:
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
    _root(promote, version=True)
    _outcomes(promote)
    promote.set_defaults(run=_promote)

    retain = commands.add_parser("retain", help="list the versions whose snapshots and reports are kept and not kept")
    _root(retain, version=False)
    retain.add_argument("--apply", action="store_true", help="delete those that are not kept")
    retain.add_argument("--json", action="store_true", help="print the lists, with reasons, as JSON")
    retain.set_defaults(run=_retain)

    matrix = commands.add_parser("support-matrix", help="write the support matrix of all agents of a workspace")
    matrix.add_argument(
        "--root", type=Path, default=Path(MANIFESTS), metavar="DIR", help="the workspace (default: %(default)s)"
    )
    matrix.set_defaults(run=_support_matrix)


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


def _outcomes(parser: argparse.ArgumentParser) -> None:
    for outcome in ("passed", "failed", "skipped"):
        parser.add_argument(
            f"--{outcome}-target", action="append", metavar="T", help=f"a target whose validation {outcome}"
        )


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
    from pipeline.surface.metadata import Status

    return _wrote(
        stages.version_metadata(
            open_folder(arguments.root, arguments.rules),
            arguments.version,
            Status(arguments.status),
            _validation(arguments),
            may_downgrade=arguments.allow_downgrade,
        )
    )


def _validation(arguments: argparse.Namespace) -> Validation | None:
    from pipeline.surface.metadata import Validation

    outcomes = [arguments.passed_target, arguments.failed_target, arguments.skipped_target]
    if not any(outcomes):
        return None
    passed, failed, skipped = (tuple(targets or ()) for targets in outcomes)
    return Validation(passed_targets=passed, failed_targets=failed, skipped_targets=skipped)


def _promote(arguments: argparse.Namespace) -> int:
    from pipeline import upkeep
    from pipeline.contract.folder import open_folder

    folder = open_folder(arguments.root, arguments.rules)
    return _wrote(upkeep.promote(folder, arguments.version, _validation(arguments)))


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

    return _wrote(stages.support_matrix(arguments.root))


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


def _wrote(paths: Sequence[Path]) -> int:
    for path in paths:
        print(path)
    return 0


def command() -> None:
    """``main`` as a process of its own. It is over soon: looking for cycles would take a fifth of a fast one's time."""
    gc.set_threshold(100_000)
    code = main()
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    command()

"""The commands that make artifacts: each is one stage on one folder, or on any CLI's binary.

They import what they need when they run: `parity --help` should not wait for them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import Commands, add_binary, add_outcomes, add_root, subject_of, validation_of, wrote


def add_commands(commands: Commands) -> None:
    snapshot = commands.add_parser("snapshot", help="read the surface of any CLI's binary")
    add_binary(snapshot)
    snapshot.add_argument("--out-file", default="-", metavar="F", help="where to write it (default: standard output)")
    snapshot.add_argument("--capture-raw-help", type=Path, metavar="DIR", help="keep the raw help pages there")
    snapshot.add_argument("--supplement", type=Path, metavar="F", help="commands that its help does not show")
    snapshot.set_defaults(run=_snapshot)

    union = commands.add_parser("union", help="merge the snapshots of a version")
    add_root(union, version=True)
    union.set_defaults(run=_union)

    timeline = commands.add_parser("timeline", help="tabulate which versions have each unit and value")
    add_root(timeline, version=False)
    timeline.set_defaults(run=_timeline)

    surfaces = commands.add_parser("surfaces", help="tabulate what versions offer besides their command line")
    add_root(surfaces, version=False)
    surfaces.set_defaults(run=_surfaces)

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
    add_root(report, version=True)
    report.set_defaults(run=_report)

    metadata = commands.add_parser("version-metadata", help="record the status of a version, if it has earned it")
    add_root(metadata, version=True)
    metadata.add_argument("--status", required=True, choices=("snapshotted", "reported", "validated", "supported"))
    add_outcomes(metadata)
    metadata.set_defaults(run=_version_metadata)

    metadata.add_argument("--allow-downgrade", action="store_true", help="record a lower status than there is")

    onboard = commands.add_parser("onboard", help="draft an agent's folder from its binary")
    onboard.add_argument("--root", type=Path, required=True, metavar="DIR", help="the folder to write")
    add_binary(onboard)
    onboard.set_defaults(run=_onboard)


def _snapshot(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.clock import timestamp
    from pipeline.snapshot import snapshot_bytes
    from pipeline.surface.snapshot import Supplement

    supplement = canonical.read(arguments.supplement, Supplement) if arguments.supplement else None
    content = snapshot_bytes(
        subject_of(arguments, supplement), collected_at=timestamp(), raw_help=arguments.capture_raw_help
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

    return wrote(onboard(Root(arguments.root), subject_of(arguments)))


def _union(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder

    return wrote(stages.union(open_folder(arguments.root, arguments.rules), arguments.version))


def _timeline(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder

    return wrote(stages.timeline(open_folder(arguments.root, arguments.rules)))


def _surfaces(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder

    return wrote(stages.surfaces(open_folder(arguments.root, arguments.rules)))


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
    return wrote([arguments.out])


def _report(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder

    return wrote(stages.report(open_folder(arguments.root, arguments.rules), arguments.version))


def _version_metadata(arguments: argparse.Namespace) -> int:
    from pipeline import stages
    from pipeline.contract.folder import open_folder
    from pipeline.surface.metadata import Status

    return wrote(
        stages.version_metadata(
            open_folder(arguments.root, arguments.rules),
            arguments.version,
            Status(arguments.status),
            validation_of(arguments),
            may_downgrade=arguments.allow_downgrade,
        )
    )

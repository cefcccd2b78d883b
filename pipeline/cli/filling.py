"""``parity backfill``: the timeline filled with published versions that are not committed. Uses the network.

It imports what it needs when it runs: `parity --help` should not wait for it.
"""

from __future__ import annotations

import argparse

from pipeline.cli.arguments import Commands, add_root, wrote


def add_commands(commands: Commands) -> None:
    fill = commands.add_parser(
        "backfill",
        help="read published versions that are not committed, for the timeline alone",
        description="Fetch published versions one by one, read each, and keep only what the timeline says of it; "
        "what the timeline has already is not read again, so that an interrupted run goes on where it was.",
    )
    add_root(fill, version=False)
    which = fill.add_mutually_exclusive_group()
    which.add_argument("--versions", nargs="+", metavar="V", help="these")
    which.add_argument("--bisect", action="store_true", help="so many that what differs lies between neighbours")
    which.add_argument("--again", action="store_true", help="those that were filled in before, and no others")
    fill.add_argument("--from", dest="first", metavar="V", help="from this one on (default: the timeline's oldest)")
    fill.add_argument("--to", dest="last", metavar="V", help="up to this one (default: the newest)")
    fill.add_argument("--target", metavar="T", help="for this target (default: the required one)")
    fill.add_argument("--at-most", type=_count, metavar="N", help="read no more than N in this run")
    fill.add_argument("--keep", action="store_true", help="leave the binaries in the cache")
    fill.set_defaults(run=_backfill)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("is to be 1 or more")
    return number


def _backfill(arguments: argparse.Namespace) -> int:
    from pipeline.acquire.listing import between, named, stable_versions
    from pipeline.backfill import Filler
    from pipeline.contract.folder import open_folder
    from pipeline.errors import UsageError

    first, last, versions = arguments.first, arguments.last, arguments.versions
    if versions and (first or last):
        raise UsageError("--versions names them one by one", remedy="leave --from and --to out")
    if not (versions or first or last or arguments.bisect or arguments.again):
        raise UsageError("nobody says which versions", remedy="use --versions, --from and --to, --bisect or --again")
    folder = open_folder(arguments.root, arguments.rules)
    filler = Filler(folder=folder, target=arguments.target or folder.rules.union.required_target, keep=arguments.keep)
    known = filler.known()
    releases = known if arguments.again else stable_versions(folder.root, folder.require_agent(), filler.target)
    if versions:
        chosen = named(releases, versions)
    elif releases:
        chosen = between(releases, first or next(iter(known), releases[0]), last or releases[-1])
    else:
        chosen = []
    filled = filler.fill(chosen, bisect=arguments.bisect, again=arguments.again, at_most=arguments.at_most)
    wrote([folder.root.timeline] if filled.read else [])
    return 1 if filled.failed else 0

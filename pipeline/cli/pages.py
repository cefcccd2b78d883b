"""``parity pages``: the site that people read, from the artifacts of a workspace."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.arguments import Commands, wrote
from pipeline.layout import MANIFESTS


def add_commands(commands: Commands) -> None:
    pages = commands.add_parser(
        "pages",
        help="write a static site that shows everything of all agents",
        description="Each page is whole: it fetches nothing, and can be opened as a file.",
    )
    pages.add_argument(
        "--root",
        type=Path,
        default=Path(MANIFESTS),
        metavar="DIR",
        help="the folder of the agents' folders (default: %(default)s)",
    )
    pages.add_argument(
        "--out", type=Path, default=Path("site"), metavar="DIR", help="write here (default: %(default)s)"
    )
    pages.set_defaults(run=_pages)


def _pages(arguments: argparse.Namespace) -> int:
    from pipeline.pages import write_site

    return wrote(write_site(arguments.root, arguments.out))

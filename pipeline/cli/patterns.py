"""`parity patterns …`: the learning library's codemods, linter and templates."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands


def add_commands(commands: Commands) -> None:
    patterns = commands.add_parser("patterns", help="codemods, a linter and templates to take over")
    verbs = patterns.add_subparsers(required=True, metavar="VERB")

    listing = verbs.add_parser("list", help="what there is")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.set_defaults(run=_list)

    show = verbs.add_parser("show", help="print a template")
    show.add_argument("asset", metavar="ID")
    show.set_defaults(run=_show)

    apply = verbs.add_parser("apply", help="rewrite modules by a codemod (needs the extra `patterns`)")
    apply.add_argument("asset", metavar="ID")
    apply.add_argument("files", nargs="+", type=Path, metavar="FILE")
    apply.add_argument("--check", action="store_true", help="only name those it would change (exit code 3)")
    apply.set_defaults(run=_apply)

    lint = verbs.add_parser("lint", help="find ambient effects in deterministic modules (exit code 3)")
    lint.add_argument("files", nargs="*", type=Path, metavar="FILE", help="(default: what pyproject.toml declares)")
    lint.set_defaults(run=_lint)


def _list(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.patterns.assets import Index, assets

    found = assets()
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode(Index(index_schema_version=1, assets=found)))
    else:
        sys.stdout.write("".join(f"{one.id}  {one.kind} {one.version}: {one.description}\n" for one in found))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from pipeline.errors import UsageError
    from pipeline.patterns.assets import FOLDER, asset

    found = asset(arguments.asset)
    if found.kind != "template":
        raise UsageError(f"{found.id} is no template", remedy=f"use it so: {found.usage}")
    sys.stdout.write((FOLDER / found.entry).read_text(encoding="utf-8"))
    return 0


def _apply(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.errors import ArtifactInvalid
    from pipeline.patterns.codemods import apply

    # All are computed before the first is written.
    written = []
    for path in arguments.files:
        try:
            before = canonical.read_bytes(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ArtifactInvalid(f"not UTF-8: {error}", where=path, remedy="leave it out") from None
        after = apply(arguments.asset, before, path)
        if after != before:
            written.append((path, after.encode("utf-8")))
    for path, _ in written:
        print(path)
    if arguments.check:
        return FINDINGS if written else 0
    canonical.write_all(written)
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    from pipeline.patterns.ambient import lint
    from pipeline.patterns.assets import deterministic

    found = [effect for path in arguments.files or deterministic(Path()) for effect in lint(path)]
    for effect in found:
        print(effect)
    return FINDINGS if found else 0

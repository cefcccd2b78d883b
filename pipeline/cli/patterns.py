"""`parity patterns …`: codemods, linters and templates, this library's and those of the repository it is called in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.cli.arguments import FINDINGS, Commands


def add_commands(commands: Commands) -> None:
    patterns = commands.add_parser("patterns", help="codemods, linters and templates to take over")
    verbs = patterns.add_subparsers(required=True, metavar="VERB")

    listing = verbs.add_parser("list", help="what there is")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.set_defaults(run=_list)

    show = verbs.add_parser("show", help="print a template")
    show.add_argument("asset", metavar="ID")
    show.add_argument("--out", type=Path, metavar="F", help="write it there instead")
    show.set_defaults(run=_show)

    apply = verbs.add_parser("apply", help="rewrite modules by a codemod (needs the extra `patterns`)")
    apply.add_argument("asset", metavar="ID")
    apply.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a module, or a folder of them")
    apply.add_argument("--check", action="store_true", help="only name those it would change (exit code 3)")
    apply.add_argument(
        "--library",
        metavar="PACKAGE",
        help="where the result imports `canonical` and `clock` from (default: pyproject.toml's, else this library)",
    )
    apply.set_defaults(run=_apply)

    lint = verbs.add_parser("lint", help="find ambient effects in deterministic modules (exit code 3)")
    lint.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="or a folder (default: what pyproject.toml declares)",
    )
    lint.set_defaults(run=_lint)

    index = verbs.add_parser("index", help="try the assets of a folder, and write their index (exit code 3: one fails)")
    index.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="(default: what pyproject.toml names)")
    index.add_argument("--examples", type=Path, metavar="DIR", help="(default: DIR/examples)")
    index.set_defaults(run=_index)


def _list(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.patterns.assets import Index, found, libraries

    every = tuple(one.asset for one in found(libraries(Path())))
    if arguments.format == "json":
        sys.stdout.buffer.write(canonical.encode(Index(index_schema_version=1, assets=every)))
    else:
        sys.stdout.write("".join(f"{one.id}  {one.kind} {one.version}: {one.description}\n" for one in every))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from pipeline import canonical
    from pipeline.patterns.assets import find, libraries

    text = canonical.read_bytes(find(libraries(Path()), arguments.asset, "template").path)
    if arguments.out:
        canonical.write(arguments.out, text)
    else:
        sys.stdout.write(text.decode("utf-8"))
    return 0


def _apply(arguments: argparse.Namespace) -> int:
    import io
    import tokenize

    from pipeline import canonical
    from pipeline.errors import ArtifactInvalid
    from pipeline.patterns.assets import find, libraries, library, modules_of
    from pipeline.patterns.codemods import LIBRARY, apply
    from pipeline.patterns.trial import loaded

    codemod = loaded(find(libraries(Path()), arguments.asset, "codemod"))
    package = arguments.library or library(Path()) or LIBRARY
    # All are computed before the first is written.
    written = []
    for path in (module for place in arguments.files for module in modules_of(place)):
        raw = canonical.read_bytes(path)
        try:
            # What its first lines declare. A mark stays part of the text.
            encoding = tokenize.detect_encoding(io.BytesIO(raw).readline)[0].removesuffix("-sig")
            before = raw.decode(encoding)
        except (UnicodeDecodeError, SyntaxError) as error:
            raise ArtifactInvalid(f"not a text: {error}", where=path, remedy="leave it out") from None
        after = apply(codemod, before, path, package)
        if after != before:
            written.append((path, after.encode(encoding)))
    for path, _ in written:
        print(path)
    if arguments.check:
        return FINDINGS if written else 0
    for path, content in written:
        # It is somebody's program, no artifact: its mode stays, and so does a link to it.
        mode = path.stat().st_mode & 0o7777
        canonical.write(path.resolve(), content)
        path.chmod(mode)
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    from pipeline.patterns.assets import deterministic, found, libraries, modules_of
    from pipeline.patterns.trial import loaded

    linters = [loaded(one) for one in found(libraries(Path())) if one.asset.kind == "linter"]
    named = [one for place in arguments.files for one in modules_of(place)]
    paths = named if arguments.files else deterministic(Path())
    findings = [finding for path in paths for lint in linters for finding in lint(path)]
    for one in findings:
        print(one)
    return FINDINGS if findings else 0


def _index(arguments: argparse.Namespace) -> int:
    from pipeline.errors import UsageError
    from pipeline.patterns.assets import FOLDER, found, libraries, write_index
    from pipeline.patterns.trial import tried

    known = libraries(Path())
    folder = arguments.folder or known[-1]
    if arguments.folder is None and len(known) == 1:
        raise UsageError("no folder of assets is named", remedy="name it, or write `folder` in [tool.parity.patterns]")
    if folder.resolve() != FOLDER.resolve():
        found((FOLDER, folder))
    failures = tried(folder, arguments.examples)
    for one in failures:
        print(one)
    if failures:
        return FINDINGS
    write_index(folder)
    return 0

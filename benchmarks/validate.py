"""Validation as a whole process: against one that only reads and parses the same files, and as a tree grows.

The small tree is the corpus's (three agents, 66 JSON files that are validated, 1.3 MB), where it lies beside the
checkout. The growing one has versions of four targets each, made from the committed snapshots of Codex, with all that
is derived from them. Processes take turns; ratios are of the minima over the rounds. Prints a table, never fails.

    python benchmarks/validate.py [--versions 10 20 100 1000] [--rounds 7]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.contract.folder import open_folder
from pipeline.layout import POINTERS, Root
from pipeline.lifecycle.metadata import metadata_bytes
from pipeline.report.stage import write_reports
from pipeline.surface.metadata import Status
from pipeline.union.build import write_union

REPOSITORY = Path(__file__).resolve().parents[1]
CODEX = Root(REPOSITORY / "cli_manifests" / "codex")
CORPUS = REPOSITORY.parent / "shared" / "corpus" / "_validate"
FROM, TIME = "0.125.0", "2026-01-02T03:04:05Z"
RATIO_GOAL, SECONDS_GOAL = 3.0, 2.0

READ_AND_PARSE = """
import sys
from pathlib import Path
import orjson
for path in Path(sys.argv[1]).rglob("*.json"):
    orjson.loads(path.read_bytes())
"""


class Cost(NamedTuple):
    seconds: float
    megabytes: float


def run(words: Sequence[str]) -> Cost:
    """One process: its time, and the most memory that it held."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024)


def validated(root: Path, *options: str) -> list[str]:
    return ["-m", "pipeline.cli", "validate", "--root", str(root), *options]


def best(root: Path, rounds: int) -> tuple[Cost, Cost, Cost]:
    """The cheapest of: reading and parsing, validating without recomputing, validating."""
    found = [
        (run(["-c", READ_AND_PARSE, str(root)]), run(validated(root, "--no-recompute")), run(validated(root)))
        for _ in range(rounds)
    ]
    parse, check, whole = (min(column) for column in zip(*found, strict=True))
    return parse, check, whole


def small_tree(folder: Path) -> Path:
    """The three real folders of the corpus, side by side."""
    for agent in ("codex", "claude_code", "opencode"):
        shutil.copytree(CORPUS / agent / "HEAD", folder / agent)
    return folder


def growing_tree(folder: Path, versions: int) -> Path:
    """A folder with all that is derived: version 0.N.0 is 0.125.0 under another name, the fourth target a third's."""
    root = Root(folder)
    root.path.mkdir()
    for path in (CODEX.rules, CODEX.schema, CODEX.metadata_schema, CODEX.wrapper_coverage):
        shutil.copyfile(path, root.path / path.name)
    opened = open_folder(root.path)
    targets = opened.rules.targets
    pointers = [root.min_supported, root.latest_validated]
    pointers += [root.pointer(kind, target) for kind in POINTERS for target in targets]
    canonical.write_all([(path, b"none\n") for path in pointers])
    for number in range(versions):
        version = f"0.{number}.0"
        for target in targets:
            source = target if CODEX.snapshot(FROM, target).exists() else CODEX.targets(FROM)[0]
            text = CODEX.snapshot(FROM, source).read_text(encoding="utf-8")
            text = text.replace(FROM, version).replace(f'"target_triple": "{source}"', f'"target_triple": "{target}"')
            _place(root.snapshot(version, target), text.encode())
        write_union(root, version, opened.rules, collected_at=TIME)
        write_reports(root, version, generated_at=TIME)
        content = metadata_bytes(root, version, Status.REPORTED, opened.rules, updated_at=TIME, existing=None)
        _place(root.metadata(version), content)
    return root.path


def _place(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def row(name: str, root: Path, rounds: int) -> tuple[Cost, Cost]:
    files = list(root.rglob("*.json"))
    size = sum(path.stat().st_size for path in files) / 1e6
    parse, check, whole = best(root, rounds)
    print(
        f"{name:>14} {len(files):>7} {size:>7.1f} {parse.seconds:>8.3f} {check.seconds:>8.3f} "
        f"{check.seconds / parse.seconds:>6.2f} {check.megabytes:>7.0f} {whole.seconds:>8.3f} {whole.megabytes:>7.0f}"
    )
    return check, whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, nargs="*", default=[10, 20, 100, 1000])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    os.environ.pop("SOURCE_DATE_EPOCH", None)
    print("seconds of whole processes; memory in MB; goal: ratio <= 3 on the corpus, 20 versions of 4 targets <= 2 s\n")
    print(
        f"{'tree':>14} {'files':>7} {'MB':>7} {'parse':>8} {'check':>8} {'ratio':>6} {'memory':>7} "
        f"{'recomp.':>8} {'memory':>7}"
    )
    with tempfile.TemporaryDirectory() as folder:
        if CORPUS.is_dir():
            row("corpus", small_tree(Path(folder) / "corpus"), arguments.rounds)
        grown = {}
        for versions in arguments.versions:
            tree = growing_tree(Path(folder) / f"grown-{versions}", versions)
            grown[versions] = row(f"{versions} versions", tree, arguments.rounds if versions < 100 else 1)
            shutil.rmtree(tree)
    print()
    for fewer, more in zip(arguments.versions, arguments.versions[1:], strict=False):
        (check, whole), (later_check, later_whole) = grown[fewer], grown[more]
        print(
            f"{fewer} -> {more} versions ({more / fewer:g} times): check {later_check.seconds / check.seconds:.1f} "
            f"times the time, recomputing {later_whole.seconds / whole.seconds:.1f} times the time and "
            f"{later_whole.megabytes / whole.megabytes:.2f} times the memory"
        )


if __name__ == "__main__":
    main()

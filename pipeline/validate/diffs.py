"""Checks of the diffs between versions: they are there, have their shape, and are what the two unions give.

A trial's record is what binaries said once, and is taken as given; it must be about witnesses of its diff.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ParityError
from pipeline.history.diffs import diff_bytes, diff_files, witnesses_of
from pipeline.surface.diff import Diff, Trials
from pipeline.validate.files import typed
from pipeline.validate.finding import Finding
from pipeline.validate.freshness import compare
from pipeline.validate.tree import Read, Tree


def shape_findings(tree: Tree) -> Iterator[Finding]:
    """Every two neighbouring versions have a diff, in a folder of this project; those that are there can be read."""
    root = tree.root
    if tree.folder.agent is not None and tree.sound(root.diffs):
        for before, after in root.neighbours():
            for suffix in (".json", ".md"):
                path = root.diff(before, after, suffix)
                if not path.exists() and tree.sound(root.snapshots(before), root.snapshots(after)):
                    yield tree.finding("DIFF_MISSING", path, "no such file; run the stage that writes it")
    for path, versions in diff_files(root):
        if versions is not None and path.suffix == ".json" and all(root.union(one).exists() for one in versions):
            trials = path == root.diff(*versions, ".trials.json")
            yield from typed(tree, "DIFF_TRIALS" if trials else "DIFF", Trials if trials else Diff, path)


def derived_findings(tree: Tree) -> Iterator[Finding]:
    """What a rebuild would write. A union that is wrong, or made of what is wrong, says nothing of its diffs."""
    root = tree.root
    for before, after in sorted({versions for _, versions in diff_files(root) if versions}):
        unions, record = [root.union(before), root.union(after)], root.diff(before, after, ".trials.json")
        snapshots = [root.snapshot(version, target) for version in (before, after) for target in root.targets(version)]
        if not all(path.exists() for path in unions) or not tree.sound(record, *unions, *snapshots):
            continue
        try:
            files = diff_bytes(root, before, after, program=tree.folder.program)
        except ParityError:
            continue  # a union that cannot be read has a finding of its own
        yield from _asked(tree, record, files[root.diff(before, after)])
        for path, expected in files.items():
            if path.exists() and tree.sound(path):
                yield from compare(tree, "DIFF_STALE", path, Read.bytes_of(path), expected, "the diff")


def _asked(tree: Tree, path: Path, diff: bytes) -> Iterator[Finding]:
    record = tree.read(path).view(Trials)
    if record is None:
        return
    asked = [trial.argv for trial in record.trials]
    known = witnesses_of(canonical.decode(diff, Diff, path).findings)
    if asked != [argv for argv in known if argv in set(asked)]:
        message = "is not about witnesses of its diff, each once in order of words; try them again"
        yield tree.finding("DIFF_TRIALS_STALE", path, message, "/trials")

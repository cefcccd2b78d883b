"""Files that no artifact of the tree explains: left over, misnamed, or of a target that is gone.

Beside the artifacts may stand what is for people only; what a stage could have written, or could be thought to read,
may not, once the folder is one of this project.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.history.diffs import diff_files
from pipeline.layout import POINTERS, is_target, is_version
from pipeline.lifecycle.pointers import pointers
from pipeline.validate.finding import Finding
from pipeline.validate.lockfile import requirements
from pipeline.validate.tree import Read, Tree, value_at


def findings(tree: Tree) -> Iterator[Finding]:
    """Every file in a folder of artifacts that has no business there. Hidden files are nobody's."""
    if not tree.derives:
        return
    for look in (_top, _snapshots, _reports, _diffs, _versions, _pointers, _requirements, _supplement, _wrappers):
        for path, problem in look(tree):
            yield tree.finding("ORPHAN", path, f"{problem}; remove it")


def _top(tree: Tree) -> Iterator[tuple[Path, str]]:
    root = tree.root
    known = {root.agent, root.rules, root.schema, root.metadata_schema, root.lock}
    known |= {root.min_supported, root.latest_validated, root.current, root.timeline, root.wrapper_coverage}
    if tree.tells_surfaces:
        known.add(root.surfaces)
    for file in _listed(root.path) if tree.folder.agent else ():
        if file.suffix in (".json", ".toml", ".txt") and file not in known:
            yield file, "is read by no stage"


def _snapshots(tree: Tree) -> Iterator[tuple[Path, str]]:
    for folder in _listed(tree.root.path / "snapshots"):
        if not folder.is_dir() or not is_version(folder.name):
            yield folder, "is no folder of a version"
            continue
        for file in _listed(folder):
            if file.suffix != ".json" or not (file.stem == "union" or is_target(file.stem)):
                yield file, "is neither a target's snapshot nor the union"


def _reports(tree: Tree) -> Iterator[tuple[Path, str]]:
    for folder in _listed(tree.root.path / "reports"):
        if not folder.is_dir() or not is_version(folder.name) or not tree.root.snapshots(folder.name).is_dir():
            yield folder, "is no folder of a version that has snapshots"
            continue
        for file in _listed(folder):
            if not file.name.startswith("coverage.") or file.suffix not in (".json", ".md"):
                yield file, "is no report"


def _diffs(tree: Tree) -> Iterator[tuple[Path, str]]:
    """A diff outlives neither of its unions: what it says could not be derived again."""
    for file, versions in diff_files(tree.root):
        if versions is None:
            if not file.name.startswith("."):
                yield file, "is no diff of two versions"
            continue
        unions, diff = [tree.root.union(version) for version in versions], tree.root.diff(*versions)
        if not all(union.exists() for union in unions) and not any(map(tree.found_in, unions)):
            yield file, "is the diff of a version that has no union"
        elif file.name.endswith(".trials.json") and not diff.exists() and not tree.found_in(diff):
            yield file, "is the trial of no diff"


def _versions(tree: Tree) -> Iterator[tuple[Path, str]]:
    for file in _listed(tree.root.path / "versions"):
        if file.suffix != ".json":
            yield file, "is no metadata of a version"


def _pointers(tree: Tree) -> Iterator[tuple[Path, str]]:
    known = {pointer.path for pointer in pointers(tree.root, tree.folder.rules)}
    for folder in _listed(tree.root.path / "pointers"):
        for file in _listed(folder) if folder.name in POINTERS and folder.is_dir() else [folder]:
            if file not in known:
                yield file, "is the pointer of no target that the rules expect"


def _requirements(tree: Tree) -> Iterator[tuple[Path, str]]:
    if not tree.sound(tree.root.lock):
        return  # nobody knows what it would pin
    pinned = {path for path, _ in requirements(tree)}
    for folder in _listed(tree.root.path / "requirements"):
        for file in _listed(folder) if folder.is_dir() else [folder]:
            if file not in pinned:
                yield file, "is pinned by no row of the lock"


def _supplement(tree: Tree) -> Iterator[tuple[Path, str]]:
    for file in _listed(tree.root.supplement.parent):
        if file != tree.root.supplement:
            yield file, "is not the supplement"


def _wrappers(tree: Tree) -> Iterator[tuple[Path, str]]:
    """Beside what is derived may stand any file of the driver: the evidence says which were used."""
    if tree.folder.agent is None:
        return
    names = tree.root.wrapper_names()
    for folder in _listed(tree.root.wrappers):
        if folder.name not in names or not folder.is_dir():
            yield folder, "is no folder of a foreign wrapper"
            continue
        for inner in _listed(folder):
            if inner.is_dir() and inner.name not in ("reports", "requirements") and tree.sound(inner):
                yield inner, "is no folder that a foreign wrapper has"
        evidence = tree.root.wrapper(folder.name).evidence
        version = str(value_at(tree.read(evidence).document, "/upstream_version"))
        if not tree.sound(evidence) or not tree.sound(tree.root.path / "snapshots" / version / "union.json"):
            continue  # nobody knows what it would be about
        asked = {path.name for path in _reports_asked(tree, version)}
        for inner in _listed(folder / "reports"):
            for file in _listed(inner) if inner.name == version and inner.is_dir() else [inner]:
                if file.name not in asked:
                    yield file, "is no report on the version that the wrapper is held against"


def _reports_asked(tree: Tree, version: str) -> Iterator[Path]:
    """The reports that there are of a version, whichever wrapper they are on."""
    union = Read.from_file(tree.root.union(version)).document if is_version(version) else None
    inputs = value_at(union, "/inputs")
    targets = [value_at(one, "/target_triple") for one in inputs] if isinstance(inputs, list) else []
    for mode in ("any", *targets, *(["all"] if value_at(union, "/complete") else [])):
        for suffix in (".json", ".md"):
            yield tree.root.report(version, str(mode), suffix)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:
        return []  # not there, or no folder: told where somebody needs it

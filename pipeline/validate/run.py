"""All checks over one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.clock import environment_epoch
from pipeline.contract.exclusions import Problem
from pipeline.contract.folder import Folder
from pipeline.contract.links import refuse_links
from pipeline.layout import workspace_of
from pipeline.validate.checks import CHECKS, Scope
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree


@canonical.no_collector_pauses()
def validate(
    folder: Folder,
    exclusion_problems: tuple[Problem, ...] = (),
    *,
    schema: Path | None = None,
    metadata_schema: Path | None = None,
    recompute: bool = True,
    matrix: bool = True,
) -> list[Finding]:
    """Every finding of every check, by path, JSON pointer, code and message.

    ``recompute`` is whether derived files are compared with what their inputs give, which is most of the work;
    ``matrix`` whether the support matrix is looked at too, where the folder stands in a workspace that has one.
    Raises EpochMissing for a SOURCE_DATE_EPOCH that is no time, and LinkLeavesTree: nothing that a link outside the
    tree leads to is read.
    """
    environment_epoch()  # what no artifact can carry would make all of them wrong
    refuse_links(folder.root)
    tree = Tree(folder, exclusion_problems, schema, metadata_schema)
    everything: set[Finding] = set()

    def collect(scope: Scope, subject: object) -> None:
        for run in _functions(scope, recompute=recompute):
            for finding in list(run(subject)):  # what a check finds must not steer the rest of it
                everything.add(finding)
                tree.found.setdefault(finding.path, []).append(finding)

    collect(Scope.ROOT, tree)
    for version in tree.versions():
        collect(Scope.VERSION, version)
    collect(Scope.WHOLE, tree)
    workspace = workspace_of(folder.root.path) if matrix else None
    if workspace is not None:
        collect(Scope.WORKSPACE, workspace)
    return sorted(everything, key=Finding.order)


def _functions(scope: Scope, *, recompute: bool) -> Iterator[Callable[[object], Iterable[Finding]]]:
    chosen = (check.run for check in CHECKS if check.scope is scope and (recompute or not check.recomputes))
    yield from dict.fromkeys(chosen)

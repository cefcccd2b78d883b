"""Converters as a cohort: ``peers.json`` of several trees → share and rank of each converter on each tree.

The share is that of the checks that passed under the real program. The rank is ``pipeline.evaluation``'s; equal shares
are ordered by name and never by time, so the same evidence gives the same bytes. Whoever was not run on a tree is no
member of that tree's cohort.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from pipeline import canonical
from pipeline.config.verify.peers import OURS, Peer, Peers
from pipeline.errors import UsageError
from pipeline.evaluation.reward import Member, part, ranks
from pipeline.surface.units import Shape


class Standing(Shape, frozen=True, kw_only=True):
    """How a converter did on one tree, or on all: ``gt`` is its share, ``relative`` its rank, or the mean of its ranks.

    ``stopped`` is on how many trees it stopped.
    """

    name: str
    version: str | None = None
    passed: int
    total: int
    gt: float
    relative: float
    stopped: int


class TreeCohort(Shape, frozen=True, kw_only=True):
    """The best first."""

    tree: str
    members: tuple[Standing, ...]
    not_run: tuple[str, ...] = ()


class Cohort(Shape, frozen=True, kw_only=True):
    """``cohort.json``: the trees by name, then each converter over all trees that it was run on, the best first."""

    cohort_schema_version: Literal[1]
    generated_at: Annotated[str, Meta(description="RFC 3339, UTC.")]
    target_version: str
    trees: tuple[TreeCohort, ...]
    overall: tuple[Standing, ...]

    @property
    def ours_leads(self) -> bool:
        """Whether nobody passed a greater share than ours, on any tree."""
        best = {one.tree: max(each.gt for each in one.members) for one in self.trees}
        ours = {one.tree: each.gt for one in self.trees for each in one.members if each.name == OURS}
        return ours == best


def cohort(paths: Sequence[Path]) -> Cohort:
    """Raises UsageError where a tree is named twice or versions differ, ArtifactError for a file that is wrong."""
    found = [(path, canonical.read(path, Peers)) for path in paths]
    trees: dict[str, Peers] = {}
    for path, one in found:
        if one.tree in trees:
            raise UsageError(f"the tree {one.tree!r} is there twice", where=path, remedy="name each tree once")
        if one.target_version != found[0][1].target_version:
            remedy = "compare what was checked by the same program"
            raise UsageError(f"it is about {one.target_version}, the first about another", where=path, remedy=remedy)
        trees[one.tree] = one
    if not trees:
        raise UsageError("no tree was compared", remedy="name one peers.json at least")
    told = tuple(_tree(trees[name]) for name in sorted(trees))
    return Cohort(
        cohort_schema_version=1,
        generated_at=max(one.generated_at for one in trees.values()),
        target_version=found[0][1].target_version,
        trees=told,
        overall=_overall(told),
    )


def _tree(compared: Peers) -> TreeCohort:
    run = {one.name: one for one in compared.peers if one.passed is not None}
    rank = ranks([Member(name, _share(one)) for name, one in run.items()])
    members = (_standing(run[name], relative) for name, relative in rank.items())
    not_run = tuple(one.name for one in compared.peers if one.passed is None)
    return TreeCohort(tree=compared.tree, members=tuple(members), not_run=not_run)


def _share(peer: Peer) -> float:
    return part(peer.passed or 0, peer.total or 0)


def _standing(peer: Peer, relative: float) -> Standing:
    return Standing(
        name=peer.name,
        version=peer.version,
        passed=peer.passed or 0,
        total=peer.total or 0,
        gt=_share(peer),
        relative=relative,
        stopped=int(peer.status == "stopped"),
    )


def _overall(trees: Sequence[TreeCohort]) -> tuple[Standing, ...]:
    by_name: dict[str, list[Standing]] = defaultdict(list)
    for tree in trees:
        for one in tree.members:
            by_name[one.name].append(one)
    rows = [
        Standing(
            name=name,
            version=each[0].version,
            passed=sum(one.passed for one in each),
            total=sum(one.total for one in each),
            gt=part(sum(one.passed for one in each), sum(one.total for one in each)),
            relative=round(sum(one.relative for one in each) / len(each), 4),
            stopped=sum(one.stopped for one in each),
        )
        for name, each in by_name.items()
    ]
    return tuple(sorted(rows, key=lambda one: (-one.gt, one.name)))


def as_table(found: Cohort) -> str:
    """The cohort as Markdown: one row for each tree, one column for each converter."""
    names = [one.name for one in found.overall]
    titles = [f"{one.name} {one.version}" if one.version else one.name for one in found.overall]
    rows = [f"| tree | {' | '.join(titles)} |", f"|---|{'--:|' * len(names)}"]
    for tree in found.trees:
        cells = {one.name: f"{one.passed} of {one.total}{', stopped' * one.stopped}" for one in tree.members}
        rows.append(f"| {tree.tree} | {' | '.join(cells.get(name, 'not run') for name in names)} |")
    rows.append(f"| share (`gt`) | {' | '.join(f'{one.gt:g}' for one in found.overall)} |")
    rows.append(f"| mean rank (`relative`) | {' | '.join(f'{one.relative:g}' for one in found.overall)} |")
    return "".join(f"{row}\n" for row in rows)

"""Committed versions against what the registries list: the newest stable release of each agent that nobody has read.

Committed is what has a snapshot or is named by a pointer. A release counts where it is published for the required
target, and where a pointer may name it. A registry that does not answer for one agent keeps no other from being told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pipeline.acquire.listing import stable_versions
from pipeline.contract.folder import Folder, open_folder
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ParityError
from pipeline.layout import Root, in_order, version_key
from pipeline.lifecycle.pointers import is_stable, named_by_pointers
from pipeline.surface.units import Shape

BRANCH = "update/{agent}-{version}"


class Release(Shape, frozen=True, kw_only=True):
    """``version`` is the newest of ``behind``: the stable releases after ``committed`` (None: nothing is), in order."""

    agent: str
    version: str
    committed: str | None = None
    behind: tuple[str, ...]

    @property
    def branch(self) -> str:
        """The branch that the update of this release is pushed to."""
        return BRANCH.format(agent=self.agent, version=self.version)


class Watched(Shape, frozen=True, kw_only=True):
    """``newer`` by agent; ``current`` are up to date; ``failed`` says what kept an agent from being looked at."""

    newer: tuple[Release, ...]
    current: tuple[str, ...]
    failed: dict[str, str]


Listing = Callable[[Folder], Sequence[str]]


def published(folder: Folder) -> Sequence[str]:
    """What the registry lists for the required target. Raises DownloadFailed."""
    return stable_versions(folder.root, folder.require_agent(), folder.rules.union.required_target)


def watch(workspace: Path, agents: Iterable[str] = (), listing: Listing = published) -> Watched:
    """Look at ``agents`` (default: all of a workspace that say where they are published)."""
    wanted = [Root(workspace / name) for name in agents] or [
        root for root in agent_roots(workspace) if root.agent.exists()
    ]
    newer: list[Release] = []
    current: list[str] = []
    failed: dict[str, str] = {}
    for root in wanted:
        name = root.path.name
        try:
            folder = open_folder(root.path)
            release = newer_release(folder, listing(folder))
        except ParityError as error:
            failed[name] = str(error)
            continue
        if release is None:
            current.append(name)
        else:
            newer.append(release)
    return Watched(newer=tuple(newer), current=tuple(current), failed=failed)


def newer_release(folder: Folder, releases: Sequence[str]) -> Release | None:
    """The newest of ``releases`` after all that is committed; None where there is none."""
    committed = newest(folder.root)
    behind = [
        release
        for release in in_order(releases)
        if is_stable(release, folder.rules) and (committed is None or version_key(release) > version_key(committed))
    ]
    if not behind:
        return None
    return Release(agent=folder.root.path.name, version=behind[-1], committed=committed, behind=tuple(behind))


def newest(root: Root) -> str | None:
    """The newest version that is committed or that a pointer names."""
    known = in_order({*root.versions(), *named_by_pointers(root)})
    return known[-1] if known else None


def begun(listing: str) -> frozenset[str]:
    """The branches that ``git ls-remote --heads`` lists, by their short names."""
    return frozenset(
        line.rpartition("refs/heads/")[2].strip() for line in listing.splitlines() if "refs/heads/" in line
    )

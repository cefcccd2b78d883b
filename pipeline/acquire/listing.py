"""What a registry has published of an agent: the stable versions for one target, oldest first.

A version counts where the package of that very target is listed, whatever its registry calls it. Each of the target's
packages is asked for once. Refuses, of versions that somebody names, those that are not published (their neighbours are
named) and pre-releases.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

from pipeline.acquire.fetch import CLIENTS
from pipeline.acquire.shelf import download_folder
from pipeline.cache import cache_folder
from pipeline.contract.agent import Agent
from pipeline.errors import DownloadFailed, UsageError
from pipeline.layout import Root, check_version, in_order, is_version, version_key


def stable_versions(root: Root, agent: Agent, target: str, *, cache: Path | None = None) -> list[str]:
    """The stable versions that are published for ``target``. Raises DownloadFailed, also where there is none."""
    listed: dict[tuple[str, str], set[str]] = {}
    found: set[str] = set()
    for package in agent.entries(target):
        key = (package.registry, package.name)
        if key not in listed:
            with download_folder(cache or cache_folder()) as folder:
                listed[key] = set(CLIENTS[package.registry].versions(package.name, folder))
        candidates = {release.removesuffix(f"-{package.suffix}") for release in listed[key]}
        found |= {
            version
            for version in candidates
            if is_stable(version)
            and agent.package(version, target) == package
            and package.release(version) in listed[key]
        }
    if not found:
        raise DownloadFailed(
            f"no stable version is published for {target}",
            where=root.agent,
            remedy="check the names of the target's packages there, and the registry setting of npm or pip",
        )
    return in_order(found)


def is_stable(version: str) -> bool:
    """Whether it is a version, and no pre-release or build of one."""
    return is_version(version) and not {"-", "+"} & set(version)


def named(releases: Sequence[str], versions: Sequence[str]) -> list[str]:
    """Those ``versions``, oldest first. Raises UsageError for one that is no stable release, naming its neighbours."""
    for version in versions:
        if _check(version) not in releases:
            raise UsageError(f"{version} is not published", remedy=f"the nearest are {_nearest(releases, version)}")
    return [release for release in releases if release in versions]


def between(releases: Sequence[str], first: str, last: str) -> list[str]:
    """The releases from ``first`` to ``last``, which need not be published. Raises UsageError if there is none."""
    low, high = version_key(_check(first)), version_key(_check(last))
    found = [release for release in releases if low <= version_key(release) <= high]
    if not found:
        raise UsageError(
            f"no version from {first} to {last} is published", remedy=f"the nearest are {_nearest(releases, first)}"
        )
    return found


def _check(version: str) -> str:
    if not is_stable(check_version(version)):
        raise UsageError(
            f"{version} is a pre-release or a build", remedy="name a stable version: MAJOR.MINOR.PATCH and no more"
        )
    return version


def _nearest(releases: Sequence[str], version: str) -> str:
    at = bisect_left([version_key(release) for release in releases], version_key(version))
    return " and ".join(releases[max(at - 1, 0) : at + 1])

"""config-peers:<tree>:<version>, config-cohort:<version> and fetch-peer:<converter> (uses the network).

Never default, never committed. Comparing takes the converters that were fetched; the others are `not_run`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from pipeline.cache import cache_folder
from pipeline.layout import Root
from tasks.config import EMIT, INTO, INVENTORY, PLAN, RUN, TREES, data_files, targets, timelines, tree_files, trees
from tasks.step import Step, asked_for

_PEERS = Path("pipeline") / "config" / "peers"
_BEFORE = (*(f"phase.P{number}.json" for number in range(3)), *INVENTORY, *PLAN, *EMIT)
# Those of `config-verify`, and what ranks are made by.
_RUN = (*RUN, "evaluation")


def task_fetch_peer() -> Iterator[dict[str, Any]]:
    """Fetch a converter that others wrote into the cache (uses the network)"""
    for path in sorted(_PEERS.glob("*.toml")):
        for name in _converters(path):
            yield asked_for("fetch-peer", name, f"fetch {name}, a converter", partial(_fetch, name))


def task_config_peers() -> Iterator[dict[str, Any]]:
    """Check what other converters make of a tree, as ours is checked"""
    pinned = tuple(path for path in sorted(_PEERS.rglob("*")) if path.is_file())
    for root, version in targets():
        for name in trees():
            files = tree_files(TREES / name)
            before = (INTO / name / one for one in _BEFORE)
            yield Step(
                stage="config-peers",
                name=f"{name}:{version}",
                doc=f"compare what others make of {name}",
                inputs=(*timelines(), root.agent, root.rules, root.lock, *data_files(), *pinned, *files, *before),
                outputs=(INTO / name / "peers.json",),
                rooms=("config", *RUN),
                settings=(_fetched(),),
                call=partial(_compare, name, root, version),
            ).task()


def task_config_cohort() -> Iterator[dict[str, Any]]:
    """Rank the converters over all trees"""
    for _, version in targets():
        paths = tuple(INTO / name / "peers.json" for name in trees())
        yield Step(
            stage="config-cohort",
            name=version,
            doc="rank the converters over all trees",
            inputs=paths,
            outputs=(INTO / "cohort.json", INTO / "cohort.md"),
            rooms=("config", *_RUN),
            call=partial(_rank, paths),
        ).task()


def _converters(table: Path) -> list[str]:
    lines = table.read_text(encoding="utf-8").splitlines()
    return [line.partition('"')[2].rstrip('"') for line in lines if line.startswith("id = ")]


def _fetched() -> tuple[str, ...]:
    """What is in the cache: one more makes another comparison."""
    return tuple(sorted(path.name for path in (cache_folder() / "packages").glob("*")))


def _fetch(name: str) -> None:
    from pipeline.config.verify.converters import fetch

    fetch(name)


def _compare(name: str, root: Root, version: str) -> TaskFailed | None:
    from pipeline.config.phases import Job
    from pipeline.config.verify.binary import acquired
    from pipeline.config.verify.peers import compare

    binary = acquired(root.path, version)
    if binary is None:
        return TaskFailed(f"{root.path.name} {version} is not in the cache: acquire it first")
    compare(Job(TREES / name, INTO / name, name), binary, offline=True)
    return None


def _rank(paths: tuple[Path, ...]) -> TaskFailed | None:
    from pipeline import canonical
    from pipeline.config.cohort import as_table, cohort

    found = cohort(paths)
    files = (("cohort.json", canonical.encode(found)), ("cohort.md", as_table(found).encode()))
    canonical.write_all([(INTO / name, content) for name, content in files])
    return None if found.ours_leads else TaskFailed("another converter passed a greater share than ours")


# doit names a creator's group after the function; the stages' words have a hyphen.
task_fetch_peer.basename = "fetch-peer"  # type: ignore[attr-defined]
task_config_peers.basename = "config-peers"  # type: ignore[attr-defined]
task_config_cohort.basename = "config-cohort"  # type: ignore[attr-defined]

"""pages:all: the site that people read, in ``site/``; made when it is asked for and not committed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.layout import MANIFESTS
from tasks.agents import AgentFolder, agents
from tasks.step import Step
from tasks.trace import foreign_wrappers

SITE = Path("site")
_ASSETS = Path("pipeline/pages/assets")


def task_pages() -> Iterator[dict[str, Any]]:
    """Write the pages of all agents into site/"""
    names = [agent.name for agent in agents()]
    yield Step(
        stage="pages",
        name="all",
        doc="a static site: coverage, units, platforms, surfaces, changes and work queue of every agent",
        inputs=(*sorted(_ASSETS.iterdir()), *(path for agent in agents() for path in _artifacts(agent))),
        outputs=(SITE / "index.html", *(SITE / "agents" / f"{name}.html" for name in names)),
        rooms=("history", "report", "questions", "wrapper", "pages"),
        settings=tuple(names),
        call=partial(_pages, Path(MANIFESTS)),
    ).task()


def _artifacts(agent: AgentFolder) -> Iterator[Path]:
    """What a page shows of an agent: what is there, and what other stages are about to write."""
    root = agent.root
    found = {root.agent, root.rules, root.timeline, *root.path.glob("diffs/*[0-9].json")}
    for version in root.versions():
        found |= {root.union(version), *(root.snapshot(version, target) for target in agent.targets(version))}
    found |= {root.diff(before, after) for before, after in root.neighbours()}
    if agent.tells_surfaces:
        found.add(root.surfaces)
    if agent.has_wrapper:
        found |= {root.wrapper_coverage, *root.path.glob("reports/[!.]*/coverage.any.json")}
        found |= {root.report(version, "any") for version in root.versions()}
    for one in foreign_wrappers(agent):
        found |= {one.root.wrapper_coverage, one.root.summary, one.root.report(one.version, "any")}
    yield from sorted(found)


def _pages(workspace: Path) -> None:
    from pipeline.pages import write_site

    write_site(workspace, SITE)

"""pages:all: the site that people read, in ``site/``; made when it is asked for and not committed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.layout import MANIFESTS
from tasks.agents import AgentFolder, agents
from tasks.step import Step

SITE = Path("site")
_ASSETS = Path("pipeline/pages/assets")


def task_pages() -> Iterator[dict[str, Any]]:
    """Write the pages of all agents into site/"""
    names = [agent.name for agent in agents()]
    yield Step(
        stage="pages",
        name="all",
        doc="a static site: coverage, units, platforms, changes and work queue of every agent",
        inputs=(*sorted(_ASSETS.iterdir()), *(path for agent in agents() for path in _artifacts(agent))),
        outputs=(SITE / "index.html", *(SITE / "agents" / f"{name}.html" for name in names)),
        rooms=("history", "report", "questions", "pages"),
        settings=tuple(names),
        call=partial(_pages, Path(MANIFESTS)),
    ).task()


def _artifacts(agent: AgentFolder) -> Iterator[Path]:
    """What a page shows of an agent, as far as it is there."""
    root = agent.root
    yield from (root.agent, root.rules, root.timeline)
    found = [root.wrapper_coverage] if root.wrapper_coverage.exists() else []
    for name in root.wrapper_names():
        wrapper = root.wrapper(name)
        found += filter(Path.exists, (wrapper.wrapper_coverage, wrapper.summary))
        found += wrapper.path.glob("reports/[!.]*/coverage.any.json")
    for pattern in ("snapshots/[!.]*/*.json", "reports/[!.]*/coverage.any.json", "diffs/*.json"):
        found += root.path.glob(pattern)
    yield from sorted(found)


def _pages(workspace: Path) -> None:
    from pipeline.pages import write_site

    write_site(workspace, SITE)

"""All pages as files: ``index.html`` and ``agents/<name>.html``. Style, script and data of a page stand in it.

Help texts are untrusted. Templates escape them, the data is JSON in which no tag can begin, and the page's own policy
lets nothing run but the two scripts whose digests it names, and nothing be fetched at all.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.workspace import agent_roots
from pipeline.pages.agent import Agent, read_agent, system
from pipeline.progress import Progress

INDEX = "index.html"
_VIEWS = ("units.js", "unit.js", "changes.js", "queue.js", "platforms.js", "surfaces.js")
_SCRIPTS = ("model.js", "dom.js", *_VIEWS, "main.js")


def site_files(workspace: Path) -> dict[str, bytes]:
    """Path below the site → bytes, of all agents of a workspace. Raises what ``read_agent`` raises."""
    roots, progress = agent_roots(workspace), Progress()
    agents = [read_agent(root) for root in progress.each("reading agents", roots, len(roots))]
    found = {INDEX: _page(INDEX, agents=agents, script="", up="")}
    for agent in progress.each("writing pages", agents, len(agents)):
        found[agent_page(agent.name)] = agent_html(agent, agent.document())
    return found


def write_site(workspace: Path, out: Path) -> list[Path]:
    """Write all pages below ``out``; returns their paths. Other files there are left alone."""
    written = {out / name: content for name, content in site_files(workspace).items()}
    canonical.write_all(list(written.items()))
    return list(written)


def agent_page(name: str) -> str:
    """The path of an agent's page below the site."""
    return f"agents/{name}.html"


def agent_html(agent: Agent, document: Json) -> bytes:
    """One agent's page with the data that its script shows."""
    return _page("agent.html", agent=agent, script=_script(), data=_inert(document), up="../")


@canonical.no_collector_pauses()
def _page(template: str, **values: Any) -> bytes:
    theme, style = Markup(_asset("theme.js")), Markup(_asset("page.css"))  # noqa: S704 - our own files
    scripts = " ".join(_digest(text) for text in (theme, values["script"]) if text)
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {_digest(style)}; base-uri 'none'; form-action 'none'"
    )
    text = _environment().get_template(template).render(policy=policy, theme=theme, style=style, **values)
    return text.encode("utf-8")


@cache
def _script() -> Markup:
    body = "\n".join(_asset(name) for name in _SCRIPTS)
    return Markup(f'(() => {{\n"use strict";\n{body}}})();')  # noqa: S704 - our own files


def _inert(document: Json) -> Markup:
    """JSON in which no tag and no comment can begin."""
    text = orjson.dumps(document).decode("utf-8")
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - what could end the element is gone


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


@cache
def _asset(name: str) -> str:
    return files("pipeline.pages").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_asset),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["system"] = system
    environment.globals["joined"] = _joined
    return environment


def _joined(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word)

"""The faces of a report: one model of values, and a module for each way of showing it.

``gather`` makes the model (``model.Overview``) of a version and a wrapper from what is committed; ``FACES`` names what
it can be shown as. A face is a function from the model to text and knows nothing else: no clock, no file, no terminal.
So all of them say the same, with the counts of the report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipeline.faces import badge, github, junit, markdown, pull_request, sarif, terminal
from pipeline.faces.model import Overview


class Face(NamedTuple):
    """``file`` is the name that it gets where all faces are written beside each other."""

    render: Callable[[Overview], str]
    file: str


FACES = {
    "terminal": Face(terminal.render, "report.txt"),
    "markdown": Face(markdown.render, "report.md"),
    "json": Face(lambda overview: overview.report.decode("utf-8"), "report.json"),
    "sarif": Face(sarif.render, "report.sarif"),
    "junit": Face(junit.render, "report.junit.xml"),
    "annotations": Face(github.render, "annotations.txt"),
    "summary": Face(markdown.render_summary, "summary.md"),
    "pr-body": Face(pull_request.render, "pull_request.md"),
    "badge": Face(badge.render, "badge.svg"),
}
"""By name; ``json`` is the committed report as it is."""

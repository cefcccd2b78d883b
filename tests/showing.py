"""Made-up models of a report, and what each face says of them, read back."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from pipeline import canonical
from pipeline.faces.gather import Subject, overview_of
from pipeline.faces.model import Overview, Place
from pipeline.faces.places import Places, Spoken
from pipeline.questions.affects import affects
from pipeline.questions.queue import Item, Queue
from pipeline.report.build import ALWAYS
from pipeline.report.markdown import TITLES
from pipeline.surface.coverage import CoveredCommand
from pipeline.surface.diff import Diff, Finding, Side

Json = dict[str, Any]
LISTS = {name: titled for name, titled in TITLES.items() if name != "intentionally_unsupported"}
HOSTILE = "%, ::, \n, |, <b>, \", ', `, 🦄, [x](1), {0}, &amp;, \x1b[31m, \u202e"


def unit(path: Sequence[str], key: str = "", **facts: object) -> Json:
    named = {} if not key else {"key": key} if key.startswith("-") else {"name": key}
    return {"path": list(path), **named, "upstream_available_on": ["t"], **facts}


def report(lists: dict[str, Sequence[Json]], wrapper_version: str = "1.0") -> bytes:
    document = {
        "schema_version": 1,
        "generated_at": "2026-01-01T00:00:00Z",
        "inputs": {
            "upstream": {"semantic_version": "2.0.0", "mode": "union", "targets": ["t"]},
            "wrapper": {"schema_version": 1, "wrapper_version": wrapper_version},
            "rules": {"rules_schema_version": 1},
        },
        "platform_filter": {"mode": "any"},
        "deltas": {**{name: [] for name in ALWAYS}, **lists},
    }
    return canonical.encode(document)


def overview(
    lists: dict[str, Sequence[Json]],
    *,
    findings: Sequence[Finding] = (),
    coverage: Sequence[CoveredCommand] = (),
    closed: Sequence[str] = (),
    spoken: Spoken | None = None,
    agent: str = "box",
    program: str = "box",
    wrapper: str = "wrapper",
    severity: str = "medium",
) -> Overview:
    """Version 2.0.0 of a CLI, and 1.0.0 before it; every missing unit is new and has the advice ``advice``."""
    missing = [
        (tuple(one["path"]), one.get("key") or one.get("name") or "") for name in ALWAYS for one in lists.get(name, ())
    ]
    items = [
        Item(f"{agent}:{path}:{key}", path, key, severity, "2.0.0", "1.0.0", 1, True, "advice") for path, key in missing
    ]
    diff = Diff(
        diff_schema_version=1,
        tool="box",
        before=Side(version="1.0.0"),
        after=Side(version="2.0.0"),
        targets=("t",),
        findings=tuple(findings),
    )
    return overview_of(
        report(lists),
        "coverage.any.json",
        subject=Subject(agent, program, wrapper),
        queue=Queue("2.0.0", "1.0.0", tuple(items), tuple(closed)),
        diff=diff,
        hits={wrapper: affects(diff, coverage)},
        places=Places(spoken or {}, Place("cli_manifests/box/wrapper_coverage.json")),
    )


words = st.one_of(
    st.sampled_from(["run", "it", HOSTILE, "a b"]), st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
)


@st.composite
def overviews(draw: st.DrawFn) -> Overview:
    """Any lists of any units, each unit in one list."""
    paths = st.lists(words, max_size=3).map(tuple)
    found: dict[str, list[Json]] = {}
    for name in draw(st.lists(st.sampled_from(sorted(LISTS)), unique=True, max_size=6)):
        kind = name.rpartition("_")[2]
        keys = {"flags": words.map("--{}".format), "args": words.map("A{}".format)}.get(kind, st.just(""))
        units = draw(st.lists(st.tuples(paths, keys), unique=True, min_size=1, max_size=4))
        status = {
            "upstream_status": draw(st.sampled_from(["removed", "never_seen", "newer"])),
            "upstream_last": "1.0.0",
        }
        level = {"wrapper_level": draw(st.sampled_from(["explicit", "unknown", HOSTILE]))}
        facts = {**level, **(status if name.startswith("wrapper_only") else {}), "note": draw(words)}
        found[name] = [unit(path, key, **facts) for path, key in units]
    return overview(found, program=draw(words), agent=draw(words), wrapper=draw(st.sampled_from(["wrapper", "sdk"])))


# -- the counts that a face shows --------------------------------------------------------------------

_NAMES = {title: name for name, title in TITLES.items()}


def counted(face: str, text: str) -> dict[str, int]:
    """List → number of units, as a face says it; of the badge, all that is missing."""
    return _READERS[face](text)


def _of_table(text: str) -> dict[str, int]:
    rows = re.findall(r"^\| ([^|]*) \| (\d+) \|$", text, re.MULTILINE)
    return {_NAMES[title]: int(count) for title, count in rows}


def _of_terminal(text: str) -> dict[str, int]:
    block = text.split("\n\n")[1]
    rows = (line.strip().rpartition(" ") for line in block.splitlines())
    return {_NAMES[title.strip()]: int(count) for title, _, count in rows}


def _of_junit(text: str) -> dict[str, int]:
    suites = {suite.get("name", ""): suite for suite in ET.fromstring(text)}
    for suite in suites.values():
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == sum(case.find("failure") is not None for case in cases)
        assert int(suite.get("skipped", "")) == sum(case.find("skipped") is not None for case in cases)
    return {name: int(suite.get("tests", "")) for name, suite in suites.items() if name in TITLES}


def _of_annotations(text: str) -> dict[str, int]:
    return {
        name: int(count) for name, count in re.findall(r"(\w+) (\d+)(?:,|$)", text.splitlines()[-1].rpartition(". ")[2])
    }


def _of_json(text: str) -> dict[str, int]:
    return {name: len(entries) for name, entries in json.loads(text)["deltas"].items()}


_READERS = {
    "terminal": _of_terminal,
    "markdown": _of_table,
    "summary": _of_table,
    "pr-body": _of_table,
    "json": _of_json,
    "sarif": lambda text: json.loads(text)["runs"][0]["properties"]["counts"],
    "junit": _of_junit,
    "annotations": _of_annotations,
}


def read_annotation(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as a runner reads it: command, properties, message."""
    command, properties, message = re.fullmatch(r"::(\w+) ([^\r\n]*?)::([^\r\n]*)", line).groups()  # type: ignore[union-attr]
    found = dict(one.split("=", 1) for one in properties.split(","))
    return command, {name: _unescaped(value, ":,") for name, value in found.items()}, _unescaped(message, "")


def _unescaped(text: str, more: str) -> str:
    for char in ("\r", "\n", *more):
        text = text.replace(f"%{ord(char):02X}", char)
    return text.replace("%25", "%")


def shown(markdown: str) -> str:
    """The text that a reader of the rendered page sees."""
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark").enable("table").render(markdown)
    return html.unescape(
        re.sub(r"</?(?:h1|h2|p|ul|li|code|strong|table|thead|tbody|tr|th|td)(?: style=\"[^\"]*\")?>", "", rendered)
    )

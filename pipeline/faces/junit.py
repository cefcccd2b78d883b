"""JUnit XML, as CI servers read it: a suite for each list of the report and one for what a new version breaks.

A case fails that a person has to do something about: what is missing, what the wrapper uses and no binary takes, what
breaks. Everything else that is listed is skipped, with the reason. A report without any entry has one case that passes.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree as ET  # only written here

from pipeline.faces.model import Entry, Finding, Overview
from pipeline.report.markdown import TITLES

CHANGES = "changes"


class _Case(NamedTuple):
    name: str
    fails: bool
    message: str
    text: str


def render(overview: Overview) -> str:
    """Times are left out: nothing is run here."""
    root = ET.Element("testsuites", name=f"parity {overview.agent} {overview.version} {overview.wrapper}")
    for name, cases in _suites(overview).items():
        failing = sum(case.fails for case in cases)
        skipped = sum(not case.fails and bool(case.message) for case in cases)
        suite = ET.SubElement(
            root, "testsuite", name=name, tests=str(len(cases)), failures=str(failing), errors="0", skipped=str(skipped)
        )
        for case in cases:
            element = ET.SubElement(suite, "testcase", name=case.name, classname=f"{overview.agent}.{name}")
            if case.fails:
                ET.SubElement(element, "failure", message=case.message, type=name).text = case.text
            elif case.message:
                ET.SubElement(element, "skipped", message=case.message)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suites(overview: Overview) -> dict[str, list[_Case]]:
    """The lists that hold something; of none, one case that passes."""
    found: dict[str, list[_Case]] = {}
    about = {(finding.list, finding.path, finding.unit): finding for finding in overview.findings if finding.list}
    for entry in overview.entries:
        finding = about.get((entry.list, entry.path, entry.unit))
        found.setdefault(entry.list, []).append(_listed(entry, finding))
    changed = [finding for finding in overview.findings if not finding.list]
    if changed:
        found[CHANGES] = [_Case(one.words, one.level == "error", one.message, _placed(one)) for one in changed]
    return found or {"everything": [_Case("everything is covered", fails=False, message="", text="")]}


def _listed(entry: Entry, finding: Finding | None) -> _Case:
    if finding is None:
        message = f"{TITLES[entry.list]}. {entry.said}".strip()
        return _Case(entry.words, entry.list.startswith("missing_"), message, message)
    fails = entry.list.startswith("missing_") or finding.level == "error"
    return _Case(entry.words, fails, finding.message, _placed(finding))


def _placed(finding: Finding) -> str:
    return f"{finding.place}: {finding.text}"

"""SARIF 2.1.0: a result for each finding, at the line of the wrapper's source.

A file of a published package has the base ``PACKAGE``, which says which one; all others are relative to the repository.
"""

from __future__ import annotations

from urllib.parse import quote

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.faces.model import Finding, Overview, Place

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT = "parityUnit/v1"
_PACKAGE = "PACKAGE"


def render(overview: Overview) -> str:
    titles = {finding.rule: finding.title for finding in overview.findings}
    rules = sorted(titles)
    run: Json = {
        "tool": {
            "driver": {
                "name": "cli-parity",
                "rules": [{"id": rule, "shortDescription": {"text": _message(titles[rule])}} for rule in rules],
            }
        },
        # What is uploaded of another agent or wrapper does not replace this.
        "automationDetails": {"id": f"parity/{quote(overview.agent)}/{quote(overview.wrapper)}/"},
        **_bases(overview),
        "columnKind": "utf16CodeUnits",
        "results": [_result(finding, rules.index(finding.rule)) for finding in overview.findings],
        "properties": {"version": overview.version, "counts": overview.counts},
    }
    return canonical.encode({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}).decode("utf-8")


def _bases(overview: Overview) -> Json:
    """What the base of a package's files is; where they lie is known to whoever has fetched it."""
    packages = sorted({finding.place.package for finding in overview.findings if finding.place.package})
    if not packages:
        return {}
    return {"originalUriBaseIds": {_PACKAGE: {"description": {"text": _message(f"the package {', '.join(packages)}")}}}}


def _result(finding: Finding, index: int) -> Json:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": _message(finding.text)},
        "locations": [
            {"physicalLocation": _location(finding.place), "logicalLocations": [{"fullyQualifiedName": finding.words}]}
        ],
        "partialFingerprints": {_FINGERPRINT: finding.fingerprint},
    }


def _location(place: Place) -> Json:
    """Viewers want a line: a file as a whole is shown at its first."""
    base = {"uriBaseId": _PACKAGE} if place.package else {}
    return {
        "artifactLocation": {"uri": quote(place.file, safe="/@+"), **base},
        "region": {"startLine": place.line or 1},
    }


def _message(text: str) -> str:
    """Brackets begin a link and braces a placeholder, unless they are escaped."""
    text = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return text.replace("{", "{{").replace("}", "}}")

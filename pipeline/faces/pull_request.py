"""The text of a pull request that brings a version: what it offers, what breaks whom, what is to do, and how to go on.

GitHub takes 65,536 characters. What does not fit is left out of the longest sections first, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.faces.markdown import head, queue_sections
from pipeline.faces.model import Overview
from pipeline.faces.sections import Section, page
from pipeline.faces.words import code, plain, typed, visible
from pipeline.history.beside import KINDS
from pipeline.history.beside_page import compared_in_words, lines
from pipeline.history.rule import SEVERITIES
from pipeline.history.rules import BY_CODE
from pipeline.questions.affects import Hit
from pipeline.questions.asked import OWN
from pipeline.surface.diff import Finding

LIMIT = 65_536


def render(overview: Overview, limit: int = LIMIT) -> str:
    to_do = queue_sections(overview, new_first=True)
    sections = (*_breaking(overview), *_wrappers(overview), *to_do, *_beside(overview), _next(overview))
    return page(head(overview), sections, limit)


def _breaking(overview: Overview) -> Iterator[Section]:
    """What breaks any caller, with the call that shows it."""
    if overview.diff is None:
        return
    between = f"{overview.against} {overview.version}"
    found = [one for one in overview.diff.findings if one.severity == "breaking"]
    title = f"What breaks a caller since {overview.against}: {len(found)}"
    items = tuple(_finding(overview.program, one) for one in found)
    lead = "" if found else "Nothing that was looked at."
    yield Section(title, lead, items, f"parity diff {overview.agent} {between}")


def _wrappers(overview: Overview) -> Iterator[Section]:
    """What meets the claims of each wrapper, ours first."""
    for name in sorted(overview.hits, key=lambda name: (name != OWN, name)):
        hits = overview.hits[name]
        who = "our wrapper" if name == OWN else plain(name)
        lead = "" if hits else "Nothing."
        yield Section(
            f"What affects {who}: {len(hits)}",
            lead,
            tuple(_hit(overview.program, hit) for hit in sorted(hits, key=lambda hit: not hit.breaks)),
            f"parity affects --wrapper {name} {overview.agent} {overview.against} {overview.version}",
        )


def _beside(overview: Overview) -> Iterator[Section]:
    """What came, went or was switched of what no wrapper's claim is about."""
    diff = overview.diff
    if diff is None or diff.surfaces is None:
        return
    items = [
        f"{plain(BY_CODE[code].summary)} {visible(line)}"
        for severity in SEVERITIES
        for code, line in lines([one for one in diff.findings if one.unit in KINDS and one.severity == severity])
    ]
    title = f"What changed besides the command line since {overview.against}"
    lead = " ".join(compared_in_words(diff))
    yield Section(title, lead, tuple(items), f"parity diff {overview.agent} {overview.against} {overview.version}")


def _next(overview: Overview) -> Section:
    """The steps to a validated version, as commands."""
    root = f"cli_manifests/{overview.agent}"
    steps = []
    if overview.missing and overview.wrapper == OWN:
        steps.append(("declare what is missing, or waive it with a reason", f"parity queue {overview.agent}"))
    if overview.against:
        trial = f"doit trial:{overview.agent}:{overview.against}..{overview.version}"
        steps.append(("put the calls that break to the binaries", trial))
    steps += [
        ("rebuild and check everything", f"doit && parity validate --root {root}"),
        ("once it is validated, let the pointers follow", f"doit promote:{overview.agent}:{overview.version}"),
    ]
    return Section("What to do next", "", tuple(f"{what}: {code(how)}" for what, how in steps), "")


def _finding(program: str, one: Finding) -> str:
    words = typed(program, tuple(one.path), one.key or one.name or "")
    value = f" {code(visible(one.value))}" if one.value else ""
    where = f" (on {', '.join(one.targets)})" if one.targets is not None else ""
    return f"{code(words)}{value}: {plain(BY_CODE[one.code].summary)}{where}{_shown(program, one)}"


def _hit(program: str, hit: Hit) -> str:
    said = "guarded" if hit.guarded else "risky" if not hit.breaks else "breaks" if hit.certain else "may break"
    places = f" ({', '.join(code(visible(place)) for place in hit.places[:3])})" if hit.places else ""
    return f"{said}: {_finding(program, hit.finding)}{places}"


def _shown(program: str, one: Finding) -> str:
    if one.witness is None:
        return ""
    return f"\n  - {one.witness.state}: {code(typed(program, one.witness.argv, ''))}"

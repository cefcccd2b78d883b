"""The model as Markdown: the summary first, then the work queue, then what else was found, then every list.

``render_summary`` is the same for the summary of a job, which GitHub limits to 1 MiB: without the lists.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.faces.model import Finding, Overview
from pipeline.faces.sections import Section, page
from pipeline.faces.words import code, plain, visible
from pipeline.questions.asked import OWN
from pipeline.questions.queue import Item
from pipeline.report.markdown import TITLES

_JOB_LIMIT = 1_000_000


def render(overview: Overview) -> str:
    return page(head(overview), (*queue_sections(overview), *_found(overview), *_lists(overview)))


def render_summary(overview: Overview) -> str:
    return page(head(overview), (*queue_sections(overview), *_found(overview)), _JOB_LIMIT)


def head(overview: Overview) -> list[str]:
    """Title, verdict and the report's counts."""
    rows = [f"| {TITLES[name]} | {count} |" for name, count in overview.counts.items()]
    return [
        f"# {plain(overview.program)} {overview.version}, {plain(overview.named)}",
        "",
        f"**{plain(overview.verdict)}**",
        "",
        "| list | units |",
        "|---|---:|",
        *rows,
        "",
        f"Read on {', '.join(map(code, overview.targets))}.",
    ]


def queue_sections(overview: Overview, *, new_first: bool = False) -> Iterator[Section]:
    """What is to do, and what is not any more. ``new_first``: what is new before what was missing already."""
    queue = overview.queue
    about = {(finding.path, finding.unit): finding for finding in overview.to_do}
    if queue.items:
        ordered = sorted(queue.items, key=lambda item: new_first and not item.new)
        items = tuple(_item(item, about[item.path, item.unit]) for item in ordered)
        since = f"{sum(item.new for item in queue.items)} new since {queue.against}. " if queue.against else ""
        order = "What is new first, then by urgency" if new_first else "Most urgent first, then oldest"
        lead = f"{since}{order}; below each unit what to write."
        yield Section(f"To do: {len(items)}", lead, items, command(overview, "parity queue"))
    if queue.closed:
        closed = tuple(code(visible(one)) for one in queue.closed)
        title = f"Not to do any more: {len(closed)}"
        yield Section(title, f"Missing in {queue.against}.", closed, command(overview, "parity queue"))


def command(overview: Overview, words: str) -> str:
    """A question about the same wrapper and version, as it is typed."""
    wrapper = "" if overview.wrapper == OWN else f" --wrapper {overview.wrapper}"
    return f"{words}{wrapper} --at {overview.version} {overview.agent}"


def _item(item: Item, finding: Finding) -> str:
    age = "new" if item.new else f"in {item.age} versions"
    said = f"{age}, since {item.since}; at {code(str(finding.place))}"
    return f"{item.severity}: {code(finding.words)} ({said}){below(finding.advice)}"


def _found(overview: Overview) -> Iterator[Section]:
    claims = overview.claims
    if claims:
        items = (f"{one.level}: {plain(one.message)} ({code(str(one.place))}){below(one.advice)}" for one in claims)
        rest = command(overview, "parity show --format markdown")
        yield Section(f"Claims to look at: {len(claims)}", "", tuple(items), rest)


def below(advice: str) -> str:
    """What stands below an item, as a list of its own."""
    return f"\n  - {code(advice)}" if advice else ""


def _lists(overview: Overview) -> Iterator[Section]:
    """Every other list of the report."""
    for name in overview.counts:
        entries = [entry for entry in overview.entries if entry.list == name]
        if entries and not name.startswith("missing_"):
            items = tuple(f"{code(one.words)}{': ' * bool(one.said)}{plain(one.said)}" for one in entries)
            yield Section(f"{TITLES[name]}: {len(entries)}", "", items, "")

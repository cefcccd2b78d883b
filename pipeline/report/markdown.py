"""A report as Markdown: the same lists as a checklist, for people and for pull requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.canonical import Json
from pipeline.report.elsewhere import in_words

TITLES = {
    "missing_commands": "Missing commands",
    "missing_flags": "Missing flags",
    "missing_args": "Missing args",
    "hidden_commands": "Hidden commands: accepted, not shown",
    "hidden_flags": "Hidden flags: accepted, not shown",
    "hidden_args": "Hidden args: accepted, not shown",
    "unsupported": "Unsupported commands",
    "passthrough_candidates": "Passed through, not typed",
    "intentionally_unsupported": "Intentionally unsupported",
    "excluded_commands": "Excluded commands",
    "excluded_flags": "Excluded flags",
    "excluded_args": "Excluded args",
    "wrapper_only_commands": "Only in the wrapper: commands",
    "wrapper_only_flags": "Only in the wrapper: flags",
    "wrapper_only_args": "Only in the wrapper: args",
}
_QUESTIONS = {"any": "on any target", "all": "on all targets"}


def render_lines(entries: Sequence[Json], program: str) -> tuple[int, bytes]:
    """Entries of one list as a block of list items, with their number."""
    lines, path, command = [], None, ""
    for entry in entries:
        if entry["path"] is not path:  # the units of a command come one after the other
            path = entry["path"]
            command = " ".join((program, *path) if program else path)
        key = entry.get("key") or entry.get("name")
        unit = f"{command} {key}".lstrip() if key else command or "(root)"
        note = f": {' '.join(entry['note'].split())}" if "note" in entry else ""
        lines.append(f"- [ ] `{unit}`{note}{in_words(entry)}")
    return len(lines), "\n".join((*lines, "")).encode()


def render_report(document: Json, blocks: Mapping[str, Sequence[tuple[int, bytes]]]) -> list[bytes]:
    """The whole page in pieces; ``blocks`` are the rendered parts of each list, in order."""
    upstream = document["inputs"]["upstream"]
    wrapper = document["inputs"]["wrapper"].get("wrapper_version")
    wanted = document["platform_filter"]
    question = _QUESTIONS.get(wanted["mode"]) or f"on {wanted['target_triple']}"
    counts = {name: sum(count for count, _ in parts) for name, parts in blocks.items()}
    page = [
        f"# Coverage of {upstream['semantic_version']} {question}",
        "",
        f"Wrapper {wrapper or '(no version)'} against {', '.join(upstream['targets'])}.",
        "",
        "| list | units |",
        "|---|---:|",
        *(f"| {title} | {counts[name]} |" for name, title in TITLES.items() if counts.get(name)),
    ]
    if not any(counts.values()):
        page.append("| everything is covered | 0 |")
    pieces = ["\n".join((*page, "")).encode()]
    for name, title in TITLES.items():
        if counts.get(name):
            pieces += [f"\n## {title}\n\n".encode(), *(text for _, text in blocks[name])]
    return pieces

"""Rows -> Markdown: the published table, the rivals' table, and the list of one subject's disagreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from benchmarks.fidelity import rivals
from benchmarks.fidelity.score import Score, Tally
from benchmarks.fidelity.subjects import Subject

# Our own name in the rivals' table.
OURS = "parity"
DOCS = Path(__file__).parents[2] / "docs" / "fidelity.md"
_HEAD = ("CLI", "version", "framework", "commands", "flags", "recall", "precision", "takes value", "choices", "hidden")


@dataclass(frozen=True, slots=True)
class Row:
    """One subject: its score, or the ``reason`` why there is none. ``rivals`` are scores by rival.

    ``omissions`` are what the snapshot itself says that it lacks.
    """

    title: str
    subject: Subject
    version: str = ""
    score: Score | None = None
    rivals: Mapping[str, Score] = field(default_factory=dict)
    omissions: Sequence[str] = ()
    reason: str = ""


def percent(share: float | None) -> str:
    """Two digits after the point, cut and not rounded: 100 means all."""
    return "-" if share is None else f"{int(share * 10_000) / 100:.2f} %"


def _of(tally: Tally) -> str:
    return f"{tally.right}/{tally.of}" if tally.of else "-"


def _commands(tally: Tally) -> str:
    return _of(tally) + (f" + {tally.extra}" if tally.extra else "")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def render(rows: Sequence[Row]) -> str:
    """The tables as Markdown, what was not measured below them."""
    measured = [(row, row.score) for row in rows if row.score is not None]
    text = _line(_HEAD) + _line(["---"] * 3 + ["---:"] * 7)
    for row, score in measured:
        text += _line([row.title, row.version, row.subject.framework, *_numbers(score)])
    if len(measured) > 1:
        frameworks = {row.subject.framework for row, _ in measured}
        title = f"**{len(measured)} CLIs**"
        text += _line([title, "", f"{len(frameworks)}", *_numbers(total([score for _, score in measured]))])
    omitted = [f"- {row.title}: {len(row.omissions)}, first: {row.omissions[0]}\n" for row in rows if row.omissions]
    text += "\nOmissions that a snapshot records itself:\n\n" + "".join(omitted) if omitted else ""
    text += _rivals([row for row, _ in measured if row.rivals])
    reasons = [f"- {row.title} ({row.subject.framework}): {row.reason}\n" for row in rows if row.score is None]
    if any(row.rivals for row in rows):
        reasons += [f"- {name} (rival): {reason}\n" for name, reason in rivals.missing().items()]
    return text + ("\nNot measured:\n\n" + "".join(reasons) if reasons else "")


def _rivals(rows: Sequence[Row]) -> str:
    """Recall / precision of each on the same pages; the last rows are sums over all of them."""
    if not rows:
        return ""
    names = [OURS, *(rival.name for rival in rivals.RIVALS if any(rival.name in row.rivals for row in rows))]
    versions = {rival.name: rival.version for rival in rivals.RIVALS}
    heads = [f"{name} {versions.get(name, '')}".strip() for name in names]
    text = "\n" + _line(["CLI", "flags", *heads]) + _line(["---", *["---:"] * (len(names) + 1)])
    for row in rows:
        cells = [_pair(row.rivals[name].flags) if name in row.rivals else "-" for name in names]
        text += _line([row.title, str(row.rivals[OURS].flags.of), *cells])
    sums = {name: total([row.rivals[name] for row in rows if name in row.rivals]) for name in names}
    text += _line(["**all flags**", str(sums[OURS].flags.of), *(_pair(sums[name].flags) for name in names)])
    text += _line(["takes value", "", *(percent(sums[name].values.recall) for name in names)])
    return text + _line(["choices", "", *(percent(sums[name].choices.recall) for name in names)])


def _pair(tally: Tally) -> str:
    return f"{percent(tally.recall)} / {percent(tally.precision)}"


def _numbers(score: Score) -> list[str]:
    return [
        _commands(score.commands),
        _of(score.flags),
        percent(score.flags.recall),
        percent(score.flags.precision),
        _of(score.values),
        _of(score.choices),
        _of(score.hidden),
    ]


def total(scores: Sequence[Score]) -> Score:
    """The sum of all tallies, without the disagreements."""
    result = Score()
    for name in {each.name for each in fields(Score)} - {"disagreements"}:
        setattr(result, name, sum((getattr(score, name) for score in scores), Tally()))
    return result


def render_disagreements(row: Row) -> str:
    """Every disagreement of one subject, a line each: kind, command, unit, what either side says."""
    if row.score is None:
        return f"not measured: {row.reason}\n"
    lines = [
        f"{each.kind:<12}{' '.join(each.path) or '(root)'}  {each.unit}"
        + (f"  truth: {each.truth}" if each.truth else "")
        + (f"  read: {each.reading}" if each.reading else "")
        for each in row.score.disagreements
    ]
    lines += [f"omitted     {omission}" for omission in row.omissions]
    return "\n".join([*lines, f"{len(row.score.disagreements)} disagreements"]) + "\n"


def update_docs(text: str) -> None:
    """Put the tables between the markers of the published page."""
    page = DOCS.read_text(encoding="utf-8")
    before, _, rest = page.partition("<!-- measured -->\n")
    _, _, after = rest.partition("<!-- /measured -->\n")
    DOCS.write_text(f"{before}<!-- measured -->\n{text}<!-- /measured -->\n{after}", encoding="utf-8", newline="\n")

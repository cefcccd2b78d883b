"""Which versions take a command line, and which word each other version refuses.

Only versions that were looked at are judged. A range names the versions around it that were looked at too, so that
"since" is a bound: what came with 0.147.0 and was looked at in 0.125.0 before came after 0.125.0, at 0.147.0 at the
latest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pipeline.canonical import Json
from pipeline.layout import check_version
from pipeline.questions.argv import Manners, Refusal, Verdict, judge, spelled
from pipeline.questions.view import View, runs

Says = Literal["yes", "no", "unknown"]


class Range(NamedTuple):
    """Consecutive versions that were looked at, with one verdict.

    ``after`` and ``before`` are the nearest versions looked at outside it; None where nothing was looked at beyond.
    """

    first: str
    last: str
    after: str | None
    before: str | None
    verdict: Verdict


class Answer(NamedTuple):
    """Whether a version takes a line. ``says`` "unknown": it was not looked at, and its neighbours differ.

    ``looked_at`` are the versions that the answer rests on: the version itself, or its neighbours.
    """

    says: Says
    refusal: Refusal | None
    looked_at: tuple[str, ...]


def which(view: View, argv: Sequence[str], manners: Manners, target: str | None = None) -> list[Range]:
    """The verdicts of all versions, as ranges, oldest first; on one target, or on any.

    Raises UsageError for a target on which nothing was looked at.
    """
    versions = view.versions_on(target)
    verdicts = [judge(view.at(version, target), argv, manners) for version in versions]
    order = {version: at for at, version in enumerate(versions)}
    return [
        Range(
            first,
            last,
            versions[order[first] - 1] if order[first] else None,
            next(iter(versions[order[last] + 1 :]), None),
            verdict,  # type: ignore[arg-type]
        )
        for verdict, first, last in runs(versions, verdicts)
    ]


def may_pass(view: View, argv: Sequence[str], version: str, manners: Manners, target: str | None = None) -> Answer:
    """Whether ``version`` takes a line: what it says itself, else what the versions around it agree on.

    Of a version before the first or after the last that was looked at nobody knows. Cheap enough to be asked before
    every call. Raises UsageError for a version that is none, and for a target on which nothing was looked at.
    """
    if check_version(version) in view.versions_on(target):
        refusal = judge(view.at(version, target), argv, manners).refusal
        return Answer("no" if refusal else "yes", refusal, (version,))
    asked = tuple(one for one in view.neighbours(version, target) if one)
    refusals = [judge(view.at(one, target), argv, manners).refusal for one in asked]
    refusal = next((one for one in refusals if one), None)
    if len(asked) < len(("before", "after")) or (any(refusals) and not all(refusals)):
        return Answer("unknown", refusal, asked)
    return Answer("no" if refusal else "yes", refusal, asked)


def as_json(ranges: Sequence[Range], argv: Sequence[str], program: str) -> Json:
    """The ranges as a JSON object: ``accepted`` and ``rejected`` lists, in order of versions."""
    accepted = [{**_bounds(one), **_notes(one.verdict)} for one in ranges if one.verdict.refusal is None]
    rejected = [
        {**_bounds(one), "word": refusal.word, "unit": refusal.unit, "reason": refusal.reason}
        for one in ranges
        if (refusal := one.verdict.refusal)
    ]
    return {"program": program, "argv": list(argv), "accepted": accepted, "rejected": rejected}


def answer_as_json(answer: Answer, argv: Sequence[str], program: str, version: str) -> Json:
    """The answer about one version as a JSON object."""
    refusal = answer.refusal
    said = {"word": refusal.word, "unit": refusal.unit, "reason": refusal.reason} if refusal else {}
    about = {"program": program, "argv": list(argv), "version": version}
    return {**about, "says": answer.says, "looked_at": answer.looked_at, **said}


def answer_in_words(answer: Answer) -> str:
    """The same for people, in one line."""
    rests = f" (looked at: {', '.join(answer.looked_at)})" if answer.looked_at else " (nothing was looked at)"
    why = f": {answer.refusal.word} {answer.refusal.reason}" if answer.refusal else ""
    return f"{answer.says}{why}{rests}\n"


def _bounds(one: Range) -> Json:
    outside = {"after": one.after, "before": one.before}
    return {"first": one.first, "last": one.last, **{key: value for key, value in outside.items() if value}}


def _notes(verdict: Verdict) -> Json:
    notes = {"hidden": verdict.hidden, "missing": verdict.missing, "only_on": verdict.only_on}
    return {key: value for key, value in notes.items() if value}


def in_words(ranges: Sequence[Range], argv: Sequence[str], program: str) -> str:
    """The same for people, one line a range."""
    lines = [spelled((program, *argv))]
    width = max((len(_between(one)) for one in ranges), default=0)
    for one in ranges:
        refusal = one.verdict.refusal
        if refusal:
            said = f"rejected  {refusal.word} {refusal.reason}"
        else:
            notes = [f"hidden: {' '.join(one.verdict.hidden)}"] if one.verdict.hidden else []
            notes += [f"still missing: {' '.join(one.verdict.missing)}"] if one.verdict.missing else []
            notes += [f"on {', '.join(one.verdict.only_on)} only"] if one.verdict.only_on else []
            said = "accepted" + (f"  ({'; '.join(notes)})" if notes else "")
        lines.append(f"  {_between(one):<{width}}  {said}")
    return "\n".join((*lines, ""))


def _between(one: Range) -> str:
    return one.first if one.first == one.last else f"{one.first} to {one.last}"

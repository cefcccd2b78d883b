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
    """The verdicts of all versions, as ranges, oldest first; on one target, or on any."""
    versions = view.versions
    verdicts = [judge(view.at(version, target), argv, manners) for version in versions]
    found = []
    for verdict, first, last in runs(versions, verdicts):
        start, end = view.order[first], view.order[last]
        found.append(
            Range(
                first,
                last,
                versions[start - 1] if start else None,
                versions[end + 1] if end + 1 < len(versions) else None,
                verdict,  # type: ignore[arg-type]
            )
        )
    return found


def may_pass(view: View, argv: Sequence[str], version: str, manners: Manners, target: str | None = None) -> Answer:
    """Whether ``version`` takes a line: what it says itself, else what its neighbours agree on.

    Cheap enough to be asked before every call. Raises UsageError for a version that is none.
    """
    if check_version(version) in view.order:
        asked: tuple[str, ...] = (version,)
    else:
        asked = tuple(one for one in view.neighbours(version) if one)
    refusals = [judge(view.at(one, target), argv, manners).refusal for one in asked]
    if not refusals:
        return Answer("unknown", None, ())
    if all(refusals):
        return Answer("no", refusals[-1], asked)
    # Beyond the versions that were looked at nobody knows that what is there stays.
    beyond = version not in view.order and None in view.neighbours(version)
    if any(refusals) or beyond:
        return Answer("unknown", next((one for one in refusals if one), None), asked)
    return Answer("yes", None, asked)


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

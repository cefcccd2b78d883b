"""The calls that could show a finding to break something, smallest first; each by what it uses of a unit.

A case in, calls out. Whether the surface before takes one and the one after does not is for ``first_refused`` to say:
a finding that no call can show is not told to break anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from pipeline.history.calls import ANYTHING, Call, Judge, listed, value_for
from pipeline.history.sides import Facts
from pipeline.surface.units import Path


@dataclass(frozen=True, slots=True)
class Case:
    """A unit as the surface before has it; ``value`` is the possible value or the name that the finding is about.

    ``at`` is the command that the unit is used of, ``facts`` are those before.
    """

    before: Judge
    after: Judge
    at: Path
    unit: str
    key: str
    facts: Facts
    value: str | None = None


Shown = Callable[[Case], Iterable[Call]]


def first_refused(case: Case, calls: Iterable[Call]) -> Call | None:
    """The first call that was taken and is refused."""
    return next((call for call in calls if case.before.takes(call) and _refuses(case.after, call)), None)


def _refuses(judge: Judge, call: Call) -> bool:
    # What stood behind a flag as a positional may be the flag's value now.
    return not judge.takes(call) and not (call.flags and call.args and judge.takes(judge.read(call.words())))


def uses(case: Case) -> Iterator[Call]:
    """The unit used in any way."""
    if case.unit == "command":
        yield from _command(case, case.at[-1:])
    elif case.unit == "flag":
        yield _least(case).using(case.key, value_for(case.facts))
    else:
        yield from _through(case)


def uses_the_name(case: Case) -> Iterator[Call]:
    """The unit used by the name that the finding is about."""
    name = case.value or ""
    if case.unit == "command":
        yield from _command(case, (name,))
    else:
        yield _least(case).using(name, value_for(case.facts))


def uses_the_value(case: Case) -> Iterator[Call]:
    yield from _with(case, case.value or "")


def uses_any_value(case: Case) -> Iterator[Call]:
    yield from _with(case, ANYTHING)


def uses_with_value(case: Case) -> Iterator[Call]:
    yield _least(case).using(case.key, value_for({**case.facts, "value": "required"}))


def uses_without_value(case: Case) -> Iterator[Call]:
    yield _least(case).using(case.key, None)


def uses_twice(case: Case) -> Iterator[Call]:
    call = _least(case).using(case.key, value_for(case.facts))
    yield replace(call, flags=(call.flags[0], *call.flags))


def uses_more(case: Case) -> Iterator[Call]:
    """One positional more than there are."""
    for call in _through(case):
        last = call.args[-1] if call.args else "1"
        yield replace(call, args=(*call.args, *[last] * (len(case.before.args(case.at)) + 1 - len(call.args))))


def leaves_out(case: Case) -> Iterator[Call]:
    """The command without the unit."""
    yield _least(case)


def _least(case: Case) -> Call:
    return case.before.least(case.at)


def _through(case: Case) -> Iterator[Call]:
    yield case.before.least(case.at, through=case.key)


def _with(case: Case, value: str) -> Iterator[Call]:
    if case.unit == "flag":
        yield _least(case).using(case.key, value)
        return
    for call in _through(case):
        for at, (name, _) in enumerate(case.before.args(case.at)):
            if name == case.key:
                yield replace(call, args=(*call.args[:at], value, *call.args[at + 1 :]))


def _command(case: Case, last: tuple[str, ...]) -> Iterator[Call]:
    """The command alone, asked for by its help page, and with what it takes and nobody above does.

    Where the one above takes positionals, the command's name alone would now be one of them.
    """
    above = case.at[:-1]
    bare = replace(_least(case), path=(*above, *last))
    yield bare
    surface, taken = case.before.surface, case.before.args(case.at)
    for page in sorted(surface.commands[above].pseudo) if above in surface.commands else ():
        yield Call((*above, page, *last))
    below_it = {token: below for token, below in surface.children.get(case.at, {}).items() if " " not in token}
    for page in sorted(surface.commands[case.at].pseudo):
        for token in below_it:
            yield Call((*bare.path, page, token))
    for token, below in below_it.items():
        yield replace(case.before.least(below), path=(*bare.path, token))
    for key, facts in surface.commands[case.at].flags.items():
        yield bare.using(key, value_for(facts))
    if taken:
        full = case.before.least(case.at, through=taken[-1][0])
        yield replace(full, path=bare.path)
        if taken[-1][1].get("variadic"):
            more = next(iter(listed(taken[-1][1])), "1")
            yield replace(full, path=bare.path, args=(*full.args, *[more] * 5))

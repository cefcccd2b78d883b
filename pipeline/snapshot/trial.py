"""Witnesses put to a real binary: whether its parser takes a call, told by what it refuses. Nothing is run.

A call with a nonsense flag behind it must be refused; a refusal that names the nonsense says that every word before it
was taken (``pipeline.oracle.refusal`` says why no such call starts a command, framework by framework). Not asked, and
without a verdict: a call of a command whose positionals could swallow the question, and what a parser only looks at
when all words were read (what is missing; how many positionals there are, but for one that reads left to right).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.errors import BinaryOutputTooLarge, BinaryTimeout
from pipeline.history.calls import Judge
from pipeline.history.sides import Surface
from pipeline.oracle import FORMS, Form
from pipeline.oracle.refusal import NONSENSE, names_no_command
from pipeline.snapshot.calls import Answer, Caller, calling
from pipeline.snapshot.subject import Subject
from pipeline.surface.diff import Argv, Verdict
from pipeline.surface.units import Arg, Command

# How parsers begin to say what is wrong with a call.
_ERROR = re.compile(r"^error: ", re.IGNORECASE | re.MULTILINE)


def verdicts(subject: Subject, surface: Surface, calls: Sequence[Argv]) -> list[Verdict | None]:
    """What the subject's parser says of each call; ``surface`` is what was read of this very binary.

    Raises what ``calling`` raises.
    """
    form = form_of(subject, surface)
    asked = [question(form, surface, words) if form else None for words in calls]
    if form is None or not any(asked):
        return [None for _ in calls]
    with calling(subject) as caller:
        answers = caller.each(lambda words: _answer(caller, words) if words else None, asked)
        return [
            judged(form, answer, words) if answer and words else None
            for answer, words in zip(answers, asked, strict=True)
        ]


def form_of(subject: Subject, surface: Surface) -> Form | None:
    """How the parser may be asked: as configured, else as the dialect allows without a risk."""
    if subject.oracles.probe is not None:
        return FORMS[subject.oracles.probe]
    form = FORMS.get(subject.help.dialect or surface.dialect or "")
    return form if form and form.guarded else None


def question(form: Form, surface: Surface, words: Argv) -> Argv | None:
    """The words to ask with; None where asking could run something, or is known to tell nothing."""
    judge = Judge(surface, None)
    call = judge.read(words)
    node, above = surface.commands[call.path], words[: len(call.path)]
    if call.args and call.args[0] in node.pseudo:
        return words if form.guarded else None
    positionals = (Arg(name=name, required=False, variadic="variadic" in arg) for name, arg in node.args.items())
    may_run = form.may_run(Command(path=node.path, usage=node.usage, args=tuple(positionals)))
    # Only a parser that reads left to right looks at positionals before it comes to the nonsense.
    untold = bool(call.args) and form.order[-1] != "--help"
    if may_run or untold or node.unread or not judge.is_complete(call):
        return None
    behind = (*words[len(above) :], NONSENSE)
    in_order = {"{flag}": behind[:-1], "{nonsense}": behind[-1:]}
    return (*above, *(word for part in form.order for word in in_order.get(part, (part,))))


def judged(form: Form, answer: Answer, words: Argv) -> Verdict | None:
    """What an answer says of the call that was asked with ``words``."""
    text = answer.text
    if NONSENSE not in words:  # a help page of another command
        if names_no_command(text):
            return "rejected"
        return "accepted" if not answer.exit_code and not _ERROR.search(text) else None
    if found := form.unknown.search(text):
        return "accepted" if NONSENSE.lstrip("-") in found[1] else "rejected"
    if any(pattern and pattern.search(text) for pattern in (form.no_value, form.bad_value)) or names_no_command(text):
        return "rejected"
    return "rejected" if answer.exit_code and _ERROR.search(text) else None


def _answer(caller: Caller, words: Argv) -> Answer | None:
    try:
        return caller.ask(*words)
    except (BinaryTimeout, BinaryOutputTooLarge):
        return None

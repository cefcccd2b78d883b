"""The acceptance probe: whether a parser takes a flag, told by what it refuses. Nothing is run.

A form is a framework's way to be asked. Its call puts the flag before a nonsense flag that no CLI has, so a
strict parser must refuse the call: if it names the flag, the flag is rejected; if it names the nonsense or the
value, the flag was taken. An answer that names neither is no verdict, so a parser that swallows unknown words
never counts as one that accepts. ``--flag=value`` keeps a flag from eating the words behind it.

Why no call starts the command (each tried with real parsers of the framework):

- clap reads left to right and stops at the first error; ``--help`` behind the nonsense stops a command that
  takes flags for positionals. Only a variadic positional may swallow that ``--help`` too: not asked then.
- cobra and click parse all words before anything runs, and a ``--help`` in front goes before running.
- commander, yargs and argparse say no more what is wrong once ``--help`` is there, so it cannot stand guard:
  they are asked only where a person has configured it, for a CLI whose parser is known to be strict. Even
  then a variadic positional may collect unknown words, and yargs can be told to take unknown flags for any
  positional (seen: an ``add`` that stored the nonsense as what to add): such commands are not asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.surface.units import Command, Path, PossibleValue

# Not "--no-…": yargs takes that for a negation and names the rest.
NONSENSE = "--parity-nonsense"
VALUE = "parity"

Verdict = Literal["accepted", "rejected", "unknown"]

_NO_COMMAND = re.compile(
    r"unrecognized subcommand|unknown command|no such command|invalid choice|unknown arguments?:", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of one unit; ``takes_value`` and ``possible_values`` where the refusal gives them away.

    ``reason`` says why a verdict is unknown.
    """

    verdict: Verdict
    takes_value: bool | None = None
    possible_values: tuple[PossibleValue, ...] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One framework: how to ask, and its messages.

    ``order`` spells the call behind the command's path. Each pattern captures what the message names:
    ``unknown`` the flags that do not exist, ``no_value`` a flag that takes none, ``bad_value`` one that takes
    another, ``values`` the list of those that it takes. ``swallows`` says which positionals may take the whole
    call for arguments.
    """

    name: str
    order: tuple[str, ...]
    unknown: re.Pattern[str]
    swallows: Literal["none", "variadic", "any"]
    no_value: re.Pattern[str] | None = None
    bad_value: re.Pattern[str] | None = None
    values: re.Pattern[str] | None = None
    # What it says of a flag that its call with a value was taken; None: nothing.
    taken_with_value: bool | None = True
    # Refuses "--flag=value" as it refuses an unknown flag: a second call without the value decides.
    asks_twice: bool = False

    @property
    def guarded(self) -> bool:
        """Whether ``--help`` keeps a parser that is not strict from running the command."""
        return "--help" in self.order

    def may_run(self, command: Command) -> bool:
        """Whether the command could take the question for its arguments, and run."""
        args = command.args or ()
        if self.swallows == "none":
            return False
        # The usage too: a page whose args could not be read must not pass for one without.
        return any(self.swallows == "any" or arg.variadic for arg in args) or ".." in (command.usage or "")

    def call(self, path: Path, flag: str, *, bare: bool = False) -> tuple[str, ...]:
        """The words behind the program."""
        words = {"{flag}": flag if bare else f"{flag}={VALUE}", "{nonsense}": NONSENSE}
        return (*path, *(words.get(word, word) for word in self.order))

    def judge(self, answer: str, flag: str, *, bare: bool = False) -> Probe:
        """The verdict of one call's answer."""
        if found := self.unknown.search(answer):
            refused = {_spelling(word) for word in re.split(r",? +", found[1])}
            if _spelling(flag) in refused:
                return Probe("rejected")
            if _spelling(NONSENSE) in refused:
                return Probe("accepted", takes_value=False if bare else self.taken_with_value)
            if "" in refused and not flag.startswith("--"):
                # "-x=value" of a short without value: "=" was looked for as the next short.
                return Probe("accepted", takes_value=False)
        if self.no_value and (found := self.no_value.search(answer)) and _is_about(found, flag):
            return Probe("accepted", takes_value=False)
        if self.bad_value and (found := self.bad_value.search(answer)) and _is_about(found, flag):
            return Probe("accepted", takes_value=True, possible_values=self._choices(answer))
        return Probe("unknown", reason="the answer names neither the flag nor the nonsense behind it")

    def _choices(self, answer: str) -> tuple[PossibleValue, ...] | None:
        found = self.values.search(answer) if self.values else None
        names = (name.strip(" '\"") for name in found[1].split(",")) if found else ()
        return tuple(PossibleValue(name=name) for name in names if name) or None


def names_no_command(answer: str) -> bool:
    """Whether an answer says that there is no such command."""
    return bool(_NO_COMMAND.search(answer))


def judge_command(answer: str, *, is_its_help: bool, is_other_help: bool) -> Probe:
    """The verdict on a command that was asked for its help, given what page the answer is."""
    if is_its_help:
        return Probe("accepted")
    # A CLI that takes any word as an argument answers with the help of a command above.
    if is_other_help or names_no_command(answer):
        return Probe("rejected")
    return Probe("unknown", reason="the answer neither is the command's help nor refuses it")


def _spelling(word: str) -> str:
    """``--flag=value`` -> ``flag``; yargs names flags without their dashes, others in quotes."""
    return word.strip("'\"`.").partition("=")[0].lstrip("-")


def _is_about(found: re.Match[str], flag: str) -> bool:
    """Whether a message about ``-s, --sandbox <MODE>`` or ``-s/--sandbox`` is about the flag.

    One that quotes the value is, whatever it names: nothing else was given that value, and an alias that help
    and completion keep silent about is reported under the flag's first name.
    """
    return VALUE in found[0] or _spelling(flag) in {_spelling(word) for word in re.split(r"[\s,/|<\[]+", found[1])}


_BEHIND = ("{flag}", "{nonsense}", "--help")
_IN_FRONT = ("--help", "{flag}", "{nonsense}")
_ALONE = ("{flag}", "{nonsense}")

FORMS: Mapping[str, Form] = {
    each.name: each
    for each in (
        Form(
            "clap",
            _BEHIND,
            # Version 4, then 2 and 3.
            unknown=re.compile(r"(?:unexpected|[Ff]ound) argument '([^']+)' (?:found|which wasn't expected)"),
            no_value=re.compile(r"(?:unexpected value '[^']*' for|value '[^']*' was provided to) '([^']+)'"),
            bad_value=re.compile(r"(?:invalid value|isn't a valid value) (?:'[^']*' )?for '([^']+)'", re.IGNORECASE),
            values=re.compile(r"\[possible values: ([^\]]+)\]"),
            swallows="variadic",
        ),
        Form(
            "cobra",
            _IN_FRONT,
            unknown=re.compile(r"unknown (?:shorthand )?flag: (\S+)"),
            no_value=re.compile(r'invalid argument "[^"]*" for "([^"]+)" flag: strconv\.ParseBool'),
            bad_value=re.compile(r'invalid argument "[^"]*" for "([^"]+)" flag'),
            swallows="none",
        ),
        Form(
            "click",
            _IN_FRONT,
            unknown=re.compile(r"no such option:? '?([^'\s]+)", re.IGNORECASE),
            no_value=re.compile(r"option '?([^'\s]+)'? does not take a value", re.IGNORECASE),
            swallows="none",
        ),
        Form(
            "commander",
            _ALONE,
            unknown=re.compile(r"unknown option '([^']+)'"),
            bad_value=re.compile(r"option '([^']+)' argument '[^']*' is invalid"),
            values=re.compile(r"Allowed choices are ([^\n]+?)\.?$", re.MULTILINE),
            asks_twice=True,
            swallows="variadic",
        ),
        Form(
            "yargs",
            _ALONE,
            unknown=re.compile(r"Unknown arguments?: ([^\n]+)"),
            bad_value=re.compile(r"Argument: ([^,\n]+), Given: "),
            values=re.compile(r"Choices: ([^\n]+)"),
            taken_with_value=None,
            swallows="any",
        ),
        Form(
            "argparse",
            _ALONE,
            unknown=re.compile(r"unrecognized arguments: ([^\n]+)"),
            no_value=re.compile(r"argument ([^:\n]+): ignored explicit argument"),
            bad_value=re.compile(r"argument ([^:\n]+): (?:invalid|expected)"),
            values=re.compile(r"\(choose from ([^)\n]+)\)"),
            swallows="variadic",
        ),
    )
}

"""What one version's parser makes of a command line: it is taken, or one word is not.

Read left to right as parsers do. A value that is not listed, a value for a switch, a flag or a positional too many are
refusals; a positional that is still missing is not: a question is often asked about a part of a line. A word that is a
command in another version and none in this one is refused, although a root that takes a prompt would read it as one.
Where frameworks differ (``hyphens``, ``once``) the caller says which rule holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.questions.view import AtVersion, Found, Path
from pipeline.surface.timeline import CommandTrack, Span


@dataclass(frozen=True)
class Refusal:
    """The word that is not taken, and why; ``unit`` is what it was read as: a path, with a flag's key."""

    word: str
    reason: str
    unit: str


@dataclass(frozen=True)
class Verdict:
    """``refusal`` None: the line is taken. ``hidden`` are words that help does not show, ``missing`` names of args.

    ``only_on`` are the targets that have all that was read, if not all that were looked at have it.
    """

    refusal: Refusal | None = None
    hidden: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    only_on: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Manners:
    """How a framework's parser differs from others.

    ``hyphens``: a word that begins with a hyphen may be the value of the flag before it. ``once``: a flag that is not
    known to be repeatable may be given only once. ``late``: a command may be named behind positionals.
    """

    hyphens: bool = True
    once: bool = False
    late: bool = False


MANNERS = {"clap": Manners(hyphens=False, once=True, late=True)}
"""By help dialect; all others are taken to be lenient."""


@dataclass
class _Reading:
    at: AtVersion
    manners: Manners
    path: Path = ()
    given: int = 0
    complete: bool = False
    hidden: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    only_on: tuple[str, ...] | None = None

    def read(self, word: str, span: Span) -> None:
        """A word was taken for a unit that has this span."""
        if span.state == "hidden":
            self.hidden.append(word)
        if span.targets is not None:
            known = span.targets if self.only_on is None else self.only_on
            self.only_on = tuple(target for target in known if target in span.targets)

    def refusal(self, word: str, reason: str, unit: str = "") -> Refusal:
        return Refusal(word, reason, " ".join((*self.path, *((unit,) if unit else ()))))

    def enter(self, command: CommandTrack, word: str) -> None:
        self.path, self.given = tuple(command.path), 0
        if span := self.at.span(command.spans):
            self.read(word, span)

    @property
    def may_name_a_command(self) -> bool:
        """Whether the next word may be a command: not behind a positional that takes it, or any where that is so."""
        args = self.at.args(self.path)[: self.given]
        return not args or (self.manners.late and "variadic" not in args[-1].facts)


def judge(at: AtVersion, argv: Sequence[str], manners: Manners) -> Verdict:
    """The verdict of a version on the words after the program's name."""
    reading = _Reading(at, manners)
    words = list(reversed(argv))
    ended = False
    while words:
        word = words.pop()
        if ended or word == "-" or not word.startswith("-"):
            problem = _plain(reading, word, words, ended=ended)
        elif word == "--":
            ended, problem = True, None
        else:
            problem = _flags(reading, word, words)
        if problem:
            return Verdict(problem, tuple(reading.hidden))
    missing = (one.name for one in at.args(reading.path)[reading.given :] if "required" in one.facts)
    return Verdict(None, tuple(reading.hidden), () if reading.complete else tuple(missing), reading.only_on)


def _plain(reading: _Reading, word: str, words: list[str], *, ended: bool) -> Refusal | None:
    at, path = reading.at, reading.path
    commands = not ended and reading.may_name_a_command
    if commands:
        if at.is_help_page(path, word):
            return _help(reading, words)
        if child := at.child(path, word):
            reading.enter(child, word)
            return None
    args = at.args(path)
    elsewhere = any(other.path[-1] == word for other in at.view.children.get(path, ()))
    if elsewhere and commands:
        taken_for = f", and would be read as {args[0].name}" if args else ""
        return reading.refusal(word, f"is no command here{taken_for}", word)
    if reading.given < len(args):
        arg = args[reading.given]
    elif args and "variadic" in args[-1].facts:
        arg = args[-1]
    else:
        return reading.refusal(word, "is one word too many" if args else "is no command here, and nothing else fits")
    reading.given += 1
    return _value(reading, word, arg)


def _help(reading: _Reading, words: list[str]) -> Refusal | None:
    """A page of help, which takes the words of a command and nothing else; help itself has one too."""
    reading.complete = True
    while words:
        word = words.pop()
        if reading.at.is_help_page(reading.path, word) and not words:
            return None
        child = reading.at.child(reading.path, word)
        if child is None:
            return reading.refusal(word, "is no command here, of which there is help", word)
        reading.enter(child, word)
    return None


def _flags(reading: _Reading, word: str, words: list[str]) -> Refusal | None:
    """A word that begins with a hyphen: a long flag, a short one, or several short ones in one word."""
    name, glued, value = word.partition("=")
    found = reading.at.flag(reading.path, name)
    if found is None and not word.startswith("--") and len(name) > len("-x"):
        return _cluster(reading, word, words)
    if found is None:
        return reading.refusal(name, "is no flag here", name)
    return _flag(reading, found, name, value if glued else None, words)


def _cluster(reading: _Reading, word: str, words: list[str]) -> Refusal | None:
    for place, letter in enumerate(word[1:], 1):
        name, rest = f"-{letter}", word[place + 1 :]
        found = reading.at.flag(reading.path, name)
        if found is None:
            return reading.refusal(word if place == 1 else name, "is no flag here", name)
        if "takes_value" in found.facts:
            return _flag(reading, found, name, rest.removeprefix("=") if rest else None, words)
        if problem := _flag(reading, found, name, None, words):
            return problem
    return None


def _flag(reading: _Reading, found: Found, name: str, glued: str | None, words: list[str]) -> Refusal | None:
    reading.read(name, found.span)
    if reading.manners.once and found.name in reading.seen and "repeatable" not in found.facts:
        return reading.refusal(name, "may be given only once", found.name)
    reading.seen.add(found.name)
    if "takes_value" not in found.facts:
        return None if glued is None else reading.refusal(f"{name}={glued}", "takes no value", found.name)
    return _valued(reading, found, name, glued, words)


def _valued(reading: _Reading, found: Found, name: str, glued: str | None, words: list[str]) -> Refusal | None:
    if glued is not None:
        return _value(reading, glued, found)
    follows = words[-1] if words else None
    looks_like_flag = follows is not None and follows.startswith("-") and follows != "-"
    if "optional_value" in found.facts:
        return _value(reading, words.pop(), found) if words and not looks_like_flag else None
    if follows is None:
        return reading.refusal(name, "needs a value", found.name)
    if looks_like_flag and not reading.manners.hyphens:
        return reading.refusal(follows, f"cannot be the value of {name}: write {name}={follows}", found.name)
    return _value(reading, words.pop(), found)


def _value(reading: _Reading, value: str, found: Found) -> Refusal | None:
    listed = reading.at.values(found)
    if listed is None or value in listed:
        return None
    return reading.refusal(value, f"is no value of {found.name}: {', '.join(listed)}", found.name)


def spelled(words: Sequence[str]) -> str:
    """A line for people; words with blanks stand in quotes."""
    return " ".join(_quoted(words))


def _quoted(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        yield word if word and not set(word) & set(" \t\n'\"") else repr(word)

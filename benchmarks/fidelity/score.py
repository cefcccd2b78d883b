"""Compares a reading of help with the truth, unit by unit.

Units are commands (by path) and spellings of flags (path and name). A unit counts as shown, and so as to be
found, when the truth does not call it hidden and its page holds its name: no reader can find what the page
does not hold. A witness that cannot tell what is hidden is helped by the page as a bag of terms: a flag is
shown when its name stands in the left column of some line. Choices likewise: only those that the page spells out.

What a reader finds beyond the truth is a phantom, unless it calls it hidden itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from benchmarks.fidelity.truth import Path, Read, Reading, TrueCommand, TrueFlag, Truth

Pages = Mapping[Path, str]

# A command that only prints pages: some witnesses list it, some do not.
_HELP = "help"


@dataclass(frozen=True, slots=True, order=True)
class Disagreement:
    """``unit`` is "" for the command itself; ``kind`` is missing, phantom, takes-value, choices or hidden."""

    path: Path
    unit: str
    kind: str
    truth: str = ""
    reading: str = ""


@dataclass(slots=True)
class Tally:
    """``right`` of ``of``; ``extra`` counts what is in no truth."""

    right: int = 0
    of: int = 0
    extra: int = 0

    def add(self, right: bool) -> bool:
        self.of += 1
        self.right += right
        return right

    @property
    def recall(self) -> float | None:
        return self.right / self.of if self.of else None

    @property
    def precision(self) -> float | None:
        return self.right / (self.right + self.extra) if self.right + self.extra else None

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.of + other.of, self.extra + other.extra)


@dataclass(slots=True)
class Score:
    """``hidden`` counts the units that only the truth shows, and how many a reading has in state hidden."""

    commands: Tally = field(default_factory=Tally)
    flags: Tally = field(default_factory=Tally)
    values: Tally = field(default_factory=Tally)
    choices: Tally = field(default_factory=Tally)
    hidden: Tally = field(default_factory=Tally)
    disagreements: list[Disagreement] = field(default_factory=list)


def score(truth: Truth, reading: Reading, pages: Pages) -> Score:
    """Compare a whole tree. ``pages`` are the raw help pages by command."""
    result = Score()
    known = {command.path: command for command in truth if _HELP not in command.path}
    heard = dict(reading.commands)
    for path, command in known.items():
        own = _own(path, reading.aliases)
        if own != path and own in known:
            continue  # a completion script has an alias as a command of its own
        _score_command(result, command, heard.pop(own, None), reading, pages, parents=known)
    named = {(*path[:-1], alias) for path, command in known.items() for alias in command.aliases}
    for path, flags in heard.items():
        if path in named or _HELP in path:
            continue
        result.commands.extra += 1
        result.flags.extra += len(flags)
        result.disagreements.append(Disagreement(path, "", "phantom", reading=f"{len(flags)} flags"))
    result.disagreements.sort()
    return result


def _own(path: Path, aliases: Mapping[Path, Path]) -> Path:
    """The path with every alias in it replaced by the name that it stands for."""
    own: Path = ()
    for word in path:
        own = aliases.get((*own, word), (*own, word))
    return own


def _score_command(
    result: Score,
    command: TrueCommand,
    read: Mapping[str, Read] | None,
    reading: Reading,
    pages: Pages,
    parents: Mapping[Path, TrueCommand],
) -> None:
    path = command.path
    if read is None and not _command_shown(command, pages, parents):
        _score_hidden(result, path, "", reading)
        return
    if not result.commands.add(read is not None):
        result.disagreements.append(Disagreement(path, "", "missing", truth=f"{len(command.flags or ())} flags"))
    if command.flags is None:
        return
    read = read or {}
    page = pages.get(path)
    known = set()
    for flag, name in _names(command):
        known.add(name)
        if name in read:
            result.flags.add(True)
            _score_value(result, path, name, flag, read[name])
            _score_choices(result, path, name, flag, read[name], page)
        elif _flag_shown(flag, name, page):
            result.flags.add(False)
            result.disagreements.append(Disagreement(path, name, "missing"))
        elif flag.hidden or (flag.hidden is None and flag.takes_value is not None):
            # A witness that knows neither lists no hidden flags: what a page lacks there is inherited.
            _score_hidden(result, path, name, reading)
    for name in sorted(read.keys() - known):
        if command.all_names or not known.intersection(read[name].names):
            result.flags.extra += 1
            result.disagreements.append(Disagreement(path, name, "phantom"))


def _score_hidden(result: Score, path: Path, unit: str, reading: Reading) -> None:
    if not result.hidden.add((path, unit) in reading.hidden):
        result.disagreements.append(Disagreement(path, unit, "hidden", truth="hidden", reading="unknown"))


def _names(command: TrueCommand) -> Iterator[tuple[TrueFlag, str]]:
    """Each spelling once: a page may show a flag that a child command declares again."""
    seen = set()
    for flag in command.flags or ():
        for name in flag.names:
            if name not in seen:
                seen.add(name)
                yield flag, name


def _score_value(result: Score, path: Path, name: str, flag: TrueFlag, read: Read) -> None:
    if flag.takes_value is None or read.takes_value is None:
        return
    if not result.values.add(flag.takes_value == read.takes_value):
        result.disagreements.append(
            Disagreement(path, name, "takes-value", str(flag.takes_value), str(read.takes_value))
        )


def _score_choices(result: Score, path: Path, name: str, flag: TrueFlag, read: Read, page: str | None) -> None:
    if flag.choices is None or read.choices is None or not (flag.choices or read.choices):
        return
    # A page may leave them out, or say only some of them.
    entry = _entry(page or "", name)
    spelled_out = all(_word(choice).search(entry) for choice in flag.choices)
    if spelled_out and not result.choices.add(set(flag.choices) == set(read.choices)):
        result.disagreements.append(
            Disagreement(path, name, "choices", " ".join(sorted(flag.choices)), " ".join(sorted(read.choices)))
        )


def _command_shown(command: TrueCommand, pages: Pages, parents: Mapping[Path, TrueCommand]) -> bool:
    if any(parents[command.path[:end]].hidden for end in range(len(command.path) + 1) if command.path[:end] in parents):
        return False
    if not command.path:
        return True
    for end in range(1, len(command.path) + 1):
        page = pages.get(command.path[: end - 1])
        # A page that was not had says nothing against what it would list.
        if page is not None and not _lists(page, command.path[:end]):
            return False
    return True


def _lists(page: str, path: Path) -> bool:
    """Whether the command stands at the start of a line, behind the words above it at most, or between braces."""
    for line in _left(page).splitlines():
        words = re.split(r"[\s,|{}]+", line)
        if path[-1] in (words if "{" in line else words[: len(path) + 1]):
            return True
    return False


def _flag_shown(flag: TrueFlag, name: str, page: str | None) -> bool:
    if flag.hidden:
        return False
    if page is None:
        return True
    listed = {each for each in flag.names if _word(each).search(_terms(page))}
    # A witness that knows its flags knows that this one is there to be seen, in prose if nowhere else.
    return name in listed or bool(flag.hidden is False and not listed and _word(name).search(page))


def _entry(page: str, name: str) -> str:
    """The lines from the one that has the name in its left column to the next flag's."""
    lines: list[str] = []
    for line in page.splitlines():
        if _FLAG_LINE.match(line):
            if lines:
                break
            if _word(name).search(_left(line)):
                lines.append(line)
        elif lines:
            lines.append(line)
    return "\n".join(lines)


# Not a dash alone: clap has bullets for the values.
_FLAG_LINE = re.compile(r"\s*--?\w")


@cache
def _terms(page: str) -> str:
    """The left column of the lines that begin with a dash."""
    return "\n".join(line for line in _left(page).splitlines() if line.startswith("-"))


@cache
def _left(page: str) -> str:
    """The left column: every line without its indent and up to the first wide gap."""
    return "\n".join(re.split(r"\s{2,}|\t", line.strip(), maxsplit=1)[0] for line in page.splitlines())


@cache
def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")

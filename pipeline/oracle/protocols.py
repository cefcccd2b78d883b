"""Completion that is asked for command by command: what to say, and how to read the answer.

The calls of one command in -> argv and environment out; the answers' texts in -> what is told of it. These
protocols list what help lists: hidden units are left out, so a unit that is not told may exist.

- ``cobra``: ``prog __complete <path> -`` gives the flags without running anything. Subcommands are asked for
  (``''``) of groups only: for a leaf the CLI completes its arguments, which may reach out to a server.
- ``click``: the environment asks; ``--help`` stands behind it, so that a CLI without the protocol prints help
  instead of starting.
- ``yargs``: ``prog --get-yargs-completions prog <path> -``. Not every CLI stops after the answer (seen: one that
  goes on to start), therefore never asked by default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pipeline.oracle.testimony import Told, ToldFlag
from pipeline.surface.units import Path

_NAME = re.compile(r"\w[\w.:-]*")
_FLAG = re.compile(r"--?[^\s=,]+")


@dataclass(frozen=True, slots=True)
class Question:
    """One call: words after the program, and what the environment needs besides."""

    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """``question(program, path, begun)``: what completes ``program path… begun``, where begun is "" or "-"."""

    kind: str
    question: Callable[[str, Path, str], Question]
    names: Callable[[str], list[tuple[str, str]]]

    def told(self, flags: str) -> Told:
        """What the answer to "-" tells; a short right behind a long with the same text is the same flag."""
        found: list[ToldFlag] = []
        for name, about in self.names(flags):
            if not _FLAG.fullmatch(name):
                continue
            before = found[-1] if found else None
            if before and about and before.about == about and len(before.names) == 1 and not name.startswith("--"):
                found[-1] = replace(before, names=(*before.names, name))
            else:
                found.append(ToldFlag((name,), about=about or None))
        return Told(flags=tuple(found))

    def subcommands(self, answer: str) -> tuple[str, ...]:
        """The names that the answer to "" lists, flags left out."""
        return tuple(name for name, _ in self.names(answer) if _NAME.fullmatch(name))


def _cobra_question(program: str, path: Path, begun: str) -> Question:  # noqa: ARG001
    return Question(("__complete", *path, begun))


def _cobra_names(text: str) -> list[tuple[str, str]]:
    """``name<TAB>description`` a line; the last line is ``:<directive>``."""
    return _rows(text, "\t", skip=(":", "_activeHelp_"))


def _click_question(program: str, path: Path, begun: str) -> Question:
    stem = re.sub(r"[-.]", "_", program).upper()
    words = " ".join((program, *path, begun))
    return Question(
        ("--help",),
        ((f"_{stem}_COMPLETE", "bash_complete"), ("COMP_WORDS", words), ("COMP_CWORD", str(len(path) + 1))),
    )


def _click_names(text: str) -> list[tuple[str, str]]:
    """``plain,name`` a line; ``file,`` and ``dir,`` lines ask the shell to complete."""
    return [(line.removeprefix("plain,"), "") for line in text.splitlines() if line.startswith("plain,")]


def _yargs_question(program: str, path: Path, begun: str) -> Question:
    return Question(("--get-yargs-completions", program, *path, begun))


def _yargs_names(text: str) -> list[tuple[str, str]]:
    """A name a line, with ``:description`` where the shell is zsh; ``$0`` stands for the default command."""
    return _rows(text, ":", skip=("$0",))


def _rows(text: str, separator: str, skip: tuple[str, ...]) -> list[tuple[str, str]]:
    rows = (line.partition(separator) for line in text.splitlines() if line and not line.startswith(skip))
    return [(name, about) for name, _, about in rows]


PROTOCOLS: Mapping[str, Protocol] = {
    each.kind: each
    for each in (
        Protocol("cobra", _cobra_question, _cobra_names),
        Protocol("click", _click_question, _click_names),
        Protocol("yargs", _yargs_question, _yargs_names),
    )
}

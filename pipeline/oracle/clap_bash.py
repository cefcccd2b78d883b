"""The bash completion script of clap_complete (Rust), for a CLI that prints no zsh script.

Script text in -> a testimony, hidden commands and flags included. An alias leads to the state of its command,
so folding it is no guess. What bash cannot tell stays None: which short and which long are one flag, the
names of values, what is repeatable. Total: what is not such a script tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.oracle.testimony import Testimony, Told, ToldArg, ToldFlag
from pipeline.surface.units import Path, PossibleValue

KIND = "clap-bash"

_STEP = re.compile(r'^\s*"?(?P<state>[^\s,"]*),(?P<word>[^)\s"]+)"?\)\s*cmd="(?P<next>[^"]+)"', re.MULTILINE)
# A state of the script: all that may follow, then a branch for each flag that takes a value.
_STATE = re.compile(
    r'^\s*(?P<state>[^\s()"]+)\)\s*opts="(?P<words>[^"]*)"(?P<branches>.*?)^\s*esac', re.MULTILINE | re.DOTALL
)
_BRANCH = re.compile(r"^\s*(?P<flag>-[^\s)]+)\)\s*(?P<action>.*?)return 0", re.MULTILINE | re.DOTALL)
_CHOICES = re.compile(r'compgen -W "(?P<words>[^"$]*)"')
# States are named after words with "-" written "__": `a b` and `a-b` may share one and lead in a circle.
_DEEPEST = 12


def read(script: str) -> Testimony:
    """The commands that the script knows, by path; ``help`` subtrees included."""
    states = {match["state"]: match for match in _STATE.finditer(script)}
    steps: dict[str, dict[str, str]] = {}
    for step in _STEP.finditer(script):
        steps.setdefault(step["state"], {})[step["word"]] = step["next"]
    told: dict[Path, Told] = {}

    def tell(path: Path, state: str, aliases: tuple[str, ...]) -> None:
        told[path] = _told(states[state], aliases) if state in states else Told(aliases=aliases)
        if len(path) < _DEEPEST:
            for name, further, below in _children(states.get(state), steps.get(state, {})):
                tell((*path, name), below, further)

    root = next(iter(steps.get("", {}).values()), None)
    if root is not None:
        tell((), root, ())
    return Testimony(KIND, exhaustive=root is not None, tells_hidden=True, commands=told)


def _children(state: re.Match[str] | None, steps: dict[str, str]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The subcommands: name, aliases, state. The script's list has a command before its aliases."""
    listed = [word for word in state["words"].split() if word in steps] if state else []
    for below in dict.fromkeys(steps[word] for word in listed):
        names = [word for word in listed if steps[word] == below]
        yield names[0], tuple(names[1:]), below


def _told(state: re.Match[str], aliases: tuple[str, ...]) -> Told:
    words = state["words"].split()
    actions = {branch["flag"]: branch["action"] for branch in _BRANCH.finditer(state["branches"])}
    return Told(
        flags=tuple(
            ToldFlag((word,), takes_value=word in actions, possible_values=_choices(actions.get(word, "")))
            for word in words
            if word.startswith("-")
        ),
        args=tuple(
            ToldArg(word.strip("<>[]."), required=word.startswith("<"), variadic=word.endswith("..."))
            for word in words
            if word[0] in "<["
        ),
        aliases=aliases,
    )


def _choices(action: str) -> tuple[PossibleValue, ...] | None:
    match = _CHOICES.search(action)
    return tuple(map(_value, match["words"].split())) or None if match else None


def _value(name: str) -> PossibleValue:
    return PossibleValue(name=name)

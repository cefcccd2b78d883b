"""The surface of a clap CLI from the zsh script that it prints (clap_complete's layout).

Script -> Truth. The script holds the whole tree, hidden units included, and does not say which are hidden:
``hidden`` is None. A ``case $line[N]`` opens a level of commands, ``(name)`` a command in it and ``esac``
closes it; the words of an ``_arguments`` call are one spelling each:

    '(-a --other)*--name=[text]:VALUE:(one two)'

`=` or `+` after the name says that it takes a
value, even where all of it may be left out. An alias is a command of its own here.
"""

from __future__ import annotations

import re
import shlex

from benchmarks.fidelity.truth import Path, TrueCommand, TrueFlag, Truth

_TOKEN = re.compile(
    r"""^\ *_arguments\ "\$\{_arguments_options\[@\]\}"\ :\ \\\n (?P<words>.*?) ^&&\ ret=0
      | ^\ *case\ \$(?P<of>state|line)\b[^\n]*\ in$
      | ^\ *\((?P<command>[^\s()]+)\)$
      | ^\ *(?P<close>esac)$""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_SPEC = re.compile(
    r"""(?:\([^)]*\))? \*? (?P<name>--?[^\s\[\]=+:]+) (?P<joint>=-|[-=+])? (?:\[(?:\\.|[^\\\]])*\])?
        (?: (?P<value>::?) (?:\\.|[^\\:])* (?: :(?P<action>.*) )? )?""",
    re.DOTALL | re.VERBOSE,
)
_DESCRIBED_CHOICE = re.compile(r'(?:^|\n|(?<=")\s)((?:\\.|[^\\\s"])+?)\\:"', re.DOTALL)


def read_zsh(script: str, program: str) -> Truth:
    """All commands of the script's main function; raises ValueError for a script without one."""
    start = re.search(rf"^_{re.escape(program)}\(\) \{{\n(.*?)^\}}$", script, re.MULTILINE | re.DOTALL)
    if start is None:
        raise ValueError(f"the script has no function _{program}")
    flags: dict[Path, tuple[TrueFlag, ...]] = {}
    # One entry per open `case`: the path that it goes on from, or None for the `case $state` around it.
    levels: list[Path | None] = []
    here: Path = ()
    for token in _TOKEN.finditer(start[1]):
        if token["of"]:
            levels.append(here if token["of"] == "line" else None)
        elif token["command"] and levels and levels[-1] is not None:
            here = (*levels[-1], token["command"])
        elif token["close"] and levels:
            closed = levels.pop()
            here = here if closed is None else closed
        elif token["words"] is not None:
            flags[here] = tuple(filter(None, map(_flag, shlex.split(token["words"].replace("\\\n", "\n")))))
    return tuple(TrueCommand(path=path, flags=found) for path, found in flags.items() if "help" not in path)


def _flag(word: str) -> TrueFlag | None:
    spec = _SPEC.fullmatch(word)
    if spec is None:
        return None
    takes_value = bool(spec["joint"] or spec["value"])
    return TrueFlag(names=(spec["name"],), takes_value=takes_value, choices=_choices(spec["action"] or ""))


def _choices(action: str) -> tuple[str, ...]:
    action = re.split(r":(?=[^\"]*$)", action)[0] if not action.startswith("(") else action
    if action.startswith("(("):
        return tuple(_unescape(name) for name in _DESCRIBED_CHOICE.findall(action[2:]))
    if action.startswith("("):
        return tuple(_unescape(name) for name in re.findall(r"(?:\\.|[^\\\s)])+", action[1 : action.index(")")]))
    return ()


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)

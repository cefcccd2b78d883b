"""The surface of a yargs CLI as it completes itself: ``program --get-yargs-completions program <path> <word>``.

Ask -> Truth. Completion leaves out what is hidden and some short names (``-h``); whether a flag takes a value it
does not say. Choices are not asked for: that would be a call for every flag. The options of the default command,
which the root's page shows, are offered below its stand-in ``$0``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.fidelity.truth import Path, TrueCommand, TrueFlag, Truth

_DEFAULT = "$0"


def read_yargs(ask: Callable[..., str], program: str) -> Truth:
    """Walk the whole tree. ``ask(*words)`` gives the standard output of the program."""

    def offers(*words: str) -> list[str]:
        lines = ask("--get-yargs-completions", program, *words).splitlines()
        return [line.split(":")[0] for line in lines]

    def walk(path: Path, above: set[str]) -> Iterator[TrueCommand]:
        words = {word for word in offers(*path, "") if word and not word.startswith("-")}
        # Below a command without commands yargs may offer those of its parent again, less the command itself.
        own = set() if above and words >= above - {path[-1]} else words
        flags = set(offers(*path, "-"))
        if _DEFAULT in own:
            flags.update(offers(*path, _DEFAULT, "-"))
        names = sorted(flag for flag in flags if flag.startswith("-"))
        yield TrueCommand(path=path, all_names=False, flags=tuple(TrueFlag(names=(name,)) for name in names))
        for name in sorted(own - {_DEFAULT}):
            yield from walk((*path, name), words)

    return tuple(walk((), set()))

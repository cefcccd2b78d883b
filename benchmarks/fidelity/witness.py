"""Hears the witness of an installed subject: which reader, and what it asks.

Subject -> Truth. Calls run like the pipeline's own: no input, a clean environment, a home of their own.
Raises NotMeasured when a witness says nothing that its reader understands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from benchmarks.fidelity.cobra import read_cobra
from benchmarks.fidelity.subjects import Installed, NotMeasured
from benchmarks.fidelity.truth import Truth, decode
from benchmarks.fidelity.yargs import read_yargs
from benchmarks.fidelity.zsh import read_zsh
from pipeline import process
from pipeline.errors import ParityError

_INSIDE = Path(__file__).with_name("inside")


def hear(installed: Installed, home: Path) -> Truth:
    """The subject's truth; ``home`` is an empty folder for its calls."""
    reader = installed.subject.truth.reader
    if reader not in _READERS:
        raise NotMeasured(f"no reader is called {reader}")
    try:
        return _READERS[reader](installed, home)
    except (ValueError, msgspec.MsgspecError, ParityError) as error:
        raise NotMeasured(f"its {reader} cannot be read: {error}") from error


def _completion(installed: Installed, home: Path) -> Truth:
    return read_zsh(_call(home, installed.binary, *installed.subject.truth.call), installed.program)


def _cobra(installed: Installed, home: Path) -> Truth:
    return read_cobra(lambda *words: _call(home, installed.binary, *words))


def _yargs(installed: Installed, home: Path) -> Truth:
    return read_yargs(lambda *words: _call(home, installed.binary, *words), installed.program)


def _by_python(script: str) -> Callable[[Installed, Path], Truth]:
    def hear(installed: Installed, home: Path) -> Truth:
        if installed.python is None:
            raise NotMeasured("it has no interpreter of its own")
        return decode(_call(home, installed.python, _INSIDE / script, installed.subject.truth.object))

    return hear


def _by_node(script: str) -> Callable[[Installed, Path], Truth]:
    return lambda installed, home: decode(_call(home, "node", "--require", _INSIDE / script, installed.binary))


_READERS: Mapping[str, Callable[[Installed, Path], Truth]] = {
    "zsh": _completion,
    "cobra": _cobra,
    "yargs-completion": _yargs,
    "click": _by_python("click_tree.py"),
    "parser": _by_python("parser_tree.py"),
    "commander": _by_node("commander_tree.cjs"),
    "yargs": _by_node("yargs_tree.cjs"),
}


def _call(home: Path, *words: str | Path) -> str:
    environment = process.clean_environment(home, {})
    done = process.run(words, env=environment, cwd=home, seconds=60, max_bytes=50_000_000)
    if done.returncode and not done.stdout:
        raise ValueError((done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it prints nothing"])[-1])
    return done.stdout.decode("utf-8", "replace")

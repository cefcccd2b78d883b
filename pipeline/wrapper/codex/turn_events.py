"""What the events of a turn say of the one command that was asked for.

A process that runs it is known by its words (the command's own, or a shell's that is given its line) and its folder.
Its end is the server's word. Anything that the model does beside it makes the turn worthless as evidence.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from pipeline.errors import AnswerMalformed
from pipeline.process.lines import Ends
from pipeline.wrapper.codex.app_server import CommandResult

EVENT = "codex/event"
# What is reported for a command that was stopped at its limit, as `timeout` and the server do.
_TIMED_OUT = 124
_KEPT = 1 << 16
_SHELLS = frozenset({"bash", "dash", "sh", "zsh"})
# What changes something without being a process.
_OTHERS = ("mcp_tool_call_begin", "patch_apply_begin")
_QUOTED = 200

_T = TypeVar("_T")


class _Begin(msgspec.Struct):
    call_id: str
    command: tuple[str, ...]
    cwd: str


class _Output(msgspec.Struct):
    call_id: str
    stream: Literal["stdout", "stderr"]
    chunk: bytes


class _End(msgspec.Struct):
    call_id: str
    exit_code: int
    stdout: str
    stderr: str


class Turn:
    """One turn; ``problem`` is set once it is worthless."""

    def __init__(self, command: Sequence[str], cwd: Path) -> None:
        self.problem: AnswerMalformed | None = None
        self._words = tuple(command)
        self._line = shlex.join(command)
        self._cwd = cwd
        self._call: str | None = None
        self._end: _End | None = None
        self._asked = False
        self._printed = {"stdout": Ends(_KEPT), "stderr": Ends(_KEPT)}

    @property
    def running(self) -> bool:
        """Whether the command has begun and not ended."""
        return self._call is not None and self._end is None

    def take(self, params: Any) -> bool:
        """Hear an event; whether the command has begun or ended by it."""
        told = params.get("msg") if isinstance(params, Mapping) else None
        kind = told.get("type") if isinstance(told, Mapping) else None
        before = self.running
        try:
            if kind == "exec_command_begin":
                self._begin(_typed(kind, told, _Begin))
            elif kind == "exec_command_output_delta":
                output = _typed(kind, told, _Output)
                self._printed[output.stream].write(output.chunk)
            elif kind == "exec_command_end":
                self._ended(_typed(kind, told, _End))
            elif kind == "exec_approval_request":
                self._asked = True
            elif kind in _OTHERS:
                raise AnswerMalformed("the model did something else than to run the command", where=str(kind))
        except AnswerMalformed as error:
            self.problem = self.problem or error
        return self.running != before

    def result(self, said: str) -> CommandResult:
        """How the command ended; ``said`` is the model's last word. Raises AnswerMalformed where it did not."""
        if self._asked:
            raise AnswerMalformed(
                "the agent asked whether the command may run, and nobody is there to answer",
                where=EVENT,
                remedy="use the approval policy never, or another sandbox",
            )
        if self._call is None:
            raise AnswerMalformed(f"the command did not run; the model says: {said[:_QUOTED]!r}", where=EVENT)
        if self._end is None:
            raise AnswerMalformed("the turn was over before the command had ended", where=EVENT)
        return CommandResult(exit_code=self._end.exit_code, stdout=self._end.stdout, stderr=self._end.stderr)

    def cut_off(self) -> CommandResult:
        """What there is of a command that did not end in time."""
        stdout, stderr = (bytes(self._printed[name]).decode("utf-8", "replace") for name in ("stdout", "stderr"))
        return CommandResult(exit_code=_TIMED_OUT, stdout=stdout, stderr=stderr)

    def _begin(self, begin: _Begin) -> None:
        if self._call is not None:
            raise AnswerMalformed(f"the model ran a second command: {shlex.join(begin.command)}", where=EVENT)
        if not self._is_meant(begin.command):
            raise AnswerMalformed(f"the model ran another command: {shlex.join(begin.command)}", where=EVENT)
        if os.path.realpath(begin.cwd) != os.path.realpath(self._cwd):
            raise AnswerMalformed("the model ran the command in another folder", where=EVENT)
        self._call = begin.call_id

    def _ended(self, end: _End) -> None:
        if end.call_id != self._call or self._end is not None:
            raise AnswerMalformed("a command has ended that had not begun", where=EVENT)
        self._end = end

    def _is_meant(self, words: Sequence[str]) -> bool:
        if tuple(words) == self._words:
            return True
        match words:
            case (shell, "-c" | "-lc", line):
                return Path(shell).name in _SHELLS and line.strip() == self._line.strip()
        return False


def _typed(kind: str, told: Any, shape: type[_T]) -> _T:
    try:
        return msgspec.convert(told, shape)
    except msgspec.ValidationError as error:
        raise AnswerMalformed(f"an event in a shape that is not known: {error}", where=kind) from None

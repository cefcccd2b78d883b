"""One turn of an agent's model without a person, found by the wrapper's name: the ``turning`` of its package.

A turn gets a prompt and a JSON Schema for its answer, may change as much as its sandbox allows, and says how it
ended. What the model claims of itself is text; the exit code is the program's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pipeline.errors import UsageError
from pipeline.wrapper.client import Client, Runnable
from pipeline.wrapper.registry import wrapper

Sandbox = Literal["read-only", "workspace-write", "danger-full-access"]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a turn is asked. ``schema`` is a file that holds a JSON Schema, ``answer`` is written by the program."""

    prompt: str
    sandbox: Sandbox
    schema: Path
    answer: Path
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class Turned:
    """How a turn ended. ``problem`` is None where it ended well; ``usage`` counts tokens by the program's names."""

    exit_code: int
    problem: str | None
    thread: str | None
    usage: dict[str, int]
    stderr: str


class Turning(Protocol):
    """What a wrapper's module ``turning`` holds."""

    def command(self, ask: Ask) -> Runnable:
        """The declared command that makes the turn."""

    async def turn(self, client: Client, ask: Ask, note: Callable[[bytes], None]) -> Turned:
        """Make the turn; ``note`` is given each event as a line of JSON, as soon as it is there.

        Raises what ``Client.stream`` raises; a turn that fails is a value.
        """


def turning(name: str) -> Turning:
    """Raises UsageError where the wrapper cannot make turns."""
    wrapper(name)
    module = f"pipeline.wrapper.{name}.turning"
    try:
        found: Turning = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UsageError(f"the wrapper {name!r} makes no turns of a model", remedy="use another agent") from None
    return found

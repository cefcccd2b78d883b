"""The server of a wrapper that runs commands, found by the wrapper's name: the ``app_server`` of its package."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import UsageError
from pipeline.wrapper.client import Client
from pipeline.wrapper.registry import wrapper


class Executed(Protocol):
    """How a command ended that a server has run."""

    @property
    def exit_code(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class CommandServer(Protocol):
    """A server of the agent that runs commands."""

    async def exec(
        self, command: Sequence[str], *, cwd: Path | None = None, seconds: float | None = None, **params: Any
    ) -> Executed: ...


class CommandServing(Protocol):
    """Starts such a server; ``name`` and ``version`` are the caller's."""

    def __call__(self, client: Client, *, name: str, version: str) -> AbstractAsyncContextManager[CommandServer]: ...


def command_server(name: str) -> CommandServing:
    """The ``app_server`` of a wrapper. Raises UsageError where the wrapper has none."""
    wrapper(name)
    module = f"pipeline.wrapper.{name}.app_server"
    try:
        found: CommandServing = importlib.import_module(module).app_server
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UsageError(
            f"the wrapper {name!r} has no server that runs commands", remedy="use the transport local"
        ) from None
    return found
